"""Bars from NumPy arrays, and from whatever speaks the Arrow C interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.data.sources.tables import MarketTableHistory, TableHistory
from cambist.errors import DataError, MissingDependencyError
from cambist.model.bars import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["can_be_table", "open_table", "open_table_market"]

#: What a two-dimensional array holds, column by column, as exchanges' clients give it.
_ORDER = ("time", *COLUMNS)


def can_be_table(source: Any) -> bool:
    """Tell whether `open_table` takes it: a mapping of arrays, a NumPy array, or an object with an Arrow stream."""
    return isinstance(source, Mapping | np.ndarray) or hasattr(source, "__arrow_c_stream__")


def open_table(source: Any, instrument: Instrument, timeframe: Timeframe | None) -> TableHistory:
    """Return a source of the bars in arrays.

    Parameters
    ----------
    source
        A mapping of labels to one-dimensional arrays; a structured array; a two-dimensional one whose columns are time,
        open, high, low, close and, if there are six, volume; or an object with ``__arrow_c_stream__``, such as a table
        of polars or pyarrow.

    Raises
    ------
    DataError
        It has another shape.
    MissingDependencyError
        It is no NumPy array, and there is no pyarrow.
    """
    name, tables = _tables(source)
    return TableHistory(name, instrument, tables, timeframe)


def open_table_market(source: Any, instrument: Instrument, kind: str) -> MarketTableHistory:
    """Return a source of the trades, quotes or levels in arrays; as `open_table`, save that columns need labels."""
    if isinstance(source, np.ndarray) and source.dtype.names is None:
        raise DataError(
            f"an array without names cannot tell which column is which of {kind}. Give a mapping of arrays."
        )
    name, tables = _tables(source)
    return MarketTableHistory(name, instrument, tables, kind)


def _tables(source: Any) -> tuple[str, Callable[[int], Iterator[Mapping[str, Any]]]]:
    if isinstance(source, np.ndarray):
        return "the array", _sliced(_columns_of(source))
    if isinstance(source, Mapping):
        return "the arrays", _sliced(_checked({str(label): np.asarray(column) for label, column in source.items()}))
    return f"the {type(source).__module__.partition('.')[0]} {type(source).__name__}", _streamed(source)


def _columns_of(array: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    if array.dtype.names is not None:
        return _checked({name: array[name] for name in array.dtype.names})
    if array.ndim != 2 or array.shape[1] not in {5, 6}:
        raise DataError(
            f"an array of shape {array.shape} holds no bars. Give one of shape (n, 6): time, open, high, low, close, "
            "volume; or a mapping of names to arrays."
        )
    return dict(zip(_ORDER, array.T, strict=False))


def _checked(columns: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    for name, column in columns.items():
        if column.ndim != 1:
            raise DataError(f"the array {name!r} has the shape {column.shape}. Give arrays of one dimension.")
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise DataError(f"the arrays differ in length ({lengths}). Give every bar every value.")
    return columns


def _sliced(columns: Mapping[str, Any]) -> Callable[[int], Iterator[Mapping[str, Any]]]:
    def tables(size: int) -> Iterator[Mapping[str, Any]]:
        length = len(next(iter(columns.values()))) if columns else 0
        for start in range(0, length, size):
            yield {name: column[start : start + size] for name, column in columns.items()}

    return tables


def _streamed(source: Any) -> Callable[[int], Iterator[Mapping[str, Any]]]:
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"reading a {type(source).__name__} needs pyarrow, which is not installed. "
            "Install it with: pip install 'cambist[parquet]'"
        ) from error

    # A stream can be asked for once, or as often as one likes: a table is read here, since nobody can tell.
    try:
        table = pa.RecordBatchReader.from_stream(source).read_all()
    except (pa.ArrowException, TypeError) as error:
        raise DataError(
            f"the Arrow stream of a {type(source).__name__} cannot be read: {str(error).strip().rstrip('.')}. "
            "Give a table of columns."
        ) from error
    return _sliced(dict(zip(table.column_names, table.columns, strict=True)))
