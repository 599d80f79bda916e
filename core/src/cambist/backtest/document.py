"""``result.json``: everything of a result that is no table, in JSON that any program can read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from importlib.metadata import version
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis import MEASURES, Drawdown, EquityRecorder, iso_time
from cambist.analysis.curve import EquityCurve
from cambist.backtest.formats import iso_ns
from cambist.model import Account, to_ns

if TYPE_CHECKING:
    from cambist.backtest.history import RunHistory
    from cambist.backtest.played import PlayedSeries
    from cambist.backtest.result import Result
    from cambist.backtest.tables import Table
    from cambist.model import Trade

__all__ = ["SCHEMA_VERSION", "content_of", "curve_from", "ns_from", "plain", "restore"]

#: Of ``result.json``. It grows when a reader of the older one would misread the newer.
SCHEMA_VERSION = 3

#: The numbers of a curve.
_SCALARS = ("n_bars", "exposed_bars", "initial", "final", "lowest", "periods_per_year")


def content_of(result: Result, tables: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """Return the document of a result; NaN and infinity are null there, and listed under ``non_finite``.

    Parameters
    ----------
    result
        Of what.
    tables
        What to say of each table, by name.
    """
    summary, history = result.summary, result.history
    content = {
        "schema_version": SCHEMA_VERSION,
        "cambist_version": version("cambist"),
        "run_id": result.run_id,
        "wall_seconds": result.wall_seconds,
        "stopped": result.stopped,
        "warnings": list(result.warnings),
        "settings": result.settings,
        "strategies": [
            {"name": strategy.name, "class": strategy.class_name, "parameters": strategy.parameters}
            for strategy in result.strategies
        ],
        "data": {
            "started": iso_time(result.started),
            "ended": iso_time(result.ended),
            "bars": result.n_bars,
            "unit": result.unit,
            "timeframes": list(result.timeframes),
        },
        "instruments": [instrument.to_fields() for instrument in result.instruments],
        "currency": result.currency,
        "initial_cash": result.initial_cash,
        "account": _fields(result.account),
        "accounts": list(result.accounts),
        "assets": {asset: _fields(account) for asset, account in result.assets.items()},
        "summary": summary.to_dict(),
        "measures": {key: result.analysis.measure(key) for key, spec in MEASURES.items() if not spec.in_summary},
        "analyzers": [attrs.asdict(one) | {"unit": str(one.unit)} for one in result.measured],
        "buy_and_hold": summary.benchmark_to_dict() if result.benchmark is not None else None,
        "open_trades": [_open_trade(trade) for trade in result.trade_records if trade.is_open],
        "curve": _curve(result.curve),
        "benchmark_curve": None if result.benchmark is None else _curve(result.benchmark),
        "fund_curve": None if result.fund is None else _curve(result.fund),
        "splits": [attrs.asdict(split) for split in result.split_records],
        "last_prices": dict(result.last_prices),
        "history": None
        if history is None
        else {
            "initial_cash": history.account.initial_cash,
            "first_opens": history.first_opens,
            "positions": list(history.account.positions),
            "assets": {name: one.account.initial_cash for name, one in history.assets.items()},
            "played": [_played(series) for series in history.played],
        },
        "tables": tables,
    }
    non_finite: dict[str, str] = {}
    plain: Any = {key: _plain(value, f"/{key}", non_finite) for key, value in content.items()}
    return {**plain, "non_finite": non_finite}


def restore(document: dict[str, Any]) -> None:
    """Put the numbers of ``non_finite`` back where they belong.

    Raises
    ------
    KeyError, TypeError, ValueError, IndexError, AttributeError
        The document is not what `content_of` makes.
    """
    for pointer, number in document["non_finite"].items():
        *path, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
        place: Any = document
        for part in path:
            place = place[int(part) if isinstance(place, list) else part]
        place[int(last) if isinstance(place, list) else last] = float(number)


def curve_from(said: Mapping[str, Any], table: Table) -> EquityCurve:
    """Return the curve of which a document says `said`, with the rows of `table`.

    Raises
    ------
    KeyError, TypeError, ValueError
        The document is not what `content_of` makes.
    ResultError
        The rows are not.
    """
    start, initial = ns_from(said["start"]), said["initial"]
    times, equity = np.asarray(table["ts"]), np.asarray(table["equity"])
    if said["every_bar"]:
        recorder = EquityRecorder(initial, start, keep_all=True)
        recorder.add(times, equity, np.zeros(len(times), np.bool_))
        return attrs.evolve(recorder.finish(said["periods_per_year"]), exposed_bars=said["exposed_bars"])
    fall = {
        name: ns_from(value) if name.endswith("_at") and value is not None else value
        for name, value in said["drawdown"].items()
    }
    return EquityCurve(
        times=np.concatenate((np.array([start]), times)),
        equity=np.concatenate(([initial], equity)),
        peaks=np.concatenate(([initial], table["peak"])),
        rows=np.concatenate((np.array([-1]), table["bar"])),
        all_times=None,
        all_equity=None,
        drawdown=Drawdown(**fall),
        **{name: said[name] for name in _SCALARS},
    )


def ns_from(text: str) -> int:
    """Return a time of a document in ns; `cambist.analysis.iso_time` backwards, to the nanosecond."""
    return int(iso_ns([text])[0])


def _curve(curve: EquityCurve) -> dict[str, object]:
    fall = {field.name: getattr(curve.drawdown, field.name) for field in attrs.fields(Drawdown)}
    return {
        "every_bar": curve.all_times is not None,
        "start": iso_time(curve.start),
        **{name: getattr(curve, name) for name in _SCALARS},
        "drawdown": {
            name: iso_time(value) if name.endswith("_at") and value is not None else value
            for name, value in fall.items()
        },
    }


def _played(series: PlayedSeries) -> dict[str, object]:
    """Say of which series a table of bars is."""
    bars = series.bars
    return {
        "instrument": bars.instrument.symbol,
        "timeframe": str(bars.timeframe),
        "lines": [{"strategy": line.strategy, "name": line.name} for line in series.lines],
    }


def _initial(history: RunHistory) -> dict[str, float]:
    """Return with how much of each asset the account began, where it holds several."""
    return {name: one.account.initial_cash for name, one in history.assets.items()}


def _fields(record: Account) -> dict[str, object]:
    """Return the fields that make a record."""
    return {field.name: getattr(record, field.name) for field in attrs.fields(type(record)) if field.init}


def _open_trade(trade: Trade) -> dict[str, object]:
    return {
        "id": trade.id,
        "strategy": trade.strategy,
        "instrument": trade.instrument.symbol,
        "side": "long" if trade.is_long else "short",
        "entry_time": iso_time(trade.opened_at),
        "entry_price": trade.entry_price,
        "entered": trade.entered,
        "exited": trade.exited,
        "gross": trade.gross,
        "fees": trade.fees,
        "tag": trade.tag,
    }


def plain(value: object) -> object:
    """Return `value` in JSON's own types; numbers that are none there become null, other things text."""
    return _plain(value, "", {})


