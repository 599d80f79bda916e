"""A run that a store keeps comes back as a result that says the same."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cambist
from cambist import Instrument, load_run
from cambist.backtest.rows import record_of, rows_of, store_result
from cambist.backtest.stored import result_of_run
from cambist.backtest.stored_fills import filled_positions
from cambist.errors import InputError, ResultError
from cambist.model import Fill, Liquidity, Order, OrderType, Side, TimeInForce
from cambist.portfolio import Portfolio
from cambist.ports.journal import Draft
from cambist.ports.rows import DailyRow, FillRow
from cambist.storage.journal import Journal, JournalFolder
from cambist.storage.memory import MemoryRunStore

#: What a storage does not keep.
UNKNOWN = {"Bars", "Volatility (a year)"}


def again(result, bars=()):
    store = MemoryRunStore()
    store_result(result, store)
    return result_of_run(store, result.run_id, bars)


def wave(count=400):
    at = np.arange(count)
    return 100.0 + 8.0 * np.sin(at / 9.0) + at % 7 / 3


def back_and_forth(self, _bar):
    """Long, more of it, short at once, part of it back, flat, and a limit order that never trades."""
    step = self.bar % 40
    if step in (1, 5):
        self.buy(2.0, tag="in", info={"why": "因"})
    elif step == 12:
        self.sell(7.0)
    elif step == 20:
        self.buy(1.0)
    elif step == 30:
        self.close()
    elif step == 35:
        self.buy(1.0, limit=1.0)
    self.record_signal("wave", float(step))


@pytest.mark.parametrize("kind", ["equity", "linear_perpetual"])
def test_every_bar_a_snapshot_and_nothing_is_lost(run, bars, kind):
    terms = {"kind": kind, "margin_rate": 0.1} if kind != "equity" else {"kind": kind}
    series = bars(wave(), **terms)
    result = run(series, on_bar=back_and_forth, fees=0.001, snapshots="1m")
    found = again(result, [series])
    for frame in ("orders", "fills", "trades", "open_trades", "cash_flows"):
        one, other = getattr(result, frame), getattr(found, frame)
        pd.testing.assert_frame_equal(
            one.drop(columns="bars", errors="ignore"), other.drop(columns="bars", errors="ignore")
        )
    assert np.array_equal(result.equity["equity"], found.equity["equity"])
    for name in ("cash", "equity"):
        assert np.array_equal(getattr(result.series, name), getattr(found.series, name)), name
    assert np.array_equal(result.series.positions, found.series.positions)
    np.testing.assert_allclose(result.series.position_values, found.series.position_values, rtol=1e-12, atol=1e-9)
    rows, others = ({row[0]: row[1] for row in one.summary.rows()} for one in (result, found))
    assert {name for name in rows if rows[name] != others[name]} <= UNKNOWN
    assert found.account.equity == result.account.equity
    assert found.account.fees == pytest.approx(result.account.fees, rel=1e-12)
    assert found.account.realized == pytest.approx(result.account.realized, rel=1e-12)
    pd.testing.assert_frame_equal(result.signals, found.signals)
    assert not [one for one in found.warnings if "executions alone" in one]


def test_of_days_alone_what_does_not_need_more_is_the_same(run, bars):
    series = bars(wave(300), timeframe="1h", every=3_600 * 10**9, kind="equity")
    result = run(series, on_bar=back_and_forth, fees=0.001)
    found = again(result)
    for name in ("trades", "final_equity", "net_profit", "fees_paid", "win_rate", "profit_factor"):
        assert found.summary[name] == pytest.approx(result.summary[name], rel=1e-12), name
    assert len(found.equity) == len({row.day for row in store_rows(result)})
    assert found.equity["equity"].iloc[-1] == result.equity["equity"].iloc[-1]
    assert "snapshots of the account" in found.warnings[0]


def store_rows(result):
    store = MemoryRunStore()
    store_result(result, store)
    return list(store.rows(result.run_id, DailyRow))


def test_money_that_came_is_no_return(run, bars):
    series = bars(np.full(24 * 6, 100.0), timeframe="1h", every=3_600 * 10**9, kind="equity")
    result = run(series, cash=1_000.0, cash_flows=[("2024-03-03T10:30", 500.0)])
    found = again(result)
    assert result.fund is not None
    assert found.fund is not None
    assert found.summary["total_return"] == pytest.approx(result.summary["total_return"], abs=1e-12)
    assert found.account.flows == 500.0


def test_a_fee_in_another_asset_stays_what_it_was_worth(run, bars):
    series = bars(wave(50), kind="spot", base="BTC", quote="USDT")
    result = run(series, on_bar=back_and_forth, fees=0.001)
    store = MemoryRunStore()
    record = record_of(result)
    store.begin(record)
    rows = [
        attrs.evolve(row, fee_asset="BNB", fee=row.fee / 500) if isinstance(row, FillRow) else row
        for row in rows_of(result)
    ]
    store.write(record.id, rows, 0)
    found = result_of_run(store, record.id)
    assert found.fills["fee"].tolist() == pytest.approx(result.fills["fee"].tolist())
    assert found.fills["fee_paid"].tolist() == pytest.approx((result.fills["fee"] / 500).tolist())
    assert set(found.fills["fee_asset"]) == {"BNB"}


def test_several_accounts_are_shown_together(told, bars):
    series = bars(wave(100), kind="equity")
    strategies = [told(told={"on_bar": back_and_forth}) for _ in range(2)]
    strategies[0].name, strategies[1].name = "one", "two"
    result = cambist.backtest(
        strategies, series, accounts={"one": 900.0, "two": 500.0}, snapshots="1m", benchmark=False
    )
    found = again(result)
    assert np.array_equal(found.equity["equity"], result.equity["equity"])
    assert len(found.trades) == len(result.trades)
    assert np.isfinite(found.trades["return"]).all()
    assert any("executions alone" in one for one in found.warnings)


def test_what_is_not_there_is_said(run, bars):
    result = run(bars(wave(10), kind="equity"))
    store = MemoryRunStore()
    with pytest.raises(ResultError, match="no run"):
        result_of_run(store, "none")
    store.begin(attrs.evolve(record_of(result), ended_at=None))
    with pytest.raises(ResultError, match="no snapshot of its account yet"):
        result_of_run(store, result.run_id)
    with pytest.raises(InputError, match="no folder"):
        load_run("nowhere")


def test_a_journal_is_shown_as_far_as_it_got(run, bars, tmp_path):
    series = bars(wave(100), kind="linear_perpetual", margin_rate=0.1)
    settings = {"on_bar": back_and_forth, "fees": 0.001, "events": True}
    result = run(series, **settings, snapshots="10m", journal=tmp_path / "journal")
    found = load_run(tmp_path / "journal")
    assert found.run_id == result.run_id
    assert found.trades["net"].tolist() == result.trades["net"].tolist()
    assert found.equity["equity"].iloc[-1] == pytest.approx(result.equity["equity"].iloc[-1], rel=1e-12)
    assert found.settings["mode"] == "journal"
    assert len(found.warnings) == 1

    entries = list(JournalFolder(tmp_path / "journal").read(1))
    seen = [number for number, entry in enumerate(entries) if entry.kind == "order_filled"][2] + 1
    early = [Draft(entry.kind, entry.ts, entry.body) for entry in entries[:seen] if entry.kind != "account_valued"]
    with Journal(tmp_path / "early") as journal:
        journal.append(early)
    cut = load_run(tmp_path / "early")
    assert cut.fills["price"].tolist() == result.fills["price"].tolist()[:3]
    assert "no snapshot yet" in cut.warnings[-1]
    assert cut.series.positions["ACME"].tolist() == [2.0 + 2.0 - 7.0]


@given(
    st.lists(
        st.tuples(st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 9), st.integers(50, 150)),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(["linear_perpetual", "inverse_perpetual"]),
)
def test_executions_alone_make_the_position_that_the_portfolio_makes(trades, kind):
    terms = {"base": "BTC", "quote": "USD", "margin_rate": 0.1, "multiplier": 10.0}
    instrument = Instrument(symbol="X", kind=kind, **terms)
    portfolio = Portfolio([instrument], 1e9)
    order = Order(
        1, instrument, Side.BUY, OrderType.MARKET, 1.0, np.nan, np.nan, TimeInForce.GTC, 0, False, "one", "", 0
    )
    fills = [
        Fill(number, number, instrument, side, float(size), float(price), 0.0, Liquidity.TAKER, number)
        for number, (side, size, price) in enumerate(trades, 1)
    ]
    sizes, averages = [], []
    for fill in fills:
        portfolio.apply(fill, order, fill.ts)
        sizes.append(portfolio.positions["X"].size)
        averages.append(portfolio.positions["X"].average_price)
    made = filled_positions(fills, ())["X"]
    assert made.sizes == sizes
    np.testing.assert_allclose(made.averages, averages, rtol=1e-9, equal_nan=True)
