"""Half of the spread between bid and ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.simulation.slippage.ticks import adverse
from cambist.simulation.timed import timed

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.simulation.bar import MatchedBar

__all__ = ["HalfSpread"]

_BPS = 1e-4


@attrs.frozen
class HalfSpread:
    """Half of the spread: the bars are of prices in the middle, and an order that takes crosses to the other side.

    Parameters
    ----------
    spread
        From bid to ask, in quote currency: a number, a pandas Series by time such as ``frame["spread"]``, or a pair
        (times, values). The last value known when a bar opens counts for the bar.
    bps
        The same in basis points of the price; give one of the two.
    """

    spread: Any = None
    bps: Any = None

    def __attrs_post_init__(self) -> None:
        if (self.spread is None) is (self.bps is None):
            raise ParameterError(f"HalfSpread: spread is {self.spread!r} and bps is {self.bps!r}; give one of the two.")
        if self.spread is not None:
            spread = timed("HalfSpread", "spread", self.spread, "a price difference, not negative")
            object.__setattr__(self, "spread", spread)
        else:
            bps = timed(
                "HalfSpread", "bps", self.bps, "basis points of the price, from 0 to below 20,000", most=19_999.0
            )
            object.__setattr__(self, "bps", bps)

    def slip_in(self, bar: MatchedBar, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return `price` plus, for a sale less, half of the spread; `price` where that would not be positive."""
        half = (price * self.bps.at(bar.opened) * _BPS if self.spread is None else self.spread.at(bar.opened)) / 2.0
        slipped = price + half if is_buy else price - half
        return adverse(instrument, slipped, is_buy) if slipped > 0.0 else price
