"""Sharpe ratio."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.measures.volatility import spread
from cambist.analysis.rates import per_period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["sharpe", "sharpe_of"]


def sharpe(
    facts: RunFacts,
    risk_free: float = 0.0,
    *,
    period: Period | str = "day",
    annualized: bool = True,
    ddof: int = 1,
) -> float:
    """Return the Sharpe ratio of the returns ``r`` of a period.

    ``mean(r - f) / std(r) * sqrt(P)`` with ``f = (1 + risk_free) ** (1 / P) - 1`` and `P` periods a year (Sharpe,
    1994). As it stands in a summary, of daily returns and a risk-free rate of 0, it agrees with empyrical and
    quantstats. With ``period="year", risk_free=0.01, ddof=0`` it is what backtrader's ``SharpeRatio`` computes by
    default, where there are two years.

    NaN with fewer than two returns, when they do not vary, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    risk_free
        Yearly rate that can be earned without risk, as a fraction.
    period
        Of the returns, see `cambist.analysis.periods.Period`.
    annualized
        Whether to scale it to a year, by ``sqrt(P)``.
    ddof
        1 for the sample's deviation, 0 for the population's.

    Raises
    ------
    ParameterError
        For an unknown period or a rate that is none.
    """
    returns = facts.period_returns(period)
    if len(returns) < 2:
        return nan
    per_year = facts.periods_per_year(period)
    ratio = float(sharpe_of(returns, per_year, risk_free, ddof))
    return ratio if annualized else ratio / sqrt(per_year)


def sharpe_of(
    returns: NDArray[np.float64], per_year: float, risk_free: float = 0.0, ddof: int = 1
) -> NDArray[np.float64]:
    """Return the annualized ratio along the last axis of `returns`, which holds at least one; see `sharpe`."""
    free = per_period("risk_free", risk_free, per_year)
    return np.asarray((returns.mean(axis=-1) - free) / spread(returns, ddof) * sqrt(per_year))
