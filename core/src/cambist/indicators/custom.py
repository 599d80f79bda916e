"""Indicators of your own, from a NumPy function."""

from __future__ import annotations

import inspect
from collections import namedtuple
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from cambist.errors import InputError, LineError, LookAheadError, ParameterError, did_you_mean
from cambist.indicators.computation import blank, first_known, require_columns, whole_number
from cambist.indicators.lines import attach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from cambist.indicators.lines import Line

__all__ = ["CustomComputation", "CustomIndicator", "check_indicator", "indicator"]

#: Rows past the lookback at which a function is asked again whether it knew the future: early ones cost little.
_SAMPLED = (0, 3, 20, 100)
_INPUT_KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@attrs.frozen(eq=False)
class CustomComputation:
    """A NumPy function with its parameters; see `cambist.indicators.computation.Computation`.

    Over whole columns the function is called once, with the rows at which every input is known. Row by row it is
    called with the last ``lookback + 1`` rows, and the last of its answer is taken.
    """

    function: Callable[..., Any]
    count: int
    name: str
    outputs: tuple[str, ...]
    lookback: int
    parameters: dict[str, Any]

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns.

        Raises
        ------
        InputError
            When the function returns something else than one number for each row and output.
        """
        return self.open().extend(*inputs)

    def open(self) -> _CustomStream:
        """Begin a stream that has seen no row yet."""
        return _CustomStream(self)

    def call(self, windows: Sequence[NDArray[np.float64]]) -> list[NDArray[Any]]:
        """Call the function and check what it returned: one column for each output, shape ``(m,)``."""
        rows = len(windows[0])
        for window in windows:
            # The function sees our own columns: a function that writes into them gets numpy's error, not a wrong past.
            window.flags.writeable = False
        returned = self.function(*windows, **self.parameters)
        results = returned if isinstance(returned, tuple) else (returned,)
        if len(results) != len(self.outputs):
            raise InputError(
                f"indicator {self.name}: it returned {len(results)} arrays, and has {len(self.outputs)} outputs "
                f"({', '.join(self.outputs)}). Name them with outputs=(...)."
            )
        return [self._checked(result, output, rows) for result, output in zip(results, self.outputs, strict=True)]

    def refuse_foresight(self, columns: Sequence[NDArray[np.float64]], results: Sequence[NDArray[Any]]) -> None:
        """Compute a few rows again from no more than what came before them, and refuse a function that disagrees.

        Raises
        ------
        LookAheadError
            When a value changes with the rows that follow it.
        """
        for row in (self.lookback + ahead for ahead in _SAMPLED):
            if row >= len(columns[0]) - 1:
                return
            again = self.call([column[: row + 1] for column in columns])
            for output, known, result in zip(self.outputs, again, results, strict=True):
                if not np.isclose(known[-1], result[row], rtol=1e-6, atol=1e-12, equal_nan=True):
                    raise LookAheadError(
                        f"indicator {self.name}: its {output!r} at row {row} is {result[row]:.10g} with the rows that "
                        f"follow it and {known[-1]:.10g} without them. A value may depend on its own row and those "
                        "before it alone."
                    )

    def _checked(self, result: Any, output: str, rows: int) -> NDArray[Any]:
        column = np.asarray(result)
        if column.shape != (rows,):
            raise InputError(
                f"indicator {self.name}: its {output!r} has shape {column.shape} for inputs of shape ({rows},). "
                "Return one number for each row; pad the rows before the lookback with NaN."
            )
        if not np.can_cast(column.dtype, np.float64, "same_kind"):
            raise InputError(f"indicator {self.name}: its {output!r} is of dtype {column.dtype}; return real numbers.")
        return column


class _CustomStream:
    """Keeps the last ``lookback`` rows in a table with room to append; moves them to its front when it is full."""

    __slots__ = ("_computation", "_end", "_seen", "_started", "_table")

    def __init__(self, computation: CustomComputation) -> None:
        self._computation = computation
        self._table = np.empty((computation.count, 2 * computation.lookback + 64))
        #: Rows in use of the table, of which the last are the newest; rows seen at which every input was known.
        self._end = self._seen = 0
        self._started = [False] * computation.count

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        computation = self._computation
        lookback = computation.lookback
        columns = require_columns(computation.name, computation.count, inputs)
        rows = len(columns[0])
        starts = [0 if begun else first_known(column) for begun, column in zip(self._started, columns, strict=True)]
        tail = self._table[:, self._end - min(self._seen, lookback) : self._end]
        joined = np.concatenate((tail, [column[max(starts) :] for column in columns]), axis=1)
        outputs = tuple(blank(rows) for _ in computation.outputs)
        known = joined.shape[1] - lookback
        if known > 0 and rows:
            results = computation.call(list(joined))
            if not self._seen:
                computation.refuse_foresight(list(joined), results)
            for output, result in zip(outputs, results, strict=True):
                output[rows - known :] = result[lookback:]
        self._started = [begun or start < rows for begun, start in zip(self._started, starts, strict=True)]
        self._seen += rows - max(starts)
        self._end = min(self._seen, lookback)
        self._table[:, : self._end] = joined[:, joined.shape[1] - self._end :]
        return outputs

    def update(self, *values: float) -> tuple[float, ...]:
        computation = self._computation
        if not all(self._started):
            return tuple(float(column[0]) for column in self.extend(*(np.array([value]) for value in values)))
        table, lookback = self._table, computation.lookback
        if self._end == table.shape[1]:
            table[:, :lookback] = table[:, self._end - lookback :]
            self._end = lookback
        table[:, self._end] = values
        end = self._end + 1
        results = None if self._seen < lookback else computation.call(list(table[:, end - lookback - 1 : end]))
        self._end = end
        self._seen += 1
        if results is None:
            return (np.nan,) * len(computation.outputs)
        return tuple(float(result[-1]) for result in results)


class CustomIndicator:
    """What `indicator` makes: call it with lines, in ``on_start``, and with the function's keyword-only parameters."""

    def __init__(
        self,
        function: Callable[..., Any],
        lookback: int | Callable[..., int],
        outputs: tuple[str, ...],
        name: str | None,
    ) -> None:
        self.name = name or str(getattr(function, "__name__", "indicator"))
        self.outputs = outputs
        self._function = function
        self._lookback = lookback
        inputs, self._defaults = _signature(self.name, function)
        self.inputs = inputs
        if not outputs:
            raise ParameterError(f"indicator {self.name}: it has no outputs; name what its function returns.")
        try:
            self._lines = namedtuple("Lines", outputs)  # type: ignore[misc]  # noqa: PYI024 - the names are data
        except ValueError as error:
            raise ParameterError(f"indicator {self.name}: outputs is {outputs!r}. {error}.") from error
        if not callable(lookback):
            self._checked_lookback(lookback)
        update_wrapper(self, function)

    def computation(self, **parameters: Any) -> CustomComputation:
        """Give the function's keyword-only parameters their values.

        Raises
        ------
        ParameterError
            For a parameter the function does not have, one left without a value, or a lookback that is none.
        """
        for key in parameters:
            if key not in self._defaults:
                hint = did_you_mean(key, self._defaults) or " It has none: parameters are keyword-only, behind a '*'."
                raise ParameterError(f"indicator {self.name} has no parameter {key!r}.{hint}")
        values = self._defaults | parameters
        missing = [key for key, value in values.items() if value is inspect.Parameter.empty]
        if missing:
            raise ParameterError(f"indicator {self.name} needs a value for {', '.join(missing)}.")
        lookback = self._lookback(**values) if callable(self._lookback) else self._lookback
        label = f"{self.name}({', '.join(f'{key}={value}' for key, value in values.items())})" if values else self.name
        return CustomComputation(
            self._function, len(self.inputs), label, self.outputs, self._checked_lookback(lookback), values
        )

    def _checked_lookback(self, value: Any) -> int:
        rows = whole_number(value)
        if rows is not None and rows >= 0:
            return rows
        raise ParameterError(
            f"indicator {self.name}: lookback is {value!r}; it counts the rows before the first output, 0 or more."
        )

    def __call__(self, *lines: Line, **parameters: Any) -> Any:
        """Make the line, or the named tuple of lines where there are several outputs."""
        if len(lines) != len(self.inputs):
            raise LineError(
                f"{self.name} is made of {len(self.inputs)} lines ({', '.join(self.inputs)}), such as self.data.close; "
                f"got {len(lines)}."
            )
        outputs = attach(self.computation(**parameters), *lines)
        return outputs[0] if len(self.outputs) == 1 else self._lines(*outputs)

    def __repr__(self) -> str:
        return f"<indicator {self.name}({', '.join((*self.inputs, *self._defaults))})>"


