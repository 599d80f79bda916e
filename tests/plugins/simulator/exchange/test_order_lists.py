"""Orders that belong together, on spot."""

from __future__ import annotations

from exchange_cases import BTC, BUY, SELL, D, futures, heard, quote, refused, spot, terms, user

from cambist.model import OrderType
from cambist_simulator.exchange.errors import Why
from cambist_simulator.exchange.events import ListChanged, OrderChanged
from cambist_simulator.exchange.orders import ExecutionType, ListTerms, Status

STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT


def at_100():
    exchange = spot(levels=3)
    exchange.market_trade(BTC, BUY, D("0.1"), D("100.01"))
    return exchange, user(exchange, USDT=1_000, BTC=5)


def oco(side, size, limit, stop, stop_limit=None, **names):
    kind = STOP if stop_limit is None else STOP_LIMIT
    first = terms(side, size, limit, post_only=True)
    return ListTerms(
        kind="oco", symbol=BTC, orders=(first, terms(side, size, stop_limit, kind, stop_price=stop)), **names
    )


def legs(exchange, who, made):
    return [exchange.order(who, BTC, order_id=order_id) for order_id in made.order_ids]


def test_the_two_legs_lock_once_and_a_fill_of_one_ends_the_other():
    exchange, ann = at_100()
    events = heard(exchange)
    made = exchange.place_list(ann, oco(SELL, "5", "105", "95", "94", client_id="mine"))
    limit, stop = legs(exchange, ann, made)
    assert exchange.balances(ann)["BTC"].locked == 5
    assert [type(one) for one in events[:3]] == [OrderChanged, OrderChanged, ListChanged]
    assert (events[2].list.status, events[2].list.client_id) == ("exec_started", "mine")
    exchange.market_trade(BTC, BUY, D(2), D(105))
    assert (limit.status, stop.status, stop.reason) == (Status.PARTIALLY_FILLED, Status.EXPIRED, "list")
    assert made.status == "exec_started"
    what = [(one.order.id, one.what) for one in events[3:] if isinstance(one, OrderChanged)]
    assert what == [(stop.id, ExecutionType.EXPIRED), (limit.id, ExecutionType.TRADE)]
    assert exchange.balances(ann)["BTC"].locked == 3
    exchange.market_trade(BTC, BUY, D(3), D(105))
    assert (limit.status, made.status, events[-2].list.status) == (Status.FILLED, "all_done", "all_done")


def test_a_stop_that_is_set_off_ends_the_limit_leg_first():
    exchange, ann = at_100()
    made = exchange.place_list(ann, oco(SELL, "5", "105", "95", "94"))
    limit, stop = legs(exchange, ann, made)
    events = heard(exchange)
    exchange.market_trade(BTC, SELL, D("0.1"), D(95))
    assert (limit.status, stop.status, stop.triggered) == (Status.EXPIRED, Status.NEW, True)
    what = [(one.order.id, one.what) for one in events if isinstance(one, OrderChanged)]
    assert what == [(limit.id, ExecutionType.EXPIRED), (stop.id, ExecutionType.TRIGGERED)]
    assert exchange.book(BTC).size_at(SELL, D(94)) == 5
    assert exchange.balances(ann)["BTC"].locked == 5


def test_a_buy_locks_what_the_dearer_leg_needs():
    exchange, ann = at_100()
    made = exchange.place_list(ann, oco(BUY, "5", "95", "105", "106"))
    assert exchange.balances(ann)["USDT"].locked == 530
    exchange.cancel(ann, BTC, order_id=made.order_ids[1], cancel_client_id="away")
    limit, stop = legs(exchange, ann, made)
    assert (limit.status, stop.status, made.status) == (Status.CANCELED, Status.CANCELED, "all_done")
    assert exchange.balances(ann)["USDT"].locked == 0
    with refused(Why.INSUFFICIENT_FUNDS, asset="USDT"):
        exchange.place_list(ann, oco(BUY, "10", "95", "105", "106"))
    assert exchange.balances(ann)["USDT"].locked == 0
    assert len(exchange.order_lists(ann)) == 1


