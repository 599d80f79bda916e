"""One door for everything that holds trades, one for quotes, and one for order books."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist.data.load import existing_file
from cambist.data.market_columns import History
from cambist.data.series import choose_instrument
from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.model.instrument import Instrument
    from cambist.ports.history import MarketSource

__all__ = ["checked_history", "open_book", "open_quotes", "open_ticks"]


def open_ticks(source: Any, *, symbol: str | None = None, instrument: Instrument | None = None) -> MarketSource:
    """Return a source of trades, to be run on as it is, or read with ``load()``.

    Parameters
    ----------
    source
        A DataFrame, arrays by name, a table with an Arrow stream, or the path of a CSV, Parquet, Arrow or JSON lines
        file. Columns: a time (as for bars), price, size (or qty, quantity, volume, amount), and the side of the taker
        where it is known: side (buy or sell, 1 or -1) or buyer_is_maker (true or false). Further columns are ignored.
    symbol
        Name of an instrument to make: spot, no tick size, a step of 1e-8. Default: ``"ASSET"`` for a frame, the
        file's name up to its first dot for a file.
    instrument
        The instrument, in place of one made.

    Raises
    ------
    DataError
        The source cannot be read, or a row is no trade: names the row or line, its time, the value and what to do. A
        file is read when its rows are asked for.
    """
    return _open("ticks", source, symbol, instrument)


def open_quotes(source: Any, *, symbol: str | None = None, instrument: Instrument | None = None) -> MarketSource:
    """Return a source of quotes; as `open_ticks`, with the columns bid and ask, and bid_size and ask_size if known."""
    return _open("quotes", source, symbol, instrument)


def open_book(source: Any, *, symbol: str | None = None, instrument: Instrument | None = None) -> MarketSource:
    """Return a source of a recorded order book, one row a level; as `open_ticks`.

    Columns: a time, the side of the level (bid or ask, buy or sell, 1 or -1), its price, the size displayed there from
    then on (0 for none), and ``snapshot`` (1 or 0) where some rows are of snapshots; see `BookUpdates`. The instrument
    needs a tick size.
    """
    return _open("book", source, symbol, instrument)


def _open(kind: str, source: Any, symbol: str | None, instrument: Instrument | None) -> MarketSource:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        existing_file(path)
        chosen = choose_instrument(symbol, instrument, default=path.name.partition(".")[0] or path.name)
        return _open_file(path, chosen, kind)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        from cambist.data.sources.market import history_from_frame

        return history_from_frame(kind, source, choose_instrument(symbol, instrument))
    from cambist.data.sources.arrays import can_be_table, open_table_market

    if can_be_table(source):
        return open_table_market(source, choose_instrument(symbol, instrument), kind)
    hint = " Convert it with .to_pandas() first." if hasattr(source, "to_pandas") else ""
    raise DataError(
        f"{kind} cannot be read from a {type(source).__name__}. Give a DataFrame, arrays by name or the path of a "
        f"file; {_MODELS[kind]} can be run on as they are.{hint}"
    )


def _open_file(path: Path, instrument: Instrument, kind: str) -> MarketSource:
    from cambist.data.sources.market import CsvMarketHistory, ParquetMarketHistory

    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return ParquetMarketHistory(path, instrument, kind)
    if name.endswith((".arrow", ".feather")):
        from cambist.data.sources.ipc import open_ipc_market

        return open_ipc_market(path, instrument, kind)
    if name.endswith((".jsonl", ".jsonl.gz", ".ndjson")):
        from cambist.data.sources.json_lines import open_json_lines_market

        return open_json_lines_market(path, instrument, kind)
    return CsvMarketHistory(path, instrument, kind)


_MODELS = {"ticks": "Ticks", "quotes": "Quotes", "book": "BookUpdates"}


def checked_history(blocks: Iterable[Any], kind: str, name: str) -> Iterator[History]:
    """Yield blocks of trades or quotes as they come, refusing one that does not follow the one before it.

    Raises
    ------
    DataError
        A block is of another kind or instrument, or goes back in time.
    """
    previous: History | None = None
    for number, block in enumerate(blocks):
        where = f"{name}: block {number}"
        if not isinstance(block, History) or block.kind != kind:
            raise DataError(f"{where} is {type(block).__name__}; this source promised {kind}.")
        if previous is not None:
            if block.instrument != previous.instrument:
                raise DataError(
                    f"{where} is of {block.instrument.symbol}, the one before it of {previous.instrument.symbol}. "
                    "One source yields one instrument."
                )
            if block.ts[0] < previous.ts[-1]:
                raise DataError(
                    f"{where} begins at {format_ns(int(block.ts[0]))}, before the end of the one before it "
                    f"({format_ns(int(previous.ts[-1]))}). Yield blocks in the order of time."
                )
        yield block
        previous = block
