"""How many trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["long_trades", "open_trades", "short_trades", "trades"]


def trades(facts: RunFacts) -> int:
    """Return the number of closed trades: from flat, or through a reversal, to flat."""
    return len(facts.closed)


def open_trades(facts: RunFacts) -> int:
    """Return the number of trades still open at the end. No other measure of trades counts them."""
    return len(facts.trades) - len(facts.closed)


def long_trades(facts: RunFacts) -> int:
    """Return the number of closed trades that were long."""
    return int(np.count_nonzero(facts.column("is_long", np.bool_)))


def short_trades(facts: RunFacts) -> int:
    """Return the number of closed trades that were short."""
    return len(facts.closed) - long_trades(facts)
