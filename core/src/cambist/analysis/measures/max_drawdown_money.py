"""Maximum drawdown in money, and how well the profit made up for it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.analysis.measures.total_return import net_profit

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["max_drawdown_money", "recovery_factor"]


def max_drawdown_money(facts: RunFacts) -> float:
    """Return the deepest fall of equity from a peak in money, ``min(equity - peak)`` over every bar, 0 or below.

    It need not be the fall of `max_drawdown`: a small share of a large account can be more money. backtrader's
    ``DrawDown`` gives the same number positive.
    """
    return facts.curve.drawdown.money


def recovery_factor(facts: RunFacts) -> float:
    """Return ``net_profit / -max_drawdown_money``, a ratio; NaN when equity never fell."""
    fall = max_drawdown_money(facts)
    return net_profit(facts) / -fall if fall < 0.0 else nan
