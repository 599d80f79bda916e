"""Columns of Parquet files as NumPy arrays, without a DataFrame between."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.data.times import scale_to_ns
from cambist.errors import DataError, MissingDependencyError
from cambist.model.times import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cambist.data.times import TimeReader

__all__ = ["STREAMED", "opened", "read_array", "read_numbers", "read_times", "unnamed_times"]

#: What pandas calls an index without a name when it writes one.
_UNNAMED_INDEX = "__index_level_0__"
#: For `opened`: by default pyarrow reads all of a file ahead, and a whole column of a row group at once.
STREAMED = {"pre_buffer": False, "buffer_size": 1 << 20}

_UNIT_NS = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[Any]:
    """Open a Parquet file; every error from inside names it."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{path}: reading Parquet files needs pyarrow, which is not installed. "
            "Install it with: pip install 'cambist[parquet]'"
        ) from error
    try:
        with pq.ParquetFile(path, **options) as file:
            yield file
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (FileNotFoundError, PermissionError) as error:
        raise DataError(f"{path}: the file cannot be opened: {error.strerror or error}. Check the path.") from error
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().rstrip(".")
        raise DataError(
            f"{path}: this is no whole Parquet file ({path.stat().st_size:,} bytes): {reason}. If it was being written "
            "or fetched, it was cut off: do that again."
        ) from error


def unnamed_times(file: Any) -> int | None:
    """Return the position of an index without a name that may hold times; plain row numbers are none."""
    import pyarrow as pa

    schema = file.schema_arrow
    if _UNNAMED_INDEX in schema.names and not pa.types.is_integer(schema.field(_UNNAMED_INDEX).type):
        return int(schema.names.index(_UNNAMED_INDEX))
    return None


def read_times(column: Any, reader: TimeReader) -> NDArray[np.int64]:
    """Return a column of times as int64 ns; numbers are read by `reader`.

    Raises
    ------
    DataError
        A time is missing or cannot be read; names its row within the piece.
    """
    import pyarrow as pa

    if column.null_count:
        row = column.is_null().to_numpy(zero_copy_only=False).argmax()
        raise DataError(f"row {row}: the time is missing (null). Drop the row or give it its time.")
    kind = column.type
    if pa.types.is_timestamp(kind):
        return scale_to_ns(read_array(column.cast(pa.int64())), _UNIT_NS[kind.unit])
    if pa.types.is_date32(kind):
        return scale_to_ns(read_array(column.cast(pa.int32()).cast(pa.int64())), DAY_NS)
    if pa.types.is_date64(kind):
        return scale_to_ns(read_array(column.cast(pa.int64())), _UNIT_NS["ms"])
    if pa.types.is_integer(kind):
        return reader.read(read_array(column.cast(pa.int64(), safe=False)))
    if pa.types.is_floating(kind):
        return reader.read(read_array(column.cast(pa.float64())))
    if pa.types.is_string_view(kind):
        column, kind = column.cast(pa.large_string()), pa.large_string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return reader.read_texts(column.to_pandas())
    raise DataError(f"the times are of type {kind}. Write them as timestamps, dates, integers or ISO 8601 texts.")


def read_numbers(column: Any, name: str) -> NDArray[np.float64]:
    """Return a column as float64; what is missing is NaN."""
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        raise DataError(f"the column {name} is of type {kind}. Write it as numbers.")
    if not pa.types.is_float64(kind):
        column = column.cast(pa.float64(), safe=False)
    return read_array(column.fill_null(float("nan")) if column.null_count else column)


def read_array(column: Any) -> NDArray[Any]:
    """Return a column of int64 or float64 without nulls as NumPy.

    By its buffers: pyarrow's own ``to_numpy`` imports pandas, which costs more than reading a million bars.
    """
    import pyarrow as pa

    dtype = np.dtype(np.int64 if pa.types.is_int64(column.type) else np.float64)
    pieces = []
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        if len(chunk):
            values = np.frombuffer(chunk.buffers()[1], dtype)
            pieces.append(values[chunk.offset : chunk.offset + len(chunk)])
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else np.empty(0, dtype)
