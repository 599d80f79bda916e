"""Sharpe ratio."""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import TYPE_CHECKING

from cambist.analysis.measures.volatility import spread

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["sharpe"]


def sharpe(facts: RunFacts, risk_free: float = 0.0) -> float:
    """Return the annualized Sharpe ratio of the sampled returns ``r``.

    ``mean(r - f) / std(r, ddof=1) * sqrt(periods_per_year)`` with ``f = (1 + risk_free) ** (1 / periods_per_year) - 1``
    (Sharpe, 1994). Agrees with empyrical and quantstats; backtrader's default differs: returns of whole years, a
    risk-free rate of 1 %, the population's deviation.

    NaN with fewer than two returns, when they do not vary, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    risk_free
        Yearly rate that can be earned without risk, as a fraction.
    """
    per_year = facts.curve.periods_per_year
    deviation = spread(facts.returns, ddof=1)
    if isnan(deviation):
        return nan
    free = float((1.0 + risk_free) ** (1.0 / per_year)) - 1.0
    return (float(facts.returns.mean()) - free) / deviation * sqrt(per_year)
