"""A result as files: CSV for the tables, ``result.json`` for everything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from importlib.metadata import version
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import attrs
import msgspec
import numpy as np

from cambist.analysis import MEASURES, iso_time
from cambist.errors import ResultError
from cambist.model import Instrument, to_ns
from cambist.model.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    import pandas as pd

    from cambist.backtest.result import Result
    from cambist.model import Trade

__all__ = ["SCHEMA_VERSION", "document", "save"]

#: Of ``result.json``. It grows when a reader of the older one would misread the newer.
SCHEMA_VERSION = 1

_ROWS_AT_ONCE = 65_536
_NEEDS_QUOTES = re.compile(r'[",\r\n]')
_NAT = np.iinfo(np.int64).min


def save(result: Result, folder: str | PathLike[str]) -> Path:
    """Write a result to a folder: its tables as CSV, and ``result.json``.

    Every file is written beside its final name first, and none takes that name before all are complete;
    ``result.json`` is the last to. Equal results make equal bytes, save for ``run_id`` and ``wall_seconds``.

    Parameters
    ----------
    result
        What to write.
    folder
        Where to; made when missing.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ResultError
        If something cannot be written.

    Notes
    -----
    Numbers in the CSV files are the shortest text that reads back as the same float64, times are ISO 8601 in UTC with
    a fraction only where there is one, NaN and missing times are empty.
    """
    folder = Path(folder)
    contents: dict[str, Iterable[str]] = {name: _csv(frame) for name, frame in _frames(result).items()}
    contents["result.json"] = [document(result)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_all(folder, contents)
    except OSError as error:
        raise ResultError(
            f"the result cannot be written to {folder}: {error.strerror or error}. "
            "Choose a folder that can be written to and has room."
        ) from error
    return folder


def document(result: Result) -> str:
    """Return the text of ``result.json``."""
    content = _document(result, {name: len(frame) for name, frame in _frames(result).items()})
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _frames(result: Result) -> dict[str, pd.DataFrame]:
    """Return the tables by the names of their files; the result keeps what it has made."""
    frames = {
        "orders.csv": result.orders,
        "fills.csv": result.fills,
        "trades.csv": result.trades,
        "equity.csv": result.equity,
    }
    return frames | {"cash_flows.csv": result.cash_flows} if result.flow_records else frames


def _write_all(folder: Path, contents: Mapping[str, Iterable[str]]) -> None:
    """Write all files under passing names, then give them their own."""
    token = uuid4().hex[:8]
    written: dict[Path, Path] = {}
    try:
        for name, pieces in contents.items():
            final = folder / name
            if final.is_dir():
                raise IsADirectoryError(f"{name} is a folder there")
            passing = folder / f".{name}.{token}.tmp"
            written[passing] = final
            with passing.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.writelines(pieces)
        for passing, final in written.items():
            passing.replace(final)
    finally:
        for passing in written:
            passing.unlink(missing_ok=True)


def _csv(frame: pd.DataFrame) -> Iterator[str]:
    """Yield a frame as CSV text in pieces: the index first, then the columns."""
    yield ",".join([str(frame.index.name), *map(str, frame.columns)]) + "\n"
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        piece = frame.iloc[start : start + _ROWS_AT_ONCE]
        columns = [piece.index.to_series(), *(piece[name] for name in piece.columns)]
        # Half the time of `csv.writer`, which looks for quotes in numbers too.
        yield "\n".join(map(",".join, zip(*map(_cells, columns), strict=True))) + "\n"


def _cells(column: pd.Series[Any]) -> list[str]:
    """Return a column as text, quoted where CSV needs it."""
    if hasattr(column.dtype, "tz"):
        return _iso_cells(column.to_numpy(np.dtype("datetime64[ns]")).view(np.int64))
    values = column.tolist()
    if column.dtype == np.float64:
        return _float_cells(values)
    if column.dtype == np.bool_:
        return ["true" if value else "false" for value in values]
    if column.dtype == np.int64:
        return list(map(str, values))
    return list(map(_quoted, values))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _float_cells(values: list[float]) -> list[str]:
    """Write floats as the shortest text that reads back the same, NaN as nothing."""
    if values and all(map(isfinite, values)):
        # Seven times as fast as `repr`, and as exact.
        return msgspec.json.encode(values)[1:-1].decode().split(",")
    return ["" if isnan(value) else repr(value) for value in values]


def _iso_cells(times: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
    """`cambist.analysis.iso_time` over a column (ns, shape ``(n,)``), empty for NaT."""
    cells: list[str] = np.datetime_as_string(times.view("datetime64[ns]"), unit="s", timezone="UTC").tolist()
    for row in np.flatnonzero((times % SECOND_NS != 0) | (times == _NAT)).tolist():
        cells[row] = "" if times[row] == _NAT else iso_time(int(times[row]))
    return cells


def _document(result: Result, rows: dict[str, int]) -> dict[str, object]:
    summary = result.summary
    return {
        "schema_version": SCHEMA_VERSION,
        "cambist_version": version("cambist"),
        "run_id": result.run_id,
        "wall_seconds": _json(result.wall_seconds),
        "stopped": result.stopped,
        "warnings": list(result.warnings),
        "settings": _json(result.settings),
        "strategies": [
            {"name": strategy.name, "class": strategy.class_name, "parameters": _json(strategy.parameters)}
            for strategy in result.strategies
        ],
        "data": {
            "started": iso_time(result.started),
            "ended": iso_time(result.ended),
            "bars": result.n_bars,
            "timeframes": list(result.timeframes),
        },
        "instruments": [_instrument(instrument) for instrument in result.instruments],
        "currency": result.currency,
        "initial_cash": _json(result.initial_cash),
        "account": _json(attrs.asdict(result.account)),
        "summary": summary.to_dict(),
        "measures": {key: _json(result.analysis.measure(key)) for key, spec in MEASURES.items() if not spec.in_summary},
        "buy_and_hold": summary.benchmark_to_dict() if result.benchmark is not None else None,
        "open_trades": [_open_trade(trade) for trade in result.trade_records if trade.is_open],
        "rows": rows,
    }


def _instrument(instrument: Instrument) -> dict[str, object]:
    """Return the fields that make an instrument; exact decimals stay text."""
    return {field.name: _json(getattr(instrument, field.name)) for field in attrs.fields(Instrument) if field.init}


def _open_trade(trade: Trade) -> dict[str, object]:
    return {
        "id": trade.id,
        "strategy": trade.strategy,
        "instrument": trade.instrument.symbol,
        "side": "long" if trade.is_long else "short",
        "entry_time": iso_time(trade.opened_at),
        "entry_price": _json(trade.entry_price),
        "entered": _json(trade.entered),
        "exited": _json(trade.exited),
        "gross": _json(trade.gross),
        "fees": _json(trade.fees),
        "tag": trade.tag,
    }


def _json(value: object) -> object:
    """Return `value` in JSON's own types: NaN and infinity become null, what JSON has no type for becomes text.

    A parameter of an unusual type must not cost the result of a long run, so nothing is refused.
    """
    if isinstance(value, Enum):
        return _json(value.value)
    if isinstance(value, np.generic):
        return _json(value.item())
    if isinstance(value, float):
        return value if isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_json(item) for item in value), key=str)
    if isinstance(value, date):
        return iso_time(to_ns(value))
    return str(getattr(value, "__qualname__", value))
