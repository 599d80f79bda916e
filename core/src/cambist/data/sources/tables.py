"""Bars from tables that come piece by piece: arrays, Arrow streams, lines of JSON, rows of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.data.columns import find_columns
from cambist.data.market_columns import code_sides, find_market_columns, make_history
from cambist.data.series import PROBE_ROWS, assemble, find_overlap, infer_timeframe, renumber
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from cambist.data.market_columns import History
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

    #: Columns by label, all of one length: NumPy arrays, or Arrow arrays.
    Table = Mapping[str, Any]

__all__ = ["MarketTableHistory", "TableHistory", "rows_as_table"]


def _row(row: int) -> str:
    return f"row {row}"


@attrs.frozen(eq=False)
class TableHistory:
    """A `HistorySource` over anything that yields tables.

    Attributes
    ----------
    name
        What to call it in messages.
    instrument
        Of what.
    tables
        Called with a number of rows, yields tables that follow each other, none longer than that: mappings of labels to
        columns (NumPy arrays or Arrow arrays) with the columns of `load`. Each call starts again.
    timeframe
        Length of a bar; None for the commonest spacing of the first 10,000 bars.
    label
        What a row, counted from 0, is called in messages.
    """

    name: str
    instrument: Instrument
    tables: Callable[[int], Iterator[Table]]
    timeframe: Timeframe | None = None
    label: Callable[[int], str] = _row

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            The tables cannot be read, or a row is no bar: names the row, its time and the value.
        """
        from cambist.data.blocks import concatenate

        return concatenate(self._blocks(BLOCK_ROWS), self.name)

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; no more than one table is in memory.

        Raises
        ------
        DataError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int) -> Iterator[Bars]:
        timeframe = self.timeframe or self._probe()
        reader = TimeReader()
        start, last = 0, None
        for table in self.tables(size):
            if not _length(table):
                continue
            try:
                bars = assemble(self.instrument, timeframe, *_read_bars(table, reader))
                _refuse(find_overlap(last, int(bars.ts[0]), timeframe), int(bars.ts[0]))
            except DataError as error:
                raise self._located(error, start) from None
            yield bars
            start += len(bars)
            last = int(bars.ts[-1])
        if last is None:
            raise DataError(f"{self.name}: there are no rows. Check the path, the symbol and the time range.")

    def _probe(self) -> Timeframe:
        reader = TimeReader()
        pieces: list[NDArray[np.int64]] = []
        try:
            for table in self.tables(PROBE_ROWS):
                if _length(table):
                    pieces.append(_read_times(table, find_columns(list(table), "the table").time, reader))
                if sum(map(len, pieces)) >= PROBE_ROWS:
                    break
            return infer_timeframe(np.concatenate(pieces) if pieces else np.empty(0, np.int64))
        except DataError as error:
            raise self._located(error, sum(map(len, pieces))) from None

    def _located(self, error: DataError, start: int) -> DataError:
        message = renumber(str(error), lambda row: self.label(start + row))
        return DataError(message if message.startswith(f"{self.name}: ") else f"{self.name}: {message}")


@attrs.frozen(eq=False)
class MarketTableHistory:
    """A `MarketSource` over anything that yields tables; attributes as of `TableHistory`, and the kind.

    Attributes
    ----------
    kind
        ``"ticks"``, ``"quotes"`` or ``"book"``.
    """

    name: str
    instrument: Instrument
    tables: Callable[[int], Iterator[Table]]
    kind: str
    label: Callable[[int], str] = _row

    def load(self) -> History:
        """Return every row.

        Raises
        ------
        DataError
            The tables cannot be read, or a row is no trade or quote: names the row, its time and the value.
        """
        blocks = list(self._blocks(BLOCK_ROWS))
        if len(blocks) == 1:
            return blocks[0]
        columns: dict[str, Any] = {
            field.name: np.concatenate([getattr(block, field.name) for block in blocks])
            for field in attrs.fields(type(blocks[0]))
            if isinstance(getattr(blocks[0], field.name), np.ndarray)
        }
        made: History = attrs.evolve(blocks[0], **columns)
        return made

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[History]:
        """Yield the rows in pieces of at most `size`.

        Raises
        ------
        DataError
            As `load`.
        """
        return self._blocks(check_size(size))

    def _blocks(self, size: int) -> Iterator[History]:
        reader = TimeReader()
        start, last = 0, None
        for table in self.tables(size):
            if not _length(table):
                continue
            try:
                block = self._read(table, reader)
                _refuse(_disorder(last, int(block.ts[0])), int(block.ts[0]))
            except DataError as error:
                message = renumber(str(error), lambda row, start=start: self.label(start + row))  # type: ignore[misc]
                raise DataError(f"{self.name}: {message}") from None
            yield block
            start += len(block)
            last = int(block.ts[-1])
        if last is None:
            raise DataError(f"{self.name}: there are no rows. Check the path, the symbol and the time range.")

    def _read(self, table: Table, reader: TimeReader) -> History:
        labels = list(table)
        layout = find_market_columns(self.kind, labels, "the table")
        numbers = {name: _numbers(table[labels[place]], name) for name, place in layout.fields.items()}
        sides = None
        if layout.side is not None:
            values, codes = np.unique(np.asarray(table[labels[layout.side]]).astype(str), return_inverse=True)
            sides = code_sides(codes.astype(np.int64), values.tolist(), layout)
        return make_history(self.kind, self.instrument, _read_times(table, layout.time, reader), numbers, sides)


