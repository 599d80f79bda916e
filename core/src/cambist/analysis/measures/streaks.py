"""Streaks of won and of lost trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = ["longest_losing_streak", "longest_winning_streak", "streak_lengths"]


def longest_winning_streak(facts: RunFacts) -> int:
    """Return the largest number of trades won one after the other, in the order in which they were closed.

    A trade that made exactly nothing ends a streak. 0 without a won trade.
    """
    return int(streak_lengths(facts.nets_by_close > 0.0).max(initial=0))


def longest_losing_streak(facts: RunFacts) -> int:
    """Return the largest number of trades lost one after the other, in the order in which they were closed.

    A trade that made exactly nothing ends a streak. 0 without a lost trade.
    """
    return int(streak_lengths(facts.nets_by_close < 0.0).max(initial=0))


def streak_lengths(hits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each trade how many hits in a row end with it, 0 where it is none; shape ``(n,)``."""
    places = np.arange(1, len(hits) + 1)
    return np.where(hits, places - np.maximum.accumulate(np.where(hits, 0, places)), 0)
