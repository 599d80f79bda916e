"""The series of a run: drawdown, returns and what they do without money, by other ways of computing them."""

from __future__ import annotations

from math import isnan, log

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cambist.analysis import EquityRecorder
from cambist.backtest.history import RunHistory
from cambist.backtest.series import AccountSeries
from cambist.errors import ParameterError, ResultError
from cambist.model.times import HOUR_NS, to_ns
from cambist.portfolio import AccountHistory

START = to_ns("2023-11-28 21:00")
NOTHING = AccountHistory(1_000.0, *(np.empty(0, kind) for kind in (np.int64, np.int64, np.float64)), {})


def series_of(equity, *, keep_all=True, every=HOUR_NS, start=START):
    recorder = EquityRecorder(1_000.0, start, keep_all=keep_all)
    times = start + every * np.arange(1, len(equity) + 1)
    recorder.add(times, np.array(equity, float), np.ones(len(equity), bool))
    return AccountSeries(
        curve=recorder.finish(),
        benchmark_curve=None,
        instruments=(),
        fill_records=(),
        trade_records=(),
        history=RunHistory(NOTHING, {}, {}),
    )


levels = st.sampled_from([900.0, 990.0, 1_000.0, 1_000.5, 1_100.0]) | st.floats(1.0, 1e6)


@given(st.lists(levels, max_size=60))
def test_drawdown_and_its_length(equity):
    series = series_of(equity)
    peak, length, falls, lengths = 1_000.0, 0, [], []
    for value in equity:
        peak = max(peak, value)
        length = 0 if value == peak else length + 1
        falls.append(value / peak - 1.0)
        lengths.append(length)
    assert series.drawdown.tolist() == falls
    assert series.drawdown_length.tolist() == lengths


@given(arrays(np.float64, st.integers(1, 120), elements=st.floats(500.0, 2_000.0)), st.integers(1, 40))
def test_the_length_of_a_daily_drawdown_never_misses_a_peak(equity, hours):
    """Against every bar: the days since the day of the newest peak, or the day before if it was inside a day."""
    every, daily = (series_of(equity, keep_all=keep, every=hours * HOUR_NS) for keep in (True, False))
    of_bar = (every.index - pd.Timedelta(1)).floor("D")
    peaks = np.maximum(np.maximum.accumulate(equity), 1_000.0)
    newest = -1
    for row, time in enumerate(daily.index):
        until = every.index <= time
        today = of_bar == (time - pd.Timedelta(1)).floor("D")
        at_peak = (equity == peaks) & until & today
        if at_peak.any() and equity[until][-1] == peaks[until][-1]:
            newest = row
        elif row and peaks[until][-1] > peaks[every.index <= daily.index[row - 1]][-1]:
            newest = row - 1
        elif not row and peaks[until][-1] > 1_000.0:
            newest = -1
        assert daily.drawdown_length.iloc[row] == row - newest


@given(st.lists(levels, min_size=1, max_size=60))
def test_returns_are_those_of_pandas(equity):
    series = series_of(equity)
    with_start = pd.Series([1_000.0, *equity])
    assert np.allclose(series.returns, with_start.pct_change()[1:], rtol=1e-12, atol=1e-15)
    assert np.allclose(series.log_returns, np.log(with_start).diff()[1:], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("period", "alias"), [("day", "D"), ("week", "W-SUN"), ("month", "M"), ("quarter", "Q"), ("year", "Y")]
)
@pytest.mark.parametrize("start", ["2023-11-28 21:00", "1969-12-20 00:00"])
def test_returns_to_date_are_those_of_periods_of_pandas(period, alias, start):
    rng = np.random.default_rng(5)
    equity = 1_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 4_000)))
    series = series_of(equity, every=3 * HOUR_NS, start=to_ns(start))
    keys = (series.index - pd.Timedelta(1)).tz_localize(None).to_period(alias)
    last = series.equity.groupby(keys).last()
    base = pd.Series([1_000.0, *last[:-1]], index=last.index)
    expected = series.equity.to_numpy() / base.loc[keys].to_numpy() - 1.0
    assert np.array_equal(series.returns_to_date(period), expected)
    assert len(last) > 1


def test_an_unknown_period_is_refused_with_a_suggestion():
    with pytest.raises(ParameterError, match=r"period is 'months'\. Did you mean 'month'\?"):
        series_of([1.0]).returns_to_date("months")


