"""A function of somebody's own over the last rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.indicators.computation import blank, first_known, require_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Applied"]


@attrs.frozen(eq=False)
class Applied:
    """A function that is called with each window; see `cambist.indicators.computation.Computation`.

    Attributes
    ----------
    function
        Takes the window, shape ``(period,)``, oldest first, not to be written to; returns a number.
    period
        Rows of a window; the lookback is one less.
    """

    function: Callable[[NDArray[np.float64]], float]
    period: int

    @property
    def name(self) -> str:
        """With the period."""
        return f"applied({self.period})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """One output."""
        return ("value",)

    @property
    def lookback(self) -> int:
        """One row less than the window has."""
        return self.period - 1

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation`."""
        return self.open().extend(*inputs)

    def open(self) -> _AppliedStream:
        """Begin a stream that has seen no row yet."""
        return _AppliedStream(self)


class _AppliedStream:
    """Keeps the last rows in a column with room to append; moves them to its front when it is full."""

    __slots__ = ("_computation", "_end", "_rows", "_shown")

    def __init__(self, computation: Applied) -> None:
        self._computation = computation
        self._rows = np.empty(2 * computation.period + 64)
        #: What the function sees of the rows, which it must not write to.
        self._shown = self._rows.view()
        self._shown.flags.writeable = False
        self._end = 0

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        computation, period = self._computation, self._computation.period
        (column,) = require_columns(computation.name, 1, inputs)
        start = 0 if self._end else first_known(column)
        kept = min(self._end, period - 1)
        joined = np.concatenate((self._rows[self._end - kept : self._end], column[start:]))
        output = blank(len(column))
        known = len(joined) - period + 1
        if known > 0:
            joined.flags.writeable = False
            windows = np.lib.stride_tricks.sliding_window_view(joined, period)
            output[len(column) - known :] = [float(computation.function(window)) for window in windows]
        self._end = min(len(joined), period)
        self._rows[: self._end] = joined[len(joined) - self._end :]
        return (output,)

    def update(self, *values: float) -> tuple[float, ...]:
        (value,) = values
        end, rows, period = self._end, self._rows, self._computation.period
        if not end and value != value:  # noqa: PLR0124 - NaN before the first value
            return (value,)
        if end == len(rows):
            rows[: period - 1] = rows[end - period + 1 :]
            self._end = end = period - 1
        rows[end] = value
        end += 1
        known = float(self._computation.function(self._shown[end - period : end])) if end >= period else np.nan
        self._end = end
        return (known,)

    def fork(self) -> _AppliedStream:
        twin = _AppliedStream(self._computation)
        twin._rows[:] = self._rows
        twin._end = self._end
        return twin
