"""Omega ratio."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.rates import per_period

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["omega"]


def omega(facts: RunFacts, target: float = 0.0, *, period: Period | str = "day") -> float:
    """Return what the returns ``r`` of a period made above a target over what they lost below it.

    ``sum(max(r - t, 0)) / sum(max(t - r, 0))`` with ``t = (1 + target) ** (1 / P) - 1`` and `P` periods a year
    (Keating and Shadwick, 2002; agrees with empyrical's ``omega_ratio``).

    NaN with fewer than two returns, when none is below the target, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    target
        Yearly return that divides gains from losses, as a fraction.
    period
        Of the returns, see `cambist.analysis.periods.Period`.

    Raises
    ------
    ParameterError
        For an unknown period or a rate that is none.
    """
    returns = facts.period_returns(period)
    if len(returns) < 2:
        return nan
    over = returns - per_period("target", target, facts.periods_per_year(period))
    lost = -float(np.minimum(over, 0.0).sum())
    return float(np.maximum(over, 0.0).sum()) / lost if lost else nan
