"""Columns of market data: what may be one, and the first row that breaks a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["column", "first_row", "float_field", "time_column"]


def column(values: Any, name: str, dtype: Any) -> NDArray[Any]:
    """Return `values` as a flat, contiguous array.

    Raises
    ------
    DataError
        They are no numbers, or not flat.
    """
    try:
        array = np.ascontiguousarray(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"column {name!r} cannot be read as numbers: {error}.") from error
    if array.ndim != 1:
        raise DataError(f"column {name!r} must be flat; it has the shape {array.shape}.")
    return array


def first_row(mask: NDArray[np.bool_]) -> int | None:
    """Return the first row where `mask` holds, or None."""
    row = int(mask.argmax()) if len(mask) else 0
    return row if len(mask) and mask[row] else None


def time_column(values: Any) -> NDArray[np.int64]:
    """Return times as int64 ns since the epoch, UTC: whole numbers are that already.

    Raises
    ------
    DataError
        A time is missing, or they are floats.
    """
    kind = getattr(values, "dtype", np.dtype(np.int64)).kind
    if kind == "M":
        if np.isnat(values).any():
            raise DataError("column 'ts' holds a time that is not known (NaT). Fill or drop the row before the run.")
        values = np.asarray(values, "datetime64[ns]").view(np.int64)
    elif kind == "f":
        raise DataError("column 'ts' holds floats; give nanoseconds since the epoch as whole numbers, or datetimes.")
    return column(values, "ts", np.int64)


def float_field(name: str) -> Any:
    """Return an attrs field for the float64 column `name`."""

    def convert(values: Any) -> NDArray[np.float64]:
        return column(values, name, np.float64)

    return attrs.field(converter=convert, repr=False)
