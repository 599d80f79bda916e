"""Bars, trades and quotes from Arrow IPC files, which are also called Feather."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cambist.data.sources.tables import MarketTableHistory, TableHistory
from cambist.errors import DataError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["open_ipc", "open_ipc_market"]

_FILE_MAGIC = b"ARROW1"


def open_ipc(path: Path, instrument: Instrument, timeframe: Timeframe | None) -> TableHistory:
    """Return a source of the bars in an Arrow IPC file, of the file or the stream format; columns as of `load`."""
    return TableHistory(str(path), instrument, partial(_tables, path), timeframe)


def open_ipc_market(path: Path, instrument: Instrument, kind: str) -> MarketTableHistory:
    """Return a source of the trades, quotes or levels in an Arrow IPC file."""
    return MarketTableHistory(str(path), instrument, partial(_tables, path), kind)


def _tables(path: Path, size: int) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{path}: reading Arrow files needs pyarrow, which is not installed. "
            "Install it with: pip install 'cambist[parquet]'"
        ) from error
    try:
        with pa.memory_map(str(path)) as file:
            for batch in _batches(file):
                for start in range(0, batch.num_rows, size):
                    piece = batch.slice(start, size)
                    yield dict(zip(piece.schema.names, map(_plain, piece.columns), strict=True))
    except (FileNotFoundError, PermissionError) as error:
        raise DataError(f"{path}: the file cannot be opened: {error.strerror or error}. Check the path.") from error
    except (pa.ArrowException, OSError, EOFError) as error:
        raise DataError(
            f"{path}: this is no whole Arrow file ({path.stat().st_size:,} bytes): {str(error).strip().rstrip('.')}. "
            "If it was being written or fetched, it was cut off: do that again."
        ) from error


def _batches(file: Any) -> Iterator[Any]:
    import pyarrow as pa

    magic = file.read(len(_FILE_MAGIC))
    file.seek(0)
    if magic != _FILE_MAGIC:
        yield from pa.ipc.open_stream(file)
        return
    reader = pa.ipc.open_file(file)
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)


def _plain(column: Any) -> Any:
    return column.dictionary_decode() if hasattr(column, "dictionary_decode") else column
