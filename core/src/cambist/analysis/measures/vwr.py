"""Variability-weighted return."""

from __future__ import annotations

from math import expm1, isnan, log, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["vwr"]

#: Growth beyond which a float holds no yearly rate.
_LARGEST = 700.0


def vwr(facts: RunFacts, *, sigma_max: float = 0.2, tau: float = 2.0, period: Period | str = "day") -> float:
    """Return the yearly growth, weighted by how closely equity followed the path of steady growth.

    ``(exp(g * P) - 1) * (1 - (s / sigma_max) ** tau)``: `g` is the mean logarithmic return of a period and `P` periods
    make a year, so the first factor is the growth rate; `s` is the sample's deviation of ``e[i] / (e[0] * exp(g * i))
    - 1``, the distance of equity from the curve that grows as much without varying (CrystalBull, "Sharpe ratio: better
    with log returns").

    backtrader's ``VWR`` has the two parameters in each other's place, counts in percent, and measures each period's
    distance from the period before with the growth of all of them, so that even steady growth seems to vary.

    NaN with fewer than two periods, when equity was ever zero or below, or when `s` is above `sigma_max`, for which the
    measure is not made: the weight would turn a gain into a loss, and a loss into a gain.

    Parameters
    ----------
    facts
        Of the run.
    sigma_max
        Largest deviation an investor accepts, as a fraction; it leaves nothing of the return.
    tau
        How fast the weight falls up to there: the larger, the more is forgiven at first.
    period
        Of the samples, see `cambist.analysis.periods.Period`.

    Raises
    ------
    ParameterError
        For an unknown period, or a `sigma_max` or `tau` that is not above 0.
    """
    if not (sigma_max > 0.0 and tau > 0.0):
        raise ParameterError(f"sigma_max is {sigma_max!r} and tau {tau!r}; both must be above 0.")
    periods = facts.period_equity(period)
    count = len(periods.numbers)
    if count < 2 or facts.curve.ruined:
        return nan
    growth = log(periods.equity[-1] / periods.equity[0]) / count
    steady = periods.equity[0] * np.exp(growth * np.arange(1, count + 1))
    sigma = float((periods.equity[1:] / steady - 1.0).std(ddof=1))
    if isnan(sigma) or sigma > sigma_max:
        return nan
    yearly = growth * facts.periods_per_year(period)
    return expm1(yearly) * (1.0 - (sigma / sigma_max) ** tau) if yearly < _LARGEST else nan
