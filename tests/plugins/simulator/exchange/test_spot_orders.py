"""Orders on spot by example: what they lock, what they pay, what they are refused for, and what is told of them."""

from __future__ import annotations

import pytest
from exchange_cases import BTC, BUY, SELL, START, D, heard, quote, refused, spot, spot_listing, terms, user

from cambist.model import OrderType, TimeInForce
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.errors import Why
from cambist_simulator.exchange.events import BalanceChanged, BookChanged, OrderChanged, Traded
from cambist_simulator.exchange.orders import AmendTerms, ExecutionType, Status


def free(exchange, who, asset):
    return exchange.balances(who)[asset].free


def test_a_limit_order_locks_its_worth_and_gives_it_back():
    exchange = spot()
    ann = user(exchange, USDT=1_000)
    order = exchange.place(ann, terms(BUY, "2", "50"))
    assert (order.status, order.working_at, order.created_at) == (Status.NEW, START, START)
    balance = exchange.balances(ann)["USDT"]
    assert (balance.free, balance.locked) == (900, 100)
    assert exchange.book(BTC).size_at(BUY, D(50)) == 2
    exchange.cancel(ann, BTC, order_id=order.id)
    assert (order.status, balance.free, balance.locked) == (Status.CANCELED, 1_000, 0)
    assert exchange.book(BTC).size_at(BUY, D(50)) == 0
    assert exchange.open_orders(ann) == []


def test_a_market_order_walks_the_book_and_pays_fees_in_what_it_gets():
    exchange = spot()
    ann = user(exchange, USDT=1_000)
    order = exchange.place(ann, terms(BUY, "2.5"))
    cost = D("100.01") + D("100.02") + D("50.015")
    assert order.status is Status.FILLED
    assert [one.price for one in order.executions] == [D("100.01"), D("100.02"), D("100.03")]
    assert (order.quote_filled, order.average_price) == (cost, cost / D("2.5"))
    assert free(exchange, ann, "USDT") == 1_000 - cost
    assert free(exchange, ann, "BTC") == D("2.5") * (1 - D("0.001"))
    assert [one.fee_asset for one in order.executions] == ["BTC"] * 3
    sold = exchange.place(ann, terms(SELL, "1"))
    assert (sold.executions[0].fee, sold.executions[0].fee_asset) == (D("0.09999"), "USDT")
    assert exchange.book(BTC).depth(1).asks == ((D("100.03"), D("0.5")),)


def test_an_order_for_quote_money_spends_no_more_than_that():
    exchange = spot()
    ann = user(exchange, USDT=1_000)
    order = exchange.place(ann, terms(BUY, quote_size="150"))
    assert (order.size, order.status) == (D("1.499"), Status.FILLED)
    assert order.quote_filled == D("100.01") + D("0.499") * D("100.02")
    with refused(Why.NO_LIQUIDITY):
        exchange.place(ann, terms(BUY, quote_size="0.01"))


def test_what_the_book_cannot_fill_of_a_market_order_expires():
    exchange = spot(levels=1)
    ann = user(exchange)
    order = exchange.place(ann, terms(BUY, "3"))
    assert (order.status, order.reason, order.filled) == (Status.EXPIRED, "unfilled", 1)
    assert exchange.balances(ann)["USDT"].locked == 0


@pytest.mark.parametrize(
    ("tif", "status", "filled"),
    [("IOC", Status.EXPIRED, 2), ("FOK", Status.EXPIRED, 0), ("GTC", "partially_filled", 2)],
)
def test_time_in_force(tif, status, filled):
    exchange = spot()
    ann = user(exchange)
    order = exchange.place(ann, terms(BUY, "3", "100.02", time_in_force=TimeInForce[tif]))
    assert (order.status, order.filled) == (status, filled)


