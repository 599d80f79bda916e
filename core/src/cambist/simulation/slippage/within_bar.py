"""Slippage that stays inside the bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.simulation.slippage.inner import inner_model
from cambist.simulation.slippage.protocol import slip_in

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.simulation.bar import MatchedBar

__all__ = ["WithinBar"]


@attrs.frozen
class WithinBar:
    """Another model's price, but none beyond the bar: at most its high for buys, at least its low for sells.

    Parameters
    ----------
    model
        Whatever the option ``slippage`` takes.
    """

    model: Any = attrs.field(converter=inner_model)

    def slip_in(self, bar: MatchedBar, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        """Return the model's price or the bar's extreme."""
        slipped = slip_in(self.model, bar, instrument, price, size, is_buy)
        return min(slipped, bar.high) if is_buy else max(slipped, bar.low)
