"""Coarser levels of long columns: what a picture of a million bars is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FACTOR", "coarser", "factors"]

#: Rows of one level that make a row of the next.
FACTOR = 8
#: A level with no more rows than these has no coarser one.
_ENOUGH = 4096


def factors(rows: int) -> list[int]:
    """Return how many rows of the data make a row of each level, the finest first: ``[1, 8, 64, ...]``."""
    found = [1]
    while rows / found[-1] > _ENOUGH:
        found.append(found[-1] * FACTOR)
    return found


def coarser(values: NDArray[np.float64], how: str, factor: int) -> NDArray[np.float64]:
    """Return one number for each `factor` rows, shape ``(ceil(n / factor),)``.

    Parameters
    ----------
    values
        Shape ``(n,)``.
    how
        ``"first"``, ``"last"``, ``"max"``, ``"min"`` or ``"sum"``; NaN counts in none of the last three while there is
        another number.
    factor
        Rows that go together; the last may be fewer.
    """
    if factor == 1 or not len(values):
        return values
    starts = np.arange(0, len(values), factor)
    if how == "first":
        return values[starts]
    if how == "last":
        ends: NDArray[np.int64] = np.minimum(starts + factor, len(values)) - 1
        return values[ends]
    reduce = {"max": np.fmax, "min": np.fmin, "sum": np.add}[how]
    made: NDArray[np.float64] = reduce.reduceat(np.nan_to_num(values) if how == "sum" else values, starts)
    return made
