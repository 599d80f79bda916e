"""The state machine of an order, as one table.

`TABLE` holds every legal (state, input) pair. A pair that is not in it is an anomaly: `OrderStateError`, and
nothing is changed. Five thoughts decide what is in it; ``docs/reference/order-states.md`` has them at length.

* A venue says things twice and in any order: by the answer to a request, by its stream, by a query after a
  reconnect. Saying again what is known is legal and changes nothing.
* What a venue says of a living order proves that it accepted it, whether or not it said so before.
* Evidence outranks the lack of it: a time-out that comes after the venue has spoken changes nothing.
* CANCELED, EXPIRED and REJECTED tell one fact, nothing more will trade; the first of these words stands.
* An order whose fills add up to its size is FILLED, and no other is. This rule stands above the cells of FILL
  and AMEND, the only inputs that touch either number.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final

from cambist.errors import OrderStateError
from cambist.model.orders import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.orders import Order

__all__ = [
    "TABLE",
    "TERMINAL",
    "Marker",
    "OrderInput",
    "Target",
    "column",
    "illegal",
    "is_complete",
    "is_over",
    "next_status",
]


class OrderInput(StrEnum):
    """What can happen to an order. The requests and SUBMIT are ours, the rest is evidence."""

    #: The order leaves for the venue.
    SUBMIT = "submit"
    #: The venue works the order.
    ACCEPT = "accept"
    #: The risk gate or the venue refuses the order.
    REJECT = "reject"
    #: The stop price was reached.
    TRIGGER = "trigger"
    #: Some or all of the order traded.
    FILL = "fill"
    #: We ask the venue to withdraw the order.
    CANCEL_REQUEST = "cancel_request"
    #: What remained of the order is withdrawn.
    CANCEL = "cancel"
    #: The venue could not cancel.
    CANCEL_REJECT = "cancel_reject"
    #: We ask the venue for new terms.
    AMEND_REQUEST = "amend_request"
    #: The order has new terms.
    AMEND = "amend"
    #: The venue could not amend.
    AMEND_REJECT = "amend_reject"
    #: A trailing stop has followed the price.
    TRAIL = "trail"
    #: The order's time has passed.
    EXPIRE = "expire"
    #: A submit got no usable answer.
    OUTCOME_UNKNOWN = "outcome_unknown"
    #: It is proven that a submit of unknown outcome never arrived.
    NOT_FOUND = "not_found"


class Marker(Enum):
    """A cell of the table whose state depends on what the order itself knows."""

    #: Where the order's fields put it: SUBMITTED, ACCEPTED, TRIGGERED, PARTIALLY_FILLED or FILLED.
    FACTS = "facts"
    #: The pending state stays if the venue ever confirmed the order; otherwise its submit is UNKNOWN.
    UNKNOWN_UNLESS_ACCEPTED = "unknown unless accepted"
    #: REJECTED means that nothing traded; what remains of an order with fills is CANCELED.
    REJECTED_UNLESS_FILLED = "rejected unless filled"


Target = OrderStatus | Marker

_S = OrderStatus
_I = OrderInput

TABLE: Final[Mapping[OrderStatus, Mapping[OrderInput, Target]]] = {
    # Ours alone: no venue has heard of it.
    _S.CREATED: {
        _I.SUBMIT: _S.SUBMITTED,
        _I.REJECT: _S.REJECTED,
        _I.CANCEL: _S.CANCELED,
    },
    _S.SUBMITTED: {
        _I.ACCEPT: _S.ACCEPTED,
        _I.REJECT: _S.REJECTED,
        _I.TRIGGER: _S.TRIGGERED,
        _I.FILL: _S.PARTIALLY_FILLED,
        _I.CANCEL_REQUEST: _S.PENDING_CANCEL,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.SUBMITTED,
        _I.AMEND_REQUEST: _S.PENDING_REPLACE,
        _I.AMEND: _S.ACCEPTED,
        _I.AMEND_REJECT: _S.SUBMITTED,
        _I.TRAIL: _S.ACCEPTED,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: _S.UNKNOWN,
    },
    _S.ACCEPTED: {
        _I.ACCEPT: _S.ACCEPTED,
        # A conditional order is refused when it triggers, long after it was accepted.
        _I.REJECT: _S.REJECTED,
        _I.TRIGGER: _S.TRIGGERED,
        _I.FILL: _S.PARTIALLY_FILLED,
        _I.CANCEL_REQUEST: _S.PENDING_CANCEL,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.ACCEPTED,
        _I.AMEND_REQUEST: _S.PENDING_REPLACE,
        _I.AMEND: _S.ACCEPTED,
        _I.AMEND_REJECT: _S.ACCEPTED,
        _I.TRAIL: _S.ACCEPTED,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: _S.ACCEPTED,
    },
    _S.TRIGGERED: {
        _I.ACCEPT: _S.TRIGGERED,
        _I.REJECT: _S.REJECTED,
        _I.TRIGGER: _S.TRIGGERED,
        _I.FILL: _S.PARTIALLY_FILLED,
        _I.CANCEL_REQUEST: _S.PENDING_CANCEL,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.TRIGGERED,
        _I.AMEND_REQUEST: _S.PENDING_REPLACE,
        _I.AMEND: _S.TRIGGERED,
        _I.AMEND_REJECT: _S.TRIGGERED,
        _I.TRAIL: _S.TRIGGERED,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: _S.TRIGGERED,
    },
    _S.PARTIALLY_FILLED: {
        _I.ACCEPT: _S.PARTIALLY_FILLED,
        _I.REJECT: _S.CANCELED,
        _I.TRIGGER: _S.PARTIALLY_FILLED,
        _I.FILL: _S.PARTIALLY_FILLED,
        _I.CANCEL_REQUEST: _S.PENDING_CANCEL,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.PARTIALLY_FILLED,
        _I.AMEND_REQUEST: _S.PENDING_REPLACE,
        _I.AMEND: _S.PARTIALLY_FILLED,
        _I.AMEND_REJECT: _S.PARTIALLY_FILLED,
        _I.TRAIL: _S.PARTIALLY_FILLED,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: _S.PARTIALLY_FILLED,
    },
    _S.PENDING_CANCEL: {
        _I.ACCEPT: _S.PENDING_CANCEL,
        _I.REJECT: Marker.REJECTED_UNLESS_FILLED,
        _I.TRIGGER: _S.PENDING_CANCEL,
        _I.FILL: _S.PENDING_CANCEL,
        _I.CANCEL_REQUEST: _S.PENDING_CANCEL,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: Marker.FACTS,
        # The answers to an amend that the cancel overtook.
        _I.AMEND: _S.PENDING_CANCEL,
        _I.AMEND_REJECT: _S.PENDING_CANCEL,
        _I.TRAIL: _S.PENDING_CANCEL,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: Marker.UNKNOWN_UNLESS_ACCEPTED,
    },
    # No second AMEND_REQUEST: nothing would tell which of the two an answer is for.
    _S.PENDING_REPLACE: {
        _I.ACCEPT: _S.PENDING_REPLACE,
        _I.REJECT: Marker.REJECTED_UNLESS_FILLED,
        _I.TRIGGER: _S.PENDING_REPLACE,
        _I.FILL: _S.PENDING_REPLACE,
        _I.CANCEL_REQUEST: _S.PENDING_CANCEL,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.PENDING_REPLACE,
        _I.AMEND: Marker.FACTS,
        _I.AMEND_REJECT: Marker.FACTS,
        _I.TRAIL: _S.PENDING_REPLACE,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: Marker.UNKNOWN_UNLESS_ACCEPTED,
    },
    # Left by evidence alone. That a cancel or an amend was refused proves nothing about the submit.
    _S.UNKNOWN: {
        _I.ACCEPT: _S.ACCEPTED,
        _I.REJECT: _S.REJECTED,
        _I.TRIGGER: _S.TRIGGERED,
        _I.FILL: _S.PARTIALLY_FILLED,
        _I.CANCEL_REQUEST: _S.UNKNOWN,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.UNKNOWN,
        _I.AMEND: _S.ACCEPTED,
        _I.AMEND_REJECT: _S.UNKNOWN,
        _I.TRAIL: _S.ACCEPTED,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: _S.UNKNOWN,
        _I.NOT_FOUND: _S.REJECTED,
    },
    # A venue that cancels, expires or rejects what it filled contradicts itself: not here.
    _S.FILLED: {
        _I.ACCEPT: _S.FILLED,
        _I.TRIGGER: _S.FILLED,
        _I.CANCEL_REJECT: _S.FILLED,
        # The fills of an enlarged order can overtake the word that it was enlarged.
        _I.AMEND: Marker.FACTS,
        _I.AMEND_REJECT: _S.FILLED,
        _I.TRAIL: _S.FILLED,
        _I.OUTCOME_UNKNOWN: _S.FILLED,
    },
    _S.CANCELED: {
        _I.ACCEPT: _S.CANCELED,
        _I.REJECT: _S.CANCELED,
        _I.TRIGGER: _S.CANCELED,
        _I.FILL: _S.CANCELED,
        _I.CANCEL: _S.CANCELED,
        _I.CANCEL_REJECT: _S.CANCELED,
        _I.AMEND: _S.CANCELED,
        _I.AMEND_REJECT: _S.CANCELED,
        _I.TRAIL: _S.CANCELED,
        _I.EXPIRE: _S.CANCELED,
        _I.OUTCOME_UNKNOWN: _S.CANCELED,
    },
    # No ACCEPT, TRIGGER or AMEND: an order we gave up lives at the venue, and somebody must be told.
    _S.REJECTED: {
        _I.REJECT: _S.REJECTED,
        _I.FILL: _S.CANCELED,
        _I.CANCEL: _S.REJECTED,
        _I.CANCEL_REJECT: _S.REJECTED,
        _I.AMEND_REJECT: _S.REJECTED,
        _I.EXPIRE: _S.REJECTED,
        _I.OUTCOME_UNKNOWN: _S.REJECTED,
        _I.NOT_FOUND: _S.REJECTED,
    },
    _S.EXPIRED: {
        _I.ACCEPT: _S.EXPIRED,
        _I.REJECT: _S.EXPIRED,
        _I.TRIGGER: _S.EXPIRED,
        _I.FILL: _S.EXPIRED,
        _I.CANCEL: _S.EXPIRED,
        _I.CANCEL_REJECT: _S.EXPIRED,
        _I.AMEND: _S.EXPIRED,
        _I.AMEND_REJECT: _S.EXPIRED,
        _I.TRAIL: _S.EXPIRED,
        _I.EXPIRE: _S.EXPIRED,
        _I.OUTCOME_UNKNOWN: _S.EXPIRED,
    },
}

#: The states in which nothing more is expected to trade.
TERMINAL: Final = frozenset({_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED})


def column(kind: OrderInput) -> dict[OrderStatus, OrderStatus]:
    """Return one input's next states, for an input whose cells are states and no markers.

    Raises
    ------
    TypeError
        If one of them is a marker.
    """
    states: dict[OrderStatus, OrderStatus] = {}
    for status, row in TABLE.items():
        target = row.get(kind)
        if isinstance(target, Marker):
            raise TypeError(f"the cell ({status}, {kind}) is the marker {target.name}; use next_status.")
        if target is not None:
            states[status] = target
    return states


def is_complete(order: Order, filled: float, size: float) -> bool:
    """Tell whether `filled` is all of `size`, up to half a size step."""
    grid = order.instrument.size_grid
    return size - filled < 0.5 * grid.numerator / grid.denominator


def is_over(order: Order, filled: float, size: float) -> bool:
    """Tell whether `filled` exceeds `size` by more than half a size step."""
    grid = order.instrument.size_grid
    return filled - size > 0.5 * grid.numerator / grid.denominator


def _facts(order: Order) -> OrderStatus:
    """Return the state that the order's own fields tell of, whatever was pending."""
    if order.filled > 0.0:
        return _S.FILLED if is_complete(order, order.filled, order.size) else _S.PARTIALLY_FILLED
    if order.triggered:
        return _S.TRIGGERED
    return _S.ACCEPTED if order.accepted else _S.SUBMITTED


