"""Volatility, and the spread of returns that other measures share."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["spread", "volatility"]

#: A spread this small beside the size of the values is what rounding leaves of no spread at all.
_ROUNDING = 1e-12


def spread(values: NDArray[np.float64], ddof: int) -> NDArray[np.float64]:
    """Return the standard deviation along the last axis; NaN where too few values or no spread leave none to divide by.

    Parameters
    ----------
    values
        float64, shape ``(..., n)``.
    ddof
        1 for the sample, 0 for the population.

    Returns
    -------
    ndarray of float64
        Shape ``(...)``.
    """
    if values.shape[-1] < 2:
        return np.full(values.shape[:-1], nan)
    deviation = values.std(axis=-1, ddof=ddof)
    return np.where(deviation > _ROUNDING * np.abs(values).max(axis=-1), deviation, nan)


def volatility(facts: RunFacts, *, period: Period | str = "day", annualized: bool = True, ddof: int = 1) -> float:
    """Return the standard deviation of the returns of `period` times ``sqrt(periods a year)``.

    A fraction a year, as in empyrical's ``annual_volatility``. 0 when equity never moved; NaN with fewer than two
    returns or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    period
        Of the returns, see `cambist.analysis.periods.Period`.
    annualized
        Whether to scale it to a year.
    ddof
        1 for the sample's deviation, 0 for the population's.
    """
    returns = facts.period_returns(period)
    if len(returns) < 2:
        return nan
    return float(returns.std(ddof=ddof)) * (sqrt(facts.periods_per_year(period)) if annualized else 1.0)