def _plain(value: object, pointer: str, non_finite: dict[str, str]) -> object:
    """Return `value` in JSON's own types; what JSON has no type for becomes text.

    A parameter of an unusual type must not cost the result of a long run, so nothing is refused.

    Parameters
    ----------
    value
        What to write.
    pointer
        Where it stands (RFC 6901).
    non_finite
        Gets the numbers that are none in JSON, by pointer.
    """
    if isinstance(value, Enum):
        return _plain(value.value, pointer, non_finite)
    if isinstance(value, np.generic):
        return _plain(value.item(), pointer, non_finite)
    if isinstance(value, float):
        if isfinite(value):
            return value
        non_finite[pointer] = repr(value)
        return None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        escaped = {str(key): str(key).replace("~", "~0").replace("/", "~1") for key in value}
        return {str(key): _plain(item, f"{pointer}/{escaped[str(key)]}", non_finite) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{pointer}/{place}", non_finite) for place, item in enumerate(value)]
    if isinstance(value, set | frozenset):
        # A set has no order, so its members cannot be pointed at: a NaN in one is null for good.
        return sorted((_plain(item, pointer, {}) for item in value), key=str)
    if isinstance(value, date):
        return iso_time(to_ns(value))
    return str(getattr(value, "__qualname__", value))
