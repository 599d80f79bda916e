"""What each input writes into the order, and what it leaves alone."""

from __future__ import annotations

from math import inf, isnan, nan

import pytest

from cambist.errors import OrderStateError
from cambist.model import Fill, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
)
from cambist.orders import apply_event, not_found, reject, request_amend, request_cancel, submit

S = OrderStatus
COIN = Instrument(symbol="COIN", step_size="0.1")


def new_order(size=1.0):
    return Order(
        3, COIN, Side.BUY, OrderType.LIMIT, size, 100.0, nan, TimeInForce.GTC, 0, False, "s", "", 1, 1
    )  # fmt: skip


def working(size=1.0):
    order = new_order(size)
    submit(order, 2)
    apply_event(order, OrderAccepted(3, 3))
    return order


def filled(number, size, price=100.0, *, order_id=3, side=Side.BUY, fee=0.0, ts=9):
    return OrderFilled(ts, 3, Fill(number, order_id, COIN, side, size, price, fee, Liquidity.TAKER, ts))


def test_the_common_life_of_an_order():
    order = new_order()
    submit(order, 2)
    assert (order.status, order.updated_at, order.accepted) == (S.SUBMITTED, 2, False)
    assert apply_event(order, OrderAccepted(3, 3))
    assert (order.status, order.updated_at, order.accepted) == (S.ACCEPTED, 3, True)
    assert apply_event(order, filled(1, 0.4, 100.0, fee=0.01, ts=4))
    assert (order.status, order.updated_at, order.filled, order.average_price) == (S.PARTIALLY_FILLED, 4, 0.4, 100.0)
    assert apply_event(order, filled(2, 0.4, 105.0, fee=0.01, ts=5))
    assert order.average_price == pytest.approx(102.5, rel=1e-15)
    assert apply_event(order, filled(3, 0.2, 105.0, fee=0.01, ts=6))
    assert (order.status, order.updated_at, order.filled) == (S.FILLED, 6, 1.0)
    assert order.average_price == pytest.approx(103.0, rel=1e-15)
    assert order.fees == pytest.approx(0.03, rel=1e-15)
    assert order.reason == ""


def test_filled_stays_on_the_grid_where_floats_would_drift():
    order = working(1.0)
    for number in range(10):
        apply_event(order, filled(number + 1, 0.1))
    assert sum([0.1] * 10) != 1.0
    assert order.filled == 1.0
    assert order.status is S.FILLED
    assert order.remaining == 0.0


def test_fills_at_one_price_average_to_it_exactly():
    order = working(1.0)
    for number in range(7):
        apply_event(order, filled(number + 1, 0.1, 0.1 + 0.2))
    assert order.average_price == 0.1 + 0.2


@pytest.mark.parametrize(("one", "other"), [(0.1, 0.2), (0.1, 0.7)])
def test_a_size_off_the_grid_by_float_noise_is_filled_all_the_same(one, other):
    order = working(one + other)
    assert order.size not in {0.3, 0.8}
    apply_event(order, filled(1, one))
    apply_event(order, filled(2, other))
    assert order.status is S.FILLED


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (filled(2, 0.7), "would fill more than the order's size"),
        (filled(2, 1.0), "would fill more than the order's size"),
        (filled(2, 0.0), "has the size 0.0"),
        (filled(2, -0.1), "has the size -0.1"),
        (filled(2, nan), "has the size nan"),
        (filled(2, inf), "has the size inf"),
        (filled(2, 0.04), "lost on the size step of 0.1"),
        (filled(2, 0.1, nan), "has the price nan"),
        (filled(2, 0.1, inf), "has the price inf"),
        (filled(2, 0.1, order_id=4), "is a buy of order 4"),
        (filled(2, 0.1, side=Side.SELL), "is a sell of order 3"),
    ],
)
def test_a_fill_that_cannot_be_is_refused(event, message):
    order = working()
    apply_event(order, filled(1, 0.4, ts=5))
    with pytest.raises(OrderStateError, match=message):
        apply_event(order, event)
    assert (order.status, order.filled, order.average_price, order.fees) == (S.PARTIALLY_FILLED, 0.4, 100.0, 0.0)
    assert order.updated_at == 5


