"""A fraction of the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.slippage.ticks import adverse

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["PercentSlippage"]


@attrs.frozen
class PercentSlippage:
    """A fraction of the price.

    Parameters
    ----------
    rate
        0.0005 is 0.05 %.
    """

    rate: float

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.rate < 1.0:
            raise ParameterError(f"PercentSlippage: rate is {self.rate!r}; 0.0005 is 0.05 % of the price.")

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return ``price * (1 + rate)`` for buys, ``price * (1 - rate)`` for sells."""
        return adverse(instrument, price * (1.0 + self.rate if is_buy else 1.0 - self.rate), is_buy)
