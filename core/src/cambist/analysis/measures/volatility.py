"""Volatility, and the spread of returns that other measures share."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = ["spread", "volatility"]

#: A spread this small beside the size of the values is what rounding leaves of no spread at all.
_ROUNDING = 1e-12


def spread(values: NDArray[np.float64], ddof: int) -> float:
    """Return the standard deviation, or NaN where there are too few values or no spread to divide by.

    Parameters
    ----------
    values
        float64, shape ``(n,)``.
    ddof
        1 for the sample, 0 for the population.
    """
    if len(values) < 2:
        return nan
    deviation = float(values.std(ddof=ddof))
    return deviation if deviation > _ROUNDING * float(abs(values).max()) else nan


def volatility(facts: RunFacts) -> float:
    """Return the sample standard deviation of the sampled returns times ``sqrt(periods_per_year)``.

    A fraction a year, as in empyrical's ``annual_volatility``. 0 when equity never moved; NaN with fewer than two
    returns or when equity was ever zero or below.
    """
    if len(facts.returns) < 2:
        return nan
    return float(facts.returns.std(ddof=1)) * sqrt(facts.curve.periods_per_year)
