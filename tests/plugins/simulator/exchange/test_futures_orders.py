"""Orders on futures by example: what may only reduce, what waits for a price, what ends by time."""

from __future__ import annotations

import pytest
from exchange_cases import (
    BTC,
    BUY,
    SELL,
    START,
    D,
    futures,
    heard,
    linear_listing,
    quote,
    refused,
    terms,
    user,
)

from cambist.model import OrderType, TimeInForce
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.errors import Why
from cambist_simulator.exchange.events import OrderChanged
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.orders import AmendTerms, ExecutionType, PriceSource, Status

FREE = {"maker_fee": D(0), "taker_fee": D(0)}
STOP = OrderType.STOP


def at_100(**rules):
    exchange = futures(linear_listing(**FREE, **rules))
    ann = user(exchange, USDT=10_000)
    exchange.set_mark(BTC, D(100))
    quote(exchange, size="10")
    return exchange, ann


def held(exchange, who):
    return [one.size for one in exchange.positions(who)]


def test_an_order_that_only_reduces_is_cut_to_the_position_and_refused_without_one():
    exchange, ann = at_100()
    with refused(Why.REDUCE_ONLY):
        exchange.place(ann, terms(SELL, "1", "101", reduce_only=True))
    exchange.place(ann, terms(BUY, "3"))
    with refused(Why.REDUCE_ONLY):
        exchange.place(ann, terms(BUY, "1", reduce_only=True))
    order = exchange.place(ann, terms(SELL, "5", reduce_only=True))
    assert (order.size, order.status, held(exchange, ann)) == (3, Status.FILLED, [])


def test_what_one_of_them_trades_is_taken_off_the_others():
    exchange, ann = at_100()
    exchange.place(ann, terms(BUY, "3"))
    near = exchange.place(ann, terms(SELL, "2", "101", reduce_only=True))
    far = exchange.place(ann, terms(SELL, "2", "102", reduce_only=True))
    last = exchange.place(ann, terms(SELL, "3", "103", reduce_only=True))
    events = heard(exchange)
    exchange.market_trade(BTC, BUY, D("1.5"), D("101"))
    assert (near.left, far.left, last.left) == (D("0.5"), D("1.5"), D("1.5"))
    assert exchange.book(BTC).size_at(SELL, D(103)) == D("1.5")
    cut = [one for one in events if isinstance(one, OrderChanged) and one.what is ExecutionType.REPLACED]
    assert [(one.order.id, one.reason) for one in cut] == [(far.id, "reduce_only"), (last.id, "reduce_only")]
    exchange.cancel(ann, BTC, order_id=near.id)
    exchange.place(ann, terms(SELL, "1.5"))
    assert {far.status, last.status} == {Status.EXPIRED}
    assert (far.reason, exchange.book(BTC).size_at(SELL, D(103))) == ("reduce_only", 0)


def test_one_sweep_through_several_of_them_does_not_turn_the_position():
    """A user's or the market's order meets more of them at once than there is to reduce."""
    for outside in (True, False):
        exchange, ann = at_100()
        bob = user(exchange, "bob", USDT=100_000)
        exchange.place(ann, terms(BUY, "3"))
        plain = exchange.place(ann, terms(SELL, "2", "101"))
        orders = [exchange.place(ann, terms(SELL, "3", price, reduce_only=True)) for price in ("101", "102", "103")]
        exchange.set_level(BTC, SELL, D("101.5"), D(1))
        exchange.clear_book(BTC)
        if outside:
            exchange.market_trade(BTC, BUY, D(9), D(104))
        else:
            taker = exchange.place(bob, terms(BUY, "9", "104"))
            assert (taker.filled, taker.status) == (3, Status.PARTIALLY_FILLED)
        assert held(exchange, ann) == []
        assert (plain.filled, [one.filled for one in orders]) == (2, [1, 0, 0])
        assert [one.status for one in orders] == [Status.FILLED, Status.EXPIRED, Status.EXPIRED]


def test_closing_one_side_of_a_hedged_account_is_reducing():
    exchange, ann = at_100()
    exchange.set_position_mode(ann, hedged=True)
    with refused(Why.POSITION_SIDE):
        exchange.place(ann, terms(BUY, "1"))
    exchange.place(ann, terms(BUY, "3", position_side="long"))
    exchange.place(ann, terms(SELL, "1", position_side="short"))
    assert held(exchange, ann) == [3, -1]
    with refused(Why.REDUCE_ONLY):
        exchange.place(ann, terms(SELL, "4", position_side="long"))
    with refused(Why.BAD_TERMS, field="reduce_only"):
        exchange.place(ann, terms(SELL, "1", position_side="long", reduce_only=True))
    exchange.place(ann, terms(SELL, "2", position_side="long"))
    assert held(exchange, ann) == [1, -1]


