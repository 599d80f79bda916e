"""The book: which orders it has, each fill once, late words, what it records, and going on after a restart."""

from __future__ import annotations

from math import nan

import attrs
import pytest

from cambist.errors import OrderStateError
from cambist.model import Fill, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.events import (
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderNotFound,
    OutcomeUnknown,
)
from cambist.orders import Anomaly, OrderBook, OrderInput

S = OrderStatus
COIN = Instrument(symbol="COIN", venue="x")
OTHER = Instrument(symbol="OTHER", venue="x")


def create(book, instrument=COIN, side=Side.BUY, size=1.0, ts=1):
    terms = (instrument, side, OrderType.LIMIT, size, 100.0, nan, TimeInForce.GTC, 0, False, "trend", "note", ts, ts)
    return book.add(Order(book.next_id(), *terms))


def accepted(book, **terms):
    order = create(book, **terms)
    book.submit(order, 1)
    book.apply(OrderAccepted(1, order.id))
    return order


def fill_of(order, number, size=1.0, price=100.0, **changes):
    fill = Fill(number, order.id, order.instrument, order.side, size, price, 0.1, Liquidity.MAKER, 5)
    return OrderFilled(5, order.id, attrs.evolve(fill, **changes))


def test_orders_count_from_one_and_keep_their_terms():
    book = OrderBook()
    first, second = create(book, ts=7), create(book, OTHER, Side.SELL, 2.0)
    assert (first.id, second.id) == (1, 2)
    assert (first.instrument, first.side, first.type, first.size) == (COIN, Side.BUY, OrderType.LIMIT, 1.0)
    assert (first.limit_price, first.time_in_force, first.expires_at, first.reduce_only) == (100.0, "gtc", 0, False)
    assert (first.strategy, first.tag, first.created_at, first.updated_at) == ("trend", "note", 7, 7)
    assert (first.status, first.filled, first.accepted) == (S.CREATED, 0.0, False)
    assert book.orders == [first, second]


def test_an_order_is_open_from_its_creation_to_its_end():
    book = OrderBook()
    orders = [accepted(book, size=2.0) for _ in range(4)]
    assert list(book.open.values()) == orders
    book.apply(fill_of(orders[0], 1, 1.0))
    assert 1 in book.open
    book.apply(fill_of(orders[0], 2, 1.0))
    book.apply(OrderCanceled(6, 2))
    assert list(book.open) == [3, 4]
    assert book.orders == orders
    assert book.get(1) is orders[0]
    assert book.get(3) is orders[2]


def test_an_order_the_gate_refuses_is_not_open():
    book = OrderBook()
    order = create(book)
    book.reject(order, 2, "max_position: too large")
    assert (order.status, order.reason) == (S.REJECTED, "max_position: too large")
    assert book.open == {}
    assert book.orders == [order]


@pytest.mark.parametrize("number", [0, 2, -1, 10**9])
def test_an_id_nobody_gave_is_named(number):
    book = OrderBook()
    create(book)
    with pytest.raises(OrderStateError, match=f"no order {number}"):
        book.get(number)


def test_orders_of_one_instrument_are_told_by_venue_and_symbol():
    book = OrderBook()
    first, _, elsewhere, last = (
        create(book),
        create(book, OTHER),
        create(book, attrs.evolve(COIN, venue="y")),
        create(book),
    )
    assert book.open_for(COIN) == [first, last]
    assert book.open_for(attrs.evolve(COIN, step_size="0.5")) == [first, last]
    assert book.open_for(elsewhere.instrument) == [elsewhere]
    for order in book.open_for(COIN):
        book.reject(order, 2, "all of them")
    assert book.open_for(COIN) == []


