"""The highest and the lowest of any stretch of closes, in a few look-ups: most bars then need not be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.compiling import inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STRIDE", "Reach", "extremes", "reach_of"]

#: Rows of a stride.
STRIDE = 16
#: By row: the highest and the lowest from it to the end of its stride, and from the start of its stride to it.
Reach = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def reach_of(prices: NDArray[np.float64]) -> Reach:
    """Return what `extremes` looks up, shape ``(n, 2)`` each."""
    rows = len(prices)
    padded = np.full(-(-rows // STRIDE) * STRIDE, prices[-1] if rows else 0.0)
    padded[:rows] = prices
    strides = padded.reshape(-1, STRIDE)
    made = []
    for way in (-1, 1):
        columns = [one.accumulate(strides[:, ::way], axis=1)[:, ::way].ravel()[:rows] for one in _EXTREMES]
        made.append(np.ascontiguousarray(np.stack(columns, axis=1)))
    return made[0], made[1]


_EXTREMES = (np.maximum, np.minimum)


@inlined
def extremes(reach: Reach, start: int, stop: int) -> tuple[float, float]:
    """Return the highest and the lowest price of the rows from `start` up to `stop`, of more than one stride."""
    ahead, behind = reach
    high, low = ahead[start, 0], ahead[start, 1]
    high, low = max(high, behind[stop - 1, 0]), min(low, behind[stop - 1, 1])
    for row in range((start // STRIDE + 1) * STRIDE, (stop - 1) // STRIDE * STRIDE, STRIDE):
        high, low = max(high, ahead[row, 0]), min(low, ahead[row, 1])
    return high, low
