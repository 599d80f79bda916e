"""Calmar ratio."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.analysis.measures.cagr import cagr
from cambist.analysis.measures.max_drawdown import max_drawdown

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["calmar"]


def calmar(facts: RunFacts) -> float:
    """Return ``cagr / abs(max_drawdown)`` over the whole run, a ratio (Young, 1991, without his window of 36 months).

    Agrees with empyrical and quantstats; backtrader's differs (log returns of 36 months over a drawdown in percent).
    `cambist.analysis.Analysis.rolling_calmar` gives it window by window.

    NaN when equity never fell, or where `cagr` is NaN.
    """
    fall = max_drawdown(facts)
    return cagr(facts) / -fall if fall < 0.0 else nan
