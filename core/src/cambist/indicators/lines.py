"""Lines: one number per bar, read at the engine's cursor.

A line is a column of a series of bars, or what an indicator makes of other lines. In ``on_start`` lines are
combined (``SMA(close, 10) > close``); from the first bar on they are read: ``line[0]`` is the current bar,
``line[-1]`` the one before. What has not happened yet cannot be read.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import LineError, LookAheadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from numpy.typing import NDArray

    from cambist.indicators.computation import Computation
    from cambist.indicators.series import SeriesCursor

__all__ = ["HISTORY", "Line", "attach"]

#: How many bars back ``line[-k]`` reaches; also the rows that are turned into Python floats at once.
HISTORY = 65_536
_DEEPEST = -HISTORY


class Line:
    """One float64 per bar of a series.

    Notes
    -----
    ``line[0]`` is the value of the current bar, ``line[-k]`` that of `k` bars before; before the first bar
    and until an indicator knows its value, it is NaN. ``line[1]`` raises `LookAheadError`.

    Arithmetic (``+ - * / // % **``, ``abs``, unary ``-``), the comparisons ``< <= > >=`` (1.0 where they hold, 0.0
    where not) and ``& | ~`` over such lines build new lines, in ``on_start`` only; ``==`` asks whether two names
    mean one line. ``line(-k)`` is the line `k` bars ago.
    """

    # `_values` holds the rows of the cursor's window as Python floats, behind one row that stands before it. It is
    # filled on first reading: a line nobody reads costs no conversion.
    __slots__ = ("_array", "_cursor", "_past", "_values", "lookback", "name")

    #: Arrays leave the operators below to the line.
    __array_ufunc__ = None

    #: Bars that must have been seen before the line is known.
    lookback: int
    name: str
    _cursor: SeriesCursor
    _array: NDArray[np.float64]
    _past: NDArray[np.float64]
    _values: list[float]

    def __init__(self, cursor: SeriesCursor, name: str, lookback: int) -> None:
        self._cursor = cursor
        self.name = name
        self.lookback = lookback
        self._array = self._past = _NOTHING
        self._values = [nan]

    def __getitem__(self, ago: int) -> float:
        try:
            if not ago:  # nearly every access there is
                return self._values[self._cursor.row]
            at = self._cursor.row + ago
            if ago > 0 or at < 0 or ago < _DEEPEST:
                return self._elsewhere(ago)
            return self._values[at]
        except IndexError:
            if self._values:  # not the dropped window's, but an error of its own
                raise
        self._read_window()
        return self[ago]

    def _read_window(self) -> None:
        """Turn the rows of the cursor's window into Python floats, behind the row before it."""
        start, stop = self._cursor.window
        self._values = [self._at(start - 1), *self._array[start:stop].tolist()]

    def _elsewhere(self, ago: int) -> float:
        """Answer for a bar outside the window."""
        if ago > 0:
            raise LookAheadError(
                f"{self.name}[{ago}] asks for a bar that has not closed yet. "
                "[0] is the current bar, [-1] the one before."
            )
        if -ago > self._cursor.history:
            raise LineError(
                f"{self.name}[{ago}] reaches back further than {self._cursor.history:,} bars, which is all a line "
                f"keeps{self._cursor.said}."
            )
        return self._at(self._cursor.window[0] + self._cursor.row - 1 + ago)

    def _at(self, row: int) -> float:
        """Return the value at `row` of the loaded block; negative rows lie in the blocks before it."""
        if row >= 0:
            return float(self._array[row])
        return float(self._past[row]) if -row <= len(self._past) else nan

    def _last(self, count: int) -> NDArray[np.float64]:
        """Return the last `count` values up to the current bar, or as many as there are, shape ``(k,)``."""
        if not len(self._array):  # step by step: every value is in the list, behind the row before the first
            row = self._cursor.row
            return np.array(self._values[max(1, row + 1 - count) : row + 1])
        end = self._cursor.window[0] + self._cursor.row
        if end >= count or not len(self._past):
            return self._array[max(0, end - count) : end]
        return np.concatenate((self._past[-(count - end) :], self._array[:end]))

    # What the series' cursor calls. None of it is for a strategy: a line moved by hand would show the future.

    def _drop_window(self) -> None:
        """Forget the window's floats: the window has moved."""
        # No `__getattr__` that fills them: with one, Python 3.11 looks up every attribute of a line the slow way.
        self._values = []

    def _load(self, array: NDArray[np.float64]) -> None:
        """Take the values of the next block, shape ``(k,)``, and keep the last `HISTORY` of those before."""
        if len(self._array):
            self._past = np.concatenate((self._past, self._array))[-HISTORY:]
        self._array = array

    def _push(self, value: float) -> None:
        """Append one value: the step-by-step way of a live run."""
        self._values.append(value)

    def _forget(self, rows: int) -> None:
        """Drop the oldest `rows` values of a step-by-step run."""
        del self._values[:rows]

    @property
    def block(self) -> NDArray[np.float64]:
        """The values of the loaded block, shape ``(k,)``, for computations over whole columns."""
        if not self._cursor.building:
            raise LookAheadError(
                f"{self.name}: a whole column holds bars that have not closed yet; read [0], [-1], ..."
            )
        return self._array

    # Combining.

    def _combine(self, ufunc: np.ufunc, other: Line | float, *, reflected: bool = False) -> Line:
        from cambist.indicators.arithmetic import combine

        return combine(ufunc, other, self) if reflected else combine(ufunc, self, other)

    def __call__(self, ago: int) -> Line:
        """Return the line of the values `-ago` bars ago: ``close(-1)`` is yesterday's close on daily bars."""
        from cambist.indicators.arithmetic import delay

        if ago > 0:
            raise LookAheadError(f"{self.name}({ago}) would be a line of the future. Write {self.name}({-ago}).")
        return delay(self, -ago) if ago else self

    def __add__(self, other: Line | float) -> Line:
        return self._combine(np.add, other)

    def __radd__(self, other: float) -> Line:
        return self._combine(np.add, other, reflected=True)

    def __sub__(self, other: Line | float) -> Line:
        return self._combine(np.subtract, other)

    def __rsub__(self, other: float) -> Line:
        return self._combine(np.subtract, other, reflected=True)

    def __mul__(self, other: Line | float) -> Line:
        return self._combine(np.multiply, other)

    def __rmul__(self, other: float) -> Line:
        return self._combine(np.multiply, other, reflected=True)

    def __truediv__(self, other: Line | float) -> Line:
        return self._combine(np.divide, other)

    def __rtruediv__(self, other: float) -> Line:
        return self._combine(np.divide, other, reflected=True)

    def __rpow__(self, other: float) -> Line:
        return self._combine(np.power, other, reflected=True)

    def __rfloordiv__(self, other: float) -> Line:
        return self._combine(np.floor_divide, other, reflected=True)

    def __rmod__(self, other: float) -> Line:
        return self._combine(np.mod, other, reflected=True)

    def __and__(self, other: Line | float) -> Line:
        return self._combine(np.logical_and, other)

    def __or__(self, other: Line | float) -> Line:
        return self._combine(np.logical_or, other)

    def __invert__(self) -> Line:
        return self._combine(np.equal, 0.0)

    def __floordiv__(self, other: Line | float) -> Line:
        return self._combine(np.floor_divide, other)

    def __mod__(self, other: Line | float) -> Line:
        return self._combine(np.mod, other)

    def __pow__(self, other: Line | float) -> Line:
        return self._combine(np.power, other)

    def __lt__(self, other: Line | float) -> Line:
        return self._combine(np.less, other)

    def __le__(self, other: Line | float) -> Line:
        return self._combine(np.less_equal, other)

    def __gt__(self, other: Line | float) -> Line:
        return self._combine(np.greater, other)

    def __ge__(self, other: Line | float) -> Line:
        return self._combine(np.greater_equal, other)

    def __neg__(self) -> Line:
        return self._combine(np.multiply, -1.0)

    def __abs__(self) -> Line:
        from cambist.indicators.arithmetic import absolute

        return absolute(self)

    def __bool__(self) -> NoReturn:
        raise LineError(f"{self.name}: a line is neither true nor false; ask its current value: {self.name}[0]")

    def __float__(self) -> NoReturn:
        raise LineError(f"{self.name}: a line is many numbers; its current one is {self.name}[0]")

    def __iter__(self) -> Iterator[float]:
        raise LineError(f"{self.name}: a line has no end to iterate to; read {self.name}[0], {self.name}[-1], ...")

    def __repr__(self) -> str:
        return f"<Line {self.name}>"


_NOTHING: NDArray[np.float64] = np.empty(0)


def attach(computation: Computation, *inputs: Line) -> tuple[Line, ...]:
    """Make the lines of an indicator over other lines.

    Parameters
    ----------
    computation
        What to compute.
    inputs
        Lines of one series, as many as the computation takes.

    Returns
    -------
    tuple of Line
        One for each output of the computation.

    Raises
    ------
    LineError
        After ``on_start``, for inputs that are no lines, or for lines of different series.
    """
    for line in inputs:
        if not isinstance(line, Line):
            raise LineError(
                f"{computation.name} is made of lines, such as self.data.close, in on_start; got {type(line).__name__}."
            )
    cursor = inputs[0]._cursor  # noqa: SLF001 - this function is the second half of Line
    if len(inputs) > 1 and any(line._cursor is not cursor for line in inputs):  # noqa: SLF001
        raise LineError(
            f"{computation.name}: its lines belong to different series "
            f"({', '.join(line.name for line in inputs)}). Compare their values in on_step instead."
        )
    return cursor.attach(computation, inputs)
