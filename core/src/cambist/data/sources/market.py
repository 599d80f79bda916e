"""Trades and quotes from DataFrames, Parquet and CSV files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.data.market_columns import MarketLayout, code_sides, find_market_columns, make_history
from cambist.data.series import renumber
from cambist.data.sources.arrow import STREAMED, opened, read_array, unnamed_times
from cambist.data.sources.arrow import read_numbers as read_arrow_numbers
from cambist.data.sources.arrow import read_times as read_arrow_times
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.data.market_columns import History
    from cambist.data.sources.csv_text import Head
    from cambist.model.instrument import Instrument

__all__ = ["CsvMarketHistory", "ParquetMarketHistory", "history_from_frame"]


def history_from_frame(kind: str, frame: pd.DataFrame, instrument: Instrument) -> History:
    """Make trades (``kind="ticks"``) or quotes of a DataFrame.

    Parameters
    ----------
    frame
        Times in the index or a column, as in `bars_from_frame`. Trades: columns price and size, and the side of the
        taker where it is known (side: buy or sell, or buyer_is_maker: true or false). Quotes: bid and ask, and
        bid_size and ask_size where they are known. Further columns are ignored.

    Raises
    ------
    DataError
        A column is missing, or a row is none: names the row by its position, its time and the value.
    """
    from cambist.data.sources.frame import read_numbers, read_times, times_of_index

    where = "the DataFrame"
    try:
        index = times_of_index(frame.index)
        layout = find_market_columns(kind, list(frame.columns), where, times_in_index=index is not None)
        ts = index if index is not None else read_times(frame.iloc[:, layout.time or 0], TimeReader())
        numbers = {name: read_numbers(frame.iloc[:, place], name) for name, place in layout.fields.items()}
        sides = None if layout.side is None else _sides_of_series(frame.iloc[:, layout.side], layout)
        return make_history(kind, instrument, ts, numbers, sides)
    except DataError as error:
        text = str(error)
        raise DataError(text if text.startswith(where) else f"{where}: {text}") from None


def _sides_of_series(series: pd.Series[Any], layout: MarketLayout) -> NDArray[np.int8]:
    import pandas as pd

    codes, values = pd.factorize(series)
    return code_sides(np.asarray(codes, np.int64), list(values), layout)


@attrs.frozen(eq=False)
class _FileHistory:
    """Trades or quotes in a file.

    Attributes
    ----------
    path
        The file; columns as in `history_from_frame`.
    instrument
        Of what.
    kind
        ``"ticks"`` or ``"quotes"``.
    """

    path: Path
    instrument: Instrument
    kind: str

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def _find(self, labels: Any, where: str, *, unnamed: int | None = None) -> MarketLayout:
        return find_market_columns(self.kind, labels, where, unnamed=unnamed)

    def _in_order(
        self, pieces: Iterator[Any], read: Callable[[Any], History | None], label: Callable[[int], str]
    ) -> Iterator[History]:
        """Yield what `read` makes of each piece, if anything, refusing one that goes back in time.

        Messages about a row of a piece are made to name it as `label` does, which is given its row in the file.
        """
        start, last = 0, None
        for piece in pieces:
            try:
                block = read(piece)
                if block is not None:
                    _refuse_earlier(int(block.ts[0]), last)
            except DataError as error:
                raise DataError(renumber(str(error), partial(_label, label, start))) from None
            start += len(piece)
            if block is not None:
                yield block
                last = int(block.ts[-1])


def _refuse_earlier(first: int, last: int | None) -> None:
    if last is not None and first < last:
        raise DataError(
            f"row 0 ({format_ns(first)}): its time comes before that of the row before it ({format_ns(last)}). "
            "Sort the rows by time, keeping the order of those of one time."
        )


def _label(label: Callable[[int], str], start: int, row: int) -> str:
    return label(start + row)


class ParquetMarketHistory(_FileHistory):
    """A `MarketSource` over a Parquet file."""

    def load(self) -> History:
        """Return every row.

        Raises
        ------
        DataError
            The file is no whole Parquet file, or a row is no trade or quote.
        MissingDependencyError
            pyarrow is not installed.
        """
        with opened(self.path) as file:
            layout, labels = self._layout(file)
            return self._read(file.read(columns=self._wanted(layout, labels)), layout, labels, TimeReader())

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[History]:
        """Yield the rows in pieces of at most `size`; memory does not grow with the file.

        Raises
        ------
        DataError, MissingDependencyError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int) -> Iterator[History]:
        with opened(self.path, **STREAMED) as file:
            layout, labels = self._layout(file)
            reader = TimeReader()
            batches = file.iter_batches(size, columns=self._wanted(layout, labels))
            yield from self._in_order(
                (batch for batch in batches if batch.num_rows),
                lambda batch: self._read(batch, layout, labels, reader),
                lambda row: f"row {row}",
            )

    def _layout(self, file: Any) -> tuple[MarketLayout, list[str]]:
        labels = list(file.schema_arrow.names)
        layout = self._find(labels, "the file", unnamed=unnamed_times(file))
        if file.metadata.num_rows == 0:
            raise DataError("the file holds no rows. Was it written to its end?")
        return layout, labels

    def _wanted(self, layout: MarketLayout, labels: list[str]) -> list[str]:
        places = (layout.time, layout.side, *layout.fields.values())
        return [labels[place] for place in places if place is not None]

    def _read(self, table: Any, layout: MarketLayout, labels: list[str], reader: TimeReader) -> History:
        assert layout.time is not None
        ts = read_arrow_times(table.column(labels[layout.time]), reader)
        numbers = {name: read_arrow_numbers(table.column(labels[place]), name) for name, place in layout.fields.items()}
        sides = None
        if layout.side is not None:
            sides = _sides_of_arrow(table.column(labels[layout.side]), layout)
        return make_history(self.kind, self.instrument, ts, numbers, sides)


