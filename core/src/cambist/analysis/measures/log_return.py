"""Logarithmic return."""

from __future__ import annotations

from math import log, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["log_return"]


def log_return(facts: RunFacts) -> float:
    """Return ``log(final / initial)``, which adds up over time; a fraction, backtrader's ``rtot``.

    NaN when equity was ever zero or below.
    """
    return nan if facts.curve.ruined else log(facts.curve.final / facts.curve.initial)
