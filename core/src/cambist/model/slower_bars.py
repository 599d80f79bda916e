"""Puts bars into slower ones: whole columns, block by block, or bar by bar, with the same result to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cambist.model.bars import COLUMNS, Bar
from cambist.model.periods import NOWHERE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.model.bars import Bars
    from cambist.model.periods import Periods

__all__ = ["Complete", "SlowerBars"]


class Complete(NamedTuple):
    """Slower bars that are complete.

    Attributes
    ----------
    ts, columns
        Open times of their periods, ns, and open, high, low, close, volume; shape ``(k,)`` each.
    known_at
        For each the row of the block with whose close it became known, int64, shape ``(k,)``.
    """

    ts: NDArray[np.int64]
    columns: list[NDArray[np.float64]]
    known_at: NDArray[np.int64]


class SlowerBars:
    """Makes slower bars as bars come.

    A slower bar is complete with the bar that reaches the end of its period; where that one is missing, with the next
    bar there is.

    Parameters
    ----------
    periods
        Into which bars are put.
    length
        Of the bars that come, ns.
    keep_first
        Whether the first slower bar counts although bars had not begun when its period did.

    Attributes
    ----------
    growing
        Open, high, low, close and volume of the bar that is not complete, None where there is none.
    start, end
        Its period, ns.
    """

    __slots__ = ("_counts", "_first", "_length", "_periods", "end", "growing", "start")

    def __init__(self, periods: Periods, length: int, *, keep_first: bool) -> None:
        self._periods, self._length = periods, length
        self._first = not keep_first
        self._counts = True  # whether the growing bar does
        self.growing: tuple[float, float, float, float, float] | None = None
        self.start = self.end = 0

    @property
    def counts(self) -> bool:
        """Whether the growing bar will be shown once it is complete."""
        return self.growing is not None and self._counts

    # Bar by bar.

    def push(self, bar: Bar) -> list[Bar]:
        """Take one bar; return the slower ones that are complete with it: none, one or two."""
        done: list[Bar] = []
        if self.growing is not None and bar.ts >= self.end:
            self._finish(done)
        if self.growing is None or self._periods.has_holes:
            start = int(self._periods.starts(np.array([bar.ts]), self._length)[0])
            if start == NOWHERE:
                return done
        if self.growing is None:
            self._begin(start, bar.ts)
            self.growing = bar.open, bar.high, bar.low, bar.close, bar.volume
        else:
            open_, high, low, _, volume = self.growing
            self.growing = open_, max(high, bar.high), min(low, bar.low), bar.close, volume + bar.volume
        if bar.ts + self._length >= self.end:
            self._finish(done)
        return done

    def _begin(self, start: int, first: int) -> None:
        self.start = start
        self.end = int(self._periods.ends(np.array([start]))[0])
        self._counts = not (self._first and first > start)
        self._first = False

    def _finish(self, done: list[Bar]) -> None:
        assert self.growing is not None
        if self._counts:
            done.append(Bar(self.start, *self.growing))
        self.growing = None

    # Whole columns.

    def take(self, bars: Bars) -> Complete:
        """Take a block of bars; return the slower ones that are complete with it."""
        return self.take_columns(bars.ts, [getattr(bars, name) for name in COLUMNS])

    def take_columns(self, ts: NDArray[np.int64], columns: list[NDArray[np.float64]]) -> Complete:
        """Take open times, ns, and open, high, low, close and volume of the next bars."""
        starts = self._periods.starts(ts, self._length)
        rows: NDArray[np.int64] | None = None
        if not self._periods.is_even and (starts == NOWHERE).any():
            rows = np.flatnonzero(starts != NOWHERE)
            starts, columns = starts[rows], [column[rows] for column in columns]
        before = self.growing is not None
        if before:  # one row more: the bar that was open goes on, or ends
            starts = np.concatenate(([self.start], starts))
            columns = [np.concatenate(([old], column)) for old, column in zip(self.growing or (), columns, strict=True)]
        if not len(starts):
            return self.take_nothing()
        first = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
        made = _reduced(columns, first)
        ends = self._periods.ends(starts[first])
        last = np.append(first[1:], len(starts)) - 1 - before
        if rows is not None:  # of all rows, and not of those that lie in a period; -1 is the row before
            last[last >= 0] = rows[last[last >= 0]]
        reached = (last >= 0) & (ts[last] + self._length >= ends)
        known_at = np.where(reached, last, np.searchsorted(ts, ends))
        counts = np.ones(len(first), np.bool_)
        if before:
            counts[0] = self._counts
        elif self._first:
            counts[0] = ts[0 if rows is None else rows[0]] <= starts[0]
        self._first = False
        if known_at[-1] >= len(ts):  # it may go on with the next block
            self.start, self.end = int(starts[first[-1]]), int(ends[-1])
            open_, high, low, close, volume = (float(column[-1]) for column in made)
            self.growing, self._counts = (open_, high, low, close, volume), bool(counts[-1])
            counts[-1] = False
        else:
            self.growing = None
        return Complete(starts[first][counts], [column[counts] for column in made], known_at[counts])

    @staticmethod
    def take_nothing() -> Complete:
        """Return what is complete with a block of no bars: none."""
        return Complete(np.empty(0, np.int64), [np.empty(0) for _ in COLUMNS], np.empty(0, np.int64))


def _reduced(columns: list[NDArray[np.float64]], first: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Return open, high, low, close and volume of groups of rows that begin at `first`."""
    open_, high, low, close, volume = columns
    last = np.append(first[1:], len(open_)) - 1
    # Adds one row after the other, where a reduction adds in pairs, which would differ with the cut.
    volumes = np.bincount(np.repeat(np.arange(len(first)), last - first + 1), weights=volume)
    highs, lows = np.maximum.reduceat(high, first), np.minimum.reduceat(low, first)
    return [open_[first], highs, lows, close[last], volumes]
