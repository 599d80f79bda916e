"""Measures that several rules share: how much prices move as a rule, and where they jump."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["LEAST_SCALE", "MEMORY", "SPLITS", "UNITS", "jumps", "near_ratio", "typical", "typical_move"]

#: How many bars back rules look to tell what is usual.
MEMORY = 64
#: Fewer bars than this tell nothing.
_FEWEST = 8
#: Moves below a fifth of a percent are never remarkable, however quiet the market was.
LEAST_SCALE = 0.002
#: What prices do in a bar where nobody knows.
_GUESS = 0.02
#: Factors between units of money: pence and pounds, satoshi and the like.
UNITS = (100.0, 1_000.0, 10_000.0)
#: Ratios in which shares are split or put together.
SPLITS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
#: Median of the absolute values of a normal distribution to its standard deviation.
_NORMAL = 1.4826


def typical(values: NDArray[np.float64], rows: NDArray[np.int64], memory: int = MEMORY) -> NDArray[np.float64]:
    """Return for each of `rows` the median of the `memory` values before it; NaN where there are fewer than 8.

    Parameters
    ----------
    values
        Shape ``(n,)``.
    rows
        Row numbers, ascending, shape ``(k,)``.
    """
    medians = np.full(len(rows), np.nan)
    short = int(np.searchsorted(rows, memory))
    for place in range(short):
        row = int(rows[place])
        if row >= _FEWEST:
            medians[place] = np.median(values[:row])
    if short < len(rows):
        windows = np.lib.stride_tricks.sliding_window_view(values, memory)
        medians[short:] = np.median(windows[rows[short:] - memory], axis=1)
    return medians


def typical_move(view: SeriesView, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the usual move from close to close before each row, as a standard deviation; 2 % where nothing tells.

    The median absolute move of the 64 moves that end before the row, times 1.4826: a robust estimate (Rousseeuw and
    Croux, 1993), which single wild bars do not raise.
    """
    # The move into row r is moves[r - 1].
    scale = _NORMAL * typical(np.abs(view.moves), np.maximum(rows - 1, 0))
    return np.where(np.isnan(scale), _GUESS, np.maximum(scale, LEAST_SCALE))


def jumps(view: SeriesView, least: float) -> NDArray[np.int64]:
    """Return the rows whose close is further than `least`, in logarithms, from the close before."""
    return np.flatnonzero(np.abs(view.moves) > least) + 1


def near_ratio(move: float, ratios: tuple[float, ...], slack: float) -> float:
    """Return the ratio, or the inverse of one, whose logarithm is within `slack` of `move`; NaN without one."""
    size = abs(move)
    best = min(ratios, key=lambda ratio: abs(log(ratio) - size))
    if abs(log(best) - size) > slack:
        return float("nan")
    return best if move > 0.0 else 1.0 / best
