"""No fees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity

__all__ = ["NoFee"]


@attrs.frozen
class NoFee:
    """Trading is free."""

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return 0."""
        return 0.0
