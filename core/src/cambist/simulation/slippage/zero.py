"""No slippage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["NoSlippage"]


@attrs.frozen
class NoSlippage:
    """The bar's price."""

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return `price`."""
        return price
