"""Money for each unit and each fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.simulation.checks import check_amount

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity

__all__ = ["FixedFee"]


@attrs.frozen
class FixedFee:
    """Money for each order's fill, for each unit, or both.

    Parameters
    ----------
    per_unit
        For each unit of the instrument traded.
    per_fill
        For each fill, whatever its size; `PerOrderFee` charges an order once.
    """

    per_unit: float = 0.0
    per_fill: float = 0.0

    def __attrs_post_init__(self) -> None:
        check_amount("FixedFee", "per_unit", self.per_unit, "an amount of money")
        check_amount("FixedFee", "per_fill", self.per_fill, "an amount of money")

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return ``size * per_unit + per_fill``."""
        return size * self.per_unit + self.per_fill
