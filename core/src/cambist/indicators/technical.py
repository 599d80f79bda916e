"""TA-Lib's functions as computations: one table entry a function, one wrapper for all of them.

Whole columns go through the batch functions, rows through the stream handles of TA-Lib 0.8, whose values equal
those of the batch functions bit for bit. Two things are added: parameters are checked by name and range, and input
is checked for gaps, because many of TA-Lib's functions answer a NaN in the middle of a column with wrong numbers
and no error. TA-Lib's unstable periods and compatibility modes are process-wide settings and are never touched.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError, ParameterError, did_you_mean
from cambist.indicators.computation import blank, first_known, require_columns, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Parameter", "TalibFunction", "Technical", "TechnicalStream", "period"]

#: TA-Lib's own upper end of every period.
_LONGEST = 100_000

#: Rows turned into Python floats at once: a list of a million floats would cost 32 MB for each input.
_CHUNK = 65_536


@attrs.frozen
class Parameter:
    """One parameter of a function: our name, TA-Lib's name or names for it, and the range that makes sense."""

    name: str
    keywords: tuple[str, ...]
    minimum: float = 1
    maximum: float = _LONGEST
    whole: bool = True

    def check(self, value: Any, indicator: str) -> float:
        """Return the value as a plain int (or float), or raise `ParameterError` with the range."""
        number: float | None = whole_number(value)
        if number is None and not self.whole and isinstance(value, float | np.floating):
            number = float(value)
        if number is not None and self.minimum <= number <= self.maximum:
            return number if self.whole else float(number)
        noun = "a whole number" if self.whole else "a number"
        raise ParameterError(
            f"{indicator}: {self.name} is {value!r}; it must be {noun} from {self.minimum:g} to {self.maximum:,}."
        )


def period(minimum: int = 1, name: str = "period", keyword: str = "timeperiod") -> Parameter:
    """Describe a number of bars."""
    return Parameter(name, (keyword,), minimum)


@attrs.frozen(eq=False)
class TalibFunction:
    """One function of TA-Lib, as a line of a table.

    Attributes
    ----------
    name
        TA-Lib's name of it.
    inputs
        Its columns, in TA-Lib's order; the names appear in messages.
    outputs
        Our names of its results, in TA-Lib's order.
    parameters
        What a caller may set.
    lookback
        From the parameters, in their order, to the rows before the first output.
    fixed
        Keywords that are always passed with one value, since TA-Lib's defaults differ between its versions.
    integer
        Whether TA-Lib returns whole numbers (patterns), with 0 for "not yet known".
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    lookback: Callable[..., int]
    fixed: tuple[tuple[str, Any], ...] = ()
    integer: bool = False

    def __call__(self, **values: Any) -> Technical:
        """Give every parameter its value.

        Raises
        ------
        ParameterError
            For one that is missing, misspelt, of the wrong kind or out of range.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in values:
            if name not in known:
                raise ParameterError(f"{self.name} has no parameter {name!r}.{did_you_mean(name, known)}")
        missing = [name for name in known if name not in values]
        if missing:
            raise ParameterError(f"{self.name} needs a value for {', '.join(missing)}.")
        return Technical(self, tuple(known[name].check(values[name], self.name) for name in known))


@cache
def _talib(name: str) -> tuple[Callable[..., Any], Any]:
    """Return the batch function and the stream class.

    TA-Lib is imported here and not above, because importing it imports pandas as well.
    """
    import talib
    from talib import stream

    return getattr(talib, name), getattr(stream, name)


