"""Until when an order works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import TimeInForce
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from cambist.model.orders import Order

__all__ = ["last_moment"]


def last_moment(order: Order) -> int | None:
    """Return the last ns (UTC) in which an order works; None for one without an end, or whose market has sessions.

    Where a market never closes, a day order works until the UTC day ends in which it was made.
    """
    if order.time_in_force is TimeInForce.GTD:
        return order.expires_at
    if order.time_in_force is TimeInForce.DAY and not order.instrument.calendar:
        return (order.created_at // DAY_NS + 1) * DAY_NS - 1
    return None
