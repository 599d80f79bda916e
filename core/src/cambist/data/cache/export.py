"""Cached bars as a file that other programs, and `cambist.load`, read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import DataError, InputError, MissingDependencyError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from cambist.model.bars import Bars

__all__ = ["export_bars"]


def export_bars(blocks: Iterable[Bars], path: Path, *, overwrite: bool = False) -> int:
    """Write bars to a file, and return how many there were.

    Parameters
    ----------
    blocks
        In order; memory does not grow with their number.
    path
        Ends in ``.csv``, ``.csv.gz`` or ``.parquet``. Columns are ``time`` (with its zone, UTC), ``open``, ``high``,
        ``low``, ``close`` and ``volume``; floats lose no digit.
    overwrite
        Whether to take the place of a file that is there.

    Raises
    ------
    InputError
        The name ends in something else, or there is such a file.
    MissingDependencyError
        A Parquet file, and no pyarrow.
    StorageError
        It cannot be written; what was there stands.
    """
    name = path.name.lower()
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise InputError(f"{path}: bars are exported to .csv, .csv.gz or .parquet. Give such a name.")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: there is such a file. Give another name, or overwrite it.")
    write = _write_parquet if name.endswith(".parquet") else _write_csv
    # Under the end of its name as well: it says how the bytes are packed.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    counted = _Counted(blocks)
    try:
        write(iter(counted), beside)
        beside.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path}: it cannot be written: {error.strerror or error}. What was there stands."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    if not counted.rows:
        raise DataError(f"{path}: there are no bars to write.")
    return counted.rows


@attrs.define
class _Counted:
    blocks: Iterable[Bars]
    rows: int = 0

    def __iter__(self) -> Iterator[Bars]:
        for block in self.blocks:
            self.rows += len(block)
            yield block


def _frame(block: Bars) -> Any:
    return block.to_frame().rename_axis("time")


def _write_csv(blocks: Iterator[Bars], path: Path) -> None:
    import gzip

    opened: Callable[..., Any] = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        for number, block in enumerate(blocks):
            _frame(block).to_csv(file, header=number == 0)


def _write_parquet(blocks: Iterator[Bars], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError('Parquet files need pyarrow: pip install "cambist[parquet]"') from error
    writer = None
    try:
        for block in blocks:
            table = pa.Table.from_pandas(_frame(block).reset_index(), preserve_index=False)
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
