"""Where each type of order trades in one bar: at gaps, at a touch, on the way through a bar."""

from __future__ import annotations

import pytest

from cambist.errors import OrderError
from cambist.model import Liquidity, OrderStatus

# open, high, low, close; the open is nearer to the low, so the way is 100 -> 98 -> 104 -> 103.
LOW_FIRST = (100.0, 104.0, 98.0, 103.0)
# The open is nearer to the high: 100 -> 101 -> 95 -> 96.
HIGH_FIRST = (100.0, 101.0, 95.0, 96.0)

ONE_BAR = [
    # A market order trades at the open, whatever follows.
    ("buy", {}, LOW_FIRST, 100.0),
    ("sell", {}, LOW_FIRST, 100.0),
    # A limit: at the open where that is as good or better, else at its price when the bar reaches it.
    ("buy", {"limit": 99.0}, LOW_FIRST, 99.0),
    ("buy", {"limit": 98.0}, LOW_FIRST, 98.0),
    ("buy", {"limit": 97.99}, LOW_FIRST, None),
    ("buy", {"limit": 100.0}, LOW_FIRST, 100.0),
    ("buy", {"limit": 102.0}, LOW_FIRST, 100.0),
    ("sell", {"limit": 103.5}, LOW_FIRST, 103.5),
    ("sell", {"limit": 104.0}, LOW_FIRST, 104.0),
    ("sell", {"limit": 104.01}, LOW_FIRST, None),
    ("sell", {"limit": 99.0}, LOW_FIRST, 100.0),
    # A stop: at its price when the bar reaches it, at the open where a gap went past it.
    ("buy", {"stop": 102.0}, LOW_FIRST, 102.0),
    ("buy", {"stop": 104.0}, LOW_FIRST, 104.0),
    ("buy", {"stop": 104.01}, LOW_FIRST, None),
    ("buy", {"stop": 99.5}, LOW_FIRST, 100.0),
    ("sell", {"stop": 98.5}, LOW_FIRST, 98.5),
    ("sell", {"stop": 98.0}, LOW_FIRST, 98.0),
    ("sell", {"stop": 97.9}, LOW_FIRST, None),
    ("sell", {"stop": 101.0}, LOW_FIRST, 100.0),
    # A stop limit triggers, then is a limit for the rest of the way: at the stop when that is as good already...
    ("buy", {"stop": 102.0, "limit": 103.0}, LOW_FIRST, 102.0),
    ("sell", {"stop": 98.5, "limit": 98.0}, LOW_FIRST, 98.5),
    ("buy", {"stop": 99.5, "limit": 101.0}, LOW_FIRST, 100.0),
    # ... at its limit when the price comes back to it ...
    ("sell", {"stop": 98.5, "limit": 102.5}, LOW_FIRST, 102.5),
    ("buy", {"stop": 101.0, "limit": 96.5}, HIGH_FIRST, 96.5),
    # ... or not in this bar: the low was before the stop was reached.
    ("buy", {"stop": 102.0, "limit": 99.0}, LOW_FIRST, None),
    ("sell", {"stop": 96.0, "limit": 100.5}, HIGH_FIRST, None),
    ("buy", {"stop": 105.0, "limit": 106.0}, LOW_FIRST, None),
]


@pytest.mark.parametrize(("side", "terms", "bar", "price"), ONE_BAR)
def test_one_order_in_one_bar(exchange, side, terms, bar, price):
    ex = exchange()
    order = getattr(ex, side)(2.0, **terms)
    ex.bar(*bar)
    assert ex.prices == ([] if price is None else [price])
    assert order.status is (OrderStatus.FILLED if price is not None else order.status)
    assert order.filled == (2.0 if price is not None else 0.0)
    assert order.is_open is (price is None)


def test_fills_at_the_open_carry_its_time_and_others_the_close(exchange):
    ex = exchange()
    ex.buy()
    ex.buy(limit=99.0)
    ex.buy(stop=102.0)
    opened = ex.now
    ex.bar(*LOW_FIRST)
    assert [fill.ts - opened for fill in ex.records] == [0, ex.length, ex.length]


def test_an_order_never_meets_a_bar_that_opened_before_it_was_sent(exchange):
    ex = exchange()
    ex.now += 1
    order = ex.buy()
    ex.bar(*LOW_FIRST, opened=ex.now - 1)
    assert not ex.fills
    ex.bar(110.0, 111.0, 109.0, 110.0)
    assert ex.prices == [110.0]
    assert order.status is OrderStatus.FILLED


