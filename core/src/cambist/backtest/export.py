"""A result as files: its tables as CSV, Parquet or JSON, ``result.json`` for everything else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import crc32

import numpy as np

from cambist.backtest.document import content_of
from cambist.backtest.formats import FORMATS, format_named, write_text
from cambist.backtest.history import curve_rows
from cambist.backtest.played import played_table
from cambist.backtest.tables import FILLS, FLOWS, ORDERS, TRADES, Kind, Table
from cambist.errors import ResultError
from cambist.model.legs import side_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from cambist.analysis import EquityCurve
    from cambist.backtest.formats import Format
    from cambist.backtest.history import RunHistory
    from cambist.backtest.result import Result
    from cambist.model import Instrument

__all__ = [
    "BALANCES",
    "CASH",
    "CURVE",
    "DOCUMENT",
    "HEDGED_POSITIONS",
    "POSITIONS",
    "account_folder",
    "checksum",
    "closes_kinds",
    "document",
    "rates_kinds",
    "save",
]

DOCUMENT = "result.json"

#: The columns of the tables that are not of records, see `cambist.backtest.tables`.
CURVE = {
    "ts": Kind.TIME,
    "equity": Kind.FLOAT,
    "drawdown": Kind.FLOAT,
    "peak": Kind.FLOAT,
    "bar": Kind.INTEGER,
}
CASH = {"bar": Kind.INTEGER, "ts": Kind.TIME, "cash": Kind.FLOAT}
BALANCES = {"bar": Kind.INTEGER, "ts": Kind.TIME, "asset": Kind.TEXT, "cash": Kind.FLOAT}
POSITIONS = {"ts": Kind.TIME, "instrument": Kind.TEXT, "size": Kind.FLOAT, "average_price": Kind.FLOAT}
#: The same for a hedged account.
HEDGED_POSITIONS = POSITIONS | {"position_side": Kind.TEXT}

_NAMES = (
    "orders",
    "fills",
    "trades",
    "open_trades",
    "equity",
    "benchmark",
    "fund",
    "cash_flows",
    "cash",
    "positions",
    "closes",
    r"bars_\d+",
    "balances",
    "rates",
    "signals",
    "snapshots",
    "position_snapshots",
)
_OURS = re.compile(rf"({'|'.join(_NAMES)})\.({'|'.join(FORMATS)})")


def save(result: Result, folder: str | PathLike[str], format: str = "csv") -> Path:  # noqa: A002 - the field's word
    """Write a result to a folder; see `cambist.Result.save`.

    Every file is written beside its final name first, and none takes that name before all are complete;
    ``result.json`` is the last to. Equal results make equal bytes, save for ``run_id`` and ``wall_seconds``.

    Notes
    -----
    Numbers are the shortest text that reads back as the same float64, times are ISO 8601 in UTC with a fraction only
    where there is one. NaN and missing times are empty in CSV, null in JSON, where an infinity is the text "Infinity"
    or "-Infinity".
    """
    chosen = format_named(format)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = len(_earlier(folder).get("accounts", ()))
        for number, account in enumerate(result.accounts.values(), 1):
            save(account, account_folder(folder, number), format)
        _write_all(folder, result, chosen)
        for number in range(len(result.accounts) + 1, before + 1):
            _discard(account_folder(folder, number))
    except OSError as error:
        raise ResultError(
            f"the result cannot be written to {folder}: {error.strerror or error}. "
            "Choose a folder that can be written to and has room."
        ) from error
    return folder


def account_folder(folder: Path, number: int) -> Path:
    """Return where the result of the account of a number, counted from 1, is kept beside that of the whole run."""
    return folder / "accounts" / str(number)


def _discard(folder: Path) -> None:
    """Remove the result of an account that is no more, and its folders if nothing else is in them."""
    for file in (*_earlier_tables(folder), folder / DOCUMENT):
        file.unlink(missing_ok=True)
    for one in (folder, folder.parent):
        if one.is_dir() and not any(one.iterdir()):
            one.rmdir()


def document(result: Result) -> str:
    """Return the text of ``result.json``, without what can be said of files alone."""
    return _text(content_of(result, {name: {"rows": len(table)} for name, table in _tables(result).items()}))


def checksum(path: Path) -> str:
    """Return the CRC-32 of a file in hexadecimal digits."""
    total = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            total = crc32(piece, total)
    return f"{total:08x}"


def closes_kinds(instruments: Sequence[Instrument]) -> dict[str, Kind]:
    """Return the columns of the table of closes."""
    return {"ts": Kind.TIME} | {f"close {instrument.symbol}": Kind.FLOAT for instrument in instruments}


def rates_kinds(assets: Iterable[str]) -> dict[str, Kind]:
    """Return the columns of the table of rates."""
    return {"ts": Kind.TIME} | {f"rate {asset}": Kind.FLOAT for asset in assets}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write_all(folder: Path, result: Result, chosen: Format) -> None:
    """Write all files under passing names, then give them their own."""
    token = uuid4().hex[:8]
    earlier = _earlier_tables(folder)
    written: dict[Path, Path] = {}

    def passing_for(name: str) -> Path:
        if (folder / name).is_dir():
            raise IsADirectoryError(f"{name} is a folder there")
        passing = folder / f".{name}.{token}.tmp"
        written[passing] = folder / name
        return passing

    try:
        said: dict[str, dict[str, object]] = {}
        for name, table in _tables(result).items():
            file = f"{name}.{chosen.name}"
            passing = passing_for(file)
            chosen.write(table, passing)
            said[name] = {"file": file, "rows": len(table), "crc32": checksum(passing)}
        write_text([_text(content_of(result, said))], passing_for(DOCUMENT))
        for passing, final in written.items():
            passing.replace(final)
        for left in earlier - set(written.values()):
            left.unlink(missing_ok=True)
    finally:
        for passing in written:
            passing.unlink(missing_ok=True)


def _earlier_tables(folder: Path) -> set[Path]:
    """Return the tables of a result that is there already: one in another format would be left over."""
    try:
        names = [str(table["file"]) for table in _earlier(folder)["tables"].values()]
    except (KeyError, TypeError, AttributeError):
        return set()
    return {folder / name for name in names if _OURS.fullmatch(name)}


def _earlier(folder: Path) -> dict[str, Any]:
    """Return the document of a result that is there already; nothing where there is none that can be read."""
    try:
        said = json.loads((folder / DOCUMENT).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _tables(result: Result) -> dict[str, Table]:
    """Return the tables of a result by name."""
    trades = result.trade_records
    tables = {
        "orders": ORDERS.table(result.order_records),
        "fills": FILLS.table(result.fill_records),
        "trades": TRADES.table([trade for trade in trades if not trade.is_open]),
        "open_trades": TRADES.table([trade for trade in trades if trade.is_open]),
        "equity": _curve_table(result.curve),
    }
    if result.benchmark is not None:
        tables["benchmark"] = _curve_table(result.benchmark)
    if result.fund is not None:
        tables["fund"] = _curve_table(result.fund)
    if result.flow_records:
        tables["cash_flows"] = FLOWS.table(result.flow_records)
    if len(result.signal_records):
        tables["signals"] = result.signal_records
    if len(result.snapshot_records.accounts):
        tables["snapshots"] = result.snapshot_records.accounts
        tables["position_snapshots"] = result.snapshot_records.holdings
    if result.history is not None:
        tables |= _history_tables(result.history, result)
    return tables


def _curve_table(curve: EquityCurve) -> Table:
    times, equity, peaks = curve_rows(curve)
    bars = curve.rows[1:] if curve.all_times is None else np.arange(len(times))
    drawdown = equity / peaks - 1.0
    return Table(CURVE, {"ts": times, "equity": equity, "drawdown": drawdown, "peak": peaks, "bar": bars})


def _history_tables(history: RunHistory, result: Result) -> Mapping[str, Table]:
    account, times = history.account, curve_rows(result.curve)[0]
    legs = account.legs(result.instruments)
    steps = {key: account.positions[key] for key, _ in legs}
    lengths = [len(one.times) for one in steps.values()]
    averages = [
        one.average_prices if len(one.average_prices) else np.full(len(one.times), np.nan) for one in steps.values()
    ]
    positions = {
        "ts": np.concatenate([one.times for one in steps.values()]),
        "instrument": [one.symbol for (_, one), length in zip(legs, lengths, strict=True) for _ in range(length)],
        "size": np.concatenate([one.sizes for one in steps.values()]),
        "average_price": np.concatenate(averages),
    }
    if len(legs) > len(result.instruments):
        sides = [str(side_in(key, one.symbol) or "") for key, one in legs]
        positions["position_side"] = [side for side, length in zip(sides, lengths, strict=True) for _ in range(length)]
    kinds = HEDGED_POSITIONS if "position_side" in positions else POSITIONS
    closes = {f"close {one.symbol}": history.closes[one.symbol].at(times) for one in result.instruments}
    return {
        "cash": Table(CASH, {"bar": account.bars, "ts": account.times, "cash": account.cash}),
        "positions": Table(kinds, positions),
        "closes": Table(closes_kinds(result.instruments), {"ts": times, **closes}),
        **{f"bars_{number}": played_table(series) for number, series in enumerate(history.played, 1)},
        **(_asset_tables(history) if history.assets else {}),
    }


def _asset_tables(history: RunHistory) -> Mapping[str, Table]:
    assets = {name: one.account for name, one in history.assets.items()}
    balances = {
        "bar": np.concatenate([one.bars for one in assets.values()]),
        "ts": np.concatenate([one.times for one in assets.values()]),
        "asset": [name for name, one in assets.items() for _ in range(len(one.times))],
        "cash": np.concatenate([one.cash for one in assets.values()]),
    }
    rates = {f"rate {name}": one.rates.prices for name, one in history.assets.items()}
    times = next(iter(history.assets.values())).rates.times
    return {
        "balances": Table(BALANCES, balances),
        "rates": Table(rates_kinds(assets), {"ts": times, **rates}),
    }
