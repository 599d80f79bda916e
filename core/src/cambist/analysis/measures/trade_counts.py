"""How many trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["long_trades", "open_trades", "short_trades", "trades"]


def trades(facts: RunFacts) -> int:
    """Return the number of closed trades: from flat, or through a reversal, to flat."""
    return facts.closed_count


def open_trades(facts: RunFacts) -> int:
    """Return the number of trades still open at the end. No other measure of trades counts them."""
    return len(facts.trades) - facts.closed_count


def long_trades(facts: RunFacts) -> int:
    """Return the number of closed trades that were long."""
    return int(np.count_nonzero(facts.column("is_long", np.bool_)))


def short_trades(facts: RunFacts) -> int:
    """Return the number of closed trades that were short."""
    return facts.closed_count - long_trades(facts)
