"""Arithmetic, comparison and delay of lines: what the operators of `Line` are made of.

Nothing here checks for NaN or infinity: a quotient may have them, and passes them on.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from math import isnan, nan
from numbers import Real
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import LineError, LookAheadError, ParameterError
from cambist.indicators.computation import require_columns, whole_number
from cambist.indicators.lines import Line, attach
from cambist.indicators.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Delay", "Elementwise", "absolute", "combine", "delay", "maximum", "minimum"]


#: How Python says a ufunc for one row, where IEEE 754 leaves one answer only: ten times faster than a ufunc on a float,
#: and the same bits. Powers and the like are rounded differently by different loops, so they go through the ufunc.
_PYTHON: dict[np.ufunc, str] = {
    np.add: "{0} + {1}",
    np.subtract: "{0} - {1}",
    np.multiply: "{0} * {1}",
    np.divide: "{0} / {1} if {1} else divide({0}, {1})",
    np.greater: "1.0 if {0} > {1} else 0.0 if {0} <= {1} else nan",
    np.greater_equal: "1.0 if {0} >= {1} else 0.0 if {0} < {1} else nan",
    np.less: "1.0 if {0} < {1} else 0.0 if {0} >= {1} else nan",
    np.less_equal: "1.0 if {0} <= {1} else 0.0 if {0} > {1} else nan",
    np.equal: "nan if {0} != {0} or {1} != {1} else 1.0 if {0} == {1} else 0.0",
    np.logical_and: "nan if {0} != {0} or {1} != {1} else 1.0 if {0} and {1} else 0.0",
    np.logical_or: "nan if {0} != {0} or {1} != {1} else 1.0 if {0} or {1} else 0.0",
    np.absolute: "abs({0})",
    np.negative: "-{0}",
    # Of two zeros it depends on the processor which is greater.
    np.maximum: "{0} if {0} > {1} else {1} if {1} > {0} else {2}",
    np.minimum: "{0} if {0} < {1} else {1} if {1} < {0} else {2}",
}

#: Ufuncs by which NaN becomes NaN without our doing. Not so ``power(nan, 0)``, which is 1, or any comparison.
_SPREADING = frozenset({np.add, np.subtract, np.multiply, np.divide, np.absolute, np.negative, np.maximum, np.minimum})


@attrs.frozen
class Elementwise:
    """A numpy ufunc, row by row, over one or two inputs or one input and a constant.

    Parameters
    ----------
    ufunc
        Takes one or two numbers, returns one number, or true and false: then 1.0 and 0.0. Division by zero gives
        infinity or NaN, as IEEE 754 has it, without a warning.
    constant
        The other operand, for a ufunc of two; never NaN.
    constant_first
        Whether the constant is the first operand.

    Notes
    -----
    Lookback 0. A row is NaN where an input is NaN, also for comparisons and for ``nan ** 0``.
    """

    ufunc: np.ufunc
    constant: float | None = None
    constant_first: bool = False
    count: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Check that the ufunc fits."""
        count = self.ufunc.nin - (self.constant is not None)
        if self.ufunc.nout != 1 or self.ufunc.nin > 2 or count < 1:
            raise ParameterError(
                f"{self.ufunc.__name__} cannot be computed row by row here: it takes {self.ufunc.nin} and returns "
                f"{self.ufunc.nout}. Use one that takes one or two numbers and returns one."
            )
        if self.constant is not None and isnan(self.constant):
            raise ParameterError(f"{self.ufunc.__name__}: its constant is NaN, and so would be the whole line.")
        object.__setattr__(self, "count", count)

    @property
    def name(self) -> str:
        """The ufunc's name, with the constant if there is one."""
        if self.constant is None:
            return self.ufunc.__name__
        parts = (f"{self.constant:g}", "line") if self.constant_first else ("line", f"{self.constant:g}")
        return f"{self.ufunc.__name__}({', '.join(parts)})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """One output."""
        return ("value",)

    @property
    def lookback(self) -> int:
        """No row is needed before."""
        return 0

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation`."""
        columns = require_columns(self.name, self.count, inputs)
        with np.errstate(all="ignore"):
            result = self.ufunc(*self._operands(columns))
        if self.ufunc in _SPREADING:
            return (result,)
        values: NDArray[np.float64] = result.astype(np.float64)
        for column in columns:
            values[np.isnan(column)] = nan
        return (values,)

    def _operands(self, columns: list[Any]) -> list[Any]:
        if self.constant is None:
            return columns
        return [self.constant, *columns] if self.constant_first else [*columns, self.constant]

    def by_array(self, *values: float) -> float:
        """Compute one row by the ufunc."""
        # Arrays of one row, not numbers: numpy takes another way for those, and ends with other bits for powers.
        if any(map(isnan, values)):
            return nan
        with np.errstate(all="ignore"):
            return float(self.ufunc(*self._operands([np.array([value]) for value in values]))[0])

    def open(self) -> _ElementwiseStream:
        """Begin a stream that has seen no row yet."""
        return _ElementwiseStream(self)


class _ElementwiseStream:
    """Remembers nothing."""

    __slots__ = ("_computation", "_move", "extend")

    is_settled = True

    def __init__(self, computation: Elementwise) -> None:
        self._computation = computation
        self.extend = computation.batch
        self._move = _row_of(computation)

    def update(self, *values: float) -> tuple[float, ...]:
        return (self._move(*values),)

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        return [program.let(_expression(self._computation, program, inputs))]

    def fork(self) -> _ElementwiseStream:
        return self


