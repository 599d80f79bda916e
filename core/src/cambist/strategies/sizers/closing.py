"""What sizers that put money to work do with a position that is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import Side

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.strategies.desk import TradingDesk

__all__ = ["held_against"]


def held_against(desk: TradingDesk, instrument: Instrument, side: Side) -> float:
    """Return the size of the position that an order of `side` would shrink, orders under way counted; else 0."""
    held = desk.expected_position(instrument)
    return max(0.0, -held if side is Side.BUY else held)
