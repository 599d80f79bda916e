"""Compound annual growth rate."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.analysis.rates import compound

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["cagr"]


def cagr(facts: RunFacts) -> float:
    """Return the yearly rate that, compounded, makes `final` of `initial`: a fraction a year.

    ``(final / initial) ** (periods_per_year / n) - 1`` with `n` the number of sampled returns.

    A year is `periods_per_year` samples, as in the Sharpe ratio beside it and as in empyrical and quantstats; time
    in which the market was closed or the data has a gap does not count. (SPY 1998 to 2021: 6.24 %, by the calendar
    6.23 %.)

    NaN without a bar, when equity was ever zero or below, or when the rate exceeds what a float can hold, as it
    does when an hour's gain is compounded over a year.
    """
    curve = facts.curve
    periods = len(curve.times) - 1
    if periods < 1 or curve.ruined:
        return nan
    return compound(curve.final / curve.initial, curve.periods_per_year / periods)
