"""Bars from a Parquet file, column by column, without a DataFrame between."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.data.columns import find_columns
from cambist.data.series import PROBE_ROWS, assemble, find_overlap, infer_timeframe, renumber
from cambist.data.times import TimeReader, scale_to_ns, text_to_ns
from cambist.errors import DataError, MissingDependencyError
from cambist.model.times import DAY_NS, SECOND_NS, format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["ParquetHistory"]

_UNIT_NS = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
#: What pandas calls an index without a name when it writes one.
_UNNAMED_INDEX = "__index_level_0__"
# By default pyarrow reads all of a file ahead, and a whole column of a row group at once.
_STREAMED = {"pre_buffer": False, "buffer_size": 1 << 20}


@attrs.frozen(eq=False)
class ParquetHistory:
    """A `HistorySource` over a Parquet file.

    Attributes
    ----------
    path
        The file; columns as in `bars_from_frame`.
    instrument
        Of what.
    timeframe
        Length of a bar; None for the commonest spacing of the first 10,000 bars.
    """

    path: Path
    instrument: Instrument
    timeframe: Timeframe | None = None

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            The file is no whole Parquet file, or a row is no bar.
        MissingDependencyError
            pyarrow is not installed.
        """
        with _opened(self.path) as file:
            names = _find_names(file)
            table = file.read(columns=list(names.values()))
            return assemble(self.instrument, self.timeframe, *_read(table, names, TimeReader()))

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; memory does not grow with the file.

        Raises
        ------
        DataError, MissingDependencyError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int) -> Iterator[Bars]:
        with _opened(self.path, **_STREAMED) as file:
            names = _find_names(file)
            timeframe = self.timeframe or _probe(file, names["time"])
            reader = TimeReader()
            start, last = 0, None
            for batch in file.iter_batches(size, columns=list(names.values())):
                if batch.num_rows == 0:
                    continue
                bars = self._block(batch, names, reader, timeframe, start)
                fault = find_overlap(last, int(bars.ts[0]), timeframe)
                if fault is not None:
                    raise DataError(f"row {start} ({format_ns(int(bars.ts[0]))}): {fault}")
                yield bars
                start += len(bars)
                last = int(bars.ts[-1])

    def _block(self, batch: Any, names: dict[str, str], reader: TimeReader, timeframe: Timeframe, start: int) -> Bars:
        try:
            return assemble(self.instrument, timeframe, *_read(batch, names, reader))
        except DataError as error:
            raise DataError(renumber(str(error), lambda row: f"row {row + start}")) from None


@contextmanager
def _opened(path: Path, **options: Any) -> Iterator[Any]:
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


def _find_names(file: Any) -> dict[str, str]:
    """Return the names of the columns that hold the time and the values of a bar."""
    import pyarrow as pa

    labels = file.schema_arrow.names
    unnamed = None
    if _UNNAMED_INDEX in labels and not pa.types.is_integer(file.schema_arrow.field(_UNNAMED_INDEX).type):
        unnamed = labels.index(_UNNAMED_INDEX)
    layout = find_columns(labels, "the file", unnamed=unnamed)
    assert layout.time is not None
    if file.metadata.num_rows == 0:
        raise DataError("the file holds no rows. Was it written to its end?")
    return {"time": labels[layout.time], **{name: labels[place] for name, place in layout.fields.items()}}


def _probe(file: Any, time_column: str) -> Timeframe:
    """Tell the timeframe from the first rows."""
    reader = TimeReader()
    pieces: list[NDArray[np.int64]] = []
    for batch in file.iter_batches(PROBE_ROWS, columns=[time_column]):
        pieces.append(_times(batch.column(0), reader))
        if sum(map(len, pieces)) >= PROBE_ROWS:
            break
    return infer_timeframe(np.concatenate(pieces))


def _read(
    table: Any, names: dict[str, str], reader: TimeReader
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Return times and columns of a table or a batch."""
    ts = _times(table.column(names["time"]), reader)
    columns = {name: _numbers(table.column(label), name) for name, label in names.items() if name != "time"}
    return ts, columns


def _times(column: Any, reader: TimeReader) -> NDArray[np.int64]:
    import pyarrow as pa

    if column.null_count:
        row = column.is_null().to_numpy(zero_copy_only=False).argmax()
        raise DataError(f"row {row}: the time is missing (null). Drop the row or give it its time.")
    kind = column.type
    if pa.types.is_timestamp(kind):
        return scale_to_ns(_array(column.cast(pa.int64())), _UNIT_NS[kind.unit])
    if pa.types.is_date32(kind):
        return scale_to_ns(_array(column.cast(pa.int32()).cast(pa.int64())), DAY_NS)
    if pa.types.is_date64(kind):
        return scale_to_ns(_array(column.cast(pa.int64())), _UNIT_NS["ms"])
    if pa.types.is_integer(kind):
        return reader.read(_array(column.cast(pa.int64(), safe=False)))
    if pa.types.is_floating(kind):
        return reader.read(_array(column.cast(pa.float64())))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return text_to_ns(column.to_pandas())
    raise DataError(f"the times are of type {kind}. Write them as timestamps, dates, integers or ISO 8601 texts.")


def _numbers(column: Any, name: str) -> NDArray[np.float64]:
    """Return a column as float64; what is missing is NaN."""
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        raise DataError(f"the column {name} is of type {kind}. Write it as numbers.")
    if not pa.types.is_float64(kind):
        column = column.cast(pa.float64(), safe=False)
    return _array(column.fill_null(float("nan")) if column.null_count else column)


def _array(column: Any) -> NDArray[Any]:
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