def test_word_of_an_earlier_time_does_not_let_a_later_order_into_the_bar(exchange):
    """An order sent during a slow bar waits, also when an older order's end is told with the time of its open."""
    ex = exchange()
    expiring = ex.buy(limit=50.0, tif="gtd", expires_at=ex.now - 1)
    ex.on_event = lambda event: ex.buy(limit=51.0) if type(event).__name__ == "OrderExpired" else None
    opened = ex.now
    ex.now += ex.length // 2
    late = ex.buy()
    ex.bar(*LOW_FIRST, opened=opened)
    assert expiring.status is OrderStatus.EXPIRED
    assert late.is_open
    assert not ex.fills


def test_a_stop_limit_that_triggered_rests_as_a_limit(exchange):
    ex = exchange()
    order = ex.buy(stop=102.0, limit=99.0)
    ex.bar(*LOW_FIRST)
    assert (order.status, order.triggered) == (OrderStatus.TRIGGERED, True)
    ex.bar(103.0, 105.0, 100.0, 104.0)
    assert not ex.fills
    ex.bar(104.0, 104.0, 98.5, 99.0)
    assert ex.prices == [99.0]


def test_a_stop_that_triggered_is_taken_and_a_resting_limit_is_made(exchange):
    ex = exchange()
    ex.buy(limit=99.0)
    ex.buy(stop=102.0)
    ex.buy(stop=102.0, limit=103.0)
    ex.sell(limit=103.5)
    ex.sell(stop=99.0, limit=102.5)
    ex.bar(*LOW_FIRST)
    got = {fill.order_id: str(fill.liquidity) for fill in ex.records}
    assert got == {1: "maker", 2: "taker", 3: "taker", 4: "maker", 5: "maker"}


def test_a_limit_that_is_marketable_when_it_arrives_is_a_taker_and_a_maker_when_the_market_comes_to_it(exchange):
    ex = exchange()
    ex.buy(limit=101.0)
    ex.bar(*LOW_FIRST)
    resting = ex.buy(limit=97.0)
    ex.bar(103.0, 104.0, 102.0, 103.0)
    assert resting.is_open
    ex.bar(96.0, 97.0, 95.0, 96.0)  # opens beyond the resting order, which gets the better price
    assert ex.prices == [100.0, 96.0]
    assert [fill.liquidity for fill in ex.records] == [Liquidity.TAKER, Liquidity.MAKER]


def test_a_limit_whose_terms_were_changed_to_marketable_is_a_taker(exchange):
    ex = exchange()
    order = ex.buy(limit=90.0)
    ex.bar(*LOW_FIRST)
    ex.amend(order, limit_price=110.0)
    ex.bar(103.0, 104.0, 102.0, 103.0)
    assert [(fill.price, fill.liquidity) for fill in ex.records] == [(103.0, Liquidity.TAKER)]


# Touch or through.


@pytest.mark.parametrize(
    ("side", "limit", "bar", "price"),
    [
        ("buy", 98.0, LOW_FIRST, None),
        ("buy", 98.01, LOW_FIRST, 98.01),
        ("sell", 104.0, LOW_FIRST, None),
        ("sell", 103.99, LOW_FIRST, 103.99),
        ("buy", 100.0, (100.0, 101.0, 100.0, 100.5), None),
        ("buy", 100.0, LOW_FIRST, 100.0),
        ("buy", 101.0, LOW_FIRST, 100.0),
    ],
)
def test_a_limit_that_must_be_passed(exchange, side, limit, bar, price):
    ex = exchange(fill_on_touch=False)
    getattr(ex, side)(limit=limit)
    ex.bar(*bar)
    assert ex.prices == ([] if price is None else [price])


def test_what_is_sent_at_a_limit_that_had_to_be_passed_gets_a_price_on_the_tick(exchange):
    ex = exchange(fill_on_touch=False)
    ex.buy(limit=99.0)
    ex.on_fill = lambda fill: ex.buy() if fill.order_id == 1 else None
    ex.bar(*LOW_FIRST)
    assert ex.fills == [(1, 99.0, 1.0), (2, 99.0, 1.0)]


def test_a_stop_acts_on_touch_whatever_limits_do(exchange):
    ex = exchange(fill_on_touch=False)
    ex.buy(stop=104.0)
    ex.bar(*LOW_FIRST)
    assert ex.prices == [104.0]


# Several orders in one bar.


def test_orders_trade_in_the_order_in_which_the_price_reaches_them(exchange):
    ex = exchange()
    for terms in ({"stop": 103.5}, {"stop": 101.0}, {"limit": 98.5}, {"limit": 99.0}, {}, {"stop": 102.0}):
        ex.buy(**terms)
    ex.sell(limit=103.2)
    ex.bar(*LOW_FIRST)
    assert ex.prices == [100.0, 99.0, 98.5, 101.0, 102.0, 103.2, 103.5]


