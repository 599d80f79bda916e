"""The rates that instruments declare themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import Liquidity

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["InstrumentFees"]


@attrs.frozen
class InstrumentFees:
    """The maker and taker rates that each instrument declares."""

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return ``notional * instrument.maker_fee`` or ``taker_fee``."""
        rate = instrument.maker_fee if liquidity is Liquidity.MAKER else instrument.taker_fee
        return instrument.notional(size, price) * rate
