"""What the bars call for: the rows on which signals say something, and what they say there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist_optimize.kernel.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.api import Comparison, SignalColumns

    _Room = tuple[NDArray[np.int8], NDArray[np.uint64], NDArray[np.int64]]

__all__ = ["BUY", "LEAVE", "SELL", "Calls", "Sheet"]

#: A long entry, a short one, an exit.
BUY, SELL, LEAVE = 1, 2, 4
#: Calls that a sheet has room for, beside those of one more combination.
_ROOM = 1 << 18


@attrs.frozen(eq=False)
class Calls:
    """The calls of several combinations, one behind the other.

    Attributes
    ----------
    rows, codes
        Row and code of each call, shape ``(k,)``; those of one combination ascend.
    values
        Size, stop, take and trail of the calls of those combinations that say some, shape ``(j, 4)``.
    spans
        For each combination its first call, the end of them, and its first row of `values`, -1 where it says none;
        int64, shape ``(n, 3)``.
    """

    rows: NDArray[np.int64]
    codes: NDArray[np.uint8]
    values: NDArray[np.float64]
    spans: NDArray[np.int64]

    @property
    def most(self) -> int:
        """The most calls of one combination."""
        return int((self.spans[:, 1] - self.spans[:, 0]).max(initial=0))


class Sheet:
    """Takes down what combinations call for until there is no room for one more.

    Parameters
    ----------
    rows
        Of the bars.
    """

    def __init__(self, rows: int) -> None:
        self._bars = rows
        #: Each writes the next call before it knows whether it is one, so that there is one more.
        self._rows = np.empty(rows + _ROOM + 8, np.int64)
        self._codes = np.empty(rows + _ROOM + 8, np.uint8)
        sides = np.zeros((rows + 7) // 8 * 8, np.int8)
        self._room = sides, sides.view(np.uint64), np.empty(len(sides) // 8 + 1, np.int64)
        self._values: list[NDArray[np.float64]] = []
        self._spans: list[tuple[int, int, int]] = []
        self._written = 0

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def is_full(self) -> bool:
        """Whether another combination might not fit."""
        return self._written + self._bars + 8 > len(self._rows)

    def clear(self) -> None:
        """Begin anew."""
        self._values.clear()
        self._spans.clear()
        self._written = 0

    def add(self, signals: SignalColumns) -> None:
        """Take down the calls of one more combination."""
        start = self._written
        count = _write(signals, self._room, self._rows[start:], self._codes[start:])
        self._written += count
        said = (signals.size, signals.stop, signals.take, signals.trail)
        values = -1
        if any(map(len, said)):
            values = sum(map(len, self._values))
            self._values.append(_gathered(said, self._rows[start : self._written]))
        self._spans.append((start, self._written, values))

    def calls(self) -> Calls:
        """Return everything that was taken down; good until `clear`."""
        values = np.concatenate(self._values) if self._values else np.empty((0, 4))
        spans = np.array(self._spans, np.int64).reshape(-1, 3)
        return Calls(self._rows[: self._written], self._codes[: self._written], values, spans)


def _gathered(said: tuple[NDArray[np.float64], ...], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is said on some rows, NaN for what never is, shape ``(k, 4)``."""
    found = np.full((len(rows), 4), np.nan)
    for at, column in enumerate(said):
        if len(column):
            found[:, at] = column[0] if len(column) == 1 else column[rows]
    return found


def _write(signals: SignalColumns, room: _Room, rows: NDArray[np.int64], codes: NDArray[np.uint8]) -> int:
    """Write row and code of each call, ascending, and return how many there are."""
    entries, exits, side = signals.entries, signals.exits, signals.side
    if len(side) == 1 and _is_pair(entries, exits):
        assert not isinstance(entries, np.ndarray)
        enters = BUY if side[0] > 0.0 else SELL if side[0] < 0.0 else 0
        above, below = (enters, LEAVE) if entries.ufunc is np.greater else (LEAVE, enters)
        second = entries.second if isinstance(entries.second, np.ndarray) else np.array([float(entries.second)])
        return int(_cross(entries.first, second, signals.first, above, below, room, rows, codes))
    leaves = _NOWHERE if exits is None else _holds(exits)
    return int(_collect(_holds(entries), leaves, side, signals.first, rows, codes))