def test_the_way_goes_to_the_nearer_extreme_first(exchange):
    for bar, order in ((LOW_FIRST, [1, 2]), (HIGH_FIRST, [2, 1])):
        ex = exchange()
        ex.buy(limit=98.5)
        ex.sell(limit=101.0)
        ex.bar(*bar)
        assert [number for number, _, _ in ex.fills] == order, bar


def test_at_equal_distance_the_low_comes_first(exchange):
    ex = exchange()
    ex.sell(limit=102.0)
    ex.buy(limit=98.0)
    ex.bar(100.0, 102.0, 98.0, 100.0)
    assert ex.prices == [98.0, 102.0]


@pytest.mark.parametrize(("side", "leave", "first"), [("buy", "sell", "stop"), ("sell", "buy", "stop")])
def test_the_pessimistic_way_meets_a_protective_stop_before_the_target(exchange, side, leave, first):
    from cambist.simulation import intrabar_path

    for bar in ((100.0, 105.0, 99.0, 104.0), (100.0, 101.0, 95.0, 96.0)):  # either extreme may be the nearer one
        ex = exchange(path=intrabar_path("pessimistic"))
        getattr(ex, side)(2.0)
        ex.bar(100.0, 100.5, 99.5, 100.0)
        long = side == "buy"
        down, up = min(bar[2] + 0.5, 99.9), max(bar[1] - 0.5, 100.1)
        target = getattr(ex, leave)(2.0, limit=up if long else down, reduce_only=True)
        stop = getattr(ex, leave)(2.0, stop=down if long else up, reduce_only=True)
        ex.bar(*bar)
        assert stop.status is OrderStatus.FILLED
        assert target.status is OrderStatus.CANCELED
        assert target.reason == "nothing_to_reduce"


def test_at_one_price_the_older_order_trades_first(exchange):
    ex = exchange()
    ex.sell(stop=99.0)
    ex.buy(limit=99.0)
    ex.sell(stop=99.0, limit=98.0)
    ex.buy(limit=99.0)
    ex.bar(*LOW_FIRST)
    assert [number for number, _, _ in ex.fills] == [1, 2, 3, 4]


def test_an_order_keeps_its_place_when_its_size_changes(exchange):
    ex = exchange()
    first, _ = ex.buy(limit=99.0), ex.buy(limit=99.0)
    ex.amend(first, size=3.0)
    ex.bar(*LOW_FIRST)
    assert ex.fills == [(1, 99.0, 3.0), (2, 99.0, 1.0)]


# Orders that come while the bar is being played.


def test_an_order_sent_from_a_fill_joins_what_remains_of_the_way(exchange):
    ex = exchange()
    ex.buy(limit=99.0)
    sent = []

    def then(fill):
        if fill.order_id == 1:
            sent.extend(
                [
                    ex.sell(limit=99.5),  # passed before the fill, but the price comes back to it
                    ex.buy(limit=98.2),  # still to come on the way down
                    ex.sell(stop=98.9),
                    ex.buy(),  # at the price where the market stands
                    ex.sell(limit=98.0),  # marketable where the market stands
                    ex.buy(limit=97.0),  # out of reach
                ]
            )

    ex.on_fill = then
    ex.bar(*LOW_FIRST)
    assert [(number, price) for number, price, _ in ex.fills] == [
        (1, 99.0),
        (5, 99.0),
        (6, 99.0),
        (4, 98.9),
        (3, 98.2),
        (2, 99.5),
    ]
    assert sent[-1].is_open


def test_an_order_sent_from_a_fill_at_the_open_sees_the_whole_way(exchange):
    ex = exchange()
    ex.buy()
    ex.on_fill = lambda fill: [ex.sell(limit=103.0), ex.sell(stop=99.0)] if fill.order_id == 1 else None
    ex.bar(*LOW_FIRST)
    assert [(number, price) for number, price, _ in ex.fills] == [(1, 100.0), (3, 99.0), (2, 103.0)]


def test_what_was_passed_before_the_order_came_is_not_met_again(exchange):
    ex = exchange()
    ex.buy(stop=103.0)
    ex.on_fill = lambda fill: ex.sell(stop=99.0) if fill.order_id == 1 else None
    ex.bar(*LOW_FIRST)  # the low of 98 lies before the stop of 103
    assert ex.prices == [103.0]


def test_each_fill_may_send_the_next(exchange):
    ex = exchange()
    ex.buy(limit=99.9)
    ex.on_fill = lambda fill: ex.buy(limit=round(fill.price - 0.1, 2)) if fill.price > 98.5 else None
    ex.bar(*LOW_FIRST)
    assert ex.prices == pytest.approx([99.9 - 0.1 * step for step in range(15)])


