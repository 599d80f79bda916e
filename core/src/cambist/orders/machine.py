"""The only writer of an order's fields: takes inputs through the table of `cambist.orders.state`.

Every function checks first and writes afterwards, so that an `OrderStateError` leaves the order as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
    StopTrailed,
)
from cambist.model.orders import OrderStatus
from cambist.orders.state import TERMINAL, OrderInput, column, illegal, is_complete, is_over, next_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.events import OrderEvent
    from cambist.model.orders import Fill, Order

__all__ = [
    "HANDLERS",
    "INPUTS",
    "accept",
    "apply_event",
    "arrive",
    "cancel",
    "not_found",
    "reject",
    "request_amend",
    "request_cancel",
    "submit",
    "take_fill",
    "trigger",
]

_SUBMIT = OrderInput.SUBMIT
_ACCEPT = OrderInput.ACCEPT
_FILL = OrderInput.FILL
_AMEND = OrderInput.AMEND
_FILLED = OrderStatus.FILLED
_UNKNOWN = OrderStatus.UNKNOWN
_WITHDRAWN = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED})
_INFINITY = float("inf")
#: Why an order that nobody found ends.
NEVER_ARRIVED = "never arrived at the venue"

# What every order goes through takes one look-up instead of two.
_SUBMITS = column(_SUBMIT)
_ACCEPTS = column(_ACCEPT)
_TRIGGERS = column(OrderInput.TRIGGER)
_FILLS = column(_FILL)
_CANCEL_REQUESTS = column(OrderInput.CANCEL_REQUEST)
_CANCELS = column(OrderInput.CANCEL)


def submit(order: Order, ts: int) -> None:
    """Note that `order` leaves for the venue at `ts` (ns, UTC).

    Raises
    ------
    OrderStateError
        If it left before. A repeated request re-uses the client id and is no second submit.
    """
    status = _SUBMITS.get(order.status)
    if status is None:
        raise illegal(order, _SUBMIT)
    order.status = status
    order.updated_at = ts


def arrive(order: Order, ts: int) -> None:
    """Note that what we asked of `order` reaches the venue at `ts` (ns, UTC), some time after it was sent."""
    order.updated_at = ts


def request_cancel(order: Order, ts: int) -> None:
    """Note that the venue is asked to withdraw `order`; of an order in UNKNOWN this changes nothing.

    Raises
    ------
    OrderStateError
        If the order has not left yet, or has ended.
    """
    status = _CANCEL_REQUESTS.get(order.status)
    if status is None:
        raise illegal(order, OrderInput.CANCEL_REQUEST)
    if status is not order.status:
        order.status = status
        order.reason = ""
        order.updated_at = ts


def request_amend(order: Order, ts: int) -> None:
    """Note that the venue is asked for new terms of `order`.

    Raises
    ------
    OrderStateError
        If the order has not left yet, has ended, is UNKNOWN, or has a cancel or an amend under way.
    """
    status = next_status(order, OrderInput.AMEND_REQUEST)
    order.status = status
    order.reason = ""
    order.updated_at = ts


def reject(order: Order, ts: int, reason: str) -> None:
    """Refuse `order` before it leaves, as the risk gate does.

    Raises
    ------
    OrderStateError
        If it left already: then only the venue can refuse it.
    """
    if order.status is not OrderStatus.CREATED:
        raise illegal(order, OrderInput.REJECT, "an order that left us is refused by its venue alone")
    order.status = next_status(order, OrderInput.REJECT)
    order.reason = reason
    order.updated_at = ts


def not_found(order: Order, ts: int, reason: str = NEVER_ARRIVED) -> bool:
    """End UNKNOWN by a proven negative: not found by client id, twice, after the venue's settling time.

    Returns
    -------
    bool
        False where the order was known to be rejected.

    Raises
    ------
    OrderStateError
        If the order is in any other state: there is evidence that it did arrive.
    """
    return _move(order, ts, OrderInput.NOT_FOUND, reason)


def apply_event(order: Order, event: OrderEvent) -> bool:
    """Take `event` into `order`.

    A fill is taken as new: `OrderBook` is what applies each fill once.

    Returns
    -------
    bool
        Whether anything was changed: False where the event said what is known.

    Raises
    ------
    OrderStateError
        If the table does not hold the pair, a fill belongs to another order or side, or has no size, or the
        fills would add up to more than the order's size. The order is left as it was.
    """
    return HANDLERS[type(event)](order, event)


def _move(order: Order, ts: int, kind: OrderInput, reason: str) -> bool:
    """Take an input that moves the state and touches no fact."""
    status = next_status(order, kind)
    if status is order.status:
        return False
    order.status = status
    order.reason = reason
    order.updated_at = ts
    return True


def accept(order: Order, ts: int) -> bool:
    """Take word from the venue, at `ts`, that it works `order`; see `apply_event`."""
    before = order.status
    status = _ACCEPTS.get(before)
    if status is None:
        raise illegal(order, _ACCEPT)
    if order.accepted:
        return False
    if before is _UNKNOWN:
        order.reason = ""
    order.accepted = True
    order.status = status
    order.updated_at = ts
    return True


def trigger(order: Order, ts: int) -> bool:
    """Take word from the venue, at `ts`, that it has reached the stop of `order`; see `apply_event`."""
    status = _TRIGGERS.get(order.status)
    if status is None:
        raise illegal(order, OrderInput.TRIGGER)
    if order.triggered:
        return False
    if order.status is _UNKNOWN:
        order.reason = ""
    order.accepted = True
    order.triggered = True
    order.status = status
    order.updated_at = ts
    return True


def take_fill(order: Order, ts: int, fill: Fill) -> bool:
    """Take a new fill into `order`, known at `ts`; see `apply_event`."""
    status = _FILLS.get(order.status)
    if status is None:
        raise illegal(order, _FILL)
    if fill.order_id != order.id or fill.side is not order.side:
        raise illegal(order, _FILL, f"fill {fill.id} is a {fill.side} of order {fill.order_id}")
    price = fill.price
    # Neither NaN nor infinite; one subtraction is the cheapest way to ask.
    if price - price != 0.0:
        raise illegal(order, _FILL, f"fill {fill.id} has the price {price}")
    before = order.filled
    size = order.size
    if before == 0.0 and fill.size == size:
        filled = size
        order.average_price = price
        status = _FILLED
    else:
        filled = _total(order, fill)
        if before == 0.0:
            order.average_price = price
        else:
            order.average_price += (price - order.average_price) * (fill.size / (before + fill.size))
        if is_complete(order, filled, size):
            status = _FILLED
    order.filled = filled
    order.fees += fill.fee
    order.accepted = True
    order.status = status
    order.updated_at = ts
    if order.reason and status not in _WITHDRAWN:
        order.reason = ""
    return True


def _total(order: Order, fill: Fill) -> float:
    """Return what is filled together with `fill`, on the size grid, or refuse it."""
    if not 0.0 < fill.size < _INFINITY:
        raise illegal(order, _FILL, f"fill {fill.id} has the size {fill.size}")
    filled = order.instrument.size_grid.nearest(order.filled + fill.size)
    if filled <= order.filled:
        step = order.instrument.step_size
        raise illegal(order, _FILL, f"fill {fill.id} of {fill.size:g} is lost on the size step of {step}")
    if is_over(order, filled, order.size):
        raise illegal(order, _FILL, f"fill {fill.id} of {fill.size:g} would fill more than the order's size")
    return filled


def _amended(order: Order, event: OrderAmended) -> bool:
    status = next_status(order, _AMEND)
    size = event.size
    if not 0.0 < size < _INFINITY:
        raise illegal(order, _AMEND, f"the new size is {size}")
    if is_over(order, order.filled, size):
        raise illegal(order, _AMEND, f"more than the new size of {size:g} is filled")
    known = order.accepted and _same_terms(order, event)
    order.accepted = True
    order.size = size
    order.limit_price = event.limit_price
    order.stop_price = event.stop_price
    # Once more, because what the facts say has just changed.
    status = next_status(order, _AMEND)
    if order.filled > 0.0 and is_complete(order, order.filled, size):
        status = _FILLED
    if known and status is order.status:
        return False
    if status not in _WITHDRAWN:
        order.reason = ""
    order.status = status
    order.updated_at = event.ts
    return True


def _trailed(order: Order, event: StopTrailed) -> bool:
    status = next_status(order, OrderInput.TRAIL)
    if status in TERMINAL or order.triggered:
        return False  # late word of a stop that matters no more
    if order.status is _UNKNOWN:
        order.reason = ""
    order.accepted = True
    order.stop_price = event.stop_price
    order.limit_price = event.limit_price
    order.status = status
    order.updated_at = event.ts
    return True


def _same_terms(order: Order, event: OrderAmended) -> bool:
    # NaN stands for a price the order's type does not have; repr makes it equal to itself.
    return repr((order.size, order.limit_price, order.stop_price)) == repr(
        (event.size, event.limit_price, event.stop_price)
    )


def _refused(order: Order, event: OrderRefused) -> bool:
    # The notice of what `reject` did when the order was asked for; in a journal it may be all there is.
    if order.status is OrderStatus.REJECTED:
        return False
    reject(order, event.ts, event.reason)
    return True


def cancel(order: Order, ts: int, reason: str = "") -> bool:
    """Take word from the venue that what remained of `order` is withdrawn; see `apply_event`."""
    status = _CANCELS.get(order.status)
    if status is None:
        raise illegal(order, OrderInput.CANCEL)
    if status is order.status:
        return False
    order.status = status
    order.reason = reason
    order.updated_at = ts
    return True


def _mover(kind: OrderInput) -> Callable[[Order, Any], bool]:
    """Return the handler of an event that carries nothing but a reason."""

    def handle(order: Order, event: Any) -> bool:
        return _move(order, event.ts, kind, event.reason)

    return handle


#: Which input each event is.
INPUTS: Final[dict[type[OrderEvent], OrderInput]] = {
    OrderAccepted: OrderInput.ACCEPT,
    OrderRefused: OrderInput.REJECT,
    OrderRejected: OrderInput.REJECT,
    OrderTriggered: OrderInput.TRIGGER,
    OrderFilled: OrderInput.FILL,
    OrderCanceled: OrderInput.CANCEL,
    OrderExpired: OrderInput.EXPIRE,
    OrderAmended: OrderInput.AMEND,
    CancelRejected: OrderInput.CANCEL_REJECT,
    AmendRejected: OrderInput.AMEND_REJECT,
    StopTrailed: OrderInput.TRAIL,
    OutcomeUnknown: OrderInput.OUTCOME_UNKNOWN,
    OrderNotFound: OrderInput.NOT_FOUND,
}

#: What takes each event into an order.
HANDLERS: Final[dict[type[OrderEvent], Callable[[Order, Any], bool]]] = {
    **{event: _mover(kind) for event, kind in INPUTS.items()},
    OrderAccepted: lambda order, event: accept(order, event.ts),
    OrderRefused: _refused,
    OrderTriggered: lambda order, event: trigger(order, event.ts),
    OrderFilled: lambda order, event: take_fill(order, event.ts, event.fill),
    OrderCanceled: lambda order, event: cancel(order, event.ts, event.reason),
    OrderNotFound: lambda order, event: not_found(order, event.ts, event.reason or NEVER_ARRIVED),
    OrderAmended: _amended,
    StopTrailed: _trailed,
}
