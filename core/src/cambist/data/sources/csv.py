"""Bars from a CSV file, plain or packed."""

from __future__ import annotations

import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.data.series import PROBE_ROWS, assemble, find_overlap, infer_timeframe, renumber
from cambist.data.sources.csv_text import find_fault, line_of_row, read_head
from cambist.data.sources.frame import read_numbers, read_times
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.data.sources.csv_text import Head
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["CsvHistory", "frames", "told"]


@attrs.frozen(eq=False)
class CsvHistory:
    """A `HistorySource` over a CSV file, plain or packed with gzip, bzip2 or zip.

    Attributes
    ----------
    path
        The file. Its first line names the columns, as in `bars_from_frame`; fields are separated by commas,
        semicolons, tabs or bars, and numbers have a decimal point.
    instrument
        Of what.
    timeframe
        Length of a bar; None for the commonest spacing of the first 10,000 bars.

    Notes
    -----
    A file that was cut off inside a line is refused, unless the cut fell into the digits of the last field: nothing
    in the file shows that.
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
            The file cannot be read, or a line is no bar: names the line, the time and the value.
        """
        with told(self.path):
            head = self._head()
            frame = next(frames(self.path, head))
            return self._bars(self._usable(frame, head), head, TimeReader(), self.timeframe)

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; no more than one piece is in memory.

        Raises
        ------
        DataError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int) -> Iterator[Bars]:
        with told(self.path):
            head = self._head()
            timeframe = self.timeframe or self._probe(head)
            reader = TimeReader()
            last = None
            for piece in frames(self.path, head, size):
                frame = self._usable(piece, head)
                if frame.empty:
                    continue
                bars = self._bars(frame, head, reader, timeframe)
                fault = find_overlap(last, int(bars.ts[0]), timeframe)
                if fault is not None:
                    raise self._at_line(f"row 0 ({format_ns(int(bars.ts[0]))}): {fault}", head, frame)
                yield bars
                last = int(bars.ts[-1])

    def _head(self) -> Head:
        return read_head(self.path)

    def _usable(self, frame: pd.DataFrame, head: Head) -> pd.DataFrame:  # noqa: ARG002 - a dialect looks at it
        """Return the rows that are bars."""
        return frame

    def _probe(self, head: Head) -> Timeframe:
        """Tell the timeframe from the first rows."""
        frame = next(frames(self.path, head, PROBE_ROWS))
        return infer_timeframe(self._times(self._usable(frame, head), head, TimeReader()))

    def _columns(self, frame: pd.DataFrame, head: Head) -> dict[str, NDArray[np.float64]]:
        return {name: read_numbers(frame[place], name) for name, place in head.layout.fields.items()}

    def _bars(self, frame: pd.DataFrame, head: Head, reader: TimeReader, timeframe: Timeframe | None) -> Bars:
        columns = self._columns(frame, head)
        if any(np.isnan(values).any() for values in columns.values()):
            # A line that was cut off reads like one with values left out; only the text tells which it is.
            fault = find_fault(self.path, head)
            if fault is not None:
                raise DataError(fault)
        ts = self._times(frame, head, reader)
        try:
            return assemble(self.instrument, timeframe, self._opens(ts, head, timeframe), columns)
        except DataError as error:
            raise self._at_line(str(error), head, frame) from None

    def _times(self, frame: pd.DataFrame, head: Head, reader: TimeReader) -> NDArray[np.int64]:
        try:
            return self._read_times(frame, head, reader)
        except DataError as error:
            raise self._at_line(str(error), head, frame) from None

    def _read_times(self, frame: pd.DataFrame, head: Head, reader: TimeReader) -> NDArray[np.int64]:
        return read_times(frame[head.layout.time], reader)

    def _opens(self, ts: NDArray[np.int64], head: Head, timeframe: Timeframe | None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return the open times of bars that are labelled `ts`."""
        return ts

    def _at_line(self, message: str, head: Head, frame: pd.DataFrame) -> DataError:
        """Return the error that names lines of the file in place of rows of a piece, whose index counts all rows."""
        rows = frame.index
        return DataError(renumber(message, lambda row: f"line {line_of_row(self.path, head, int(rows[row]))}"))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Make every error from inside name the file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        likely = "utf-16" if error.object[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "cp1252"
        raise DataError(
            f"{path}: this is no {error.encoding.upper()} text (byte {error.object[error.start]:#04x} at "
            f"{error.start:,}). Save it as CSV in UTF-8, or name its encoding: cambist.data.open_csv(..., "
            f"encoding={likely!r})."
        ) from error
    except (FileNotFoundError, PermissionError) as error:
        raise DataError(f"{path}: the file cannot be opened: {error.strerror}. Check the path.") from error
    except (OSError, EOFError, zlib.error, BadZipFile) as error:
        raise DataError(
            f"{path}: the file cannot be read: {str(error).rstrip('.')}. "
            "If it was being written or fetched, it was cut off: do that again."
        ) from error


def frames(path: Path, head: Head, rows: int | None = None) -> Iterator[pd.DataFrame]:
    """Yield the file as frames of at most `rows` rows (None: one frame), columns by position."""
    import pandas as pd

    form, dtypes = head.form, dict.fromkeys(head.layout.fields.values(), np.dtype(np.float64))
    options: dict[str, Any] = {}
    if form.thousands:
        options["thousands"] = form.thousands
    kinds: dict[Any, Any] = dtypes
    if form.times_as_text:
        kinds = dict.fromkeys(range(head.width), str) | dtypes
    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
        # From 3.1 on this is how numbers are always read, and asking for it warns.
        options["float_precision"] = "round_trip"
    try:
        # All columns are parsed, wanted or not: only then does pandas refuse a line with too many fields.
        read: Any = pd.read_csv(
            path,
            sep=head.delimiter,
            header=None if form.names else 0,
            names=range(head.width),
            index_col=False,
            dtype=kinds,
            decimal=form.decimal,
            skiprows=form.skip,
            encoding=form.encoding,
            skipinitialspace=True,
            low_memory=False,
            chunksize=rows,
            **options,
        )
        if isinstance(read, pd.DataFrame):
            yield read
            return
        with read:
            yield from read
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        # All that pandas raises about the text is a ValueError; the text itself tells more.
        raise DataError(find_fault(path, head) or f"{str(error).strip()}. Repair the file.") from error