def test_a_filled_order_sends_the_one_that_waits_for_it():
    exchange, ann = at_100()
    first = terms(BUY, "2", "99.98")
    made = exchange.place_list(ann, ListTerms(kind="oto", symbol=BTC, orders=(first, terms(SELL, "6", "110"))))
    working, pending = legs(exchange, ann, made)
    assert (pending.status, pending.working_at, exchange.balances(ann)["BTC"].locked) == (Status.PENDING, -1, 0)
    exchange.market_trade(BTC, SELL, D(2), D("99.98"))
    assert (working.filled, pending.status) == (1, Status.PENDING)  # one that stood there before was first
    events = heard(exchange)
    exchange.market_trade(BTC, SELL, D(1), D("99.98"))
    assert (working.status, pending.status, exchange.balances(ann)["BTC"].locked) == (Status.FILLED, Status.NEW, 6)
    assert exchange.book(BTC).size_at(SELL, D(110)) == 6
    assert [one.what for one in events if isinstance(one, OrderChanged)] == [ExecutionType.TRADE, ExecutionType.NEW]
    exchange.cancel(ann, BTC, order_id=pending.id)
    assert made.status == "all_done"


def test_one_that_cannot_be_paid_for_then_expires():
    exchange, ann = at_100()
    orders = (terms(BUY, "2", "100.01"), terms(SELL, "9", "110"))
    made = exchange.place_list(ann, ListTerms(kind="oto", symbol=BTC, orders=orders))
    working, pending = legs(exchange, ann, made)
    exchange.market_trade(BTC, SELL, D("1.1"), D("100.01"))
    assert working.status is Status.FILLED
    assert (pending.status, pending.reason, made.status) == (Status.EXPIRED, "insufficient_funds", "all_done")


def test_a_filled_order_sends_two_of_which_one_cancels_the_other():
    exchange, ann = at_100()
    orders = (
        terms(BUY, "1", "100.01"),
        terms(SELL, "1", "110"),
        terms(SELL, "1", None, STOP, stop_price="90"),
    )
    made = exchange.place_list(ann, ListTerms(kind="otoco", symbol=BTC, orders=orders))
    working, limit, stop = legs(exchange, ann, made)
    exchange.market_trade(BTC, SELL, D("0.1"), D("100.01"))
    assert (working.status, limit.status, stop.status) == (Status.FILLED, Status.NEW, Status.NEW)
    assert exchange.balances(ann)["BTC"].locked == 1
    quote(exchange, middle="90", levels=1)
    exchange.market_trade(BTC, SELL, D("0.1"), D("90"))
    assert (limit.status, stop.status, made.status) == (Status.EXPIRED, Status.FILLED, "all_done")
    assert stop.average_price == D("89.99")
    assert exchange.balances(ann)["BTC"].locked == 0


def test_a_working_order_that_is_canceled_takes_the_others_with_it():
    exchange, ann = at_100()
    orders = (terms(BUY, "1", "99"), terms(SELL, "1", "110"))
    made = exchange.place_list(ann, ListTerms(kind="oto", symbol=BTC, orders=orders, client_id="pair"))
    exchange.cancel_list(ann, client_id="pair")
    assert [one.status for one in legs(exchange, ann, made)] == [Status.CANCELED] * 2
    with refused(Why.UNKNOWN_ORDER):
        exchange.cancel_list(ann, client_id="pair")
    assert exchange.order_list(ann, made.id) is made
    assert exchange.order_lists(ann, open_only=True) == []
    assert exchange.balances(ann)["USDT"].locked == 0


def test_lists_that_cannot_be():
    exchange, ann = at_100()
    limit, stop = terms(SELL, "1", "105"), terms(SELL, "1", None, STOP, stop_price="95")
    cases = [
        ("oco", (limit,), Why.BAD_LIST),
        ("oco", (limit, limit), Why.BAD_LIST),
        ("oco", (limit, terms(BUY, "1", None, STOP, stop_price="105")), Why.BAD_LIST),
        ("oco", (limit, terms(SELL, "2", None, STOP, stop_price="95")), Why.BAD_LIST),
        ("oco", (limit, terms(SELL, "1", None, STOP, stop_price="101")), Why.WOULD_TRIGGER),
        ("oto", (stop, limit), Why.BAD_LIST),
        ("ladder", (limit, stop), Why.BAD_LIST),
        ("oco", (terms(SELL, "1", "105", client_id="a"), terms(SELL, "1", None, STOP, stop_price="95", client_id="a")),
         Why.DUPLICATE_CLIENT_ID),
    ]  # fmt: skip
    for kind, orders, why in cases:
        with refused(why):
            exchange.place_list(ann, ListTerms(kind=kind, symbol=BTC, orders=orders))
    assert exchange.orders(ann) == []
    other = futures()
    bob = user(other, USDT=1_000)
    other.set_mark(BTC, D(100))
    with refused(Why.UNSUPPORTED):
        other.place_list(bob, ListTerms(kind="oco", symbol=BTC, orders=(limit, stop)))
