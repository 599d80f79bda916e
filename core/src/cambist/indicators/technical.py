"""TA-Lib's functions as computations: one table entry a function, one wrapper for all of them.

Whole columns go through the batch functions, rows through the stream handles of TA-Lib 0.8, whose values equal
those of the batch functions bit for bit. Two things are added: parameters are checked by name and range, and input
is checked for gaps, because many of TA-Lib's functions answer a NaN in the middle of a column with wrong numbers
and no error. TA-Lib's unstable periods and compatibility modes are process-wide settings and are never touched.
"""

from __future__ import annotations

from copy import copy
from functools import cache, lru_cache, partial
from itertools import chain
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from cambist.errors import DataError, ParameterError, did_you_mean
from cambist.indicators.computation import blank, first_known, require_columns, whole_number
from cambist.indicators.soundness import all_finite, remember_sound, sound_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

    from numpy.typing import NDArray

    from cambist.indicators.program import Program


__all__ = ["AVERAGES", "Parameter", "TalibFunction", "Technical", "TechnicalStream", "load"]

#: Rows turned into Python floats at once: a list of a million floats would cost 32 MB for each input.
_CHUNK = 65_536

#: Rows whose places are turned into bars since at once: they stay in the processor's cache.
_ROWS = np.arange(16_384, dtype=np.int32)
_FLOAT = np.dtype(np.float64)

#: The kinds of moving averages, in TA-Lib's order; it has other uses for two of the numbers.
AVERAGES = ("sma", "ema", "wma", "dema", "tema", "trima", "kama", "mama", "t3", "hma", "", "", "zlema", "rma")


@attrs.frozen
class Parameter:
    """One parameter of a function.

    Attributes
    ----------
    name
        Ours.
    keywords
        TA-Lib's name for it; several where one value of ours stands for them all.
    default
        Whole numbers, numbers, or the name of a moving average; the kind of the default is that of the parameter.
    minimum, maximum
        Of a number.
    """

    name: str
    keywords: tuple[str, ...]
    default: int | float | str
    minimum: float = -inf
    maximum: float = inf

    def check(self, value: Any, indicator: str) -> float | str:
        """Return the value as a plain int, float or str, or raise `ParameterError` with what may be."""
        if isinstance(self.default, str):
            if value in AVERAGES and value != "":
                return str(value)
            names = ", ".join(filter(None, AVERAGES))
            raise ParameterError(f"{indicator}: {self.name} is {value!r}; it must be one of {names}.")
        whole = isinstance(self.default, int)
        number: float | None = whole_number(value)
        if number is None and not whole and isinstance(value, float | np.floating):
            number = float(value)
        if number is not None and self.minimum <= number <= self.maximum and isfinite(number):
            return number if whole else float(number)
        noun = "a whole number" if whole else "a number"
        raise ParameterError(f"{indicator}: {self.name} is {value!r}; it must be {noun}{self.range}.")

    @property
    def written(self) -> str:
        """Return the default as a program writes it."""
        return f'"{self.default}"' if isinstance(self.default, str) else repr(self.default)

    @property
    def range(self) -> str:
        """Return the range in words, with a space before it; ``""`` where every number will do."""
        least = "" if self.minimum == -inf else f" from {_plain(self.minimum)}"
        greatest = "" if self.maximum == inf else f" to {_plain(self.maximum)}"
        return f"{least}{greatest}" if least or not greatest else f" up{greatest}"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:g}"


@attrs.frozen(eq=False)
class TalibFunction:
    """One function of TA-Lib.

    Attributes
    ----------
    name, title, group
        TA-Lib's name of it, what it is called, and what it belongs to.
    inputs
        Its columns, in TA-Lib's order; the names appear in messages.
    outputs
        Our names of its results, in TA-Lib's order.
    parameters
        What a caller may set.
    kind
        ``"real"``; ``"whole"`` where TA-Lib returns whole numbers, with 0 for "not yet known"; ``"position"`` where it
        returns places in a column, which become the number of bars since.
    """

    name: str
    title: str
    group: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    kind: str = "real"

    def __call__(self, **values: Any) -> Technical:
        """Give every parameter its value; those that are not named keep their default.

        Raises
        ------
        ParameterError
            For one that is misspelt, of the wrong kind or out of range.
        """
        key = (self, *[(name, type(value), value) for name, value in values.items()])
        try:
            made = _MADE.get(key)
        except TypeError:  # a value that is no number at all, and is told below
            made = None
        if made is not None:
            return made
        made = self._checked(values)
        if len(_MADE) >= _MOST_MADE:
            _MADE.clear()
        _MADE[key] = made
        return made

    def _checked(self, values: Mapping[str, Any]) -> Technical:
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in values:
            if name not in known:
                raise ParameterError(f"{self.name} has no parameter {name!r}.{did_you_mean(name, known)}")
        checked = tuple(one.check(values.get(one.name, one.default), self.name) for one in self.parameters)
        computation = Technical(self, checked)
        given: dict[str, Any] = dict(zip(known, checked, strict=True))
        if self.name in _FASTER and not given["fast"] < given["slow"]:
            told = f"fast is {given['fast']} and slow is {given['slow']}"
            raise ParameterError(f"{self.name}: {told}; the fast average must span fewer bars.")
        return computation