def test_returns_on_nothing_are_no_numbers():
    series = series_of([500.0, -10.0, 20.0, 40.0])
    assert [isnan(value) for value in series.returns] == [False, False, True, False]
    assert series.returns.iloc[1] == -10.0 / 500.0 - 1.0
    assert [isnan(value) for value in series.log_returns] == [False, True, True, False]
    assert series.log_returns.iloc[3] == log(2.0)
    assert [isnan(value) for value in series.leverage] == [False, True, False, False]


def test_a_run_without_a_bar_has_empty_series():
    frame = series_of([]).to_frame()
    assert frame.empty
    assert {"equity", "cash", "drawdown", "leverage"} <= set(frame)
    assert len(series_of([]).returns_to_date("day")) == 0
    assert len(series_of([]).buys) == len(series_of([]).trades) == 0


def test_a_benchmark_that_nobody_asked_for_is_not_made_up(run, bars):
    result = run(bars([10.0, 11.0, 12.0]), on_bar=lambda self, _: self.buy())
    with pytest.raises(ResultError, match="benchmark=True"):
        result.series.benchmark  # noqa: B018 - the access is the test
    assert "benchmark" not in result.series.to_frame()


@pytest.mark.parametrize("blocks", [False, True])
def test_the_benchmark_is_that_of_the_summary(run, bars, blocks):
    series = [bars(10.0 + np.arange(3_000) % 7, "A"), bars(30.0 + np.arange(2_000) % 11, "B", start=START)]
    result = run(series, benchmark=True, blocks=blocks)
    assert result.series.benchmark.iloc[-1] == result.summary.benchmark["final_equity"]
    daily = pd.Series(result.benchmark.equity[1:])
    index = pd.to_datetime(result.benchmark.times[1:], utc=True)
    assert result.series.benchmark.loc[index].tolist() == daily.tolist()
    grown = 1e5 * (1.0 + result.series.benchmark_returns).cumprod()
    assert np.allclose(grown, result.series.benchmark, rtol=1e-9)


def test_exposure_of_long_short_and_inverse(run, bars):
    """By hand: 3 long of one, 2 short of another, both at multiplier 10, then of a contract that counts in its base."""

    def trade(self, _bar):
        if self.bar == 0:
            self.buy(3.0, data="A")
            self.sell(2.0, data="B")

    made = [
        bars([10.0, 10.0, 12.0], "A", kind="future", multiplier=10.0, margin_rate=0.1),
        bars([20.0, 20.0, 15.0], "B", kind="future", multiplier=10.0, margin_rate=0.1),
    ]
    series = run(made, on_bar=trade, cash=1_000.0).series
    assert series.exposures.iloc[-1].tolist() == [360.0, -300.0]
    assert (series.gross_exposure.iloc[-1], series.net_exposure.iloc[-1]) == (660.0, 60.0)
    assert series.position_values.iloc[-1].tolist() == [60.0, 100.0]
    assert series.cash.tolist() == [1_000.0] * 3
    assert series.leverage.iloc[-1] == 660.0 / 1_160.0
    inverse = bars([10.0, 10.0, 20.0], "P", kind="inverse_perpetual", base="BTC", multiplier=100.0, margin_rate=0.1)
    series = run(inverse, on_bar=lambda self, _: self.buy(2.0) if self.bar == 0 else None, cash=1_000.0).series
    assert series.exposures["P"].tolist() == [0.0, 2.0 * 100.0 / 10.0, 2.0 * 100.0 / 20.0]
    assert series.position_values["P"].tolist() == [0.0, 0.0, 2.0 * 100.0 * (1 / 10.0 - 1 / 20.0)]


def test_the_closes_of_a_run_in_memory_are_the_columns_of_its_bars(run, bars):
    one = bars(np.arange(2.0, 500.0))
    result = run(one)
    assert np.shares_memory(result.history.closes["ACME"].prices, one.close)
    assert np.shares_memory(result.history.closes["ACME"].times, result.curve.all_times)


def test_series_are_made_once_and_listed(run, bars):
    series = run(bars([10.0, 11.0])).series
    assert series.cash is series.cash
    assert repr(series).startswith("<AccountSeries of 2 rows: balances, benchmark, ")


def test_a_result_without_a_history_says_so(run, bars):
    result = attrs.evolve(run(bars([10.0, 11.0])), history=None)
    with pytest.raises(ResultError, match="has no history"):
        result.series  # noqa: B018 - the access is the test
