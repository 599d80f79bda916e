"""Maximum drawdown, its dates, and the longest time under water."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.times import SECOND_NS

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = [
    "longest_drawdown",
    "max_drawdown",
    "max_drawdown_peak",
    "max_drawdown_recovery",
    "max_drawdown_trough",
]


def max_drawdown(facts: RunFacts) -> float:
    """Return the deepest fall of equity from a peak, ``min(equity / peak - 1)``, a fraction of the peak, 0 or below.

    Over every bar, not over the sampled curve: the fall within a day counts. backtrader gives the same number
    positive and in percent. 0 when equity never fell.
    """
    return facts.curve.drawdown.fraction


def max_drawdown_peak(facts: RunFacts) -> int | None:
    """Return when that fall began: the last time equity stood at the peak, ns, UTC; None when it never fell."""
    return facts.curve.drawdown.peak_at


def max_drawdown_trough(facts: RunFacts) -> int | None:
    """Return when that fall was deepest, ns, UTC; None when equity never fell."""
    return facts.curve.drawdown.trough_at


def max_drawdown_recovery(facts: RunFacts) -> int | None:
    """Return when equity was first back at the peak, ns, UTC; None when it never was, or never fell."""
    return facts.curve.drawdown.recovered_at


def longest_drawdown(facts: RunFacts) -> float:
    """Return the longest time from a peak until equity was back at it, or to the end of the run, in seconds.

    It need not belong to the deepest fall. 0 when equity never fell.
    """
    return facts.curve.drawdown.longest / SECOND_NS
