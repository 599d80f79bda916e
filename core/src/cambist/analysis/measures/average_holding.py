"""How long trades last."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.model.times import SECOND_NS

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["average_holding"]


def average_holding(facts: RunFacts) -> float:
    """Return the mean time from the first to the last fill of a closed trade, in seconds; NaN without one."""
    closed = facts.closed
    if not closed:
        return nan
    return sum(trade.closed_at - trade.opened_at for trade in closed) / len(closed) / SECOND_NS
