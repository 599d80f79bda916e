"""Leverage: how much was held beside what the account was worth."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = ["average_leverage", "leverage_of", "max_leverage"]


def average_leverage(facts: RunFacts) -> float:
    """Return the mean gross leverage over all bars at whose close something was held, a ratio.

    Over the last bars of the days where the run kept no others; NaN when nothing was ever held at one, or equity was
    ever zero or below.
    """
    gross = _gross(facts)
    held = gross[gross > 0.0]
    return float(held.mean()) if len(held) else nan


def max_leverage(facts: RunFacts) -> float:
    """Return the highest gross leverage at the close of a bar, a ratio: 1 is all of the account, 0 nothing ever.

    Over the last bars of the days where the run kept no others; NaN without a bar, or when equity was ever zero or
    below.
    """
    gross = _gross(facts)
    return float(gross.max()) if len(gross) else nan


def leverage_of(facts: RunFacts, *, net: bool = False) -> NDArray[np.float64]:
    """Return the value held over equity at each point of the curve but the first, shape ``(n,)``.

    Parameters
    ----------
    facts
        Of the run.
    net
        Take what is short from what is long; else both count alike, the gross leverage.

    Returns
    -------
    ndarray of float64
        NaN where equity is zero or below; empty where nobody wrote down what was held.
    """
    if facts.holdings is None:
        return np.empty(0)
    points = facts.curve.points()
    total = np.zeros(len(points.times) - 1)
    for holding in facts.holdings.held:
        values = holding.values_at(points.times[1:])
        total += values if net else np.abs(values)
    equity = points.equity[1:]
    return total / np.where(equity > 0.0, equity, nan)


def _gross(facts: RunFacts) -> NDArray[np.float64]:
    return np.empty(0) if facts.curve.ruined else leverage_of(facts)
