"""Sortino ratio."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["sortino"]


def sortino(facts: RunFacts, target: float = 0.0) -> float:
    """Return the annualized Sortino ratio of the sampled returns ``r``.

    ``mean(r - t) / sqrt(mean(min(r - t, 0) ** 2)) * sqrt(periods_per_year)`` with ``t = (1 + target) ** (1 /
    periods_per_year) - 1``. The mean of the squares runs over all periods, good ones counting 0 (Sortino and
    Price, 1994; agrees with empyrical and quantstats).

    NaN with fewer than two returns, when none is below the target, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    target
        Least acceptable yearly return, as a fraction.
    """
    returns = facts.returns
    if len(returns) < 2:
        return nan
    per_year = facts.curve.periods_per_year
    over = returns - ((1.0 + target) ** (1.0 / per_year) - 1.0)
    downside = sqrt(float(np.mean(np.minimum(over, 0.0) ** 2)))
    if downside == 0.0:
        return nan
    return float(over.mean()) / downside * sqrt(per_year)
