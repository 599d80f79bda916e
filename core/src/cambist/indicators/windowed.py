"""Formulas over the last bars, written once for whole columns and for single rows.

A formula is given the window as a list, oldest first, and only combines its entries. Over whole columns the entries are
columns, each delayed by a bar more than the next; live they are numbers. It is one function with one order of
operations, so both ways round alike: the same bits, at the speed of NumPy over columns and of plain floats over rows.
"""

from __future__ import annotations

from copy import copy, deepcopy
from functools import partial
from math import isnan, nan, sqrt
from typing import TYPE_CHECKING, Any, Protocol, cast

import attrs
import numpy as np

from cambist.errors import LineError, ParameterError
from cambist.indicators.computation import blank, first_known, require_columns, whole_number
from cambist.indicators.lines import Line, attach
from cambist.indicators.program import Program, WrittenStream, log10_of
from cambist.indicators.written_windows import Window, new_window, row_function, write_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cambist.indicators.computation import Computation, Stream
    from cambist.indicators.running import Running

__all__ = [
    "Arithmetic",
    "Chained",
    "Windowed",
    "check_number",
    "check_period",
    "mean_of",
    "price_of",
    "sum_of",
    "where",
    "windowed",
]

#: Rows computed at once: what a formula keeps of them stays in the processor's cache.
_CHUNK = 16_384


class Arithmetic(Protocol):
    """What a formula needs beyond operators, for columns and for numbers."""

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Choose."""
        ...

    def divide(self, a: Any, b: Any, otherwise: float) -> Any:
        """Divide, with an answer for a divisor of zero."""
        ...

    def sqrt(self, a: Any) -> Any:
        """Take the root of what is not negative."""
        ...

    def log10(self, values: Sequence[Any]) -> Sequence[Any]:
        """Take the logarithm of each; of zero it is minus infinity."""
        ...


class _Columns:
    """Arithmetic of columns."""

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        return np.where(condition, yes, no)

    @staticmethod
    def divide(a: Any, b: Any, otherwise: float) -> Any:
        return np.where(b == 0, otherwise, a / b)

    @staticmethod
    def sqrt(a: Any) -> Any:
        return np.sqrt(a)

    @staticmethod
    def log10(values: Sequence[Any]) -> Sequence[Any]:
        return [np.log10(one) for one in values]


class _Numbers:
    """The same of Python floats."""

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        return yes if condition else no

    @staticmethod
    def divide(a: Any, b: Any, otherwise: float) -> Any:
        return otherwise if b == 0 else a / b

    @staticmethod
    def sqrt(a: Any) -> Any:
        return sqrt(a) if a >= 0 else nan

    @staticmethod
    def log10(values: Sequence[Any]) -> Sequence[Any]:
        return log10_of(values)


_COLUMNS: Arithmetic = _Columns()
_NUMBERS: Arithmetic = _Numbers()


@attrs.frozen(eq=False)
class Windowed:
    """A formula over the last `period` rows; see `cambist.indicators.computation.Computation`.

    Attributes
    ----------
    formula
        Takes an `Arithmetic`, a window for each input (a list of `period` columns or numbers, oldest first) and the
        parameters; returns a value, or a tuple of them.
    period
        Rows of a window; the lookback is one less.
    count
        Inputs.
    running
        For one input and one output: makes what gives the same numbers row by row, at a cost that hardly grows with the
        window; see `cambist.indicators.running`.

    Notes
    -----
    A window that holds a NaN gives NaN.
    """

    name: str
    formula: Callable[..., Any]
    period: int
    count: int = 1
    outputs: tuple[str, ...] = ("value",)
    parameters: tuple[Any, ...] = ()
    running: Callable[[], Running] | None = None

    @property
    def lookback(self) -> int:
        """One row less than the window has."""
        return self.period - 1

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation`."""
        columns = require_columns(self.name, self.count, inputs)
        outputs = tuple(blank(len(columns[0])) for _ in self.outputs)
        start = max(map(first_known, columns))
        self._fill([column[start:] for column in columns], [output[start:] for output in outputs])
        return outputs

    def _fill(self, columns: Sequence[NDArray[np.float64]], outputs: Sequence[NDArray[np.float64]]) -> None:
        """Write the values of all full windows."""
        period, rows = self.period, len(columns[0]) - self.period + 1
        for begin in range(0, rows, _CHUNK):
            length = min(_CHUNK, rows - begin)
            windows = [[one[begin + at : begin + at + length] for at in range(period)] for one in columns]
            with np.errstate(all="ignore"):
                results = self._results(_COLUMNS, windows)
            for output, result in zip(outputs, results, strict=True):
                output[begin + period - 1 : begin + period - 1 + length] = result
        for column in columns:
            for row in np.flatnonzero(np.isnan(column)):
                for output in outputs:
                    output[row : row + period] = nan

    def _results(self, arithmetic: Arithmetic, windows: Sequence[Any]) -> tuple[Any, ...]:
        result = self.formula(arithmetic, *windows, *self.parameters)
        return result if isinstance(result, tuple) else (result,)

    def new_running(self) -> Running | None:
        """Return what carries the value from row to row, where there is such a thing."""
        return None if self.running is None or self.period == 1 else self.running()

    def open(self) -> _WindowedStream:
        """Begin a stream that has seen no row yet."""
        return _WindowedStream(self)