@pytest.mark.parametrize("size", [nan, inf, -1.0, 0.0])
def test_a_first_fill_without_a_size_is_refused_too(size):
    order = working(size) if size != size else working()  # noqa: PLR0124 - NaN
    with pytest.raises(OrderStateError):
        apply_event(order, filled(1, size))
    assert order.filled == 0.0
    assert isnan(order.average_price)


def test_an_overfill_within_half_a_step_is_float_noise():
    order = working()
    apply_event(order, filled(1, 0.9))
    apply_event(order, filled(2, 0.1 + 1e-9))
    assert (order.status, order.filled) == (S.FILLED, 1.0)


def test_a_fill_of_a_free_thing_has_the_price_zero():
    order = working()
    apply_event(order, filled(1, 1.0, 0.0))
    assert order.average_price == 0.0


def test_a_trigger_is_remembered_through_what_follows():
    order = working()
    apply_event(order, OrderTriggered(4, 3))
    assert (order.status, order.triggered, order.updated_at) == (S.TRIGGERED, True, 4)
    assert not apply_event(order, OrderTriggered(5, 3))
    assert order.updated_at == 4
    request_cancel(order, 5)
    apply_event(order, CancelRejected(6, 3, "too busy"))
    assert (order.status, order.reason, order.updated_at) == (S.TRIGGERED, "too busy", 6)


def test_a_trigger_that_comes_first_proves_acceptance():
    order = new_order()
    submit(order, 2)
    apply_event(order, OrderTriggered(3, 3))
    assert order.accepted
    assert not apply_event(order, OrderAccepted(4, 3))
    assert (order.status, order.updated_at) == (S.TRIGGERED, 3)


def test_an_acknowledgement_after_the_fill_says_nothing_new():
    order = new_order()
    submit(order, 2)
    assert apply_event(order, filled(1, 1.0, ts=3))
    assert not apply_event(order, OrderAccepted(4, 3))
    assert (order.status, order.accepted, order.updated_at) == (S.FILLED, True, 3)


@pytest.mark.parametrize("kind", [OrderCanceled, OrderExpired, OrderRejected])
def test_the_first_word_about_the_end_stands(kind):
    order = working()
    apply_event(order, OrderCanceled(4, 3, "by us"))
    assert not apply_event(order, kind(5, 3, "again"))
    assert (order.status, order.reason, order.updated_at) == (S.CANCELED, "by us", 4)


def test_a_reason_lasts_as_long_as_the_state_it_explains():
    order = working()
    request_cancel(order, 4)
    apply_event(order, CancelRejected(5, 3, "too busy"))
    assert order.reason == "too busy"
    request_amend(order, 6)
    assert order.reason == ""
    apply_event(order, AmendRejected(7, 3, "too dear"))
    assert (order.status, order.reason) == (S.ACCEPTED, "too dear")
    apply_event(order, filled(1, 0.5))
    assert order.reason == ""


@pytest.mark.parametrize(
    "evidence", [OrderAccepted(4, 3), OrderTriggered(4, 3), filled(1, 0.5), OrderAmended(4, 3, 1.0, 99.0, nan)]
)
def test_evidence_ends_unknown_and_its_reason(evidence):
    order = new_order()
    submit(order, 2)
    apply_event(order, OutcomeUnknown(3, 3, "time-out"))
    assert (order.status, order.reason, order.updated_at) == (S.UNKNOWN, "time-out", 3)
    assert apply_event(order, evidence)
    assert order.status is not S.UNKNOWN
    assert (order.accepted, order.reason) == (True, "")


def test_unknown_ends_as_rejected_once_it_is_proven_that_nothing_arrived():
    order = new_order()
    submit(order, 2)
    apply_event(order, OutcomeUnknown(3, 3, "time-out"))
    request_cancel(order, 4)
    assert (order.status, order.updated_at, order.reason) == (S.UNKNOWN, 3, "time-out")
    assert not_found(order, 5)
    assert (order.status, order.reason, order.updated_at) == (S.REJECTED, "never arrived at the venue", 5)


def test_a_late_fill_reaches_a_canceled_order():
    order = working()
    apply_event(order, OrderCanceled(4, 3, "by us"))
    assert apply_event(order, filled(1, 0.4, ts=5))
    assert (order.status, order.filled, order.reason, order.updated_at) == (S.CANCELED, 0.4, "by us", 5)
    assert apply_event(order, filled(2, 0.6))
    assert (order.status, order.filled, order.reason) == (S.FILLED, 1.0, "")


