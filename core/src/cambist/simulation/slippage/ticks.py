"""Slipped prices on the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["adverse"]


def adverse(instrument: Instrument, price: float, is_buy: bool) -> float:
    """Round a slipped price to the tick, against the trader; one tick is the least there is."""
    grid = instrument.price_grid
    if grid is None:
        return price
    return grid.above(price) if is_buy else max(grid.below(price), grid.numerator / grid.denominator)