@pytest.mark.parametrize("source", PriceSource)
def test_a_conditional_order_sends_another_when_its_price_is_reached(source):
    exchange, ann = at_100()
    exchange.place(ann, terms(BUY, "3"))
    exchange.market_trade(BTC, BUY, D(1), D("100.1"))
    order = exchange.place(ann, terms(SELL, "2", "98", OrderType.STOP_LIMIT, stop_price="99", trigger=source))
    assert order.conditional
    assert exchange.open_orders(ann, conditional=True) == [order]
    assert exchange.wallet(ann, "USDT").order_margin == 0
    events = heard(exchange)
    if source is PriceSource.LAST:
        exchange.set_mark(BTC, D("98.5"))
        assert order.status is Status.NEW
        exchange.market_trade(BTC, SELL, D("0.1"), D("99"))
    else:
        exchange.market_trade(BTC, SELL, D("0.1"), D("99"))
        assert order.status is Status.NEW
        exchange.set_mark(BTC, D("98.9"))
    assert (order.status, order.triggered) == (Status.TRIGGERED, True)
    child = exchange.order(ann, BTC, order_id=order.child_id)
    assert (child.parent_id, child.terms.type, child.conditional, child.price) == (order.id, OrderType.LIMIT, False, 98)
    told = [(one.order.id, one.what) for one in events if isinstance(one, OrderChanged)]
    assert told[:2] == [(order.id, ExecutionType.TRIGGERED), (child.id, ExecutionType.NEW)]
    with refused(Why.UNKNOWN_ORDER):
        exchange.cancel(ann, BTC, order_id=order.id)


def test_a_conditional_order_may_close_whatever_there_is():
    exchange, ann = at_100()
    exchange.place(ann, terms(BUY, "3"))
    stop = exchange.place(ann, terms(SELL, None, None, STOP, stop_price="99", close_position=True))
    late = exchange.place(ann, terms(SELL, None, None, STOP, stop_price="98", close_position=True))
    exchange.place(ann, terms(BUY, "1"))
    exchange.set_level(BTC, BUY, D("98.5"), D(10))
    exchange.market_trade(BTC, SELL, D("0.1"), D("99"))
    child = exchange.order(ann, BTC, order_id=stop.child_id)
    assert (child.size, child.filled, child.terms.reduce_only, held(exchange, ann)) == (4, 4, True, [])
    exchange.market_trade(BTC, SELL, D("0.1"), D("98"))
    assert (late.status, late.reason, late.child_id) == (Status.REJECTED, "reduce_only", 0)
    after = exchange.place(ann, terms(BUY, "1", "90"))
    assert after.id == child.id + 2  # the number that streams had told as that of the child is nobody's


def test_a_trailing_stop_begins_where_it_is_told_to():
    exchange, ann = at_100()
    exchange.place(ann, terms(BUY, "1"))
    order = exchange.place(ann, terms(SELL, "1", None, OrderType.TRAILING_STOP, trail="0.01", stop_price="102"))
    for price, stop in [("101", None), ("99", None), ("102", "100.9"), ("104", "102.9"), ("103", "102.9")]:
        exchange.market_trade(BTC, BUY, D("0.1"), D(price))
        assert (order.stop_price, order.triggered) == (stop and D(stop), False)
    exchange.market_trade(BTC, BUY, D("0.1"), D("102.9"))
    assert order.triggered


def test_conditional_orders_have_names_and_limits_of_their_own():
    exchange, ann = at_100(max_orders=1, max_conditional_orders=1)
    exchange.place(ann, terms(BUY, "1", "90", client_id="same"))
    stop = exchange.place(ann, terms(BUY, "1", None, STOP, stop_price="110", client_id="same"))
    assert exchange.order(ann, BTC, client_id="same", conditional=True) is stop
    assert exchange.order(ann, BTC, client_id="same").price == 90
    with refused(Why.FILTER, filter="max_orders"):
        exchange.place(ann, terms(BUY, "1", "90"))
    with refused(Why.FILTER, filter="max_conditional_orders"):
        exchange.place(ann, terms(BUY, "1", None, STOP, stop_price="110"))
    assert exchange.cancel_all(ann, BTC, conditional=False)[0].client_id == "same"
    assert exchange.open_orders(ann) == [stop]


def test_orders_end_by_time():
    exchange, ann = at_100()
    bob = user(exchange, "bob", USDT=1_000)
    dated = exchange.place(ann, terms(BUY, "1", "90", time_in_force=TimeInForce.GTD, expires_at=START + 5))
    left, stop = (
        exchange.place(ann, terms(BUY, "1", "90")),
        exchange.place(ann, terms(BUY, "1", None, STOP, stop_price="110")),
    )
    other = exchange.place(bob, terms(BUY, "1", "90"))
    exchange.advance(START + 4)
    assert dated.open
    exchange.advance(START + 5)
    assert (dated.status, dated.reason) == (Status.EXPIRED, "expired")
    exchange.count_down(ann, BTC, 100)
    exchange.clock.server.shift(99)
    exchange.count_down(ann, BTC, 100)
    exchange.clock.server.shift(99)
    exchange.advance()
    assert left.open
    exchange.clock.server.shift(1)
    exchange.advance()
    assert (left.status, left.reason, stop.open, other.open) == (Status.CANCELED, "countdown", True, True)
    exchange.count_down(bob, BTC, 100)
    exchange.count_down(bob, BTC, 0)
    exchange.clock.server.shift(1_000)
    exchange.advance()
    assert other.open