def test_an_order_that_traded_is_never_rejected():
    late = new_order()
    submit(late, 2)
    apply_event(late, OrderRejected(3, 3, "no funds"))
    apply_event(late, filled(1, 0.4))
    assert late.status is S.CANCELED
    early = working()
    apply_event(early, filled(1, 0.4))
    apply_event(early, OrderRejected(5, 3, "no funds"))
    assert (early.status, early.reason) == (S.CANCELED, "no funds")


def test_an_amend_changes_the_terms_and_says_whether_it_did():
    order = working(1.0)
    request_amend(order, 4)
    assert order.status is S.PENDING_REPLACE
    assert apply_event(order, OrderAmended(5, 3, 2.0, 101.0, nan))
    assert (order.status, order.size, order.limit_price, order.updated_at) == (S.ACCEPTED, 2.0, 101.0, 5)
    assert isnan(order.stop_price)
    assert not apply_event(order, OrderAmended(6, 3, 2.0, 101.0, nan))
    assert order.updated_at == 5
    # Unasked: venues shrink reduce-only orders by themselves.
    assert apply_event(order, OrderAmended(7, 3, 1.5, 101.0, nan))
    assert (order.status, order.size, order.updated_at) == (S.ACCEPTED, 1.5, 7)


def test_an_amend_of_what_was_never_confirmed_confirms_it():
    order = new_order()
    submit(order, 2)
    request_cancel(order, 3)
    assert apply_event(order, OrderAmended(4, 3, 1.0, 100.0, nan))
    assert (order.status, order.accepted, order.updated_at) == (S.PENDING_CANCEL, True, 4)


def test_an_order_without_fills_is_not_filled_however_small():
    order = working()
    apply_event(order, OrderAmended(4, 3, 0.04, 100.0, nan))
    assert order.status is S.ACCEPTED


@pytest.mark.parametrize(("size", "message"), [(0.3, "more than the new size"), (0.0, "new size"), (nan, "new size")])
def test_an_amend_that_cannot_be_is_refused(size, message):
    order = working()
    apply_event(order, filled(1, 0.4, ts=5))
    request_amend(order, 6)
    with pytest.raises(OrderStateError, match=message):
        apply_event(order, OrderAmended(7, 3, size, 55.0, nan))
    assert (order.status, order.size, order.limit_price, order.updated_at) == (S.PENDING_REPLACE, 1.0, 100.0, 6)


def test_a_fill_that_overtakes_the_word_of_a_larger_size_can_come_again():
    order = working(1.0)
    request_amend(order, 4)
    apply_event(order, filled(1, 1.0))
    assert order.status is S.FILLED
    with pytest.raises(OrderStateError):
        apply_event(order, filled(2, 0.5))
    apply_event(order, OrderAmended(6, 3, 1.5, 100.0, nan))
    assert order.status is S.PARTIALLY_FILLED
    apply_event(order, filled(2, 0.5))
    assert (order.status, order.filled) == (S.FILLED, 1.5)


def test_the_gate_refuses_only_what_has_not_left():
    order = new_order()
    reject(order, 2, "max_position: too large")
    assert (order.status, order.reason, order.updated_at) == (S.REJECTED, "max_position: too large", 2)
    with pytest.raises(OrderStateError, match="refused by its venue alone"):
        reject(working(), 4, "too late")


def test_an_error_says_what_to_do():
    order = working()
    with pytest.raises(OrderStateError, match=r"order 3 \(buy 1 COIN, 0 filled\) is accepted and got submit") as caught:
        submit(order, 4)
    assert "order.status" in str(caught.value)
    with pytest.raises(OrderStateError, match="Compare the order with the venue's"):
        not_found(order, 4)


def test_the_notice_of_a_refusal_says_nothing_new():
    order = new_order()
    reject(order, 2, "max_position: too large")
    assert not apply_event(order, OrderRefused(3, 3, "max_position: too large"))
    assert order.updated_at == 2


def test_the_notice_of_a_refusal_alone_is_enough():
    order = new_order()
    assert apply_event(order, OrderRefused(3, 3, "max_position: too large"))
    assert (order.status, order.reason, order.updated_at) == (S.REJECTED, "max_position: too large", 3)
    with pytest.raises(OrderStateError, match="refused by its venue alone"):
        apply_event(working(), OrderRefused(3, 3, "too late"))