def _refuse(fault: str | None, first: int) -> None:
    if fault is not None:
        raise DataError(f"row 0 ({format_ns(first)}): {fault}")


def _disorder(last: int | None, first: int) -> str | None:
    if last is None or first >= last:
        return None
    return (
        f"its time comes before that of the row before it ({format_ns(last)}). Sort the rows by time, keeping the "
        "order of those of one time."
    )


def rows_as_table(labels: list[str], rows: list[Any]) -> dict[str, NDArray[Any]]:
    """Turn rows of plain values into columns; None is a value that is missing."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in labels)
    return {label: _column(list(values)) for label, values in zip(labels, columns, strict=True)}


def _column(values: list[Any]) -> NDArray[Any]:
    kinds = set(map(type, values))
    if kinds <= {int, float} or kinds <= {bool}:
        try:
            return np.array(values)
        except OverflowError:
            pass
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _length(table: Table) -> int:
    return len(next(iter(table.values()))) if table else 0


def _is_arrow(column: Any) -> bool:
    return type(column).__module__.partition(".")[0] == "pyarrow"


def _read_bars(table: Table, reader: TimeReader) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    labels = list(table)
    layout = find_columns(labels, "the table")
    ts = _read_times(table, layout.time, reader)
    return ts, {name: _numbers(table[labels[place]], name) for name, place in layout.fields.items()}


def _read_times(table: Table, place: int | None, reader: TimeReader) -> NDArray[np.int64]:
    assert place is not None
    column = list(table.values())[place]
    if _is_arrow(column):
        from cambist.data.sources.arrow import read_times as read_arrow_times

        return read_arrow_times(column, reader)
    values = np.asarray(column)
    if values.dtype.kind == "f" and len(values) and np.nanmax(np.abs(values)) >= 1e17:
        raise DataError(
            f"row 0: the time {values[0]!r} is a double, which does not hold nanoseconds. Give times as int64, "
            "or in us."
        )
    if values.dtype.kind in "iuf":
        return reader.read(values.astype(np.int64) if values.dtype.kind == "u" else values)
    if values.dtype.kind == "M":
        return _from_datetimes(values)
    import pandas as pd

    from cambist.data.sources.frame import read_times

    return read_times(pd.Series(values.astype(object)), reader)


def _from_datetimes(values: NDArray[Any]) -> NDArray[np.int64]:
    from cambist.data.times import scale_to_ns

    missing = np.isnat(values)
    if missing.any():
        raise DataError(f"row {int(missing.argmax())}: the time is missing (NaT). Drop the row or give it its time.")
    unit, count = np.datetime_data(values.dtype)
    lengths = {"D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 1_000, "ns": 1}
    if unit not in lengths:
        values, unit, count = values.astype("datetime64[s]"), "s", 1
    return scale_to_ns(values.astype(np.int64), lengths[unit] * count)


def _numbers(column: Any, name: str) -> NDArray[np.float64]:
    if _is_arrow(column):
        from cambist.data.sources.arrow import read_numbers as read_arrow_numbers

        return read_arrow_numbers(column, name)
    values = np.asarray(column)
    if values.dtype.kind in "iufb":
        return values.astype(np.float64)
    try:
        # Exchanges send numbers as texts; databases, decimals.
        return values.astype(np.float64)
    except (TypeError, ValueError):
        row = next(row for row, value in enumerate(values.tolist()) if not _is_number(value))
        raise DataError(f"row {row}: {name} is {values[row]!r}, which is no number. Repair or drop the row.") from None


def _is_number(value: Any) -> bool:
    try:
        float("nan" if value is None else value)
    except (TypeError, ValueError):
        return False
    return True
