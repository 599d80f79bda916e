"""One door for everything that holds bars."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist.data.named import is_named, open_named
from cambist.data.series import choose_instrument
from cambist.data.sources.memory import BlockHistory, MemoryHistory
from cambist.errors import DataError, did_you_mean
from cambist.model.bars import Bars
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.ports.history import HistorySource

__all__ = ["SUFFIXES", "absence", "existing_file", "load", "open_source"]

#: The files that can be read, by the end of their names.
SUFFIXES = (
    *(".csv", ".csv.gz", ".csv.bz2", ".csv.zip"),
    *(".parquet", ".pq", ".arrow", ".feather"),
    *(".jsonl", ".jsonl.gz", ".ndjson"),
)


def load(
    source: Any,
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
    repair: Mapping[str, str] | None = None,
) -> Bars:
    """Return the bars of whatever holds them.

    Parameters
    ----------
    source
        `Bars`, a DataFrame, NumPy arrays, a table of polars, pyarrow or anything else with an Arrow stream, the path of
        a CSV, Parquet, Arrow or JSON lines file, an object with ``blocks(size)``, or a name: a series that was fetched
        before, such as ``"binance-spot:BTC/USDT:1m"``, or one of a feed, such as ``"samples:AAPL"``.
    symbol
        Name of an instrument to make: spot, no tick size, a step of 1e-8. Default: ``"ASSET"`` for a frame, the
        file's name up to its first dot for a file.
    instrument
        The instrument, in place of one made.
    timeframe
        Length of a bar. Default: the commonest spacing of the first 10,000 bars.
    repair
        What is to be done about defects, rule by rule, such as ``{"duplicate": "drop", "gap": "fill"}``; see
        `cambist.data.repair`, which tells each change as well. Default: bars with a mistake are refused.

    Raises
    ------
    DataError
        The source cannot be read, or a row is no bar: names the row or line, its time, the value and what to do.
    MissingDependencyError
        A Parquet file, and no pyarrow.
    """
    return open_source(source, symbol=symbol, instrument=instrument, timeframe=timeframe, repair=repair).load()


def open_source(
    source: Any,
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
    repair: Mapping[str, str] | None = None,
) -> HistorySource:
    """Return a source of whatever holds bars, to be read at once or block by block.

    Parameters and errors are those of `load`. A DataFrame is read here; a file when its bars are asked for, save that
    one that does not exist is refused here. What is repaired is read here and as a whole; `notes` say what was changed.
    """
    if repair:
        from cambist.data.checks.repairing import repair as mend

        done = mend(source, repair, symbol=symbol, instrument=instrument, timeframe=timeframe)
        return MemoryHistory(done.bars, notes=(done.describe(),) if done.changes else ())
    frame = None if timeframe is None else Timeframe.parse(timeframe)
    if isinstance(source, Bars):
        _refuse_other(source, symbol, instrument, frame)
        return MemoryHistory(source)
    if is_named(source) and not source.lower().endswith(SUFFIXES):
        return open_named(source, symbol=symbol, instrument=instrument, timeframe=frame)
    if isinstance(source, str | os.PathLike):
        return _open_file(Path(source), symbol, instrument, frame)
    # Whoever holds a DataFrame has imported pandas; whoever does not is spared half a second.
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        from cambist.data.sources.frame import bars_from_frame

        return MemoryHistory(bars_from_frame(source, symbol=symbol, instrument=instrument, timeframe=frame))
    if callable(getattr(source, "blocks", None)) and not isinstance(source, type):
        return _open_object(source, symbol, instrument, frame)
    from cambist.data.sources.arrays import can_be_table, open_table

    if can_be_table(source):
        return open_table(source, choose_instrument(symbol, instrument), frame)
    hint = " Convert it with .to_pandas() first." if hasattr(source, "to_pandas") else ""
    raise DataError(
        f"bars cannot be made of a {type(source).__name__}. Give Bars, a DataFrame, arrays, the path of a file "
        f"({', '.join(SUFFIXES)}), or an object with blocks(size).{hint}"
    )


def _refuse_other(bars: Bars, symbol: str | None, instrument: Instrument | None, timeframe: Timeframe | None) -> None:
    if symbol is not None and symbol != bars.instrument.symbol:
        raise DataError(
            f"the bars are of {bars.instrument.symbol!r}; symbol={symbol!r} cannot change that. Leave it out."
        )
    if instrument is not None and instrument != bars.instrument:
        raise DataError(
            f"the bars have an instrument ({bars.instrument.symbol!r}) that differs from the one given. "
            "Leave it out, or make bars of the other instrument with attrs.evolve(bars, instrument=...)."
        )
    if timeframe is not None and timeframe != bars.timeframe:
        raise DataError(
            f"the bars are of {bars.timeframe}; timeframe={str(timeframe)!r} cannot change that. Leave it out."
        )


def _open_object(
    source: Any, symbol: str | None, instrument: Instrument | None, timeframe: Timeframe | None
) -> HistorySource:
    for name, value in (("symbol", symbol), ("instrument", instrument), ("timeframe", timeframe)):
        if value is not None:
            raise DataError(f"a source names its own instrument and timeframe; leave {name}= out.")
    return source if isinstance(source, MemoryHistory | BlockHistory) else BlockHistory(source)


def _open_file(
    path: Path, symbol: str | None, instrument: Instrument | None, timeframe: Timeframe | None
) -> HistorySource:
    opener = _opener(path)
    existing_file(path)
    chosen = choose_instrument(symbol, instrument, default=path.name.partition(".")[0] or path.name)
    return opener(path, chosen, timeframe)


def existing_file(path: Path) -> None:
    """Refuse a path that is no file, or one of a kind that is not read.

    Raises
    ------
    DataError
        Says what is there instead, and which file of the folder has nearly that name.
    """
    _opener(path)
    if not path.is_file():
        raise DataError(f"{path}: {absence(path)}")


def _opener(path: Path) -> Callable[[Path, Instrument, Timeframe | None], HistorySource]:
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        from cambist.data.sources.parquet import ParquetHistory

        return ParquetHistory
    if name.endswith((".arrow", ".feather")):
        from cambist.data.sources.ipc import open_ipc

        return open_ipc
    if name.endswith((".jsonl", ".jsonl.gz", ".ndjson")):
        from cambist.data.sources.json_lines import open_json_lines

        return open_json_lines
    if name.endswith(SUFFIXES):
        from cambist.data.sources.csv import CsvHistory

        return CsvHistory
    what = (
        "there is a folder of that name"
        if path.is_dir()
        else f"files ending in {path.suffix or 'nothing'!r} are not read"
    )
    raise DataError(
        f"{path}: {what}. Give a file ending in {', '.join(SUFFIXES)}, or load it yourself and give a DataFrame."
    )


def absence(path: Path) -> str:
    """Say what is there where a file should be, and which file has nearly its name."""
    if path.is_dir():
        return "this is a folder. Give one of the files in it."
    if not path.parent.is_dir():
        return f"there is no such file, nor a folder {str(path.parent)!r}. Check the path."
    endings = (*SUFFIXES, path.suffix.lower()) if path.suffix else SUFFIXES
    near = did_you_mean(
        path.name, [entry.name for entry in path.parent.iterdir() if entry.name.lower().endswith(endings)]
    )
    return f"there is no such file. Check the path.{near}"
