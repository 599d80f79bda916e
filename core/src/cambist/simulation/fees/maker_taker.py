"""Rates by who waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import Liquidity
from cambist.simulation.checks import check_rate

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["MakerTakerFee"]


@attrs.frozen
class MakerTakerFee:
    """A fraction of the value traded that depends on who waited.

    Parameters
    ----------
    maker, taker
        Rates for an order that rested at its price, and for one that took a resting one. 0.001 is 0.1 %; a
        negative maker rate is a rebate.
    """

    maker: float
    taker: float

    def __attrs_post_init__(self) -> None:
        check_rate("MakerTakerFee", "maker", self.maker)
        check_rate("MakerTakerFee", "taker", self.taker)

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return ``notional * rate`` of the side that the fill was on."""
        rate = self.maker if liquidity is Liquidity.MAKER else self.taker
        return instrument.notional(size, price) * rate
