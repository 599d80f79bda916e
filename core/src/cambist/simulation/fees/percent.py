"""A fraction of the value traded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.simulation.checks import check_rate

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity

__all__ = ["PercentFee"]


@attrs.frozen
class PercentFee:
    """A fraction of the value traded.

    Parameters
    ----------
    rate
        0.001 is 0.1 %.
    """

    rate: float

    def __attrs_post_init__(self) -> None:
        check_rate("PercentFee", "rate", self.rate)

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return ``notional * rate``."""
        if instrument.is_inverse:
            return instrument.notional(size, price) * self.rate
        return size * instrument.multiplier * price * self.rate
