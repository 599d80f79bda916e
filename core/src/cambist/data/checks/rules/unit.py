"""Prices in another unit: pence for pounds, a hundred times too much or too little."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import UNITS, jumps, near_ratio
from cambist.ports.data_rules import PRICES, Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["UnitRule"]

#: No market moves by this factor within a bar or between two.
_JUMP = log(5.0)
#: How far from the factor a price may be: it moves as well.
_SLACK = 0.35
_TEN = (10.0,)
_TEN_SLACK = 0.15
#: How long prices may stay ten times too large; for longer it is a split.
_TEN_ROWS = 30
#: So many closes before a row tell, by their median, what a price should be.
_USUAL, _FEWEST = 8, 3


class UnitRule:
    """Finds prices that are about 100, 1,000 or 10,000 times those around them, or 10 times for a while.

    Over a whole series it believes the unit in which most was traded (bars with a volume; of two units the one with
    more bars, then the later), so that it finds the wrong part where that is the longer one, too. From the past alone
    it compares with the median of the 8 closes before, and so takes a unit for granted that has held for some bars.
    """

    name: ClassVar[str] = "unit"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = 2 * _USUAL + 1
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = True

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each price of a bar that is in another unit; one for all four where they are."""
        levels = _levels(view)
        if levels is None:
            return
        right = _believed(levels, view.columns["volume"])
        close = view.columns["close"]
        wide = view.columns["high"] > view.columns["low"] * 5.0
        sure = np.flatnonzero((levels == right) & ~wide)
        for row in np.flatnonzero((levels != right) | wide).tolist():
            after = int(np.searchsorted(sure, row))
            if len(sure):
                near = sure[max(0, after - 1)]
                yield from _judge(view, row, float(close[near]))

    def find_past(self, view: SeriesView) -> Iterator[Finding]:
        """Yield the same as far as the bars before a row can tell."""
        wide = np.flatnonzero(view.columns["high"] > view.columns["low"] * 5.0)
        rows = (jumps(view, _JUMP)[:, None] + np.arange(_USUAL)).ravel()
        for row in np.unique(np.concatenate([rows, wide])).tolist():
            if _FEWEST <= row < len(view):
                usual = float(np.median(view.columns["close"][max(0, row - _USUAL) : row]))
                yield from _judge(view, row, usual)


def _levels(view: SeriesView) -> NDArray[np.int64] | None:
    """Return for each row the unit of its close, as a number; None where there is but one, and no wide bar."""
    found: list[tuple[int, float]] = []
    moves = view.moves
    rows = jumps(view, _JUMP).tolist()
    for place, row in enumerate(rows):
        ratio = near_ratio(float(moves[row - 1]), UNITS, _SLACK)
        if np.isnan(ratio):
            ratio = near_ratio(float(moves[row - 1]), _TEN, _TEN_SLACK)
            around = [*rows[max(0, place - 1) : place], *rows[place + 1 : place + 2]]
            if not any(abs(other - row) <= _TEN_ROWS and moves[other - 1] * moves[row - 1] < 0.0 for other in around):
                continue
        if not np.isnan(ratio):
            found.append((row, round(log(ratio) / log(10.0))))
    if not found and not bool((view.columns["high"] > view.columns["low"] * 5.0).any()):
        return None
    steps = np.zeros(len(view), np.int64)
    for row, power in found:
        steps[row] = power
    return np.cumsum(steps)


def _believed(levels: NDArray[np.int64], volume: NDArray[np.float64]) -> int:
    """Return the level that holds where most was traded."""

    def weight(level: int) -> tuple[int, int, int]:
        rows = levels == level
        return int(np.count_nonzero(rows & (volume > 0.0))), int(np.count_nonzero(rows)), int(np.flatnonzero(rows)[-1])

    known: Iterable[int] = np.unique(levels).tolist()
    return max(known, key=weight)


def _judge(view: SeriesView, row: int, usual: float) -> Iterator[Finding]:
    """Yield what is wrong with the prices of a row where they should be near `usual`."""
    factors: dict[str, float] = {}
    for name in PRICES:
        move = log(float(view.columns[name][row]) / usual)
        ratio = near_ratio(move, UNITS, _SLACK) if abs(move) > _JUMP else float("nan")
        if np.isnan(ratio) and abs(move) > _JUMP:
            ratio = near_ratio(move, _TEN, _TEN_SLACK)
        if not np.isnan(ratio):
            factors[name] = ratio
    if not factors:
        return
    if len(factors) == len(PRICES) and len(set(factors.values())) == 1:
        ratio, value = factors["close"], float(view.columns["close"][row])
        text = f"prices ({value:g}) are {_times(ratio)} those of the bars around ({usual:g})"
        yield Finding(row, text, "", value, Severity.ERROR, 1.0 / ratio)
        return
    for name, ratio in factors.items():
        value = float(view.columns[name][row])
        text = f"{name} {value:g} is {_times(ratio)} the prices around ({usual:g})"
        yield Finding(row, text, name, value, Severity.ERROR, 1.0 / ratio)


def _times(ratio: float) -> str:
    return f"about {ratio:,.0f} times" if ratio > 1.0 else f"about a {round(1.0 / ratio):,}th of"
