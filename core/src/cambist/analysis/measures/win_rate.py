"""Win rate."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["win_rate"]


def win_rate(facts: RunFacts) -> float:
    """Return the share of closed trades that made money after fees, 0 to 1.

    A trade that made exactly nothing is neither won nor lost, and stays in the number divided by; backtrader counts
    it as won. NaN without a closed trade.
    """
    nets = facts.nets
    return float((nets > 0.0).mean()) if len(nets) else nan
