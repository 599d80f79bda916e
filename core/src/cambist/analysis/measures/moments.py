"""Skewness and kurtosis: how the returns differ from a normal distribution."""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import TYPE_CHECKING

from cambist.analysis.measures.volatility import spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["kurtosis", "skewness"]


def skewness(facts: RunFacts, *, period: Period | str = "day") -> float:
    """Return the skewness of the returns of `period`: below 0 when losses have the longer tail.

    The third standardized moment, corrected for the size of the sample as pandas and quantstats do (Fisher-Pearson).
    NaN with fewer than three returns, when they do not vary, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    period
        Of the returns, see `cambist.analysis.periods.Period`.
    """
    returns = facts.period_returns(period)
    count = len(returns)
    moment = _standardized(returns, 3)
    return moment * sqrt(count * (count - 1)) / (count - 2) if count > 2 else nan


def kurtosis(facts: RunFacts, *, period: Period | str = "day") -> float:
    """Return the excess kurtosis of the returns of `period`: above 0 when extremes are commoner than the normal ones.

    The fourth standardized moment less 3, corrected for the size of the sample as pandas and quantstats do. NaN with
    fewer than four returns, when they do not vary, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    period
        Of the returns, see `cambist.analysis.periods.Period`.
    """
    returns = facts.period_returns(period)
    count = len(returns)
    excess = _standardized(returns, 4) - 3.0
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * excess + 6.0) if count > 3 else nan


def _standardized(returns: NDArray[np.float64], power: int) -> float:
    deviation = float(spread(returns, ddof=0))
    return nan if isnan(deviation) else float((((returns - returns.mean()) / deviation) ** power).mean())
