"""The price that an order moves by its size."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING, Any

import attrs

from cambist.simulation.checks import check_amount
from cambist.simulation.slippage.ticks import adverse
from cambist.simulation.timed import timed

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.simulation.bar import MatchedBar
    from cambist.simulation.timed import Timed

__all__ = ["SquareRootImpact"]

#: Variance of a driftless walk from the square of its logarithmic range: Parkinson (1980).
_PARKINSON = 1.0 / (2.0 * sqrt(log(2.0)))


def _volatility(said: Any) -> Timed | None:
    if said is None:
        return None
    return timed("SquareRootImpact", "volatility", said, "the deviation of returns, a fraction, not negative")


def _volume(said: Any) -> Timed | None:
    return None if said is None else timed("SquareRootImpact", "volume", said, "a traded size, not negative")


@attrs.frozen
class SquareRootImpact:
    """The square-root law of market impact: ``coefficient * volatility * sqrt(size / volume)`` of the price.

    Parameters
    ----------
    coefficient
        Of the order of one.
    volatility
        Deviation of returns over the time in which `volume` is traded, as a fraction: a number, a pandas Series by
        time, or a pair (times, values). None for that of the bar itself, from its range: ``log(high / low) / (2 *
        sqrt(log(2)))``.
    volume
        What is traded in that time, in the instrument's units; None for the bar's own volume. For a volatility by the
        day give the volume of a day.
    most
        Largest impact, a fraction of the price; it is also the impact where nothing was traded.

    Notes
    -----
    Grinold and Kahn, *Active Portfolio Management* (1999), ch. 16; Almgren, Thum, Hauptmann and Li, "Direct Estimation
    of Equity Market Impact", *Risk* 18 (2005), who fit a power of 3/5; Tóth et al., "Anomalous Price Impact and the
    Critical Nature of Liquidity in Financial Markets", *Physical Review X* 1, 021006 (2011). The range: Parkinson, "The
    Extreme Value Method for Estimating the Variance of the Rate of Return", *Journal of Business* 53 (1980).

    The impact ends with the fill: bars are as they were recorded.
    """

    coefficient: float = 1.0
    volatility: Any = attrs.field(default=None, converter=_volatility)
    volume: Any = attrs.field(default=None, converter=_volume)
    most: float = 0.1

    def __attrs_post_init__(self) -> None:
        check_amount("SquareRootImpact", "coefficient", self.coefficient, "a number, not negative", least=0.0)
        check_amount(
            "SquareRootImpact", "most", self.most, "a fraction of the price below 1", least=0.0, most=0.999_999
        )

    def slip_in(self, bar: MatchedBar, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        """Return ``price * (1 + impact)`` for buys, ``price * (1 - impact)`` for sells."""
        volume = bar.volume if self.volume is None else self.volume.at(bar.opened)
        sigma = _PARKINSON * log(bar.high / bar.low) if self.volatility is None else self.volatility.at(bar.opened)
        impact = self.coefficient * sigma * sqrt(size / volume) if volume > 0.0 else inf
        impact = min(impact, self.most)
        return adverse(instrument, price * (1.0 + impact if is_buy else 1.0 - impact), is_buy)