def _expression(computation: Elementwise, program: Program, inputs: Sequence[str]) -> str:
    """Return how Python says a row, with the bits of whole columns."""
    constant = () if computation.constant is None else (program.number(computation.constant),)
    operands = [*constant, *inputs] if computation.constant_first else [*inputs, *constant]
    text = _PYTHON.get(computation.ufunc)
    by_array = "" if text and "{2}" not in text else f"{program.bind(computation.by_array)}({', '.join(inputs)})"
    return text.format(*operands, by_array) if text else by_array


@lru_cache(maxsize=1024)
def _row_of(computation: Elementwise) -> Callable[..., float]:
    program = Program()
    names = ["a", "b"][: computation.count]
    program.line(f"return {_expression(computation, program, names)}")
    return program.function(names)


@attrs.frozen
class Delay:
    """The value of so many bars ago.

    Parameters
    ----------
    bars
        Zero or more. Lookback: as many.
    """

    bars: int

    def __attrs_post_init__(self) -> None:
        """Check that the delay is one."""
        bars = whole_number(self.bars)
        if bars is None:
            raise ParameterError(f"delay: bars is {self.bars!r}; it must be a whole number.")
        if bars < 0:
            raise LookAheadError(f"delay: bars is {self.bars}, which asks for a bar that has not closed yet.")

    @property
    def name(self) -> str:
        """Such as ``"delay(1)"``."""
        return f"delay({self.bars})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """One output."""
        return ("value",)

    @property
    def lookback(self) -> int:
        """As many rows as the delay."""
        return int(self.bars)

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation`."""
        return self.open().extend(*inputs)

    def open(self) -> _DelayStream:
        """Begin a stream that has seen no row yet."""
        return _DelayStream(self)


class _DelayStream:
    """Keeps the last rows, of which the oldest is the next to come out."""

    __slots__ = ("_computation", "_rows")

    is_settled = True

    def __init__(self, computation: Delay) -> None:
        self._computation = computation
        self._rows = deque([nan] * computation.lookback)

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        (column,) = require_columns(self._computation.name, 1, inputs)
        joined = np.concatenate((self._rows, column))
        self._rows.clear()
        self._rows.extend(joined[len(column) :].tolist())
        return (joined[: len(column)],)

    def update(self, *values: float) -> tuple[float, ...]:
        (value,) = values
        self._rows.append(value)
        return (self._rows.popleft(),)

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        rows = program.keep(self._rows)
        program.line(f"{rows}.append({inputs[0]})")
        return [program.let(f"{rows}.popleft()")]


def combine(ufunc: np.ufunc, first: Line | float, second: Line | float) -> Line:
    """Make the line of a ufunc over two lines, or a line and a number.

    Raises
    ------
    LineError
        For operands that are neither lines nor numbers, for two numbers, for lines of different series, or after
        ``on_start``.
    ParameterError
        For NaN as a number.
    """
    lines, constant, constant_first = split_operands(ufunc.__name__, first, second)
    return attach(_elementwise(ufunc, constant, constant_first, str(constant)), *lines)[0]


@lru_cache(maxsize=1024)
def _elementwise(ufunc: np.ufunc, constant: float | None, constant_first: bool, _text: str) -> Elementwise:
    """Return a computation; by the text of its constant as well, since the two zeros are equal."""
    return Elementwise(ufunc, constant, constant_first)


#: What operands nearly always are: asking whether something is a number in any other way takes longer.
_OPERANDS = frozenset({Line, int, float})


def split_operands(name: str, first: Any, second: Any) -> tuple[list[Line], float | None, bool]:
    """Return the lines among two operands, the number if there is one, and whether the number comes first.

    Raises
    ------
    LineError
        For operands that are neither lines nor numbers, and for two numbers.
    """
    for operand in (first, second):
        if type(operand) not in _OPERANDS and not isinstance(operand, Line | Real):
            raise LineError(
                f"{name} combines lines, such as self.data.close, and numbers, in on_start; "
                f"got {type(operand).__name__}."
            )
    if isinstance(first, Line):
        return ([first, second], None, False) if isinstance(second, Line) else ([first], float(second), False)
    if isinstance(second, Line):
        return [second], float(first), True
    raise LineError(f"{name} got two numbers, {first!r} and {second!r}; one must be a line, such as self.data.close.")


def delay(line: Line, bars: int = 1) -> Line:
    """Return the line of the values `bars` bars ago, 0 or more. Lookback: `bars`.

    Raises
    ------
    LookAheadError
        For a negative delay.
    ParameterError
        For one that is no whole number.
    LineError
        For an input that is no line, or after ``on_start``.
    """
    return attach(Delay(bars), line)[0]


def absolute(line: Line) -> Line:
    """Return the line without its sign: what ``abs(line)`` makes. Lookback 0."""
    return attach(Elementwise(np.absolute), line)[0]


def maximum(first: Line | float, second: Line | float) -> Line:
    """Return the greater of two lines, or of a line and a number, on each bar; NaN where one is NaN. Lookback 0.

    Raises
    ------
    LineError
        As for `combine`.
    """
    return combine(np.maximum, first, second)


def minimum(first: Line | float, second: Line | float) -> Line:
    """Return the lesser of two lines, or of a line and a number, on each bar; NaN where one is NaN. Lookback 0.

    Raises
    ------
    LineError
        As for `combine`.
    """
    return combine(np.minimum, first, second)
