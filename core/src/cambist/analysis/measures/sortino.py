"""Sortino ratio."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.measures.downside_deviation import downside
from cambist.analysis.rates import per_period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["sortino", "sortino_of"]


def sortino(facts: RunFacts, target: float = 0.0, *, period: Period | str = "day", annualized: bool = True) -> float:
    """Return the Sortino ratio of the returns ``r`` of a period.

    ``mean(r - t) / sqrt(mean(min(r - t, 0) ** 2)) * sqrt(P)`` with ``t = (1 + target) ** (1 / P) - 1`` and `P`
    periods a year. The mean of the squares runs over all periods, good ones counting 0 (Sortino and Price, 1994;
    agrees with empyrical and quantstats).

    NaN with fewer than two returns, when none is below the target, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    target
        Least acceptable yearly return, as a fraction.
    period
        Of the returns, see `cambist.analysis.periods.Period`.
    annualized
        Whether to scale it to a year, by ``sqrt(P)``.

    Raises
    ------
    ParameterError
        For an unknown period or a rate that is none.
    """
    returns = facts.period_returns(period)
    if len(returns) < 2:
        return nan
    per_year = facts.periods_per_year(period)
    ratio = float(sortino_of(returns, per_year, target))
    return ratio if annualized else ratio / sqrt(per_year)


def sortino_of(returns: NDArray[np.float64], per_year: float, target: float = 0.0) -> NDArray[np.float64]:
    """Return the annualized ratio along the last axis of `returns`, which holds at least one; see `sortino`."""
    over = returns - per_period("target", target, per_year)
    below = downside(over)
    return np.asarray(over.mean(axis=-1) / np.where(below > 0.0, below, nan) * sqrt(per_year))