def test_events_come_in_order_and_show_the_order_as_it_was():
    exchange = spot()
    ann, bob = user(exchange, "ann"), user(exchange, "bob")
    resting = exchange.place(ann, terms(SELL, "1", "100"))
    events = heard(exchange)
    exchange.place(bob, terms(BUY, "1.5", "100.01", client_id="mine"))
    told = [(type(one), getattr(one, "what", None)) for one in events]
    assert told == [
        (OrderChanged, ExecutionType.NEW),
        (Traded, None),
        (OrderChanged, ExecutionType.TRADE),
        (OrderChanged, ExecutionType.TRADE),
        (Traded, None),
        (OrderChanged, ExecutionType.TRADE),
        (BalanceChanged, None),
        (BalanceChanged, None),
    ]
    new, first, taker, maker, _, last, *balances = events
    assert [one.order.filled for one in (new, taker, last)] == [0, 1, D("1.5")]
    assert [len(one.order.executions) for one in (new, taker, last)] == [0, 1, 2]
    assert (maker.order.id, maker.order.status, maker.execution.maker) == (resting.id, Status.FILLED, True)
    assert taker.execution.trade_id == maker.execution.trade_id == first.id
    assert (first.price, first.side, first.sell_order_id) == (D(100), BUY, resting.id)
    assert {one.user for one in balances} == {"ann", "bob"}
    exchange.flush(BTC)
    changed = events[-1]
    assert isinstance(changed, BookChanged)
    assert changed.last_id == exchange.book(BTC).update_id
    assert dict(changed.asks)[D("100.01")] == D("0.5")


def test_a_user_waits_behind_what_the_market_showed_before_him():
    exchange = spot()
    ann = user(exchange)
    order = exchange.place(ann, terms(BUY, "1", "99.99"))
    exchange.set_level(BTC, BUY, D("99.99"), D(3))  # two more behind him
    exchange.market_trade(BTC, SELL, D("0.7"), D("99.99"))
    assert order.filled == 0
    exchange.market_trade(BTC, SELL, D("0.8"), D("99.99"))
    assert order.filled == D("0.5")
    exchange.set_level(BTC, BUY, D("99.99"), D(1))  # one of those behind him leaves
    assert exchange.book(BTC).size_at(BUY, D("99.99")) == D("1.5")
    exchange.market_trade(BTC, SELL, D("0.5"), D("99.99"))
    assert order.status is Status.FILLED
    assert exchange.book(BTC).size_at(BUY, D("99.99")) == 1


def test_the_market_that_moves_through_a_user_trades_with_him():
    exchange = spot()
    ann = user(exchange)
    order = exchange.place(ann, terms(SELL, "2", "100.03"))
    events = heard(exchange)
    exchange.set_level(BTC, BUY, D("100.04"), D("0.5"))
    assert (order.filled, order.executions[0].price, order.executions[0].maker) == (D("0.5"), D("100.03"), True)
    assert exchange.book(BTC).best_ask == D("100.03")
    assert exchange.book(BTC).best_bid == D("99.99")
    exchange.set_level(BTC, BUY, D("100.04"), D(4))
    assert order.status is Status.FILLED
    assert (exchange.book(BTC).top(BUY), exchange.book(BTC).best_ask) == ((D("100.04"), D("2.5")), D("100.05"))
    assert [one.size for one in events if isinstance(one, Traded)] == [D("0.5"), D("1.5")]


