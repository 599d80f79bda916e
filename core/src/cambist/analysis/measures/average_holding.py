"""How long trades last."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.model.times import SECOND_NS

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["average_holding"]


def average_holding(facts: RunFacts) -> float:
    """Return the mean time from the first to the last fill of a closed trade, in seconds; NaN without one."""
    if not facts.closed_count:
        return nan
    return float((facts.column("closed_at", np.int64) - facts.column("opened_at", np.int64)).mean()) / SECOND_NS
