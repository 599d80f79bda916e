"""A saved result, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from cambist.analysis import Measure, Unit
from cambist.backtest.document import SCHEMA_VERSION, curve_from, ns_from, restore
from cambist.backtest.export import (
    BALANCES,
    CASH,
    CURVE,
    DOCUMENT,
    HEDGED_POSITIONS,
    POSITIONS,
    account_folder,
    checksum,
    closes_kinds,
    rates_kinds,
)
from cambist.backtest.formats import FORMATS
from cambist.backtest.history import AssetHistory, Closes, RunHistory, curve_rows
from cambist.backtest.played import PlayedSeries, played_from, played_kinds
from cambist.backtest.result import Result, StrategyRecord
from cambist.backtest.signals import NO_SIGNALS, SIGNALS
from cambist.backtest.snapshot_tables import HOLDINGS, NO_SNAPSHOTS, SNAPSHOTS, SnapshotTables
from cambist.backtest.tables import FILLS, FLOWS, ORDERS, TRADES
from cambist.errors import InputError, ResultError
from cambist.model import Account, Instrument
from cambist.model.legs import leg_key, legs_of
from cambist.model.portfolio import StockSplit
from cambist.portfolio import AccountHistory, PositionSteps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from cambist.analysis import EquityCurve
    from cambist.backtest.tables import Kind, Layout, Table
    from cambist.model import Trade

__all__ = ["load_result"]

_REMEDY = "Take an unchanged copy of the folder, or run the backtest again and save it."


def load_result(folder: str | PathLike[str]) -> Result:
    """Return a result that `cambist.Result.save` or ``cambist backtest --out`` has written.

    It equals the one that was saved, floats to the last bit and times to the nanosecond: records, curves, series,
    account, instruments, settings, warnings, and so frames and summary. Strategies come back as their
    `StrategyRecord`; a parameter that JSON has no type for (a function, a date) is its text.

    Parameters
    ----------
    folder
        Where it was saved.

    Raises
    ------
    ResultError
        There is no result, or it is damaged, was changed, or comes from a version that this one cannot read: names
        the file and what to do.
    MissingDependencyError
        Its tables are Parquet files, and pyarrow is not installed.

    Examples
    --------
    >>> import cambist
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> result = cambist.backtest(SmaCross(fast=5), bars)
    >>> folder = result.save("kept")
    >>> cambist.load_result("kept").summary["trades"] == result.summary["trades"]
    True
    """
    return _Folder(Path(folder)).result()


class _Folder:
    """A folder that holds a result."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / DOCUMENT
        self.document: dict[str, Any] = self._read_document()

    def result(self) -> Result:
        """Put the result together."""
        said = self.document
        try:
            restore(said)
            instruments = {fields["symbol"]: Instrument(**fields) for fields in said["instruments"]}
            curve = self._curve("curve", "equity")
            assert curve is not None
            return Result(
                settings=said["settings"],
                strategies=tuple(
                    StrategyRecord(one["name"], one["class"], one["parameters"]) for one in said["strategies"]
                ),
                instruments=tuple(instruments.values()),
                timeframes=tuple(said["data"]["timeframes"]),
                run_id=said["run_id"],
                currency=said["currency"],
                initial_cash=said["initial_cash"],
                started=ns_from(said["data"]["started"]),
                ended=ns_from(said["data"]["ended"]),
                n_bars=said["data"]["bars"],
                wall_seconds=said["wall_seconds"],
                stopped=said["stopped"],
                curve=curve,
                benchmark=self._curve("benchmark_curve", "benchmark"),
                order_records=self._records("orders", ORDERS, instruments),
                fill_records=self._records("fills", FILLS, instruments),
                trade_records=self._trades(instruments),
                warnings=tuple(said["warnings"]),
                account=Account(**said["account"]),
                history=self._history(instruments, curve),
                unit=said["data"]["unit"],
                split_records=[StockSplit(**split) for split in said["splits"]],
                last_prices=said["last_prices"],
                assets={asset: Account(**fields) for asset, fields in said["assets"].items()},
                accounts={
                    name: load_result(account_folder(self.folder, number))
                    for number, name in enumerate(said["accounts"], 1)
                },
                measured=tuple(
                    Measure(one["key"], one["label"], one["value"], Unit(one["unit"]), one["benchmark"])
                    for one in said.get("analyzers", ())  # the first of this version had none
                ),
                fund=self._curve("fund_curve", "fund"),
                flow_records=self._records("cash_flows", FLOWS, instruments) if "cash_flows" in said["tables"] else [],
                snapshot_records=self._snapshots(),
                signal_records=self._table("signals", SIGNALS) if "signals" in said["tables"] else NO_SIGNALS,
            )
        except KeyError as error:
            self._refuse(self.path, f"the key {error} is missing", error)
        except (TypeError, ValueError, AttributeError, IndexError, AssertionError) as error:
            self._refuse(self.path, f"something in it is not what a result holds ({error})", error)

    def _read_document(self) -> dict[str, Any]:
        try:
            text = self.path.read_bytes()
        except OSError as error:
            what = (
                "there is no such file" if isinstance(error, FileNotFoundError | NotADirectoryError) else error.strerror
            )
            raise ResultError(
                f"{self.path}: {what}. Give a folder that result.save or cambist backtest --out has written."
            ) from error
        try:
            said = json.loads(text)
        except ValueError as error:
            self._refuse(self.path, f"this is no whole JSON document ({error})", error)
        version = said.get("schema_version") if isinstance(said, dict) else None
        if type(version) is not int or "cambist_version" not in said:
            raise ResultError(
                f"{self.path}: this is JSON, but not of a result of Cambist. "
                "Give a folder that result.save or cambist backtest --out has written."
            )
        if version > SCHEMA_VERSION:
            raise ResultError(
                f"{self.path}: Cambist {said['cambist_version']} wrote it in version {version} of the format; this one "
                f"reads up to {SCHEMA_VERSION}. Install that Cambist or a newer one to read it."
            )
        if version < SCHEMA_VERSION:
            raise ResultError(
                f"{self.path}: Cambist {said['cambist_version']} wrote it in version {version} of the format, which "
                "did not hold all that a result is made of. Run the backtest again and save it."
            )
        return dict(said)

    def _refuse(self, path: Path, what: str, cause: BaseException | None = None) -> NoReturn:
        raise ResultError(
            f"{path}: {what}: the file is damaged, or was changed after it was saved. {_REMEDY}"
        ) from cause

    def _path_of(self, table: str) -> Path:
        # The name alone: a document must not lead out of its folder.
        return self.folder / Path(self.document["tables"][table]["file"]).name

    def _table(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        said = self.document["tables"][name]
        path = self._path_of(name)
        chosen = FORMATS[path.suffix[1:]]
        chosen.check()
        try:
            intact = checksum(path) == said["crc32"]
        except OSError as error:
            self._refuse(path, f"the file cannot be read ({error.strerror or error})", error)
        if not intact:
            self._refuse(path, "its checksum is not the one in result.json")
        try:
            table = chosen.read(path, kinds)
        except (OSError, UnicodeDecodeError, ResultError) as error:
            self._refuse(path, str(error), error)
        if len(table) != said["rows"]:
            self._refuse(path, f"it has {len(table)} rows, and result.json says {said['rows']}")
        return table

    def _records(self, name: str, layout: Layout, instruments: Mapping[str, Instrument]) -> list[Any]:
        table = self._table(name, layout.kinds)
        try:
            return layout.records(table, instruments)
        except ResultError as error:
            self._refuse(self._path_of(name), str(error), error)

    def _trades(self, instruments: Mapping[str, Instrument]) -> list[Trade]:
        names = ("trades", "open_trades")
        trades = [trade for name in names for trade in self._records(name, TRADES, instruments)]
        return sorted(trades, key=lambda trade: trade.id)

    def _snapshots(self) -> SnapshotTables:
        if "snapshots" not in self.document["tables"]:
            return NO_SNAPSHOTS
        return SnapshotTables(self._table("snapshots", SNAPSHOTS), self._table("position_snapshots", HOLDINGS))

    def _curve(self, key: str, table: str) -> EquityCurve | None:
        said = self.document[key]
        if said is None:
            return None
        rows = self._table(table, CURVE)
        try:
            return curve_from(said, rows)
        except ResultError as error:
            self._refuse(self._path_of(table), str(error), error)

    def _history(self, instruments: Mapping[str, Instrument], curve: EquityCurve) -> RunHistory | None:
        said = self.document["history"]
        if said is None:
            return None
        cash = self._table("cash", CASH)
        legs = legs_of(instruments.values(), said.get("positions", instruments))
        positions = self._table("positions", HEDGED_POSITIONS if len(legs) > len(instruments) else POSITIONS)
        closes = self._table("closes", closes_kinds(list(instruments.values())))
        times = curve_rows(curve)[0]
        account = AccountHistory(
            said["initial_cash"],
            cash["bar"],
            cash["ts"],
            cash["cash"],
            {key: _steps(positions, key, one) for key, one in legs},
        )
        prices = {symbol: Closes(times, closes[f"close {symbol}"]) for symbol in instruments}
        return RunHistory(account, prices, said["first_opens"], self._assets(), self._played(instruments))

    def _played(self, instruments: Mapping[str, Instrument]) -> tuple[PlayedSeries, ...]:
        found = []
        for number, said in enumerate(self.document["history"].get("played", ()), 1):
            name = f"bars_{number}"
            table = self._table(name, played_kinds(len(said["lines"])))
            try:
                found.append(played_from(said, table, instruments))
            except InputError as error:
                self._refuse(self._path_of(name), str(error), error)
        return tuple(found)

    def _assets(self) -> dict[str, AssetHistory]:
        initial = self.document["history"]["assets"]
        if not initial:
            return {}
        balances, rates = self._table("balances", BALANCES), self._table("rates", rates_kinds(initial))
        found = {}
        for asset, cash in initial.items():
            rows = np.array([name == asset for name in balances["asset"]], np.bool_)
            steps = (balances["bar"][rows], balances["ts"][rows], balances["cash"][rows])
            found[asset] = AssetHistory(AccountHistory(cash, *steps, {}), Closes(rates["ts"], rates[f"rate {asset}"]))
        return found


def _steps(positions: Table, key: str, instrument: Instrument) -> PositionSteps:
    rows = np.array([symbol == instrument.symbol for symbol in positions["instrument"]], np.bool_)
    if key != instrument.symbol:
        rows &= np.array(
            [leg_key(instrument.symbol, side or None) == key for side in positions["position_side"]], np.bool_
        )
    averages = np.empty(0) if instrument.is_cash else positions["average_price"][rows]
    return PositionSteps(positions["ts"][rows], positions["size"][rows], averages)
