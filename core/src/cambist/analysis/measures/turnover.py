"""Turnover."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["turnover"]


def turnover(facts: RunFacts) -> float:
    """Return ``notional_traded / mean(sampled equity)``: how many times the account was traded over in the run.

    Purchases and sales both count, so one round trip with all the money is about 2. Not annualized. NaN when equity
    was ever zero or below.
    """
    curve = facts.worth
    return nan if curve.ruined else facts.notional_traded / float(curve.equity.mean())
