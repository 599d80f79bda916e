"""Exposure."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["exposure"]


def exposure(facts: RunFacts) -> float:
    """Return the share of bars at whose close anything was held, 0 to 1; NaN without a bar."""
    curve = facts.curve
    return curve.exposed_bars / curve.n_bars if curve.n_bars else nan
