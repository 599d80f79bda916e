"""A result as the rows of a database; see `cambist.ports.rows`."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis import MEASURES
from cambist.analysis.daily import daily_performance
from cambist.analysis.sampling import DayEnds
from cambist.backtest.document import plain
from cambist.backtest.history import curve_rows
from cambist.backtest.signals import signal_rows
from cambist.engine.conversions import decimal_of
from cambist.engine.rows import fill_row, order_row, trade_row
from cambist.engine.valued import daily_row, day_of, snapshot_rows
from cambist.model.times import to_ns
from cambist.portfolio.exact import exact
from cambist.ports.rows import AccountRow, CashFlowRow, EventRow, MeasureRow, PositionRow
from cambist.ports.storage import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.backtest.result import Result
    from cambist.ports.rows import DailyRow, Row
    from cambist.ports.storage import RunStore

__all__ = ["record_of", "rows_of", "store_result"]

#: Rows that are written at once.
_BATCH = 5_000


def store_result(result: Result, store: RunStore) -> None:
    """Keep a result in a store of runs, under its `run_id`.

    The run is marked as ended with its last rows, so that one whose storing was cut off shows as not ended. Storing a
    result again adds nothing.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    record = record_of(result)
    store.begin(record)
    batch: list[Row] = []
    number = 0
    for row in rows_of(result):
        batch.append(row)
        if len(batch) == _BATCH:
            store.write(record.id, batch, number)
            batch, number = [], number + 1
    store.write(record.id, batch, number)


def record_of(result: Result) -> RunRecord:
    """Return what a store keeps of the run itself."""
    return RunRecord(
        id=result.run_id,
        mode="backtest",
        title=result.title,
        started_at=result.started,
        ended_at=result.ended,
        stored_at=time.time_ns(),
        strategies=[
            {"name": one.name, "class": one.class_name, "parameters": plain(one.parameters)}
            for one in result.strategies
        ],
        instruments=[instrument.to_fields() for instrument in result.instruments],
        currency=result.currency,
        initial_cash=exact(result.initial_cash),
        settings={name: plain(value) for name, value in result.settings.items()},
        stopped=result.stopped,
        version=version("cambist"),
    )


def rows_of(result: Result) -> Iterator[Row]:
    """Yield the rows of a result.

    Account snapshots are those of the run, or of each UTC day's end where it took none; of several accounts each has
    its own. The decision price of an order is the last close when it was created.
    """
    decided = _decision_prices(result)
    for number, order in enumerate(result.order_records):
        info = {str(name): plain(value) for name, value in order.info.items()}
        yield order_row(order, info, decision_price=decimal_of(decided[number]))
    yield from map(fill_row, result.fill_records)
    yield from map(trade_row, result.trade_records)
    for name, account in (result.accounts or {"": result}).items():
        yield from _positions(account, name)
    every = {"": result, **result.accounts}
    if len(result.snapshot_records.accounts):
        for snapshot in result.snapshot_records:
            yield from snapshot_rows(snapshot)
    else:
        for name, account in every.items():
            yield from _day_ends(account, name)
    for name, account in every.items():
        yield from _days(account, name)
    for number, flow in enumerate(result.flow_records):
        if flow.kind == "fee":
            continue
        yield CashFlowRow(
            number=number,
            account=flow.account,
            ts=flow.ts,
            kind=flow.kind,
            symbol=flow.symbol,
            asset=flow.asset,
            amount=exact(flow.amount),
            reason=flow.reason,
        )
    yield from _measures(result)
    yield from signal_rows(result.signal_records)
    for number, warning in enumerate(result.warnings):
        yield EventRow(number=number, ts=result.ended, kind="warning", level="warning", message=warning)


def _measures(result: Result) -> Iterator[MeasureRow]:
    """Yield every measure: those that the run named in the place of those of the core."""
    named = {one.key: one for one in result.measured}
    for name, spec in MEASURES.items():
        if name not in named:
            yield _measure_row(name, result.analysis.measure(name), spec.unit)
    for name, one in named.items():
        yield _measure_row(name, to_ns(one.value) if isinstance(one.value, str) else one.value, one.unit)


def _measure_row(name: str, value: float | None, unit: str) -> MeasureRow:
    finite = None if value is None or not np.isfinite(value) else float(value)
    return MeasureRow(name=name, value=finite, unit=str(unit))


def _positions(result: Result, account: str) -> Iterator[PositionRow]:
    """Yield every step of every position; several at one time are one."""
    if result.history is None:
        return
    for symbol, steps in result.history.account.positions.items():
        averages = steps.average_prices if len(steps.average_prices) else np.full(len(steps.times), np.nan)
        columns = (steps.times.tolist(), steps.sizes.tolist(), averages.tolist())
        for ts, size, average in zip(*columns, strict=True):
            held = exact(size), decimal_of(average)
            yield PositionRow(account=account, symbol=symbol, ts=ts, size=held[0], average_price=held[1])


def _days(result: Result, account: str) -> Iterator[DailyRow]:
    """Yield how an account stood at the end of each UTC day."""
    curve = result.facts.curve
    given = result.settings.get("periods_per_year")
    per_year = float(given) if isinstance(given, int | float) else None
    days = {day_of(day.ts): (day, number) for number, day in enumerate(daily_performance(curve, per_year), 1)}
    for day, number in days.values():  # the last of those that a day has: bars may be longer, and a run ends anywhere
        yield daily_row(day, exact(float(result.curve.equity[number])), account)


def _day_ends(result: Result, account: str) -> Iterator[AccountRow]:
    """Yield the account at each UTC day's end, and at the end of the run."""
    times, equity, peaks = curve_rows(result.curve)
    if not len(times):
        return
    rows = np.append(DayEnds().take(times)[1], len(times) - 1)
    cash: NDArray[np.float64] | None = None if result.history is None else result.history.account.cash_at(times[rows])
    for number, row in enumerate(rows.tolist()):
        yield AccountRow(
            account=account,
            ts=int(times[row]),
            currency=result.currency,
            equity=exact(float(equity[row])),
            cash=None if cash is None else exact(float(cash[number])),
            drawdown=float(equity[row] / peaks[row] - 1.0),
        )


def _decision_prices(result: Result) -> list[float]:
    """Return the last close of its instrument when each order was created; NaN where there was none."""
    found = np.full(len(result.order_records), np.nan)
    histories = (one.history for one in (result, *result.accounts.values()))  # all know the same closes
    history = next((one for one in histories if one is not None), None)
    if history is None:
        return found.tolist()
    created = np.array([order.created_at for order in result.order_records], np.int64)
    symbols = np.array([order.instrument.symbol for order in result.order_records], object)
    for symbol, closes in history.closes.items():
        of_symbol = symbols == symbol
        found[of_symbol] = closes.at(created[of_symbol])
    return found.tolist()