class _WindowedStream:
    """Keeps the last rows."""

    __slots__ = ("_computation", "_gap", "_move", "_running", "_started", "_unknown", "_windows")

    def __init__(self, computation: Windowed) -> None:
        self._computation = computation
        self._started = [False] * computation.count
        self._windows: list[Window] = [new_window(computation.period) for _ in range(computation.count)]
        #: Rows to come in whose windows there is a NaN, in a list which programs write to as well.
        self._gap = [0]
        self._unknown = (nan,) * len(computation.outputs)
        self._running = computation.new_running()
        #: What takes a row, once the windows are full.
        self._move: Callable[..., tuple[float, ...]] | None = None

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        computation = self._computation
        columns = require_columns(computation.name, computation.count, inputs)
        rows = len(columns[0])
        starts = [0 if begun else first_known(column) for begun, column in zip(self._started, columns, strict=True)]
        self._started = [begun or start < rows for begun, start in zip(self._started, starts, strict=True)]
        start = max(starts)
        outputs = tuple(blank(rows) for _ in computation.outputs)
        known = rows - start
        if not known:
            return outputs
        kept = min(len(self._windows[0]), computation.period - 1)
        joined = [
            np.concatenate((list(window)[len(window) - kept :], column[start:]))
            for window, column in zip(self._windows, columns, strict=True)
        ]
        whole = [blank(kept + known) for _ in outputs]
        computation._fill(joined, whole)  # noqa: SLF001 - the two are one thing
        for output, result in zip(outputs, whole, strict=True):
            output[start:] = result[kept:]
        if self._running is not None:
            self._running.forget()
        for window, column in zip(self._windows, columns, strict=True):
            window.extend(column[start:][-computation.period :].tolist())
            for _ in range(len(window) - computation.period):
                del window[0]
        gaps = [np.flatnonzero(np.isnan(column[start:])) for column in columns]
        newest = max((int(gap[-1]) + 1 for gap in gaps if len(gap)), default=0)
        self._gap[0] = max(0, self._gap[0] - known, computation.period - 1 - (known - newest) if newest else 0)
        return outputs

    def update(self, *values: float) -> tuple[float, ...]:
        if self._move is not None:
            return self._move(*values)
        if len(self._windows[0]) == self._computation.period:
            self._begin()
            return self.update(*values)
        return tuple(float(column[0]) for column in self.extend(*(np.array([value]) for value in values)))

    def _begin(self) -> None:
        move = row_function(self._computation)
        if move is None:
            self._move = self._by_formula
        else:
            running = () if self._running is None else (self._running.move,)
            self._move = partial(move, *self._windows, self._gap, *running)

    def _by_formula(self, *values: float) -> tuple[float, ...]:
        """Take a row by the formula itself, where it cannot be written."""
        if not self._take(values):
            return self._unknown
        computation = self._computation
        windows = list(map(list, self._windows))
        try:
            return tuple(map(float, computation._results(_NUMBERS, windows)))  # noqa: SLF001 - the two are one thing
        except ZeroDivisionError:
            # Rare, so it may be slow: an array answers as IEEE 754 has it.
            with np.errstate(all="ignore"):
                arrays = [[np.array([one]) for one in window] for window in windows]
                return tuple(float(np.ravel(one)[0]) for one in computation._results(_COLUMNS, arrays))  # noqa: SLF001

    def _take(self, values: Sequence[float]) -> bool:
        """Append a row; tell whether the windows hold no NaN."""
        gap = self._gap[0]
        for window, value in zip(self._windows, values, strict=True):
            window.append(value)
            del window[0]
            if value != value:  # noqa: PLR0124
                gap = self._computation.period
        self._gap[0] = max(0, gap - 1)
        return not gap

    @property
    def is_settled(self) -> bool:
        computation = self._computation
        return len(self._windows[0]) == computation.period and row_function(computation) is not None

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        return write_window(self._computation, program, (self._windows, self._gap, self._running), inputs)

    def fork(self) -> _WindowedStream:
        twin = copy(self)
        windows, gap = [window.copy() for window in self._windows], [*self._gap]
        twin._windows, twin._gap, twin._move = windows, gap, None  # noqa: SLF001 - it is one of us
        twin._running = deepcopy(self._running)  # noqa: SLF001
        return twin