def test_what_a_conditional_order_sends_ends_by_time_too():
    exchange, ann = at_100()
    exchange.market_trade(BTC, BUY, D(1), D("100.1"))
    dated = {"time_in_force": TimeInForce.GTD, "expires_at": START + 5}
    order = exchange.place(ann, terms(BUY, "1", "99", OrderType.LIMIT_IF_TOUCHED, stop_price="99.5", **dated))
    exchange.market_trade(BTC, SELL, D("0.1"), D("99.5"))
    child = exchange.order(ann, BTC, order_id=order.child_id)
    assert child.status is Status.NEW
    exchange.advance(START + 5)
    assert child.status is Status.EXPIRED


def test_dated_orders_that_ended_otherwise_are_forgotten():
    exchange, ann = at_100()
    dated = {"time_in_force": TimeInForce.GTD, "expires_at": START + 5}
    kept = exchange.place(ann, terms(BUY, "1", "99", **dated))
    for _ in range(1_500):
        exchange.cancel(ann, BTC, order_id=exchange.place(ann, terms(BUY, "1", "99", **dated)).id)
    exchange.advance(START + 1)
    assert len(exchange._timers._expiries) == 1
    exchange.advance(START + 5)
    assert kept.status is Status.EXPIRED


def test_an_order_that_must_fill_or_make_is_refused_where_it_cannot():
    exchange, ann = at_100()
    with refused(Why.FOK_UNFILLABLE):
        exchange.place(ann, terms(BUY, "11", "100.1", time_in_force=TimeInForce.FOK))
    with refused(Why.WOULD_TAKE):
        exchange.place(ann, terms(BUY, "1", "100.1", post_only=True))
    with refused(Why.UNSUPPORTED, field="quote_size"):
        exchange.place(ann, terms(BUY, quote_size="100"))
    assert exchange.place(ann, terms(BUY, "10", "100.1", time_in_force=TimeInForce.FOK)).status is Status.FILLED


def test_a_changed_price_takes_and_a_changed_size_needs_margin():
    exchange, ann = at_100()
    order = exchange.place(ann, terms(BUY, "1", "99"))
    exchange.set_leverage(ann, BTC, 1)
    with refused(Why.INSUFFICIENT_MARGIN):
        exchange.amend(ann, BTC, AmendTerms(size=D(102), price=D("99.5")), order_id=order.id)
    assert (order.assumed_price, exchange.wallet(ann, "USDT").order_margin) == (99, 99)
    exchange.amend(ann, BTC, AmendTerms(size=D(20), price=D("100.2")), order_id=order.id)
    assert (order.status, order.amends, order.working_at) == (Status.FILLED, 1, START)
    with refused(Why.UNKNOWN_ORDER):
        exchange.amend(ann, BTC, AmendTerms(size=D(1)), order_id=order.id)


def test_a_market_order_trades_no_further_than_the_bound():
    exchange, ann = at_100(market_bound=D("0.001"))
    order = exchange.place(ann, terms(BUY, "30"))
    assert (order.filled, order.status) == (10, Status.EXPIRED)


def test_a_halt_stops_all_and_a_pause_lets_cancel():
    exchange, ann = at_100()
    order = exchange.place(ann, terms(BUY, "1", "90"))
    exchange.set_status(BTC, SymbolStatus.HALT)
    with refused(Why.MARKET_CLOSED):
        exchange.cancel(ann, BTC, order_id=order.id)
    exchange.set_status(BTC, SymbolStatus.CANCEL_ONLY)
    with refused(Why.MARKET_CLOSED, status="cancel_only"):
        exchange.place(ann, terms(BUY, "1", "90"))
    with refused(Why.MARKET_CLOSED):
        exchange.amend(ann, BTC, AmendTerms(size=D("0.5")), order_id=order.id)
    exchange.cancel(ann, BTC, order_id=order.id)


def test_own_orders_in_the_way_of_a_user_are_reckoned_without():
    exchange, ann = at_100()
    exchange.place(ann, terms(BUY, "3"))
    exchange.clear_book(BTC)
    own = exchange.place(ann, terms(SELL, "2", "101", reduce_only=True))
    exchange.set_level(BTC, SELL, D(102), D(5))
    taker = exchange.place(ann, terms(BUY, "1", "102", self_trade=SelfTrade.CANCEL_OLDEST))
    assert (own.status, taker.average_price) == (Status.EXPIRED_IN_MATCH, 102)