#: What was asked for before, by function and values: a sweep asks for the same ones thousands of times.
_MADE: dict[tuple[Any, ...], Technical] = {}
_MOST_MADE = 4096
#: TA-Lib would swap the two without a word.
_FASTER = frozenset({"AC", "AO", "APO", "MACD", "MACDEXT", "PPO", "PVO"})


@cache
def _talib(name: str) -> tuple[Callable[..., Any], Any]:
    """Return the batch function and the stream class.

    TA-Lib is imported here and not above, because importing it imports pandas as well.
    """
    import talib
    from talib import stream

    # TA-Lib wraps each function in one that looks for columns of pandas and polars, which ours never are.
    function = getattr(talib, name)
    return getattr(function, "__wrapped__", function), getattr(stream, name)


def load() -> None:
    """Import TA-Lib, which takes its time and else happens when the first number is wanted."""
    _talib("SMA")


@lru_cache(maxsize=4096)
def _lookback(computation: Technical) -> int:
    """Return TA-Lib's own lookback."""
    from talib import abstract

    function: Any = abstract.Function(computation.function.name)  # type: ignore[attr-defined]
    keywords = computation.keywords()
    if keywords:
        function.parameters = keywords
    lookback = int(function.lookback)
    if lookback < 0:
        names = ", ".join(one.name for one in computation.function.parameters)
        raise ParameterError(f"{computation.name}: TA-Lib does not take these values of {names} together.")
    return lookback


class _Prepared(NamedTuple):
    """What each call needs."""

    function: Callable[..., Any]
    keywords: dict[str, Any]
    lookback: int
    kind: str
    inputs: int
    name: str


@attrs.frozen
class Technical:
    """A function of TA-Lib with its parameters; see `cambist.indicators.computation.Computation`."""

    function: TalibFunction
    values: tuple[float | str, ...]
    _prepared: _Prepared | None = attrs.field(default=None, init=False, eq=False, repr=False)

    @property
    def name(self) -> str:
        """Such as ``"SMA(10)"``."""
        if self._prepared is not None:
            return self._prepared.name
        values = (value if isinstance(value, str) else f"{value:g}" for value in self.values)
        return f"{self.function.name}({', '.join(values)})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what it computes."""
        return self.function.outputs

    @property
    def lookback(self) -> int:
        """Rows before the first output, as TA-Lib counts them.

        Raises
        ------
        ParameterError
            For values that TA-Lib does not take together.
        """
        return _lookback(self)

    def keywords(self) -> dict[str, Any]:
        """Return every parameter under TA-Lib's own name."""
        pairs = zip(self.function.parameters, self.values, strict=True)
        return {
            keyword: AVERAGES.index(value) if isinstance(value, str) else value
            for parameter, value in pairs
            for keyword in parameter.keywords
        }

    def _prepare(self) -> _Prepared:
        function = self.function
        call, count = _talib(function.name)[0], len(function.inputs)
        prepared = _Prepared(call, self.keywords(), self.lookback, function.kind, count, self.name)
        object.__setattr__(self, "_prepared", prepared)
        return prepared

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns.

        Raises
        ------
        DataError
            For a NaN or an infinity after an input's first value: names the input and the row.
        """
        call, keywords, lookback, kind, count, _ = self._prepared or self._prepare()
        columns: Sequence[NDArray[np.float64]] = inputs
        start = sound_from(inputs) if len(inputs) == count else None
        if start is None:
            columns = require_columns(self.name, count, inputs)
            start = max(guard_column(self, at, column, started=False, row=0) for at, column in enumerate(columns))
        rows = len(columns[0])
        if rows <= start + lookback:
            return tuple(blank(rows) for _ in self.outputs)
        if not start:
            return as_columns(kind, lookback, call(*columns, **keywords))
        # TA-Lib looks for leading NaN itself, and some of its functions then miscount their outputs.
        results = as_columns(kind, lookback, call(*(column[start:] for column in columns), **keywords))
        return tuple(np.concatenate((blank(start), result)) for result in results)

    def open(self) -> TechnicalStream:
        """Begin a stream that has seen no row yet."""
        return TechnicalStream(self)


def as_columns(kind: str, lookback: int, results: Any) -> tuple[NDArray[np.float64], ...]:
    """Return what TA-Lib returned as float64 columns, also where there is one only; NaN where nothing is known."""
    columns = results if isinstance(results, tuple) else (results,)
    if kind == "real":
        return columns
    floats = []
    for numbers in columns:
        if numbers.dtype is _FLOAT:
            column = numbers
        else:
            column = _bars_since(numbers) if kind == "position" else numbers.astype(_FLOAT)
        column[:lookback] = nan
        floats.append(column)
    return tuple(floats)


def _bars_since(places: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return how many bars ago each place of a column was."""
    count = len(_ROWS)
    if len(places) <= count:
        return (_ROWS[: len(places)] - places).astype(_FLOAT)
    since = np.empty(len(places))
    for start in range(0, len(places), count):
        part = places[start : start + count]
        since[start : start + count] = _ROWS[: len(part)] + start - part
    return since


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
    known = sound_from((column,))
    start = 0 if started else first_known(column) if known is None else known
    if known is not None and known <= start:
        return start
    rest = column[start:] if start else column
    if not all_finite(rest):
        bad = start + int(np.isfinite(rest).argmin())
        raise _gap(computation, at, float(column[bad]), row + bad)
    remember_sound(column, start)
    return start


