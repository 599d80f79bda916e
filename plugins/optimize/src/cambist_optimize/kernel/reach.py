"""The highest and the lowest of any stretch of closes, in a few look-ups: most bars then need not be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.compiling import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STRIDE", "Reach", "extremes", "reach_of"]

#: Rows of a stride.
STRIDE = 16
#: By row: the highest and the lowest from it to the end of its stride, and from the start of its stride to it.
Reach = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def reach_of(prices: NDArray[np.float64]) -> Reach:
    """Return what `extremes` looks up, shape ``(n, 2)`` each."""
    made = np.empty((len(prices), 2)), np.empty((len(prices), 2))
    _reach(prices, *made)
    return made


@compiled
def _reach(prices: NDArray[np.float64], ahead: NDArray[np.float64], behind: NDArray[np.float64]) -> None:
    for start in range(0, len(prices), STRIDE):
        stop = min(start + STRIDE, len(prices))
        high = low = prices[start]
        for row in range(start, stop):
            high, low = max(high, prices[row]), min(low, prices[row])
            behind[row, 0], behind[row, 1] = high, low
        high = low = prices[stop - 1]
        for row in range(stop - 1, start - 1, -1):
            high, low = max(high, prices[row]), min(low, prices[row])
            ahead[row, 0], ahead[row, 1] = high, low


@inlined
def extremes(reach: Reach, start: int, stop: int) -> tuple[float, float]:
    """Return the highest and the lowest price of the rows from `start` up to `stop`, of more than one stride."""
    ahead, behind = reach
    high, low = ahead[start, 0], ahead[start, 1]
    high, low = max(high, behind[stop - 1, 0]), min(low, behind[stop - 1, 1])
    for row in range((start // STRIDE + 1) * STRIDE, (stop - 1) // STRIDE * STRIDE, STRIDE):
        high, low = max(high, ahead[row, 0]), min(low, ahead[row, 1])
    return high, low