_NOWHERE = np.empty(0, np.bool_)


def _is_pair(entries: NDArray[np.float64] | Comparison, exits: NDArray[np.float64] | Comparison | None) -> bool:
    """Tell whether entries and exits are the two crossings of the same two lines."""
    if isinstance(entries, np.ndarray) or exits is None or isinstance(exits, np.ndarray):
        return False
    if not (entries.crosses and exits.crosses):
        return False
    one, other = entries.second, exits.second
    same = one is other or (isinstance(one, float) and isinstance(other, float) and one == other)
    return same and entries.first is exits.first and entries.ufunc is not exits.ufunc


def _holds(test: NDArray[np.float64] | Comparison) -> NDArray[np.bool_]:
    return test > 0.0 if isinstance(test, np.ndarray) else test.rows()


@compiled
def _collect(
    enters: NDArray[np.bool_],
    leaves: NDArray[np.bool_],
    side: NDArray[np.float64],
    first: int,
    rows: NDArray[np.int64],
    codes: NDArray[np.uint8],
) -> int:
    """Write the rows from `first` on that enter or leave."""
    count = 0
    for row in range(first, len(enters)):
        code = 0
        if enters[row]:
            way = side[0] if len(side) == 1 else side[row]
            code = BUY if way > 0.0 else SELL if way < 0.0 else 0
        if len(leaves):
            code |= leaves[row] * LEAVE
        rows[count] = row
        codes[count] = code
        count += code != 0
    return count


@compiled
def _cross(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    start: int,
    above: int,
    below: int,
    room: tuple[NDArray[np.int8], NDArray[np.uint64], NDArray[np.int64]],
    rows: NDArray[np.int64],
    codes: NDArray[np.uint8],
) -> np.uint64:
    """Write where the first column passes the second; see `cambist.indicators.crossing.Crossover`.

    Nothing in it branches by what the bars are: a guess that turns out wrong costs more than many bars.
    """
    sides, words, marks = room
    _sides(first, second, sides)
    count = _changes(sides, words, marks, rows)
    found, side = np.uint64(0), np.int8(0)
    for at in range(np.uint64(count)):
        row = rows[at]
        now = sides[np.uint64(row)]
        # A tie, and NaN, are looked through: the side before them stays.
        code = above if now > 0 else below
        rows[found], codes[found] = row, code
        turns = (now != 0) & (now != side) & (side != 0)
        found += np.uint64(turns & (code != 0) & (row >= start))
        side = now if now != 0 else side
    return found


@compiled
def _sides(first: NDArray[np.float64], second: NDArray[np.float64], sides: NDArray[np.int8]) -> None:
    """Write 1 where the first column is above the second, -1 where below, 0 where they tie or one is NaN."""
    if len(second) > 1:
        for row in range(len(first)):
            sides[row] = (first[row] > second[row]) - (first[row] < second[row])
    else:
        for row in range(len(first)):
            sides[row] = (first[row] > second[0]) - (first[row] < second[0])


@compiled
def _changes(
    sides: NDArray[np.int8], words: NDArray[np.uint64], marks: NDArray[np.int64], rows: NDArray[np.int64]
) -> np.uint64:
    """Write the rows whose side is not that of the row before, 0 before the first; `words` are `sides`, in eights."""
    marked, before = np.uint64(0), np.uint64(0)
    for at in range(np.uint64(len(words))):
        word = words[at]
        marks[marked] = at
        marked += np.uint64(word != ((word << np.uint64(8)) | (before >> np.uint64(56))))
        before = word
    count = np.uint64(0)
    for mark in range(marked):
        row = np.uint64(marks[mark]) * np.uint64(8)
        side = sides[row - np.uint64(1)] if row > np.uint64(0) else np.int8(0)
        for ahead in range(np.uint64(8)):
            now = sides[row + ahead]
            rows[count] = row + ahead
            count += np.uint64(now != side)
            side = now
    return count
