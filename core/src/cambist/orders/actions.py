"""What the emulator wants done: orders sent, withdrawn and resized at a venue, and told to the engine."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cambist.model.events import OrderEvent

__all__ = ["Action", "Report", "Resize", "Send", "Withdraw"]


@attrs.frozen
class Send:
    """Send an order to the venue, under its own client id.

    Attributes
    ----------
    order_id
        Which.
    size
        How much of it.
    limit_price
        Its limit; NaN for a market order.
    as_it_is
        Whether the venue works its type, and waits for its stop; else it goes as a market or a limit order.
    """

    order_id: int
    size: float
    limit_price: float = nan
    as_it_is: bool = False


@attrs.frozen
class Withdraw:
    """Ask the venue to cancel an order that was sent."""

    order_id: int


@attrs.frozen
class Resize:
    """Ask the venue for a new size, in total, of an order that was sent."""

    order_id: int
    size: float


@attrs.frozen
class Report:
    """Tell the engine what happened to an order that the venue does not know."""

    event: OrderEvent


Action = Send | Withdraw | Resize | Report