@attrs.frozen(eq=False)
class Chained:
    """A computation of one output, and another over that; see `cambist.indicators.computation.Computation`."""

    first: Computation
    second: Computation
    name: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """Those of the second."""
        return self.second.outputs

    @property
    def lookback(self) -> int:
        """Rows that both need."""
        return self.first.lookback + self.second.lookback

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation`."""
        return self.second.batch(*self.first.batch(*inputs))

    def open(self) -> _ChainedStream:
        """Begin a stream that has seen no row yet."""
        return _ChainedStream(self.first.open(), self.second.open())


class _ChainedStream:
    """Passes what the first gives to the second."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Stream, second: Stream) -> None:
        self._first, self._second = first, second

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        return self._second.extend(*self._first.extend(*inputs))

    def update(self, *values: float) -> tuple[float, ...]:
        return self._second.update(*self._first.update(*values))

    @property
    def is_settled(self) -> bool:
        return all(isinstance(one, WrittenStream) and one.is_settled for one in (self._first, self._second))

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        first, second = cast("WrittenStream", self._first), cast("WrittenStream", self._second)
        return second.write(program, first.write(program, inputs))


def windowed(computation: Computation, *lines: Line) -> Line:
    """Make the one line of a formula."""
    return attach(computation, *lines)[0]


def sum_of(values: Sequence[Any]) -> Any:
    """Add from the left: the built-in ``sum`` rounds floats otherwise from Python 3.12 on."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def mean_of(values: Sequence[Any]) -> Any:
    """Add from the left, and divide."""
    return sum_of(values) / len(values)


def _choose(arithmetic: Arithmetic, condition: list[Any], yes: list[Any], no: list[Any]) -> Any:
    return arithmetic.where(condition[0] != 0, yes[0], no[0])


def _choose_number(arithmetic: Arithmetic, condition: list[Any], yes: list[Any], no: float) -> Any:
    return arithmetic.where(condition[0] != 0, yes[0], no)


def where(condition: Line, yes: Line, no: Line | float) -> Line:
    """Return `yes` on the bars where the condition is not zero, `no` on the others; NaN where an input is NaN.

    Parameters
    ----------
    condition
        A line, such as a comparison.
    yes, no
        Lines; `no` may be a number. Lookback 0.
    """
    if isinstance(no, Line):
        return windowed(Windowed("where", _choose, 1, 3), condition, yes, no)
    return windowed(Windowed("where", _choose_number, 1, 2, parameters=(float(no),)), condition, yes)


# What a caller gives.


def price_of(data: Any) -> Line:
    """Return a line as it is, and the close of a series.

    Raises
    ------
    LineError
        For anything else.
    """
    line = data if isinstance(data, Line) else getattr(data, "close", None)
    if not isinstance(line, Line):
        raise LineError(f"an indicator is made of lines, such as self.data.close; got {type(data).__name__}.")
    return line


def check_period(name: str, value: Any, least: int = 1, parameter: str = "period") -> int:
    """Return a number of bars as an int.

    Raises
    ------
    ParameterError
        For one that is no whole number, or below `least` or above 100,000.
    """
    number = whole_number(value)
    if number is None or not least <= number <= 100_000:
        raise ParameterError(f"{name}: {parameter} is {value!r}; it must be a whole number from {least} to 100,000.")
    return number


def check_number(name: str, value: Any, parameter: str, least: float, greatest: float) -> float:
    """Return a number as a float.

    Raises
    ------
    ParameterError
        For one that is no number, or out of range.
    """
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool) and not isnan(value)
    if not good or not least <= value <= greatest:
        raise ParameterError(f"{name}: {parameter} is {value!r}; it must be a number from {least:g} to {greatest:g}.")
    return float(value)