def test_refusals_change_nothing():
    rules = {
        "min_price": D(1),
        "max_price": D(1_000),
        "min_size": D("0.01"),
        "max_size": D(50),
        "market_max_size": D(2),
        "min_notional": D(5),
        "up_multiplier": (D("1.2"), D("5")),
        "down_multiplier": (D("0.2"), D("0.8")),
        "max_orders": 2,
        "max_iceberg_parts": 4,
        "max_position": D(12),
        "trailing_range": (D("0.01"), D("0.1")),
    }
    exchange = spot(spot_listing(**rules))
    ann = user(exchange)
    exchange.place(ann, terms(BUY, "0.1", "100.01"))  # a last price
    before = exchange.book(BTC).depth()
    stop = OrderType.STOP_LIMIT
    cases = [
        (terms(BUY, "1", "0.5"), "price", "min"),
        (terms(BUY, "1", "2000"), "price", "max"),
        (terms(BUY, "1", "99.995"), "price", "step"),
        (terms(SELL, "1", "99", stop, stop_price="99.999"), "price", "step"),
        (terms(BUY, "0.001", "100"), "lot_size", "min"),
        (terms(SELL, "60", "100"), "lot_size", "max"),
        (terms(BUY, "1.0005", "100"), "lot_size", "step"),
        (terms(SELL, "2.5"), "market_lot_size", "max"),
        (terms(BUY, "0.02", "100"), "notional", "min"),
        (terms(BUY, "0.02"), "notional", "min"),
        (terms(BUY, "1", "130"), "percent_price", "up"),
        (terms(BUY, "1", "19"), "percent_price", "down"),
        (terms(SELL, "1", "79"), "percent_price", "down"),
        (terms(BUY, "1", "100", display="0.2"), "iceberg_parts", "max"),
        (terms(BUY, "3", "100"), "max_position", "max"),
        (terms(SELL, "1", None, OrderType.TRAILING_STOP, trail="0.5"), "trailing_delta", "max"),
    ]
    for order, name, rule in cases:
        with refused(Why.FILTER, filter=name, rule=rule):
            exchange.place(ann, order)
        with refused(Why.FILTER, filter=name):
            exchange.check(ann, order)
    exchange.place(ann, terms(BUY, "0.1", "50"))
    exchange.place(ann, terms(BUY, "0.1", "50", client_id="twice"))
    with refused(Why.FILTER, filter="max_orders"):
        exchange.place(ann, terms(BUY, "0.1", "50"))
    exchange.cancel(ann, BTC, client_id="twice")
    exchange.place(ann, terms(BUY, "0.1", "50", client_id="twice"))
    exchange.cancel_all(ann)
    exchange.place(ann, terms(BUY, "0.1", "50", client_id="twice"))
    with refused(Why.DUPLICATE_CLIENT_ID):
        exchange.place(ann, terms(BUY, "0.1", "50", client_id="twice"))
    with refused(Why.WOULD_TAKE):
        exchange.place(ann, terms(BUY, "0.1", "100.01", post_only=True))
    with refused(Why.INSUFFICIENT_FUNDS, asset="BTC"):
        exchange.place(ann, terms(SELL, "20", "100"))
    with refused(Why.UNKNOWN_SYMBOL):
        exchange.place(ann, terms(BUY, "1", "100", symbol="NONE"))
    with refused(Why.BAD_TERMS, field="price"):
        exchange.place(ann, terms(BUY, "1", "NaN"))
    with refused(Why.UNKNOWN_ORDER):
        exchange.cancel(ann, BTC, order_id=99)
    exchange.cancel_all(ann, BTC)
    assert exchange.book(BTC).depth() == type(before)(exchange.book(BTC).update_id, before.bids, before.asks)
    assert exchange.balances(ann)["USDT"].locked == 0


def test_stops_wait_and_then_trade():
    exchange = spot()
    ann = user(exchange)
    exchange.market_trade(BTC, BUY, D("0.1"), D("100.01"))
    with refused(Why.WOULD_TRIGGER):
        exchange.place(ann, terms(SELL, "1", None, OrderType.STOP, stop_price="100.02"))
    stop = exchange.place(ann, terms(SELL, "1", None, OrderType.STOP, stop_price="99"))
    limit = exchange.place(ann, terms(BUY, "1", "102", OrderType.STOP_LIMIT, stop_price="101"))
    touched = exchange.place(ann, terms(BUY, "1", "97", OrderType.LIMIT_IF_TOUCHED, stop_price="98"))
    assert (exchange.balances(ann)["USDT"].locked, exchange.balances(ann)["BTC"].locked) == (102 + 97, 1)
    assert exchange.book(BTC).size_at(BUY, D("102")) == 0
    events = heard(exchange)
    exchange.market_trade(BTC, SELL, D("0.1"), D("99"))
    assert (stop.status, stop.triggered, limit.triggered, touched.triggered) == (Status.EXPIRED, True, False, False)
    quote(exchange, middle="98")
    exchange.market_trade(BTC, SELL, D("0.1"), D("97.99"))
    assert (touched.triggered, touched.status, touched.working_at) == (True, Status.NEW, START)
    exchange.market_trade(BTC, BUY, D("0.1"), D("101"))
    assert limit.triggered
    assert [one.what for one in events if isinstance(one, OrderChanged)][:2] == [
        ExecutionType.TRIGGERED,
        ExecutionType.EXPIRED,
    ]


