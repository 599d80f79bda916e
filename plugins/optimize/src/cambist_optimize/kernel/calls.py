"""What the bars call for: the rows on which signals say something, and what they say there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.compiling import array_at, compiled, first_bit, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.api import Comparison, SignalColumns

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Words = NDArray[np.uint64]
    _Named = tuple[Integers, Floats, Words]
    _Room = tuple[Integers, NDArray[np.uint8]]
    #: What `Sheet.called` returns.
    Called = tuple[Integers, NDArray[np.uint8], Floats, Integers, _Named, _Room]

__all__ = ["BUY", "LEAVE", "SELL", "Called", "Sheet", "calls_of", "take_sides"]

#: A long entry, a short one, an exit.
BUY, SELL, LEAVE = 1, 2, 4
#: Calls that a sheet has room for, beside those of one more combination.
_ROOM = 1 << 18
#: Rows of a word of sides, and words that are taken of all lines before the next ones, while these are in the cache.
_BITS, _BLOCK = 64, 64
#: Columns of a crossing, int64: where its two lines lie in memory, 0 for a level in place of the second; the first row
#: that counts; and what passing above is, and passing below.
_FIRST, _SECOND, _BEGINS, _ABOVE, _BELOW = 0, 1, 2, 3, 4


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
        self._room = np.empty(rows + 8, np.int64), np.empty(rows + 8, np.uint8)
        #: By crossing: the rows whose first line is above the second, and those where it is below, a bit each.
        self._sides = np.empty((1, 2, -(-rows // _BITS)), np.uint64)
        self._values: list[Floats] = []
        self._spans: list[tuple[int, int, int, int]] = []
        self._crossings: list[tuple[int, int, int, int, int]] = []
        self._levels: list[float] = []
        #: By id: the line, held so that no other gets its id, and what lies at the address beside it.
        self._lines: dict[int, tuple[Floats, Floats, int]] = {}
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
            one.clear()
        self._written = 0

    def add(self, signals: SignalColumns, *, counted: bool = False) -> None:
        """Take down one more combination; every call of it where they are to be `counted`."""
        said = (signals.size, signals.stop, signals.take, signals.trail)
        says = any(map(len, said))
        codes = _codes_of(signals)
        if codes is not None and not says and not counted:
            self._spans.append((0, 0, -1, len(self._crossings)))
            crossing, level = self._crossing(signals, codes)
            self._crossings.append(crossing)
            self._levels.append(level)
            return
        start = self._written
        self._written += self._write(signals, codes)
        values = -1
        if says:
            values = sum(map(len, self._values))
            self._values.append(_gathered(said, self._rows[start : self._written]))
        self._spans.append((start, self._written, values, -1))

    def _write(self, signals: SignalColumns, codes: tuple[int, int] | None) -> int:
        """Write row and code of each call of a combination, ascending, and return how many there are."""
        rows, written = self._rows[self._written :], self._codes[self._written :]
        if codes is not None:
            crossing, level = self._crossing(signals, codes)
            room = self._sides[0], rows, written
            return int(_cross(np.array(crossing, np.int64), np.array([level]), self._bars, *room))
        leaves = _NOWHERE if signals.exits is None else _holds(signals.exits)
        return int(_collect(_holds(signals.entries), leaves, signals.side, signals.first, rows, written))

    def _crossing(self, signals: SignalColumns, codes: tuple[int, int]) -> tuple[tuple[int, int, int, int, int], float]:
        """Return the lines whose crossings are calls, and the level in place of the second; they are held."""
        entries = signals.entries
        assert not isinstance(entries, np.ndarray)  # `_codes_of` says so
        level, second = 0.0, 0
        if isinstance(entries.second, np.ndarray):
            second = self._address(entries.second)
        else:
            level = float(entries.second)
        return (self._address(entries.first), second, signals.first, *codes), level

    def _address(self, line: Floats) -> int:
        """Return where a line lies, which is held from now on."""
        known = self._lines.get(id(line))
        if known is None:
            flat = np.ascontiguousarray(line, np.float64)
            known = self._lines[id(line)] = line, flat, flat.ctypes.data
        return known[2]

    def called(self) -> Called:
        """Return everything that was taken down; good until `clear`.

        Rows and codes of calls, one combination behind the other, those of one ascending; size, stop, take and trail of
        those combinations that say some, shape ``(j, 4)``; for each combination its first call, the end of them, its
        first row of values, -1 where it says none, and its crossing, -1 where its calls were taken down, shape
        ``(n, 4)``; the crossings, shape ``(m, 5)``, and their levels, ``(m,)``; room for the sides of their bars, and
        for the calls of one.
        """
        if len(self._sides) < len(self._crossings):
            self._sides = np.empty((len(self._crossings), *self._sides.shape[1:]), np.uint64)
        values = np.concatenate(self._values) if self._values else np.empty((0, 4))
        return (
            self._rows[: self._written],
            self._codes[: self._written],
            values,
            np.array(self._spans, np.int64).reshape(-1, 4),
            (np.array(self._crossings, np.int64).reshape(-1, 5), np.array(self._levels), self._sides),
            self._room,
        )


@inlined
def take_sides(called: Called, bars: int) -> None:
    """Write which line is above the other, of all crossings, stretch by stretch: several share a line."""
    crossings, levels, sides = called[4]
    words = sides.shape[2]
    for start in range(0, words, _BLOCK):
        for at in range(len(crossings)):
            stop = min(start + _BLOCK, words)
            _take(crossings[at], levels[at : at + 1], bars, start, stop, sides[at])


@inlined
def calls_of(called: Called, at: int) -> tuple[Integers, NDArray[np.uint8], Floats]:
    """Return rows, codes and values of the calls of a combination; crossings are good until the next is asked for."""
    rows, codes, values, spans, (crossings, _, sides), room = called
    start, stop, said, crossing = spans[at, 0], spans[at, 1], spans[at, 2], spans[at, 3]
    if crossing < 0:
        own = values[said : said + stop - start] if said >= 0 else values[:0]
        return rows[start:stop], codes[start:stop], own
    count = _turns(sides[crossing], crossings[crossing], room[0], room[1])
    return room[0][:count], room[1][:count], values[:0]


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
def _cross(crossing: Integers, level: Floats, bars: int, sides: Words, rows: Integers, codes: NDArray[np.uint8]) -> int:
    """Write the calls of one crossing, and return how many there are; `sides` is room."""
    _take(crossing, level, bars, 0, sides.shape[1], sides)
    return _turns(sides, crossing, rows, codes)


@inlined
def _take(crossing: Integers, level: Floats, bars: int, start: int, stop: int, sides: Words) -> None:
    """Write some words of sides: where the first line is above the second, and where below; neither for NaN."""
    first, second = array_at(crossing[_FIRST], bars), array_at(crossing[_SECOND], bars)
    for word in range(start, stop):
        begins = word * _BITS
        if not crossing[_SECOND]:
            above, below = _beside_level(first, level[0], begins, min(_BITS, bars - begins))
        elif begins + _BITS <= bars:  # a number of rows that is known takes a quarter of the time
            above, below = _beside_line(first, second, begins, _BITS)
        else:
            above, below = _beside_line(first, second, begins, bars - begins)
        sides[0, word], sides[1, word] = above, below


@inlined
def _beside_line(first: Floats, second: Floats, begins: int, rows: int) -> tuple[np.uint64, np.uint64]:
    above, below = np.uint64(0), np.uint64(0)
    for bit in range(rows):
        one, other = first[begins + bit], second[begins + bit]
        above |= np.uint64(one > other) << np.uint64(bit)
        below |= np.uint64(one < other) << np.uint64(bit)
    return above, below


@inlined
def _beside_level(first: Floats, level: float, begins: int, rows: int) -> tuple[np.uint64, np.uint64]:
    above, below = np.uint64(0), np.uint64(0)
    for bit in range(rows):
        one = first[begins + bit]
        above |= np.uint64(one > level) << np.uint64(bit)
        below |= np.uint64(one < level) << np.uint64(bit)
    return above, below


@inlined
def _turns(sides: Words, crossing: Integers, rows: Integers, codes: NDArray[np.uint8]) -> int:
    """Write the rows whose side is not the last there was; see `cambist.indicators.crossing.Crossover`.

    A tie, and NaN, are looked through: the side before them stays.
    """
    one, last = np.uint64(1), np.uint64(_BITS - 1)
    found, side = 0, 0
    above_before, below_before = np.uint64(0), np.uint64(0)
    for word in range(sides.shape[1]):
        above, below = sides[0, word], sides[1, word]
        changed = (above ^ (above << one | above_before)) | (below ^ (below << one | below_before))
        above_before, below_before = above >> last, below >> last
        while changed != np.uint64(0):
            bit = first_bit(changed)
            changed &= changed - one
            now = np.int64(above >> bit & one) - np.int64(below >> bit & one)
            row = word * _BITS + np.int64(bit)
            code = crossing[_ABOVE] if now > 0 else crossing[_BELOW]
            rows[found], codes[found] = row, code
            turns = (now != 0) & (now != side) & (side != 0)
            found += turns & (code != 0) & (row >= crossing[_BEGINS])
            side = int(now if now != 0 else side)
    return found
