"""Growing columns, and which bars end a day: what a recording of a run is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analysis.periods import day_numbers
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DayEnds", "Points"]

#: A view of the filled part keeps the rest of the array alive; above this share of it a copy would save little.
_FULL_ENOUGH = 0.75


class Points:
    """Rows of integers and values in arrays that double when full: a block of one bar must not cost an array object.

    Parameters
    ----------
    columns
        Columns of values.
    room
        Rows to make room for from the start.
    """

    __slots__ = ("_count", "_integers", "_values")

    def __init__(self, columns: int = 1, room: int = 0) -> None:
        self._count = 0
        room = max(room, 64)
        self._integers = np.empty(room, np.int64)
        self._values = np.empty((columns, room))

    @property
    def columns(self) -> int:
        """Columns of values."""
        return len(self._values)

    def extend(self, integers: NDArray[np.int64], *values: NDArray[np.float64]) -> None:
        """Append rows; one array for each column, shape ``(k,)`` each."""
        end = self._count + len(integers)
        if end > len(self._integers):
            self._grow(max(end, 2 * len(self._integers)))
        self._integers[self._count : end] = integers
        for column, added in zip(self._values, values, strict=True):
            column[self._count : end] = added
        self._count = end

    def append(self, integer: int, *values: float) -> None:
        """Append one row."""
        if self._count == len(self._integers):
            self._grow(2 * self._count)
        self._integers[self._count] = integer
        self._values[:, self._count] = values
        self._count += 1

    def integers(self) -> NDArray[np.int64]:
        """Return the integers so far, shape ``(k,)``, read-only; rows that follow do not change it."""
        return self._filled(self._integers)

    def values(self, column: int = 0) -> NDArray[np.float64]:
        """Return a column so far, shape ``(k,)``, read-only; rows that follow do not change it."""
        return self._filled(self._values[column])

    def _filled(self, column: NDArray[Any]) -> NDArray[Any]:
        filled = column[: self._count]
        if self._count < _FULL_ENOUGH * len(column):
            filled = filled.copy()
        filled.flags.writeable = False
        return filled

    def _grow(self, size: int) -> None:
        integers, values = np.empty(size, np.int64), np.empty((len(self._values), size))
        integers[: self._count] = self._integers[: self._count]
        values[:, : self._count] = self._values[:, : self._count]
        self._integers, self._values = integers, values


class DayEnds:
    """Tells which bars of a run are the last of their UTC day, one block after the other."""

    __slots__ = ("_day",)

    def __init__(self) -> None:
        self._day: int | None = None

    def take(self, times: NDArray[np.int64]) -> tuple[bool, NDArray[np.int64]]:
        """Take the next close times.

        Parameters
        ----------
        times
            ns, UTC, shape ``(k,)``, ascending, at least one.

        Returns
        -------
        turned : bool
            Whether the bar before this block was the last of its day.
        rows : ndarray of int64
            Rows of the block that are the last of theirs. Whether its last row is one shows with the next block.
        """
        first, last = (int(times[at] - 1) // DAY_NS for at in (0, -1))
        turned = self._day is not None and self._day != first
        self._day = last
        # A division for each bar costs more than everything else here; a day holds many bars or few.
        if (last - first) * 8 < len(times):
            midnights = np.arange(first + 1, last + 1, dtype=np.int64) * DAY_NS
            rows = np.searchsorted(times, midnights, side="right") - 1
            return turned, rows[np.diff(rows, prepend=-1) > 0]
        days = day_numbers(times)
        return turned, np.flatnonzero(days[1:] != days[:-1])
