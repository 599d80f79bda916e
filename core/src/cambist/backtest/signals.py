"""The signals of a run, and the lines that it kept, as a table."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.tables import Kind, Table
from cambist.ports.rows import SignalRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.engine.watched import WatchedLine
    from cambist.model.signals import Signal

__all__ = ["NO_SIGNALS", "SIGNALS", "signal_rows", "signal_table", "signals_of"]

#: Columns of the table; `value` is NaN where a text was noted, and `text` empty where a number was.
SIGNALS = {
    "ts": Kind.TIME,
    "strategy": Kind.TEXT,
    "name": Kind.TEXT,
    "instrument": Kind.TEXT,
    "value": Kind.FLOAT,
    "text": Kind.TEXT,
}
_NAMES = ("strategy", "name", "instrument")

#: Of a run in which nothing was noted.
NO_SIGNALS = Table(
    SIGNALS,
    {"ts": np.empty(0, np.int64), "strategy": [], "name": [], "instrument": [], "value": np.empty(0), "text": []},
)


def signal_table(signals: Sequence[Signal], lines: Sequence[WatchedLine] = ()) -> Table:
    """Return what was noted, sorted by time, strategy, name and instrument.

    Of several values of one name, instrument and time the last stands; lines come last.
    """
    if not signals and not lines:
        return NO_SIGNALS
    keys = sorted(
        {(one.strategy, one.name, one.symbol) for one in signals}
        | {(line.strategy, line.name, line.symbol) for line in lines}
    )
    codes = {key: code for code, key in enumerate(keys)}
    times = [np.array([one.ts for one in signals], np.int64)]
    owners = [np.array([codes[one.strategy, one.name, one.symbol] for one in signals], np.int64)]
    values = [np.array([np.nan if isinstance(one.value, str) else one.value for one in signals], np.float64)]
    for line in lines:
        times += line.times
        values += line.values
        code = codes[line.strategy, line.name, line.symbol]
        owners += [np.full(len(part), code, np.int64) for part in line.times]
    ts, owner, value = np.concatenate(times), np.concatenate(owners), np.concatenate(values)
    order = _sorted_last(ts, owner)
    texts = [one.value if isinstance(one.value, str) else "" for one in signals]
    known = len(texts)
    columns = {name: [keys[code][place] for code in owner[order].tolist()] for place, name in enumerate(_NAMES)}
    return Table(
        SIGNALS,
        {
            "ts": ts[order],
            **columns,
            "value": value[order],
            "text": [texts[row] if row < known else "" for row in order.tolist()],
        },
    )


def _sorted_last(ts: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows sorted by time and owner; of those that share both the last one alone."""
    order: NDArray[np.int64] = np.lexsort((owner, ts))  # which is stable: equal rows stay in the order they came in
    ts, owner = ts[order], owner[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (ts[1:] != ts[:-1]) | (owner[1:] != owner[:-1])
    return order[last]


def signals_of(table: Table, strategies: set[str]) -> Table:
    """Return what some strategies noted."""
    rows = [row for row, name in enumerate(table["strategy"]) if name in strategies]
    columns = {
        name: [values[row] for row in rows] if isinstance(values, list) else values[rows]
        for name, values in table.columns.items()
    }
    return Table(table.kinds, columns) if rows else NO_SIGNALS


def signal_rows(table: Table) -> Iterator[SignalRow]:
    """Yield the rows of a database that a table makes."""
    columns = (table[name] if isinstance(table[name], list) else table[name].tolist() for name in SIGNALS)
    for ts, strategy, name, symbol, value, text in zip(*columns, strict=True):
        number = None if isnan(value) else value
        yield SignalRow(strategy=strategy, name=name, symbol=symbol, ts=ts, value=number, text=text)
