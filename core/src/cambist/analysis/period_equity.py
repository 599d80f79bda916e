"""An equity curve cut into days, weeks, months, quarters or years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.periods import Period, period_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.curve import EquityCurve

__all__ = ["PeriodEquity", "equity_by_period"]


@attrs.frozen(eq=False, slots=True)
class PeriodEquity:
    """What something was worth at the end of each period in which it was valued.

    Attributes
    ----------
    numbers
        Of the periods, see `cambist.analysis.periods.period_numbers`, int64, shape ``(n,)``, ascending. A period
        without a value is left out.
    equity
        The value before the first period, then the last one of each, float64, shape ``(n + 1,)``.
    """

    numbers: NDArray[np.int64]
    equity: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Simple return of each period, shape ``(n,)``; NaN from the first period that begins with nothing left."""
        before = self.equity[:-1]
        solvent = np.minimum.accumulate(before) > 0.0
        ratios = np.full(len(before), np.nan)
        np.divide(self.equity[1:], before, out=ratios, where=solvent)
        return ratios - 1.0


def equity_by_period(curve: EquityCurve, period: Period | str) -> PeriodEquity:
    """Return the sampled curve at the end of each period.

    Parameters
    ----------
    curve
        Its samples are a day apart, or a bar where bars are longer; those bars are then the shortest periods there are.
    period
        Which.

    Raises
    ------
    ParameterError
        If `period` is none.
    """
    numbers = period_numbers(curve.times[1:], Period.of(period))
    ends = np.flatnonzero(np.diff(numbers, append=numbers[-1:] + 1))
    return PeriodEquity(numbers[ends], curve.equity[np.concatenate((np.array([0]), ends + 1))])
