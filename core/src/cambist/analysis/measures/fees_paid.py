"""Fees paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["fees_paid"]


def fees_paid(facts: RunFacts) -> float:
    """Return all fees of the run in the account's currency, those of open trades included; rebates count against."""
    return facts.fees
