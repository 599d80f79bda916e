"""Ulcer index."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["ulcer_index"]


def ulcer_index(facts: RunFacts) -> float:
    """Return the root of the mean squared drawdown, ``sqrt(mean((e / peak - 1) ** 2))`` over the sampled curve.

    How deep equity was under water, and how long (Martin, 1987): a fraction, 0 when it never fell. The peaks are those
    of every bar. NaN without a bar.
    """
    curve = facts.curve
    if len(curve.times) < 2:
        return nan
    return sqrt(float(np.square(curve.equity[1:] / curve.peaks[1:] - 1.0).mean()))
