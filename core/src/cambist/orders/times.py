"""Until when an order works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import TimeInForce

if TYPE_CHECKING:
    from cambist.model.orders import Order

__all__ = ["last_moment"]


def last_moment(order: Order) -> int | None:
    """Return the last ns (UTC) in which an order works; None for one without an end of its own.

    A day order has none: it ends with its session, whenever that is.
    """
    return order.expires_at if order.time_in_force is TimeInForce.GTD else None
