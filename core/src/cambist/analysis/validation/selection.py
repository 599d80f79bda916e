"""What came of choosing on one part of history and trading on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis.validation.splits import Split

    #: Of columns of returns, shape ``(t, n)``, one number each, the higher the better, shape ``(n,)``.
    Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]

__all__ = ["Selection", "column_sharpe", "path_returns", "select"]


@attrs.frozen(eq=False, slots=True)
class Selection:
    """The winner of each training part, and how it did where it was judged.

    Attributes
    ----------
    chosen
        Column that was chosen in each split, shape ``(k,)``.
    inside, outside
        Its score where it was chosen and where it was judged, shape ``(k,)`` each.
    returns
        Its returns where it was judged, one array a split.
    """

    chosen: NDArray[np.int64]
    inside: NDArray[np.float64]
    outside: NDArray[np.float64]
    returns: tuple[NDArray[np.float64], ...]

    @property
    def efficiency(self) -> float:
        """Mean score where it was judged over mean score where it was chosen (Pardo 2008); NaN without a gain there."""
        inside = float(np.nanmean(self.inside)) if len(self.inside) else np.nan
        return float(np.nanmean(self.outside)) / inside if inside > 0.0 else np.nan

    @property
    def joined(self) -> NDArray[np.float64]:
        """The judged returns one after the other: what trading like this would have made."""
        return np.concatenate(self.returns) if self.returns else np.empty(0)

    def table(self) -> pd.DataFrame:
        """Return one row a split: ``fold, chosen, inside, outside``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "fold": np.arange(len(self.chosen)),
                "chosen": self.chosen,
                "inside": self.inside,
                "outside": self.outside,
            }
        )


def column_sharpe(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Sharpe ratio of each column, a period; 0 where it does not vary."""
    if len(returns) < 2:
        return np.zeros(returns.shape[1])
    deviation = returns.std(axis=0, ddof=1)
    still = deviation <= 1e-14
    return np.where(still, 0.0, returns.mean(axis=0) / np.where(still, 1.0, deviation))


def select(returns: NDArray[np.float64], splits: Sequence[Split], score: Score = column_sharpe) -> Selection:
    """Choose the best configuration on each training part, and judge it on the other.

    Parameters
    ----------
    returns
        One column for each configuration, one row for each period, shape ``(t, n)``.
    splits
        See `cambist.analysis.validation.walk_forward_splits` and the others.
    score
        Of columns of returns, the higher the better.

    Raises
    ------
    ParameterError
        If the splits are of more rows, or no configuration has a score.
    """
    values = np.asarray(returns, np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise ParameterError(f"returns have the shape {values.shape}; give a column for each configuration.")
    chosen, inside, outside, judged = [], [], [], []
    for number, split in enumerate(splits):
        last = max(int(split.train[-1]), int(split.test[-1]))
        if last >= len(values):
            raise ParameterError(f"split {number} has row {last}, and there are {len(values)} rows of returns.")
        scores = score(values[split.train])
        if not np.isfinite(scores).any():
            raise ParameterError(f"no configuration has a score on the training part of split {number}.")
        best = int(np.nanargmax(scores))
        chosen.append(best)
        inside.append(float(scores[best]))
        outside.append(float(score(values[split.test][:, best : best + 1])[0]))
        judged.append(values[split.test, best])
    return Selection(np.array(chosen, np.int64), np.array(inside), np.array(outside), tuple(judged))


def path_returns(
    returns: NDArray[np.float64], splits: Sequence[Split], score: Score = column_sharpe
) -> NDArray[np.float64]:
    """Return whole paths through history in which every group was judged without having been chosen on.

    Lopez de Prado (2018), section 12.4: ``comb(groups - 1, judged - 1)`` paths.

    Parameters
    ----------
    returns, score
        As for `select`.
    splits
        Of `cambist.analysis.validation.combinatorial_splits`.

    Returns
    -------
    ndarray
        Shape ``(t, paths)``.
    """
    picked = select(returns, splits, score)
    values = np.asarray(returns, np.float64)
    every = sorted({group for split in splits for group in split.groups})
    found: dict[int, list[NDArray[np.float64]]] = {group: [] for group in every}
    for split, best in zip(splits, picked.chosen.tolist(), strict=True):
        for group, rows in zip(split.groups, _runs(split, len(values), len(every)), strict=True):
            found[group].append(values[rows, best])
    paths = min(len(parts) for parts in found.values())
    return np.stack([np.concatenate([found[group][path] for group in every]) for path in range(paths)], axis=1)


def _runs(split: Split, rows: int, groups: int) -> list[NDArray[np.int64]]:
    """Return the judged rows of each group of a split."""
    edges = np.linspace(0, rows, groups + 1).round().astype(np.int64)
    return [np.arange(edges[group], edges[group + 1]) for group in split.groups]