def test_a_stop_is_set_off_once():
    exchange = spot()
    ann = user(exchange)
    exchange.market_trade(BTC, BUY, D("0.1"), D("100.01"))
    orders = [
        exchange.place(ann, terms(BUY, "1", "90", OrderType.STOP_LIMIT, stop_price="101")),
        exchange.place(ann, terms(SELL, "1", "120", OrderType.STOP_LIMIT, stop_price="99")),
        exchange.place(ann, terms(SELL, "1", "130", OrderType.STOP_LIMIT, trail="0.005")),
    ]
    events = heard(exchange)
    for price in ("101", "99", "101", "99"):
        exchange.market_trade(BTC, BUY, D("0.1"), D(price))
    fired = [one.order.id for one in events if getattr(one, "what", None) is ExecutionType.TRIGGERED]
    assert sorted(fired) == [one.id for one in orders]


def test_a_trailing_stop_follows_the_best_price():
    exchange = spot()
    ann = user(exchange)
    exchange.market_trade(BTC, BUY, D("0.1"), D("100"))
    order = exchange.place(ann, terms(SELL, "1", "90", OrderType.STOP_LIMIT, trail="0.05"))
    late = exchange.place(ann, terms(SELL, "1", "90", OrderType.STOP_LIMIT, trail="0.05", stop_price="110"))
    assert (order.stop_price, late.stop_price) == (95, None)
    for price, stop in [("104", "98.8"), ("101", "98.8"), ("110", "104.5"), ("105", "104.5")]:
        exchange.market_trade(BTC, BUY, D("0.1"), D(price))
        assert (order.stop_price, order.triggered) == (D(stop), False)
    assert late.stop_price == D("104.5")
    exchange.market_trade(BTC, BUY, D("0.1"), D("104.5"))
    assert order.triggered
    assert late.triggered


def test_amending_down_keeps_the_place_and_up_loses_it():
    exchange = spot(spot_listing(max_amends=2))
    ann, bob = user(exchange, "ann"), user(exchange, "bob")
    first = exchange.place(ann, terms(BUY, "3", "100", client_id="large"))
    second = exchange.place(bob, terms(BUY, "1", "100"))
    events = heard(exchange)
    exchange.amend(ann, BTC, AmendTerms(size=D(2), keep_place=True, client_id="smaller"), order_id=first.id)
    assert (events[0].what, events[0].order.size, first.client_id) == (ExecutionType.REPLACED, 2, "smaller")
    with refused(Why.UNKNOWN_ORDER):
        exchange.order(ann, BTC, client_id="large")
    assert exchange.balances(ann)["USDT"].locked == 200
    exchange.market_trade(BTC, SELL, D(1), D(100))
    assert (first.filled, second.filled) == (1, 0)
    with refused(Why.CANNOT_AMEND):
        exchange.amend(ann, BTC, AmendTerms(size=D(3), keep_place=True), order_id=first.id)
    with refused(Why.NOTHING_TO_CHANGE):
        exchange.amend(ann, BTC, AmendTerms(size=D(2), keep_place=True), order_id=first.id)
    exchange.amend(ann, BTC, AmendTerms(size=D(3)), client_id="smaller")
    assert exchange.balances(ann)["USDT"].locked == 200
    exchange.market_trade(BTC, SELL, D("1.5"), D(100))
    assert (first.filled, second.filled) == (D("1.5"), 1)
    with refused(Why.FILTER, filter="max_amends"):
        exchange.amend(ann, BTC, AmendTerms(price=D(99)), order_id=first.id)
    exchange.amend(bob, BTC, AmendTerms(price=D("100.02")), order_id=exchange.place(bob, terms(BUY, "1", "99")).id)
    assert exchange.orders(bob)[-1].status is Status.FILLED


def test_orders_of_one_owner_do_not_trade_with_each_other():
    exchange = spot()
    ann = user(exchange)
    resting = exchange.place(ann, terms(SELL, "1", "100"))
    taker = exchange.place(ann, terms(BUY, "1", "100", self_trade=SelfTrade.CANCEL_NEWEST))
    assert (taker.status, taker.reason, taker.prevented) == (Status.EXPIRED_IN_MATCH, "self_trade", 1)
    taker = exchange.place(ann, terms(BUY, "0.4", "100", self_trade=SelfTrade.DECREMENT))
    assert (taker.status, resting.prevented, resting.left) == (Status.EXPIRED_IN_MATCH, D("0.4"), D("0.6"))
    assert exchange.balances(ann)["BTC"].locked == D("0.6")
    assert exchange.book(BTC).size_at(SELL, D(100)) == D("0.6")
    taker = exchange.place(ann, terms(BUY, "1", "100", self_trade=SelfTrade.CANCEL_OLDEST))
    assert (resting.status, taker.status) == (Status.EXPIRED_IN_MATCH, Status.NEW)
    assert exchange.balances(ann)["BTC"].locked == 0


