"""The best and the worst trade."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["best_trade", "worst_trade"]


def best_trade(facts: RunFacts) -> float:
    """Return the largest profit of a closed trade after fees, in the account's currency; NaN without one."""
    return float(facts.nets.max()) if len(facts.nets) else nan


def worst_trade(facts: RunFacts) -> float:
    """Return the smallest profit of a closed trade after fees, in the account's currency; NaN without one."""
    return float(facts.nets.min()) if len(facts.nets) else nan