@attrs.frozen
class Technical:
    """A function of TA-Lib with its parameters; see `cambist.indicators.computation.Computation`."""

    function: TalibFunction
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        """Such as ``"SMA(10)"``."""
        return f"{self.function.name}({', '.join(f'{value:g}' for value in self.values)})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what it computes."""
        return self.function.outputs

    @property
    def lookback(self) -> int:
        """Rows before the first output."""
        return self.function.lookback(*self.values)

    def keywords(self) -> dict[str, Any]:
        """Return every parameter under TA-Lib's own name."""
        pairs = zip(self.function.parameters, self.values, strict=True)
        given = {keyword: value for parameter, value in pairs for keyword in parameter.keywords}
        return given | dict(self.function.fixed)

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns.

        Raises
        ------
        DataError
            For a NaN or an infinity after an input's first value: names the input and the row.
        """
        columns = require_columns(self.name, len(self.function.inputs), inputs)
        starts = [guard_column(self, at, column, started=False, row=0) for at, column in enumerate(columns)]
        unknown = max(starts) + self.lookback
        rows = len(columns[0])
        if rows <= unknown:
            return tuple(blank(rows) for _ in self.outputs)
        results = as_columns(self.function, _talib(self.function.name)[0](*columns, **self.keywords()))
        if self.function.integer:
            for result in results:
                result[:unknown] = np.nan
        return results

    def open(self) -> TechnicalStream:
        """Begin a stream that has seen no row yet."""
        return TechnicalStream(self)


def as_columns(function: TalibFunction, results: Any) -> tuple[NDArray[np.float64], ...]:
    """Return what TA-Lib returned as float64 columns, also where there is one only."""
    columns = results if isinstance(results, tuple) else (results,)
    return tuple(column.astype(np.float64) for column in columns) if function.integer else columns


def guard_column(computation: Technical, at: int, column: NDArray[np.float64], *, started: bool, row: int) -> int:
    """Return the column's first known row; refuse NaN and infinity from there on.

    Parameters
    ----------
    at
        Which input of the computation this is.
    column
        The rows to check, shape ``(k,)``.
    started
        Whether the input has had a value before these rows: no NaN is leading then.
    row
        The row of the series at which the column starts, for the message.
    """
    start = 0 if started else first_known(column)
    sound = np.isfinite(column[start:])
    if not sound.all():
        bad = start + int(sound.argmin())
        raise _gap(computation, at, float(column[bad]), row + bad)
    return start


def _gap(computation: Technical, at: int, value: float, row: int) -> DataError:
    return DataError(
        f"{computation.name}: row {row} of its input {computation.function.inputs[at]!r} is {value}, and TA-Lib would "
        "go silently wrong from there on. Repair or drop the bar; where the input is a line made by division, "
        "keep its divisor from zero."
    )


class TechnicalStream:
    """A `Technical` computation under way: TA-Lib's handle, once there are rows enough to open it."""

    __slots__ = ("_computation", "_handle", "_history", "_integer", "_rows", "_single", "_start", "_started", "_step")

    def __init__(self, computation: Technical) -> None:
        self._computation = computation
        self._single = len(computation.outputs) == 1
        self._integer = computation.function.integer
        self._handle: Any = None
        self._step: Callable[..., Any] | None = None
        inputs = len(computation.function.inputs)
        self._started = [False] * inputs
        #: Rows at which every input is known, while they are too few for a handle.
        self._history: list[NDArray[np.float64]] = [np.empty(0)] * inputs
        #: Rows seen before the handle was opened, and of these the ones before every input was known.
        self._rows = self._start = 0

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take the next rows.

        Raises
        ------
        DataError
            For a NaN or an infinity after an input's first value: names the input and the row.
        """
        computation = self._computation
        columns = require_columns(computation.name, len(self._started), inputs)
        row = self._next_row()
        starts = [
            guard_column(computation, at, column, started=self._started[at], row=row)
            for at, column in enumerate(columns)
        ]
        if self._handle is not None:
            return self._advance(columns)
        start, rows = max(starts), len(columns[0])
        self._started = [begun or first < rows for begun, first in zip(self._started, starts, strict=True)]
        self._rows += rows
        if not len(self._history[0]):
            self._start = row + start
        # A copy, also of a single block: the caller may reuse its arrays.
        self._history = [
            np.concatenate((past, column[start:])) for past, column in zip(self._history, columns, strict=True)
        ]
        outputs = tuple(blank(rows) for _ in computation.outputs)
        results = self._open()
        if results is not None:
            for output, result in zip(outputs, results, strict=True):
                output[start:] = result[len(result) - (rows - start) :]
        return outputs

    def update(self, *values: float) -> tuple[float, ...]:
        """Take one row; for NaN or infinity after an input's first value, `DataError` names the input and the row."""
        step = self._step
        if step is None:
            return tuple(float(column[0]) for column in self.extend(*(np.array([value]) for value in values)))
        for value in values:
            # TA-Lib refuses it as well, but as a bare Exception that names nothing.
            if not isfinite(value):
                at = [isfinite(each) for each in values].index(False)
                raise _gap(self._computation, at, value, self._next_row())
        result = step(*values)
        results = (result,) if self._single else result
        return tuple(map(float, results)) if self._integer else results

    def _next_row(self) -> int:
        """Return the row of the series that comes next; the open handle counts for us."""
        if self._handle is None:
            return self._rows
        begin, count = self._handle.out_range
        return self._start + int(begin) + int(count)

    def _open(self) -> tuple[NDArray[np.float64], ...] | None:
        """Open the handle as soon as there are rows enough; return the outputs of the rows it was opened with."""
        computation = self._computation
        if len(self._history[0]) <= computation.lookback:
            return None
        stream = _talib(computation.function.name)[1]
        self._handle, filled = stream.open_and_fill(*self._history, **computation.keywords())
        self._step = self._handle.update
        self._history = []
        results = as_columns(computation.function, filled)
        if computation.function.integer:
            for result in results:
                result[: computation.lookback] = np.nan
        return results

    def _advance(self, columns: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
        """Take rows by the open handle."""
        rows, width = len(columns[0]), len(self._computation.outputs)
        table = np.empty((rows, width))
        update = self._handle.update
        for begin in range(0, rows, _CHUNK):
            lists = [column[begin : begin + _CHUNK].tolist() for column in columns]
            answers = map(update, *lists)
            numbers = answers if width == 1 else chain.from_iterable(answers)
            part = np.fromiter(numbers, np.float64, count=width * len(lists[0]))
            table[begin : begin + _CHUNK] = part.reshape(-1, width)
        return tuple(np.ascontiguousarray(table[:, at]) for at in range(width))