def test_apply_returns_the_order_and_none_for_what_is_known():
    book = OrderBook()
    order = create(book)
    book.submit(order, 1)
    assert book.apply(OrderAccepted(2, 1)) is order
    assert book.apply(OrderAccepted(3, 1)) is None
    assert book.apply(OutcomeUnknown(3, 1, "time-out")) is None
    assert book.apply(fill_of(order, 1, 0.5)) is order
    assert book.apply(fill_of(order, 1, 0.5)) is None
    assert (order.filled, order.fees) == (0.5, 0.1)
    assert book.anomalies == []


def test_a_fill_is_applied_once_however_late_it_comes_again():
    book = OrderBook()
    order = accepted(book)
    event = fill_of(order, 1)
    assert book.apply(event) is order
    assert book.apply(event) is None
    assert book.apply(fill_of(order, 1, fee=0.2)) is None
    assert (order.filled, order.fees) == (1.0, 0.1)
    assert book.anomalies == []


@pytest.mark.parametrize("changes", [{"size": 0.4}, {"price": 101.0}])
def test_a_fill_that_comes_again_with_other_numbers_is_an_anomaly(changes):
    book = OrderBook()
    order = accepted(book)
    book.apply(fill_of(order, 9, 0.5))
    with pytest.raises(OrderStateError, match=r"was applied to order 1 before, as 0\.5 at 100"):
        book.apply(fill_of(order, 9, **{"size": 0.5, **changes}))
    assert order.filled == 0.5
    assert [anomaly.input for anomaly in book.anomalies] == [OrderInput.FILL]


def test_a_fill_that_comes_again_for_another_order_is_an_anomaly():
    book = OrderBook()
    one, other = accepted(book), accepted(book)
    book.apply(fill_of(one, 9))
    with pytest.raises(OrderStateError, match="was applied to order 1 before"):
        book.apply(fill_of(other, 9))
    assert other.filled == 0.0


def test_fill_ids_are_kept_apart_by_venue_symbol_and_side():
    book = OrderBook()
    elsewhere = attrs.evolve(COIN, venue="y")
    orders = [
        accepted(book),
        accepted(book, instrument=OTHER),
        accepted(book, instrument=elsewhere),
        accepted(book, side=Side.SELL),
    ]
    for order in orders:
        assert book.apply(fill_of(order, 5, 0.4)) is order
    for order in orders:
        assert book.apply(fill_of(order, 5, 0.4)) is None
        assert order.filled == 0.4
    with pytest.raises(OrderStateError, match="applied to order 2 before"):
        book.apply(fill_of(orders[1], 5, 0.6))


def test_a_late_fill_reaches_an_order_that_has_left():
    book = OrderBook()
    order = accepted(book)
    book.apply(OrderCanceled(2, 1))
    assert book.apply(fill_of(order, 1, 0.25)) is order
    assert (order.status, order.filled) == (S.CANCELED, 0.25)
    assert book.open == {}


def test_a_refused_fill_is_recorded_before_it_raises_and_may_come_again():
    book = OrderBook()
    order = accepted(book)
    with pytest.raises(OrderStateError, match="would fill more") as caught:
        book.apply(fill_of(order, 1, 1.5))
    assert book.anomalies == [Anomaly(5, 1, S.ACCEPTED, OrderInput.FILL, str(caught.value))]
    assert order.filled == 0.0
    book.apply(OrderAmended(6, 1, 2.0, 100.0, nan))
    assert book.apply(fill_of(order, 1, 1.5)) is order
    assert order.filled == 1.5