def test_orders_that_answer_each_fill_with_the_next_come_to_an_end(exchange):
    ex = exchange()
    ex.buy()
    ex.on_fill = lambda fill: ex.sell() if fill.side == "buy" else ex.buy()
    with pytest.raises(OrderError, match=r"test sent 10,000 orders within one bar of ACME .* send it from on_bar"):
        ex.bar(*LOW_FIRST)


def test_an_order_canceled_from_a_fill_does_not_trade_later_in_the_bar(exchange):
    ex = exchange()
    ex.buy(limit=99.0)
    other = ex.sell(limit=103.0)
    ex.on_fill = lambda fill: ex.cancel(other)
    ex.bar(*LOW_FIRST)
    assert ex.prices == [99.0]
    assert other.status is OrderStatus.CANCELED


def test_an_order_changed_from_a_fill_meets_the_rest_of_the_bar_with_its_new_terms(exchange):
    ex = exchange()
    ex.buy(limit=99.0)
    other = ex.sell(limit=110.0)
    ex.on_fill = lambda fill: ex.amend(other, limit_price=103.0) if fill.order_id == 1 else None
    ex.bar(*LOW_FIRST)
    assert ex.prices == [99.0, 103.0]


def test_word_of_a_trigger_may_cancel_the_order_before_it_trades(exchange):
    ex = exchange()
    order = ex.buy(stop=101.0)
    ex.on_event = lambda event: ex.cancel(order) if type(event).__name__ == "OrderTriggered" else None
    ex.bar(*LOW_FIRST)
    assert not ex.fills
    assert order.status is OrderStatus.CANCELED


def test_word_of_one_orders_expiry_may_cancel_the_next_that_expires(exchange):
    ex = exchange()
    orders = [ex.buy(limit=50.0, tif="gtd", expires_at=ex.now + 1) for _ in range(3)]
    ex.bar(*LOW_FIRST)
    ex.on_event = lambda event: (
        [ex.cancel(order) for order in orders if order.is_open and order.status is not OrderStatus.PENDING_CANCEL]
        if type(event).__name__ == "OrderExpired"
        else None
    )
    ex.bar(*LOW_FIRST)
    assert [order.status for order in orders] == [OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.CANCELED]


# Requests.


def test_an_order_canceled_before_its_first_bar_never_trades(exchange):
    ex = exchange()
    order = ex.buy()
    ex.cancel(order)
    ex.bar(*LOW_FIRST)
    assert not ex.fills
    assert order.status is OrderStatus.CANCELED


def test_requests_for_orders_that_have_ended_are_answered(exchange):
    ex = exchange()
    order = ex.buy()
    ex.bar(*LOW_FIRST)
    ex.venue.cancel(order.id)
    ex.venue.amend(order.id, 5.0, 1.0, 1.0)
    assert [type(event).__name__ for event in ex.events[-2:]] == ["CancelRejected", "AmendRejected"]
    assert order.status is OrderStatus.FILLED
    assert order.size == 1.0


def test_new_terms_count_from_the_next_bar(exchange):
    ex = exchange()
    limit, stop, both = ex.buy(limit=90.0), ex.sell(stop=90.0), ex.buy(stop=120.0, limit=121.0)
    ex.bar(*LOW_FIRST)
    ex.amend(limit, limit_price=101.0, size=2.0)
    ex.amend(stop, stop_price=101.5)
    ex.amend(both, stop_price=103.5, limit_price=105.0)
    ex.bar(102.0, 104.0, 100.0, 103.0)
    assert ex.fills == [(2, 101.5, 1.0), (1, 101.0, 2.0), (3, 103.5, 1.0)]


def test_new_terms_meet_no_bar_that_opened_before_them(exchange):
    """On a slow instrument a strategy can change an order in the middle of a bar, knowing where its peers went."""
    ex = exchange()
    order = ex.buy(limit=90.0)
    opened = ex.now
    ex.now += ex.length // 2
    ex.amend(order, limit_price=105.0)
    ex.bar(*LOW_FIRST, opened=opened)
    assert not ex.fills
    ex.bar(103.0, 104.0, 102.0, 103.0)
    assert ex.prices == [103.0]


def test_a_size_below_what_is_filled_is_refused(exchange):
    ex = exchange(volume_limit=1.0)
    order = ex.buy(5.0)
    ex.bar(*LOW_FIRST, 2.0)
    ex.amend(order, size=2.0)
    assert type(ex.events[-1]).__name__ == "AmendRejected"
    assert "2.0 is not above" in ex.events[-1].reason
    assert (order.size, order.status) == (5.0, OrderStatus.PARTIALLY_FILLED)
    ex.amend(order, size=2.5)
    ex.bar(*LOW_FIRST, 2.0)
    assert ex.fills == [(1, 100.0, 2.0), (1, 100.0, 0.5)]
    assert order.status is OrderStatus.FILLED