def next_status(order: Order, kind: OrderInput) -> OrderStatus:
    """Return where `kind` takes `order`, and change nothing.

    The fifth rule above is not applied: who changes `filled` or `size` knows the new numbers.

    Raises
    ------
    OrderStateError
        If the table does not hold the pair.
    """
    target = TABLE[order.status].get(kind)
    if isinstance(target, OrderStatus):
        return target
    if target is None:
        raise illegal(order, kind)
    if target is Marker.FACTS:
        return _facts(order)
    if target is Marker.UNKNOWN_UNLESS_ACCEPTED:
        return order.status if order.accepted else _S.UNKNOWN
    return _S.CANCELED if order.filled > 0.0 else _S.REJECTED


_OURS = frozenset({_I.SUBMIT, _I.CANCEL_REQUEST, _I.AMEND_REQUEST})


def illegal(order: Order, kind: OrderInput, why: str = "") -> OrderStateError:
    """Return the error for an input that `order` cannot take: names order, state, input and the remedy."""
    what = why or f"{kind} is not legal in that state"
    if kind in _OURS:
        remedy = "Look at order.status before asking."
    else:
        remedy = "Compare the order with the venue's before acting on it."
    return OrderStateError(
        f"order {order.id} ({order.side} {order.size:g} {order.instrument.symbol}, {order.filled:g} filled) "
        f"is {order.status} and got {kind}: {what}. Nothing was changed. {remedy}"
    )