def _signature(name: str, function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the names of a function's inputs, and its keyword-only parameters with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    inputs = tuple(parameter.name for parameter in parameters if parameter.kind in _INPUT_KINDS)
    settings = {each.name: each.default for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}
    if not inputs or len(inputs) + len(settings) < len(parameters):
        raise ParameterError(
            f"indicator {name}: its function must name each input array, and take its parameters behind a '*', "
            f"as in def {name}(high, low, *, period=20); it is {name}{inspect.signature(function)}."
        )
    defaulted = [each.name for each in parameters if each.kind in _INPUT_KINDS and each.default is not each.empty]
    if defaulted:
        raise ParameterError(
            f"indicator {name}: {', '.join(defaulted)} has a default, so it is a parameter and no input array; "
            f"put it behind a '*', as in def {name}(high, low, *, period=20)."
        )
    return inputs, settings


@overload
def indicator(
    function: Callable[..., Any],
    *,
    lookback: int | Callable[..., int],
    outputs: Sequence[str] = ...,
    name: str | None = ...,
) -> CustomIndicator: ...


@overload
def indicator(
    function: None = None,
    *,
    lookback: int | Callable[..., int],
    outputs: Sequence[str] = ...,
    name: str | None = ...,
) -> Callable[[Callable[..., Any]], CustomIndicator]: ...


def indicator(
    function: Callable[..., Any] | None = None,
    *,
    lookback: int | Callable[..., int],
    outputs: Sequence[str] = ("value",),
    name: str | None = None,
) -> CustomIndicator | Callable[[Callable[..., Any]], CustomIndicator]:
    """Make an indicator from a NumPy function; also as a decorator.

    Parameters
    ----------
    function
        Takes one float64 column for each input, shape ``(m,)``, not to be written to; returns one column of shape
        ``(m,)``, or a tuple of them. Keyword-only arguments are the indicator's parameters.
    lookback
        Rows before the first output: 9 for a window of 10. Or a function of the parameters that returns it.
    outputs
        The names of what the function returns.
    name
        For messages; the function's by default.

    Returns
    -------
    CustomIndicator
        Call it with lines in ``on_start``; it gives a line, or a named tuple of lines.

    Raises
    ------
    ParameterError
        For a negative lookback, or a signature that does not say which arguments are inputs.

    Notes
    -----
    In a backtest the function is called once, with whole columns; live, for each bar with the last ``lookback + 1``
    rows. A value must therefore depend on these rows alone: `check_indicator` tells whether it does. One that changes
    with the rows after it is refused by every run, with a `LookAheadError`. Rows before the
    first known value of the inputs are not passed; a NaN after it is, and is the function's to answer for.

    Examples
    --------
    >>> import numpy as np
    >>> from cambist.indicators import indicator
    >>> @indicator(lookback=lambda period: period - 1)
    ... def midpoint(high, low, *, period=10):
    ...     windows = np.lib.stride_tricks.sliding_window_view
    ...     middle = (windows(high, period).max(axis=1) + windows(low, period).min(axis=1)) / 2
    ...     return np.concatenate((np.full(period - 1, np.nan), middle))
    >>> midpoint.computation(period=2).batch(np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    (array([nan, 3. , 3.5]),)
    """
    if function is None:
        return lambda decorated: CustomIndicator(decorated, lookback, tuple(outputs), name)
    return CustomIndicator(function, lookback, tuple(outputs), name)


def check_indicator(custom: CustomIndicator, *data: ArrayLike, tolerance: float = 0.0, **parameters: Any) -> None:
    """Raise if an indicator computed bar by bar differs from the one computed over whole columns.

    A difference means that live would not do what the backtest did: the function looks back further than it
    says (a recursive average does), or forward.

    Parameters
    ----------
    custom
        What `indicator` made.
    data
        One column for each input, shape ``(n,)``, with ``n`` well above the lookback.
    tolerance
        The relative difference to let pass. 0 asks for the same bits; running sums need about 1e-9.
    parameters
        The indicator's.

    Raises
    ------
    InputError
        Naming the first row that differs, with both values; or for data too short to show anything.
    LookAheadError
        When a value changes with the rows that follow it.
    """
    computation = custom.computation(**parameters)
    columns = [np.asarray(column, dtype=np.float64) for column in data]
    whole = computation.batch(*columns)
    stream = computation.open()
    steps = np.array([stream.update(*row) for row in zip(*(column.tolist() for column in columns), strict=True)])
    if np.isfinite(whole[0]).sum() < 2:
        raise InputError(
            f"indicator {computation.name}: {len(columns[0])} rows with a lookback of {computation.lookback} give "
            "fewer than two values, which shows nothing. Give it more rows."
        )
    for at, (output, column) in enumerate(zip(computation.outputs, whole, strict=True)):
        same = np.isclose(steps[:, at], column, rtol=tolerance, atol=0.0, equal_nan=True)
        if not same.all():
            row = int(same.argmin())
            raise InputError(
                f"indicator {computation.name}: at row {row} its {output!r} is {column[row]!s} over whole columns and "
                f"{steps[row, at]!s} over the last {computation.lookback + 1} rows, which is what a live run has. "
                "Declare a longer lookback, make the formula depend on these rows alone, or, where it differs in the "
                "last digits only, allow a tolerance."
            )
