"""What an indicator computes, apart from where its numbers come from.

A `Computation` is a value: the formula and its parameters, no data. It answers in two ways: ``batch`` takes whole
columns, ``open`` gives a `Stream` that takes the same rows in blocks or one at a time. **All three give the same
bits**; a backtest, a backtest in blocks and a live run see one and the same indicator. The property tests hold every
computation of this room to that law.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cambist.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Computation", "Stream", "blank", "first_known", "require_columns", "whole_number"]


class Stream(Protocol):
    """A computation under way: it remembers what its next values depend on.

    ``extend`` and ``update`` may be mixed. After an error the stream stands where it stood before the call. A stream
    may have ``fork()``, which returns one that goes on where it stands; others are copied where a bar is only tried.
    One that can write what it does, see `cambist.indicators.program`, becomes part of one function of a bar.
    """

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take the next rows.

        Parameters
        ----------
        inputs
            One float64 column for each input, shape ``(k,)`` each: the rows that follow those seen so far.

        Returns
        -------
        tuple of ndarray
            One float64 column for each output, shape ``(k,)``; NaN where not yet known.
        """
        ...

    def update(self, *values: float) -> tuple[float, ...]:
        """Take one row: a Python float for each input; return one for each output, NaN while not yet known."""
        ...


class Computation(Protocol):
    """A formula with its parameters."""

    @property
    def name(self) -> str:
        """What to call it in messages, such as ``"SMA(10)"``."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what it computes, such as ``("macd", "signal", "histogram")``."""
        ...

    @property
    def lookback(self) -> int:
        """Rows before the first output, given inputs that are known from their first row: 9 for an SMA(10).

        Where an input starts with NaN, outputs are NaN for those rows and `lookback` more.
        """
        ...

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns.

        Parameters
        ----------
        inputs
            One float64 column for each input, shape ``(n,)`` each. They are not changed.

        Returns
        -------
        tuple of ndarray
            One float64 column for each output, shape ``(n,)``; NaN where not yet known.
        """
        ...

    def open(self) -> Stream:
        """Begin a stream that has seen no row yet."""
        ...


def require_columns(name: str, count: int, inputs: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the inputs as contiguous float64 columns; refuse a wrong number of them, and unequal lengths.

    Raises
    ------
    DataError
        Naming the computation and what it was given.
    """
    if len(inputs) != count:
        raise DataError(f"{name} is computed from {count} column{'s' if count > 1 else ''}; got {len(inputs)}.")
    columns = [np.ascontiguousarray(column, dtype=np.float64) for column in inputs]
    shapes = {column.shape for column in columns}
    if len(shapes) > 1 or columns[0].ndim != 1:
        raise DataError(f"{name}: its columns must be flat and of equal length; got shapes {sorted(shapes)}.")
    return columns


def blank(rows: int) -> NDArray[np.float64]:
    """Return a column of which nothing is known yet: NaN, shape ``(rows,)``."""
    return np.full(rows, np.nan)


def first_known(column: NDArray[np.float64]) -> int:
    """Return the first row that is not NaN; the length of the column if there is none."""
    if not len(column) or not isnan(column[0]):
        return 0
    known = ~np.isnan(column)
    row = int(known.argmax())
    return row if known[row] else len(column)


def whole_number(value: Any) -> int | None:
    """Return a whole number of Python or numpy as an int; None for anything else, true and false included."""
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None
