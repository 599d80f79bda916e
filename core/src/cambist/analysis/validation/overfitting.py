"""How probable it is that a search has found what does not last.

Bailey, D., Borwein, J., Lopez de Prado, M. and Zhu, Q. (2017), The Probability of Backtest Overfitting, Journal of
Computational Finance 20 (4): combinatorially symmetric cross-validation.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Overfitting", "overfitting"]


@attrs.frozen(eq=False, slots=True)
class Overfitting:
    """What came of judging the winner of one half of history by the other half, over many ways to halve it.

    Attributes
    ----------
    probability
        Share of the halvings in which the winner came out in the lower half: 0.5 is what pure noise gives.
    logits
        ``log(w / (1 - w))`` of the rank that the winner had in the other half, shape ``(k,)``; 0 is the middle.
    chosen
        Which configuration won each time, shape ``(k,)``.
    inside, outside
        Sharpe ratio, a period, of the winner where it was chosen and where it was judged, shape ``(k,)`` each.
    slope
        Of `outside` over `inside`: below zero, what looked better did worse.
    loss
        Share of the halvings in which the winner lost money where it was judged.
    """

    probability: float
    logits: NDArray[np.float64]
    chosen: NDArray[np.int64]
    inside: NDArray[np.float64]
    outside: NDArray[np.float64]
    slope: float
    loss: float


def overfitting(returns: NDArray[np.float64], blocks: int = 16) -> Overfitting:
    """Judge a search by the returns of everything that was tried.

    Parameters
    ----------
    returns
        One column for each configuration, one row for each period, shape ``(t, n)``, finite.
    blocks
        Into how many pieces history is cut, an even number; all ways to take half of them are gone through, 12,870 for
        16.

    Raises
    ------
    ParameterError
        For fewer than two configurations, an odd number of blocks, fewer rows than two a block, or values that are not
        finite.
    """
    values = np.asarray(returns, np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise ParameterError(
            f"returns have the shape {values.shape}; give a column for each of two configurations or more."
        )
    if blocks < 2 or blocks % 2 or blocks > 20:
        raise ParameterError(f"blocks is {blocks!r}; it is an even number from 2 to 20.")
    if len(values) < 2 * blocks:
        raise ParameterError(f"{len(values)} rows in {blocks} blocks: give each two or more, or take fewer blocks.")
    if not np.isfinite(values).all():
        raise ParameterError("some returns are not finite. Leave out configurations that failed.")
    # Sums, squares and counts of the blocks are all that a Sharpe ratio of any half needs.
    pieces = np.array_split(values, blocks)
    sums = np.array([piece.sum(axis=0) for piece in pieces])
    squares = np.array([(piece**2).sum(axis=0) for piece in pieces])
    counts = np.array([len(piece) for piece in pieces], np.float64)
    halves = np.array([[block in half for block in range(blocks)] for half in combinations(range(blocks), blocks // 2)])
    inside = _sharpe(halves @ sums, halves @ squares, halves @ counts)
    outside = _sharpe(~halves @ sums, ~halves @ squares, ~halves @ counts)
    chosen = inside.argmax(axis=1)
    rows = np.arange(len(halves))
    won, judged = inside[rows, chosen], outside[rows, chosen]
    # Ties share the middle of their ranks, so that equal configurations speak for neither side.
    below = (outside < judged[:, None]).sum(axis=1)
    equal = (outside == judged[:, None]).sum(axis=1)
    rank = (below + (equal + 1) / 2.0) / (values.shape[1] + 1)
    logits = np.log(rank / (1.0 - rank))
    slope = float(np.polyfit(won, judged, 1)[0]) if np.ptp(won) > 0 else np.nan
    lost = (~halves @ sums)[rows, chosen] < 0.0
    return Overfitting(float((logits <= 0.0).mean()), logits, chosen, won, judged, slope, float(lost.mean()))


def _sharpe(
    sums: NDArray[np.float64], squares: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return Sharpe ratios of sums of returns and of their squares; 0 where returns do not vary."""
    n = counts[:, None]
    mean = sums / n
    variance = np.maximum(squares - n * mean**2, 0.0) / (n - 1.0)
    tiny = variance <= 1e-12 * (squares / n) + 1e-300
    return np.where(tiny, 0.0, mean / np.sqrt(np.where(tiny, 1.0, variance)))
