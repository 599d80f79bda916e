"""Bars from a Parquet file, column by column, without a DataFrame between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.data.columns import find_columns
from cambist.data.series import PROBE_ROWS, assemble, find_overlap, infer_timeframe, renumber
from cambist.data.sources.arrow import STREAMED, opened, read_numbers, read_times, unnamed_times
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["ParquetHistory"]


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
        with opened(self.path) as file:
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
        with opened(self.path, **STREAMED) as file:
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


def _find_names(file: Any) -> dict[str, str]:
    """Return the names of the columns that hold the time and the values of a bar."""
    labels = file.schema_arrow.names
    layout = find_columns(labels, "the file", unnamed=unnamed_times(file))
    assert layout.time is not None
    if file.metadata.num_rows == 0:
        raise DataError("the file holds no rows. Was it written to its end?")
    return {"time": labels[layout.time], **{name: labels[place] for name, place in layout.fields.items()}}


def _probe(file: Any, time_column: str) -> Timeframe:
    """Tell the timeframe from the first rows."""
    reader = TimeReader()
    pieces: list[NDArray[np.int64]] = []
    for batch in file.iter_batches(PROBE_ROWS, columns=[time_column]):
        pieces.append(read_times(batch.column(0), reader))
        if sum(map(len, pieces)) >= PROBE_ROWS:
            break
    return infer_timeframe(np.concatenate(pieces))


def _read(
    table: Any, names: dict[str, str], reader: TimeReader
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Return times and columns of a table or a batch."""
    ts = read_times(table.column(names["time"]), reader)
    columns = {name: read_numbers(table.column(label), name) for name, label in names.items() if name != "time"}
    return ts, columns
