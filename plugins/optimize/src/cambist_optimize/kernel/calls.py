"""What the bars call for: the rows on which signals say something, and what they say there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.compiling import array_at, compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.api import Comparison, SignalColumns

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    #: The side of each bar, the same in eights, the numbers of eights; rows and codes of the calls of one combination.
    _Room = tuple[NDArray[np.int8], NDArray[np.uint64], Integers, Integers, NDArray[np.uint8]]
    #: What `Sheet.called` returns.
    Called = tuple[Integers, NDArray[np.uint8], Floats, Integers, Integers, Floats, _Room]

__all__ = ["BUY", "LEAVE", "SELL", "Called", "Sheet", "calls_of"]

#: A long entry, a short one, an exit.
BUY, SELL, LEAVE = 1, 2, 4
#: Calls that a sheet has room for, beside those of one more combination.
_ROOM = 1 << 18


class Sheet:
    """Takes down what combinations call for until there is no room for one more.

    Of two crossings of the same two lines it takes down the lines alone, and holds them until `clear`: who plays them
    looks for the crossings, which then takes no call for each, and no lock.

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
        marks = np.empty(len(sides) // 8 + 1, np.int64)
        self._room = sides, sides.view(np.uint64), marks, np.empty(rows + 8, np.int64), np.empty(rows + 8, np.uint8)
        self._values: list[Floats] = []
        self._spans: list[tuple[int, int, int, int]] = []
        self._crossings: list[tuple[int, int, int, int, int]] = []
        self._levels: list[float] = []
        self._lines: dict[int, tuple[Floats, int]] = {}
        self._written = 0

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def is_full(self) -> bool:
        """Whether another combination might not fit."""
        return self._written + self._bars + 8 > len(self._rows)

    @property
    def most(self) -> int:
        """As many calls as a combination may have."""
        return self._bars if self._crossings else max((stop - start for start, stop, _, _ in self._spans), default=0)

    def clear(self) -> None:
        """Begin anew."""
        for one in (self._values, self._spans, self._crossings, self._levels, self._lines):
            one.clear()  # type: ignore[attr-defined]
        self._written = 0

    def add(self, signals: SignalColumns) -> None:
        """Take down one more combination."""
        said = (signals.size, signals.stop, signals.take, signals.trail)
        says = any(map(len, said))
        codes = _codes_of(signals)
        if codes is not None and not says:
            self._spans.append((0, 0, -1, len(self._crossings)))
            self._name(signals, codes)
            return
        start = self._written
        self._written += _write(signals, codes, self._room, self._rows[start:], self._codes[start:])
        values = -1
        if says:
            values = sum(map(len, self._values))
            self._values.append(_gathered(said, self._rows[start : self._written]))
        self._spans.append((start, self._written, values, -1))

    def _name(self, signals: SignalColumns, codes: tuple[int, int]) -> None:
        """Take down the lines whose crossings are calls."""
        entries = signals.entries
        assert not isinstance(entries, np.ndarray)  # `_codes_of` says so
        level, second = 0.0, 0
        if isinstance(entries.second, np.ndarray):
            second = self._address(entries.second)
        else:
            level = float(entries.second)
        self._crossings.append((self._address(entries.first), second, signals.first, *codes))
        self._levels.append(level)

    def _address(self, line: Floats) -> int:
        """Return where a line lies, which is held from now on."""
        known = self._lines.get(id(line))
        if known is None:
            flat = np.ascontiguousarray(line, np.float64)
            known = self._lines[id(line)] = flat, flat.ctypes.data
            if flat is not line:
                self._lines[id(flat)] = line, 0  # no other line gets its id
        return known[1]

    def called(self) -> Called:
        """Return everything that was taken down; good until `clear`.

        Rows and codes of calls, one combination behind the other, those of one ascending; size, stop, take and trail of
        those combinations that say some, shape ``(j, 4)``; for each combination its first call, the end of them, its
        first row of values, -1 where it says none, and its crossing, -1 where its calls were taken down, shape
        ``(n, 4)``; for each crossing where its two lines lie, 0 for a level, the first row that counts, and the codes of
        passing above and below, shape ``(m, 5)``; its level; and room.
        """
        values = np.concatenate(self._values) if self._values else np.empty((0, 4))
        return (
            self._rows[: self._written],
            self._codes[: self._written],
            values,
            np.array(self._spans, np.int64).reshape(-1, 4),
            np.array(self._crossings, np.int64).reshape(-1, 5),
            np.array(self._levels),
            self._room,
        )


@inlined
def calls_of(called: Called, at: int, bars: int) -> tuple[Integers, NDArray[np.uint8], Floats]:
    """Return rows, codes and values of the calls of a combination; crossings are good until the next is asked for."""
    rows, codes, values, spans, crossings, levels, room = called
    start, stop, said, crossing = spans[at, 0], spans[at, 1], spans[at, 2], spans[at, 3]
    if crossing < 0:
        own = values[said : said + stop - start] if said >= 0 else values[:0]
        return rows[start:stop], codes[start:stop], own
    first, second, begins = crossings[crossing, 0], crossings[crossing, 1], crossings[crossing, 2]
    line = array_at(first, bars)
    other = array_at(second, bars) if second else levels[crossing : crossing + 1]
    passing = crossings[crossing, 3], crossings[crossing, 4]
    count = _cross(line, other, begins, passing, room, room[3], room[4])
    return room[3][:count], room[4][:count], values[:0]


def _gathered(said: tuple[NDArray[np.float64], ...], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is said on some rows, NaN for what never is, shape ``(k, 4)``."""
    found = np.full((len(rows), 4), np.nan)
    for at, column in enumerate(said):
        if len(column):
            found[:, at] = column[0] if len(column) == 1 else column[rows]
    return found


def _codes_of(signals: SignalColumns) -> tuple[int, int] | None:
    """Return what passing above and below is, for two crossings of the same two lines; None for anything else."""
    entries, exits, side = signals.entries, signals.exits, signals.side
    if len(side) != 1 or not _is_pair(entries, exits):
        return None
    assert not isinstance(entries, np.ndarray)
    enters = BUY if side[0] > 0.0 else SELL if side[0] < 0.0 else 0
    return (enters, LEAVE) if entries.ufunc is np.greater else (LEAVE, enters)


def _write(
    signals: SignalColumns, passing: tuple[int, int] | None, room: _Room, rows: Integers, codes: NDArray[np.uint8]
) -> int:
    """Write row and code of each call, ascending, and return how many there are."""
    entries, exits = signals.entries, signals.exits
    if passing is not None:
        assert not isinstance(entries, np.ndarray)
        second = entries.second if isinstance(entries.second, np.ndarray) else np.array([float(entries.second)])
        return int(_cross(entries.first, second, signals.first, passing, room, rows, codes))
    leaves = _NOWHERE if exits is None else _holds(exits)
    return int(_collect(_holds(entries), leaves, signals.side, signals.first, rows, codes))


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
    passing: tuple[int, int],
    room: _Room,
    rows: NDArray[np.int64],
    codes: NDArray[np.uint8],
) -> np.uint64:
    """Write where the first column passes the second; see `cambist.indicators.crossing.Crossover`.

    Nothing in it branches by what the bars are: a guess that turns out wrong costs more than many bars.
    """
    sides, words, marks, _, _ = room
    above, below = passing
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
