"""A result in rows says what the result says."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

import cambist
from cambist import Strategy
from cambist.analysis import MEASURES
from cambist.backtest.rows import record_of, rows_of, store_result
from cambist.ports.rows import (
    AccountRow,
    CashFlowRow,
    DailyRow,
    EventRow,
    FillRow,
    MeasureRow,
    OrderRow,
    PositionRow,
    TradeRow,
)
from cambist.storage.memory import MemoryRunStore


@pytest.fixture
def result(run, bars):
    def trade(self, _bar):
        if self.bar % 6 == 0:
            self.buy(tag="in", info={"why": "因", "at": 1.5})
        elif self.bar % 6 == 3:
            self.close()
        elif self.bar == 1:
            self.buy(limit=1.0)

    return run(
        bars(100.0 + np.arange(200) % 7 / 3, kind="equity"),
        on_bar=trade,
        fees=0.001,
        cash_flows=[("2024-03-01T10:30", 500.0)],
    )


def of(result, kind):
    return [row for row in rows_of(result) if isinstance(row, kind)]


def test_orders_keep_every_field(result):
    rows = of(result, OrderRow)
    assert [row.id for row in rows] == [order.id for order in result.order_records]
    for row, order in zip(rows, result.order_records, strict=True):
        assert (row.symbol, row.side, row.type, row.status) == (
            order.instrument.symbol,
            order.side,
            order.type,
            order.status,
        )
        assert float(row.size) == order.size
        assert float(row.fees) == order.fees
        assert (row.limit_price is None) == np.isnan(order.limit_price)
        assert row.info == dict(order.info)
        assert row.tag == order.tag


def test_the_decision_price_is_the_close_that_the_strategy_saw(result):
    times, prices = result.curve.all_times, result.history.closes["ACME"].prices
    closes = {int(ts): close for ts, close in zip(times, prices, strict=True)}
    rows = of(result, OrderRow)
    assert len(rows) > 20
    for row in rows:
        assert float(row.decision_price) == closes[row.created_at]


def test_fills_trades_and_flows_add_up_exactly(result):
    fills, trades = of(result, FillRow), of(result, TradeRow)
    assert len(fills) == len(result.fill_records) > 20
    assert float(sum(row.fee for row in fills)) == pytest.approx(result.account.fees, rel=1e-12)
    assert all(row.net == Decimal(repr(trade.net)) for row, trade in zip(trades, result.trade_records, strict=True))
    assert [row.closed_at is None for row in trades] == [trade.is_open for trade in result.trade_records]
    assert [(row.kind, row.amount) for row in of(result, CashFlowRow)] == [("deposit", Decimal("500.0"))]


def test_positions_and_snapshots_end_as_the_account_did(result):
    position = of(result, PositionRow)[-1]
    assert float(position.size) == result.history.account.positions["ACME"].sizes[-1]
    snapshots = of(result, AccountRow)
    days = {row.ts // 86_400_000_000_000 for row in snapshots}
    assert len(days) >= len(snapshots) - 1  # a day's end, and the end of the run
    assert float(snapshots[-1].equity) == result.account.equity
    assert float(snapshots[-1].cash) == result.account.cash


def test_every_measure_is_there_and_none_is_no_number(result):
    rows = {row.name: row for row in of(result, MeasureRow)}
    assert set(rows) == set(MEASURES)
    for name, row in rows.items():
        value = result.analysis.measure(name)
        if row.value is None:
            assert value is None or not np.isfinite(value)
        else:
            assert row.value == value


def test_warnings_are_events(result):
    assert [row.message for row in of(result, EventRow)] == list(result.warnings)


def test_a_result_is_stored_once_however_often_it_is_asked_for(result):
    store = MemoryRunStore()
    store_result(result, store)
    cursor = store.cursor(result.run_id)
    store_result(result, store)
    assert store.cursor(result.run_id) == cursor
    assert [run.id for run in store.runs()] == [result.run_id]
    record = store.get(result.run_id)
    assert record.mode == "backtest"
    assert record.settings == record_of(result).settings
    assert record.initial_cash == Decimal(repr(result.initial_cash))
    for kind in (OrderRow, FillRow, TradeRow, PositionRow, AccountRow, MeasureRow):
        assert len(list(store.rows(result.run_id, kind))) > 0


def test_each_of_several_accounts_has_its_rows(bars):
    class Trader(Strategy):
        def on_bar(self, bar):
            if self.position:
                self.close()
            elif self.cash > bar.close:
                self.buy(2)

    one, two = Trader(), Trader()
    one.name, two.name = "one", "two"
    series = bars(100.0 + np.arange(200) % 7 / 3, kind="equity")
    result = cambist.backtest([one, two], series, accounts={"one": 9_000.0, "two": 500.0})
    closes = {int(ts): close for ts, close in zip(result.curve.all_times, series.close, strict=True)}
    orders = of(result, OrderRow)
    assert {row.strategy for row in orders} == {"one", "two"}
    assert [float(row.decision_price) for row in orders] == [closes[row.created_at] for row in orders]
    days, snapshots = of(result, DailyRow), of(result, AccountRow)
    assert {row.account for row in days} == {row.account for row in snapshots} == {"", "one", "two"}
    for name, own in {"": result, **result.accounts}.items():
        (last,) = [row for row in days if row.account == name and row.ts == result.ended]
        assert float(last.equity) == own.account.equity
        assert last.max_drawdown == own.curve.drawdown.fraction
    assert {row.account for row in of(result, PositionRow)} == {"one", "two"}
