"""How history is cut into a part to choose on and a part to judge on.

Lopez de Prado, M. (2018), Advances in Financial Machine Learning, Wiley, chapters 7 (purging and embargo) and 12
(combinatorial purged cross-validation). Walk-forward analysis: Pardo, R. (2008), The Evaluation and Optimization of
Trading Strategies, Wiley, chapter 11.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Split", "combinatorial_splits", "k_fold_splits", "walk_forward_splits"]

#: More combinations than these would not end.
_MOST = 100_000


@attrs.frozen(eq=False, slots=True)
class Split:
    """Rows to choose on and rows to judge on.

    Attributes
    ----------
    train, test
        Numbers of rows, int64, ascending; no row is in both.
    groups
        Which groups of rows are judged on, counted from 0.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    groups: tuple[int, ...] = ()


def walk_forward_splits(
    rows: int, train: int, test: int, *, step: int | None = None, anchored: bool = False, gap: int = 0
) -> list[Split]:
    """Return windows that move forward: choose on the past, judge on what follows.

    Parameters
    ----------
    rows
        Of the data.
    train, test
        Rows of each window; an anchored `train` is that of the first one, and grows.
    step
        Rows from one window to the next; `test` when left out, so that judged rows follow one another.
    anchored
        Every `train` begins with the first row.
    gap
        Rows between the two that belong to neither, as long as what a decision leads to takes to become known.

    Raises
    ------
    ParameterError
        For sizes that are none, or that leave no window.
    """
    step = test if step is None else step
    for name, value, least in (("train", train, 1), ("test", test, 1), ("step", step, 1), ("gap", gap, 0)):
        _whole(name, value, least)
    if train + gap + test > rows:
        raise ParameterError(
            f"a window takes train={train} + gap={gap} + test={test} rows, and there are {rows}. Make it smaller, or "
            "give more data."
        )
    found = []
    for number, start in enumerate(range(0, rows - train - gap - test + 1, step)):
        end = start + train
        first = 0 if anchored else start
        found.append(Split(np.arange(first, end), np.arange(end + gap, end + gap + test), (number,)))
    return found


def k_fold_splits(rows: int, folds: int = 5, *, horizon: int = 0, embargo: float = 0.0) -> list[Split]:
    """Return folds of which each is judged on once, the others chosen on, purged and embargoed.

    Parameters
    ----------
    rows
        Of the data.
    folds
        How many, two or more.
    horizon
        Rows after a row that its outcome still depends on: training rows whose outcome reaches into a judged fold, and
        those that its outcomes reach into, are left out.
    embargo
        Share of all rows after a judged fold, beyond that, that are left out too: what was learned there is still
        correlated with it.

    Raises
    ------
    ParameterError
        For sizes that are none, more folds than rows, and what leaves nothing to choose on.
    """
    return combinatorial_splits(rows, folds, 1, horizon=horizon, embargo=embargo)


def combinatorial_splits(
    rows: int, groups: int = 6, judged: int = 2, *, horizon: int = 0, embargo: float = 0.0
) -> list[Split]:
    """Return every choice of `judged` groups out of `groups` to judge on, purged and embargoed.

    Each group is judged ``comb(groups - 1, judged - 1)`` times, which makes as many whole paths through history; see
    `cambist.analysis.validation.path_returns`.

    Parameters
    ----------
    rows, horizon, embargo
        As for `k_fold_splits`.
    groups, judged
        How many, and how many of them at once.

    Raises
    ------
    ParameterError
        As `k_fold_splits`.
    """
    _whole("folds", groups, 2)
    _whole("judged", judged, 1)
    _whole("horizon", horizon, 0)
    if not 0.0 <= embargo < 1.0:
        raise ParameterError(f"embargo is {embargo!r}; it is a share of all rows, from 0 to below 1.")
    if groups > rows:
        raise ParameterError(f"{groups} folds of {rows} rows: there must not be more folds than rows.")
    if judged >= groups:
        raise ParameterError(f"judged is {judged} of {groups} groups: leave some to choose on.")
    if comb(groups, judged) > _MOST:
        raise ParameterError(f"{judged} of {groups} groups are {comb(groups, judged):,} splits. Take fewer groups.")
    edges = np.linspace(0, rows, groups + 1).round().astype(np.int64)
    later = int(rows * embargo)
    found = []
    for chosen in combinations(range(groups), judged):
        kept = np.ones(rows, np.bool_)
        tested = np.zeros(rows, np.bool_)
        for group in chosen:
            first, end = int(edges[group]), int(edges[group + 1])
            tested[first:end] = True
            kept[max(0, first - horizon) : min(rows, end + horizon + later)] = False
        if not kept.any():
            raise ParameterError(
                f"with horizon={horizon} and embargo={embargo} nothing is left to choose on beside groups {chosen}. "
                "Make them smaller, or take fewer groups."
            )
        found.append(Split(np.flatnonzero(kept), np.flatnonzero(tested), chosen))
    return found


def _whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} is {value!r}; it is a whole number, {least} or more.")