def _sides_of_arrow(column: Any, layout: MarketLayout) -> NDArray[np.int8]:
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    indices = column.indices.cast(pa.int64())
    codes = read_array(indices.fill_null(-1) if indices.null_count else indices)
    return code_sides(codes, column.dictionary.to_pylist(), layout)


class CsvMarketHistory(_FileHistory):
    """A `MarketSource` over a CSV file, plain or packed; see `CsvHistory` for what it may look like."""

    def load(self) -> History:
        """Return every row.

        Raises
        ------
        DataError
            The file cannot be read, or a line is no trade or quote: names the line, the time and the value.
        """
        block = next(self._blocks(None), None)
        if block is None:
            raise DataError(f"{self.path}: there are no {self.kind} in it, though it has rows. Is it of another kind?")
        return block

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[History]:
        """Yield the rows in pieces of at most `size`; no more than one piece is in memory.

        Raises
        ------
        DataError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int | None) -> Iterator[History]:
        from cambist.data.sources.csv import frames, told
        from cambist.data.sources.csv_text import line_of_row

        with told(self.path):
            head, read = self._opened()
            yield from self._in_order(
                frames(self.path, head, size),
                read,
                lambda row: f"line {line_of_row(self.path, head, row)}",
            )

    def _opened(self) -> tuple[Head, Callable[[pd.DataFrame], History | None]]:
        """Return what the first line says, and what reads a piece."""
        from cambist.data.sources.csv_text import read_head
        from cambist.data.sources.frame import read_times

        head, reader = read_head(self.path, self._find), TimeReader()
        return head, lambda frame: self._read(frame, head, lambda rows: read_times(rows[head.layout.time], reader))

    def _read(
        self, frame: pd.DataFrame, head: Head, read_times: Callable[[pd.DataFrame], NDArray[np.int64]]
    ) -> History:
        from cambist.data.sources.csv_text import find_fault
        from cambist.data.sources.frame import read_numbers

        layout = head.layout
        assert isinstance(layout, MarketLayout)
        numbers = {name: read_numbers(frame[place], name) for name, place in layout.fields.items()}
        if any(np.isnan(values).any() for values in numbers.values()):
            fault = find_fault(self.path, head)  # only the text tells a line that was cut off from one with a gap
            if fault is not None:
                raise DataError(fault)
        ts = read_times(frame)
        sides = None if layout.side is None else _sides_of_series(frame[layout.side], layout)
        return make_history(self.kind, self.instrument, ts, numbers, sides)
