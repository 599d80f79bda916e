"""Downside deviation."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.rates import per_period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["downside", "downside_deviation"]


def downside(over: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``sqrt(mean(min(over, 0) ** 2))`` along the last axis; `over` are returns less what was asked of them."""
    return np.asarray(np.sqrt(np.square(np.minimum(over, 0.0)).mean(axis=-1)))


def downside_deviation(facts: RunFacts, target: float = 0.0, *, period: Period | str = "day") -> float:
    """Return the root of the mean squared shortfall of the returns of `period`, times ``sqrt(periods a year)``.

    The mean runs over all periods, good ones counting 0: the denominator of the Sortino ratio, as in empyrical's
    ``downside_risk``. NaN without a return, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    target
        Least acceptable yearly return, as a fraction.
    period
        Of the returns, see `cambist.analysis.periods.Period`.

    Raises
    ------
    ParameterError
        For an unknown period or a rate that is none.
    """
    returns = facts.period_returns(period)
    if not len(returns):
        return nan
    per_year = facts.periods_per_year(period)
    return float(downside(returns - per_period("target", target, per_year))) * sqrt(per_year)
