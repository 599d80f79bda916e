"""Profit factor."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["profit_factor"]


def profit_factor(facts: RunFacts) -> float:
    """Return what the won trades made over what the lost ones cost, after fees: ``sum(net > 0) / -sum(net < 0)``.

    NaN without a lost trade: nothing to divide by, however good the others were.
    """
    nets = facts.nets
    lost = -float(nets[nets < 0.0].sum())
    return float(nets[nets > 0.0].sum()) / lost if lost else nan
