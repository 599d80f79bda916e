"""Indicators that carry something from bar to bar: a step, called once for each row, over whole columns or live.

The step is plain Python over numbers. With the extra ``fast`` (numba) long columns, and single rows of a step that
takes long, go through a compiled twin of the very same function; all else through the function itself. Tests compare
the two.
"""

from __future__ import annotations

import inspect
from copy import copy
from functools import cache, update_wrapper
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from cambist.errors import LineError, ParameterError, did_you_mean
from cambist.indicators.computation import blank, first_known, require_columns
from cambist.indicators.lines import Line, attach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cambist.indicators.program import Program

__all__ = ["RecursiveComputation", "RecursiveIndicator", "recursive"]

#: Rows from which on compiling a step, about a second, is worth its while.
COMPILED_FROM = 200_000


@attrs.frozen(eq=False)
class RecursiveComputation:
    """A step with its parameters; see `cambist.indicators.computation.Computation`.

    Attributes
    ----------
    step
        Takes the state, the number of the row since all inputs are known, a number for each input, and the parameters;
        returns a tuple of numbers, one for each output.
    count
        Inputs.
    state
        Numbers that it carries, all 0.0 before the first row.
    heavy
        Whether a row takes so long that it goes through the compiled twin live as well.
    """

    step: Callable[..., tuple[float, ...]]
    count: int
    name: str
    outputs: tuple[str, ...]
    lookback: int
    state: int
    parameters: tuple[float, ...]
    heavy: bool = False

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation.batch`."""
        columns = require_columns(self.name, self.count, inputs)
        rows, start = len(columns[0]), max(map(first_known, columns))
        if rows - start >= COMPILED_FROM and _numba() is not None:
            return self._compiled(columns, start)
        return self.open().extend(*columns)

    def open(self) -> _RecursiveStream:
        """Begin a stream that has seen no row yet."""
        return _RecursiveStream(self)

    def _compiled(self, columns: Sequence[NDArray[np.float64]], start: int) -> tuple[NDArray[np.float64], ...]:
        rows = len(columns[0])
        table = np.full((len(self.outputs), rows), np.nan)
        known = tuple(column[start:] for column in columns)
        state = np.zeros(max(1, self.state))
        _loops()[self.count](_compiled_step(self.step), state, known, self.parameters, table[:, start:])
        table[:, : start + self.lookback] = np.nan
        return tuple(table)


class _RecursiveStream:
    """Calls a step row by row."""

    __slots__ = ("_computation", "_function", "_row", "_started", "_state")

    def __init__(self, computation: RecursiveComputation) -> None:
        self._computation = computation
        self._function = computation.step
        self._state: Any = [0.0] * max(1, computation.state)
        #: The row that comes next, in a list which programs write to as well.
        self._row = [0]
        self._started = [False] * computation.count

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take the next rows."""
        computation = self._computation
        columns = require_columns(computation.name, computation.count, inputs)
        rows = len(columns[0])
        starts = [0 if begun else first_known(column) for begun, column in zip(self._started, columns, strict=True)]
        self._started = [begun or start < rows for begun, start in zip(self._started, starts, strict=True)]
        start = max(starts)
        outputs = tuple(blank(rows) for _ in computation.outputs)
        if start < rows:
            values = zip(*(column[start:].tolist() for column in columns), strict=True)
            answers = np.array([self._step(row) for row in values])
            for at, output in enumerate(outputs):
                output[start:] = answers[:, at]
        return outputs

    def update(self, *values: float) -> tuple[float, ...]:
        """Take one row."""
        if all(self._started):
            self._compile()
            return self._step(values)
        return tuple(float(column[0]) for column in self.extend(*(np.array([value]) for value in values)))

    def _step(self, values: Sequence[float]) -> tuple[float, ...]:
        computation, row = self._computation, self._row[0]
        answer = self._function(self._state, row, *values, *computation.parameters)
        self._row[0] = row + 1
        return answer if row >= computation.lookback else (np.nan,) * len(answer)

    @property
    def is_settled(self) -> bool:
        """Whether its outputs are known."""
        return all(self._started) and self._row[0] >= self._computation.lookback

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        """Write the call of the step."""
        computation = self._computation
        self._compile()
        step, state, row = program.bind(self._function), program.keep(self._state), program.keep(self._row)
        given = [state, f"{row}[0]", *inputs, *map(program.bind, computation.parameters)]
        outputs = [program.name() for _ in computation.outputs]
        program.line(f"{', '.join(outputs)}, = {step}({', '.join(given)})")
        program.line(f"{row}[0] += 1")
        return outputs

    def _compile(self) -> None:
        """Go on with the compiled twin, where a row is worth it."""
        computation = self._computation
        if computation.heavy and self._function is computation.step and _numba() is not None:
            self._function, self._state = _compiled_step(computation.step), np.array(self._state)

    def fork(self) -> _RecursiveStream:
        """Return a stream that goes on where this one stands, and leaves it there."""
        twin = copy(self)
        state, row = self._state.copy(), [*self._row]
        twin._state, twin._row = state, row  # noqa: SLF001 - it is one of us
        return twin


# Compiled twins.


@cache
def _numba() -> Any:
    """Return numba, where it is installed."""
    try:
        import numba
    except ImportError:
        return None
    return numba


@cache
def _compiled_step(step: Callable[..., Any]) -> Any:
    return _numba().njit(step)


@cache
def _loops() -> dict[int, Any]:
    """Return the compiled loops over rows, by the number of inputs."""
    numba = _numba()

    def keep(row: int, answer: Any, table: Any) -> None:
        for at in range(len(answer)):
            table[at, row] = answer[at]

    keep = numba.njit(keep)

    def one(step: Any, state: Any, columns: Any, parameters: Any, table: Any) -> None:
        (a,) = columns
        for row in range(len(a)):
            keep(row, step(state, row, a[row], *parameters), table)

    def two(step: Any, state: Any, columns: Any, parameters: Any, table: Any) -> None:
        a, b = columns
        for row in range(len(a)):
            keep(row, step(state, row, a[row], b[row], *parameters), table)

    def three(step: Any, state: Any, columns: Any, parameters: Any, table: Any) -> None:
        a, b, c = columns
        for row in range(len(a)):
            keep(row, step(state, row, a[row], b[row], c[row], *parameters), table)

    def four(step: Any, state: Any, columns: Any, parameters: Any, table: Any) -> None:
        a, b, c, d = columns
        for row in range(len(a)):
            keep(row, step(state, row, a[row], b[row], c[row], d[row], *parameters), table)

    def five(step: Any, state: Any, columns: Any, parameters: Any, table: Any) -> None:
        a, b, c, d, e = columns
        for row in range(len(a)):
            keep(row, step(state, row, a[row], b[row], c[row], d[row], e[row], *parameters), table)

    return {count: numba.njit(loop) for count, loop in enumerate((one, two, three, four, five), 1)}


# Made by people.


class RecursiveIndicator:
    """What `recursive` makes: call it with lines, in ``on_start``, and with the step's parameters."""

    def __init__(
        self,
        step: Callable[..., tuple[float, ...]],
        state: int | Callable[..., int],
        lookback: int | Callable[..., int],
        outputs: tuple[str, ...],
        name: str | None,
        *,
        heavy: bool = False,
    ) -> None:
        self.name = name or str(getattr(step, "__name__", "indicator"))
        self.outputs, self._heavy = outputs, heavy
        self._step, self._state, self._lookback = step, state, lookback
        named = list(inspect.signature(step).parameters.values())
        self.inputs = tuple(one.name for one in named if one.kind is inspect.Parameter.POSITIONAL_ONLY)[2:]
        self._defaults = {one.name: one.default for one in named[2 + len(self.inputs) :]}
        if not 1 <= len(self.inputs) <= 5:
            raise ParameterError(
                f"indicator {self.name}: its step names the state, the row and one to five inputs before a '/', as in "
                f"def {self.name}(state, row, price, /, period=20); it is {self.name}{inspect.signature(step)}."
            )
        self._lines: Any = NamedTuple("Lines", [(output, Line) for output in outputs])  # type: ignore[misc]
        update_wrapper(self, step)

    def computation(self, **parameters: float) -> RecursiveComputation:
        """Give the step's parameters their values.

        Raises
        ------
        ParameterError
            For a parameter that the step does not have, or that is no number.
        """
        for key, value in parameters.items():
            if key not in self._defaults:
                raise ParameterError(
                    f"indicator {self.name} has no parameter {key!r}.{did_you_mean(key, self._defaults)}"
                )
            if not isinstance(value, int | float | np.number):
                raise ParameterError(f"indicator {self.name}: {key} is {value!r}; a step takes numbers.")
        values = self._defaults | parameters
        missing = [key for key, value in values.items() if value is inspect.Parameter.empty]
        if missing:
            raise ParameterError(f"indicator {self.name} needs a value for {', '.join(missing)}.")
        told = f"{self.name}({', '.join(f'{key}={value:g}' for key, value in values.items())})" if values else self.name
        state = self._state(**values) if callable(self._state) else self._state
        lookback = self._lookback(**values) if callable(self._lookback) else self._lookback
        return RecursiveComputation(
            self._step, len(self.inputs), told, self.outputs, lookback, state, tuple(values.values()), self._heavy
        )

    def __call__(self, *lines: Line, **parameters: float) -> Any:
        """Make the line, or the named tuple of lines where there are several outputs."""
        if len(lines) != len(self.inputs):
            raise LineError(
                f"{self.name} is made of {len(self.inputs)} lines ({', '.join(self.inputs)}), such as self.data.close; "
                f"got {len(lines)}."
            )
        made = attach(self.computation(**parameters), *lines)
        return made[0] if len(made) == 1 else self._lines(*made)

    def __repr__(self) -> str:
        return f"<indicator {self.name}({', '.join((*self.inputs, *self._defaults))})>"


def recursive(
    *,
    state: int | Callable[..., int] = 1,
    lookback: int | Callable[..., int] = 0,
    outputs: Sequence[str] = ("value",),
    name: str | None = None,
    heavy: bool = False,
) -> Callable[[Callable[..., tuple[float, ...]]], RecursiveIndicator]:
    """Make an indicator from a step that carries something from bar to bar; a decorator.

    Parameters
    ----------
    state
        How many numbers it carries, or a function of the parameters that says so; all are 0.0 before the first row.
    lookback
        Rows before the first output, or a function of the parameters.
    outputs
        The names of what the step returns.
    name
        For messages; the step's by default.
    heavy
        Whether the step takes long, some ten microseconds: it is then compiled with its first row, which takes a
        second, also in runs bar by bar.

    Returns
    -------
    callable
        Takes the step and returns what strategies call with lines in ``on_start``.

    Raises
    ------
    ParameterError
        For a step whose signature does not say which arguments are inputs.

    Notes
    -----
    The step takes the state, which it changes, the number of the row (0 at the first at which all inputs are known), a
    number for each input, then ``/`` and its parameters. It returns a tuple, one number for each output. To be compiled
    it must keep to arithmetic, ``math`` and the state.

    Examples
    --------
    An exponential smoothing that begins with the first price::

        @recursive(state=1)
        def smoothed(state, row, price, /, alpha=0.1):
            state[0] = price if row == 0 else state[0] + alpha * (price - state[0])
            return (state[0],)
    """

    def make(step: Callable[..., tuple[float, ...]]) -> RecursiveIndicator:
        return RecursiveIndicator(step, state, lookback, tuple(outputs), name, heavy=heavy)

    return make
