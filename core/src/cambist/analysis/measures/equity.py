"""Equity before and after the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["final_equity", "initial_equity"]


def initial_equity(facts: RunFacts) -> float:
    """Return equity before the first bar, in the account's currency."""
    return facts.worth.initial


def final_equity(facts: RunFacts) -> float:
    """Return equity at the close of the last bar, in the account's currency, open positions at that close."""
    return facts.worth.final