def _gap(computation: Technical, at: int, value: float, row: int) -> DataError:
    return DataError(
        f"{computation.name}: row {row} of its input {computation.function.inputs[at]!r} is {value}, and TA-Lib would "
        "go silently wrong from there on. Repair or drop the bar; where the input is a line made by division, "
        "keep its divisor from zero."
    )


class TechnicalStream:
    """A `Technical` computation under way: TA-Lib's handle, once there are rows enough to open it."""

    __slots__ = (
        *("_computation", "_handle", "_history", "_kind", "_newest", "_rows", "_single", "_start", "_started", "_step"),
    )

    def __init__(self, computation: Technical) -> None:
        self._computation = computation
        self._single = len(computation.outputs) == 1
        self._kind = computation.function.kind
        self._handle: Any = None
        self._step: Callable[..., Any] | None = None
        inputs = len(computation.function.inputs)
        self._started = [False] * inputs
        #: Rows at which every input is known, while they are too few for a handle.
        self._history: list[NDArray[np.float64]] = [np.empty(0)] * inputs
        #: The newest row that the handle has seen, of those at which every input was known.
        self._newest = [-1]
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
                self._refuse([isfinite(each) for each in values].index(False), value)
        result = step(*values)
        results = (result,) if self._single else result
        if self._kind == "real":
            return results
        if self._kind == "position":
            newest = self._newest[0] = self._newest[0] + 1
            results = [newest - one for one in results]
        return tuple(map(float, results))

    @property
    def is_settled(self) -> bool:
        """Whether there is a handle."""
        return self._handle is not None

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        """Write the call of the handle, and what becomes of numbers that it would not take."""
        for at, name in enumerate(inputs):
            if name not in program.finite:
                program.finite.add(name)
                with program.block(f"if not isfinite({name}):"):
                    program.line(f"{program.bind(partial(self._refuse, at))}({name})")
        outputs = [program.name() for _ in self._computation.outputs]
        program.line(f"{', '.join(outputs)} = {program.bind(self._step)}({', '.join(inputs)})")
        if self._kind == "position":
            newest = program.keep(self._newest)
            program.line(f"{newest}[0] += 1")
            for name in outputs:
                program.line(f"{name} = {newest}[0] - {name}")
        if self._kind != "real":
            for name in outputs:
                program.line(f"{name} = float({name})")
        return outputs

    def _refuse(self, at: int, value: float) -> NoReturn:
        raise _gap(self._computation, at, value, self._next_row())

    def fork(self) -> TechnicalStream:
        """Return a stream that goes on where this one stands, and leaves it there."""
        twin = copy(self)
        if self._handle is not None:
            twin._begin(self._handle.copy())  # noqa: SLF001 - it is one of us
        twin._newest = [*self._newest]  # noqa: SLF001
        return twin

    def _begin(self, handle: Any) -> None:
        self._handle = handle
        self._step = handle.update

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
        handle, filled = stream.open_and_fill(*self._history, **computation.keywords())
        self._begin(handle)
        self._newest = [len(self._history[0]) - 1]
        self._history = []
        return as_columns(self._kind, computation.lookback, filled)

    def _advance(self, columns: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
        """Take rows by the open handle."""
        rows, width = len(columns[0]), len(self._computation.outputs)
        table = np.empty((rows, width))
        first = self._next_row() - self._start
        update = self._handle.update
        for begin in range(0, rows, _CHUNK):
            lists = [column[begin : begin + _CHUNK].tolist() for column in columns]
            answers = map(update, *lists)
            numbers = answers if width == 1 else chain.from_iterable(answers)
            part = np.fromiter(numbers, np.float64, count=width * len(lists[0]))
            table[begin : begin + _CHUNK] = part.reshape(-1, width)
        self._newest[0] += rows
        if self._kind == "position":
            table = np.arange(first, first + rows)[:, None] - table
        return tuple(np.ascontiguousarray(table[:, at]) for at in range(width))
