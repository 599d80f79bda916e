"""Bars, trades and quotes from CSV files that are written in some dialect."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.data.load import absence, open_source
from cambist.data.series import PROBE_ROWS, choose_instrument, infer_timeframe
from cambist.data.sources.changes import Changes
from cambist.data.sources.csv import CsvHistory, frames
from cambist.data.sources.dialect_layout import DialectHead, read_dialect_head
from cambist.data.sources.dialects import CsvDialect, find_dialect
from cambist.data.sources.frame import read_numbers
from cambist.data.sources.market import CsvMarketHistory
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.data.market_columns import History
    from cambist.data.sources.csv_text import Head
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.ports.history import HistorySource, MarketSource

__all__ = ["DialectHistory", "DialectMarketHistory", "open_csv", "open_csv_quotes", "open_csv_ticks"]

_PRICES = ("open", "high", "low", "close")


@attrs.define
class _Count:
    """Rows that were left out."""

    rows: int = 0


@attrs.frozen(eq=False)
class DialectHistory(CsvHistory):
    """A `HistorySource` over a CSV file of some dialect; made by `open_csv`."""

    dialect: CsvDialect = attrs.field(factory=CsvDialect, kw_only=True)
    _dropped: _Count = attrs.field(factory=_Count, init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out when the file was last read, in a sentence."""
        rows = self._dropped.rows
        return (f"{self.path}: left out {rows:,} row{'' if rows == 1 else 's'} without values",) if rows else ()

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size`; of a file that begins with the newest, all of it is in memory."""
        check_size(size)
        return self.load().blocks(size) if self.dialect.newest_first else super().blocks(size)

    def _head(self) -> DialectHead:
        head = read_dialect_head(self.path, self.dialect)
        if self.dialect.adjusted and "adj_close" not in head.layout.fields:
            raise DataError("there is no column of adjusted closes. Name it in columns, or leave adjusted out.")
        if self.dialect.label == "close" or self.dialect.tz != "UTC":
            # Whether times are days is told from as many rows whatever the size of the blocks.
            first = self._usable(next(frames(self.path, head, PROBE_ROWS)), head)
            self._times(first, head, TimeReader())
        return head

    def _usable(self, frame: pd.DataFrame, head: Head) -> pd.DataFrame:
        if self.dialect.drop_null_rows:
            fields = head.layout.fields
            empty = frame[list(fields.values())].isna().all(axis=1)
            # A timeframe may be told from the first rows before they are read.
            self._dropped.rows = int(empty.sum()) + (self._dropped.rows if frame.index[0] else 0)
            if empty.any():
                frame = frame[~empty]
        return frame[::-1] if self.dialect.newest_first else frame

    def _columns(self, frame: pd.DataFrame, head: Head) -> dict[str, NDArray[np.float64]]:
        columns = {name: read_numbers(frame[place], name) for name, place in head.layout.fields.items()}
        adjusted = columns.pop("adj_close", None)
        if not self.dialect.adjusted or adjusted is None:
            return columns
        factor = adjusted / columns["close"]
        for name in _PRICES:
            columns[name] = columns[name] * factor
        if "volume" in columns:
            columns["volume"] = columns["volume"] / factor
        return columns

    def _read_times(self, frame: pd.DataFrame, head: Head, reader: TimeReader) -> NDArray[np.int64]:
        assert isinstance(head, DialectHead)
        return head.read_times(frame, reader)

    def _opens(self, ts: NDArray[np.int64], head: Head, timeframe: Timeframe | None) -> NDArray[np.int64]:
        assert isinstance(head, DialectHead)
        if self.dialect.label == "open" or head.times.are_dates:
            return ts
        return ts - (timeframe or infer_timeframe(ts)).ns


@attrs.frozen(eq=False)
class DialectMarketHistory(CsvMarketHistory):
    """A `MarketSource` over a CSV file of some dialect; made by `open_csv_ticks` and `open_csv_quotes`."""

    dialect: CsvDialect = attrs.field(factory=CsvDialect, kw_only=True)

    def _opened(self) -> tuple[Head, Callable[[pd.DataFrame], History | None]]:
        head, reader = read_dialect_head(self.path, self.dialect, self.kind), TimeReader()
        head.times.are_dates = False
        if self.dialect.changes_only:
            return head, Changes(self.path, self.kind, self.instrument, head).read
        return head, lambda frame: self._read(frame, head, lambda rows: head.read_times(rows, reader))


def open_csv(
    source: str | os.PathLike[str],
    *,
    dialect: str | CsvDialect = "generic",
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
    **changes: Any,
) -> HistorySource:
    """Return a source of the bars in a CSV file, however it is written.

    Parameters
    ----------
    source
        The path; packed with gzip, bzip2 or zip where its name ends so.
    dialect
        One of ``"generic"``, ``"backtrader"``, ``"mt4"``, ``"mt5"``, ``"yahoo"``, ``"sierra"``, ``"tradingview"``,
        ``"binance"``; or a `CsvDialect`.
    symbol, instrument, timeframe
        As for `load`.
    changes
        Attributes of `CsvDialect` to be other than the dialect's: ``time_format="%d.%m.%Y"``, ``decimal=","``,
        ``tz="Europe/Berlin"``, ``label="close"``, ``columns={"close": "Schluss"}``.

    Raises
    ------
    DataError
        There is no such file. What is in it is checked when it is read: an error names the line, the value and the
        remedy.
    ParameterError
        There is no such dialect, or a change makes no sense.
    """
    if dialect == "generic" and not changes:
        return open_source(source, symbol=symbol, instrument=instrument, timeframe=timeframe)
    path, chosen, found = _opening(source, dialect, symbol, instrument, changes)
    frame = None if timeframe is None else Timeframe.parse(timeframe)
    return DialectHistory(path, chosen, frame, dialect=found)


# Openers of feeds.
open_backtrader = partial(open_csv, dialect="backtrader")
open_binance = partial(open_csv, dialect="binance")
open_mt4 = partial(open_csv, dialect="mt4")
open_mt5 = partial(open_csv, dialect="mt5")
open_sierra = partial(open_csv, dialect="sierra")
open_tradingview = partial(open_csv, dialect="tradingview")
open_yahoo = partial(open_csv, dialect="yahoo")


def open_csv_ticks(
    source: str | os.PathLike[str],
    *,
    dialect: str | CsvDialect = "generic",
    symbol: str | None = None,
    instrument: Instrument | None = None,
    **changes: Any,
) -> MarketSource:
    """Return a source of the trades in a CSV file; as `open_csv`, ``"binance-trades"`` for instance."""
    path, chosen, found = _opening(source, dialect, symbol, instrument, changes)
    return DialectMarketHistory(path, chosen, "ticks", dialect=found)


def open_csv_quotes(
    source: str | os.PathLike[str],
    *,
    dialect: str | CsvDialect = "generic",
    symbol: str | None = None,
    instrument: Instrument | None = None,
    **changes: Any,
) -> MarketSource:
    """Return a source of the quotes in a CSV file; as `open_csv`, ``"mt5-ticks"`` for instance."""
    path, chosen, found = _opening(source, dialect, symbol, instrument, changes)
    return DialectMarketHistory(path, chosen, "quotes", dialect=found)


def _opening(
    source: Any, dialect: str | CsvDialect, symbol: str | None, instrument: Instrument | None, changes: dict[str, Any]
) -> tuple[Path, Instrument, CsvDialect]:
    found = find_dialect(dialect, **changes)
    path = Path(source)
    if not path.is_file():
        raise DataError(f"{path}: {absence(path)}")
    return path, choose_instrument(symbol, instrument, default=path.name.partition(".")[0] or path.name), found


open_binance_trades = partial(open_csv_ticks, dialect="binance-trades")
open_mt5_ticks = partial(open_csv_ticks, dialect="mt5-ticks")
open_mt5_quotes = partial(open_csv_quotes, dialect="mt5-ticks")