def test_an_event_for_an_order_nobody_sent_is_recorded_and_raises():
    book = OrderBook()
    with pytest.raises(OrderStateError, match="no order 5"):
        book.apply(OrderAccepted(3, 5))
    (anomaly,) = book.anomalies
    assert (anomaly.ts, anomaly.order_id, anomaly.status, anomaly.input) == (3, 5, None, OrderInput.ACCEPT)
    assert "no order 5" in anomaly.message


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (lambda book, order: book.submit(order, 8), OrderInput.SUBMIT),
        (lambda book, order: book.reject(order, 8, "late"), OrderInput.REJECT),
        (lambda book, order: book.request_cancel(order, 8), OrderInput.CANCEL_REQUEST),
        (lambda book, order: book.request_amend(order, 8), OrderInput.AMEND_REQUEST),
        (lambda book, order: book.apply(OrderNotFound(8, order.id)), OrderInput.NOT_FOUND),
        (lambda book, order: book.apply(fill_of(order, 2)), OrderInput.FILL),
    ],
)
def test_whatever_is_refused_is_recorded(request_, kind):
    book = OrderBook()
    order = accepted(book)
    book.apply(fill_of(order, 1))
    with pytest.raises(OrderStateError) as caught:
        request_(book, order)
    (anomaly,) = book.anomalies
    assert (anomaly.order_id, anomaly.status, anomaly.input) == (1, S.FILLED, kind)
    assert anomaly.message == str(caught.value)
    assert order.status is S.FILLED


def test_requests_move_the_order():
    book = OrderBook()
    order = accepted(book)
    book.request_amend(order, 2)
    assert order.status is S.PENDING_REPLACE
    book.request_cancel(order, 3)
    assert order.status is S.PENDING_CANCEL
    assert book.apply(CancelRejected(4, 1, "no")) is order
    assert order.status is S.ACCEPTED


def test_a_proven_negative_closes_an_unknown_order():
    book = OrderBook()
    order = create(book)
    book.submit(order, 1)
    book.apply(OutcomeUnknown(2, 1))
    assert 1 in book.open
    book.apply(OrderNotFound(3, order.id))
    assert order.status is S.REJECTED
    assert book.open == {}


def test_an_order_that_turns_out_to_be_larger_is_open_again_in_its_place():
    book = OrderBook()
    orders = [accepted(book) for _ in range(3)]
    listing = book.open
    book.request_amend(orders[1], 2)
    book.apply(fill_of(orders[1], 1))
    assert list(book.open) == [1, 3]
    assert book.apply(OrderAmended(3, 2, 2.0, 100.0, nan)) is orders[1]
    assert orders[1].status is S.PARTIALLY_FILLED
    assert list(book.open) == [1, 2, 3]
    assert book.open is listing


def test_client_ids_are_made_of_the_token_and_the_number():
    book = OrderBook("7f3kq9")
    order = create(book)
    assert book.client_id(order) == "7f3kq9-1"
    assert book.client_id(order, alphabet="0123456789abcdefghijklmnopqrstuvwxyz", max_length=12) == "7f3kq9x1"


def test_a_restored_book_goes_on_where_the_run_was():
    book = OrderBook("7f3kq9")
    orders = [accepted(book) for _ in range(3)]
    events = [fill_of(orders[0], 1), fill_of(orders[1], 2, 0.5), fill_of(accepted(book, instrument=OTHER), 2, 0.5)]
    for event in events:
        book.apply(event)
    copies = [attrs.evolve(order) for order in reversed(book.orders)]
    restored = OrderBook.restore(book.token, copies, [event.fill for event in events])
    assert [order.id for order in restored.orders] == [1, 2, 3, 4]
    assert list(restored.open) == [2, 3, 4]
    assert all(restored.apply(event) is None for event in events)
    assert restored.get(2).filled == 0.5
    assert restored.apply(fill_of(orders[1], 3, 0.5)) is restored.get(2)
    assert restored.get(2).status is S.FILLED
    assert create(restored).id == 5
    assert restored.client_id(restored.get(1)) == "7f3kq9-1"


def test_a_restored_book_never_gives_an_id_twice():
    book = OrderBook.restore("7f3kq9", [], [], next_id=12)
    assert create(book).id == 12
    kept = OrderBook.restore("7f3kq9", [attrs.evolve(create(OrderBook()), id=40)], [], next_id=12)
    assert create(kept).id == 41
    assert create(OrderBook.restore("7f3kq9", kept.orders[:1], [], next_id=90)).id == 90
    assert kept.get(40).id == 40
    with pytest.raises(OrderStateError, match="no order 39"):
        kept.get(39)