def test_an_iceberg_shows_a_slice():
    exchange = spot()
    ann = user(exchange)
    order = exchange.place(ann, terms(SELL, "5", "100", display="1"))
    assert exchange.book(BTC).size_at(SELL, D(100)) == 1
    exchange.market_trade(BTC, BUY, D("2.5"), D(100))
    assert (order.filled, exchange.book(BTC).size_at(SELL, D(100))) == (D("2.5"), D("0.5"))


def test_fees_may_be_paid_in_another_asset_at_a_discount():
    bnb = spot_listing(symbol="BNBUSDT", base="BNB")
    exchange = spot(spot_listing(), bnb)
    ann = user(exchange, USDT=1_000, BNB=1)
    ann.fee_asset = "BNB"
    assert exchange.place(ann, terms(BUY, "1")).executions[0].fee_asset == "BTC"  # BNB has no price yet
    exchange.market_trade("BNBUSDT", BUY, D(1), D("10"))
    execution = exchange.place(ann, terms(BUY, "1")).executions[0]
    assert (execution.fee, execution.fee_asset) == (D("0.00750150"), "BNB")
    assert free(exchange, ann, "BNB") == 1 - execution.fee


def test_what_a_fee_leaves_is_dust_that_cannot_be_sold():
    exchange = spot()
    ann = user(exchange, USDT=1_000)
    exchange.place(ann, terms(BUY, "0.5"))
    held = free(exchange, ann, "BTC")
    assert held == D("0.4995")
    with refused(Why.FILTER, filter="lot_size", rule="step"):
        exchange.place(ann, terms(SELL, str(held)))
    with refused(Why.INSUFFICIENT_FUNDS, asset="BTC"):
        exchange.place(ann, terms(SELL, "0.5"))
    exchange.place(ann, terms(SELL, "0.499"))
    assert free(exchange, ann, "BTC") == D("0.0005")


def test_queries_page_by_id_and_time():
    exchange = spot()
    ann = user(exchange)
    ids = [exchange.place(ann, terms(BUY, "0.1")).id for _ in range(4)]
    exchange.clock.market.shift(1_000)
    ids.append(exchange.place(ann, terms(SELL, "0.1")).id)
    assert [one.id for one in exchange.orders(ann, BTC)] == ids
    assert [one.id for one in exchange.orders(ann, BTC, limit=2)] == ids[-2:]
    assert [one.id for one in exchange.orders(ann, BTC, from_id=ids[1], limit=2)] == ids[1:3]
    assert [one.id for one in exchange.orders(ann, start=START + 1)] == ids[-1:]
    assert [one.order_id for one in exchange.executions(ann, BTC, from_id=3)] == ids[2:]
    assert [one.order_id for one in exchange.executions(ann, BTC, end=START, limit=1)] == ids[3:4]
    assert [one.trade_id for one in exchange.executions(ann, BTC, order_id=ids[4])] == [5]
    assert exchange.orders(ann, BTC, limit=0) == exchange.executions(ann, BTC, limit=0) == []
    assert [one.trade_id for one in exchange.executions(ann, BTC, limit=9)] == [1, 2, 3, 4, 5]
    assert exchange.order(ann, BTC, client_id=exchange.orders(ann)[0].client_id).id == ids[0]


def test_ended_orders_are_forgotten_when_there_are_too_many():
    exchange = spot(keep=10)
    ann = user(exchange)
    waiting = exchange.place(ann, terms(BUY, "1", "50"))
    for _ in range(30):
        exchange.cancel(ann, BTC, order_id=exchange.place(ann, terms(BUY, "1", "60")).id)
    assert len(exchange.orders(ann)) == 11
    assert exchange.order(ann, BTC, order_id=waiting.id) is waiting
    with refused(Why.UNKNOWN_ORDER):
        exchange.order(ann, BTC, order_id=2)
    bob = user(exchange, "bob")
    for who in (ann, bob, bob, ann):
        for _ in range(4):
            exchange.place(who, terms(BUY, "0.01"))
    kept = [one.trade_id for who in (ann, bob) for one in exchange.executions(who, BTC)]
    assert sorted(kept) == list(range(7, 17))
