"""Each measure against a calculation done here with pandas and NumPy, and where it cannot be computed."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import MEASURES, EquityRecorder, RunFacts, Unit
from cambist.analysis.measures.sharpe import sharpe
from cambist.analysis.measures.sortino import sortino
from cambist.model.times import DAY_NS, HOUR_NS


def value(key, facts):
    return MEASURES[key].compute(facts)


@pytest.fixture(scope="module")
def spy(outside_data):
    return pd.read_parquet(outside_data / "stocks/us_daily/SPY.parquet")


@pytest.fixture(scope="module")
def spy_facts(spy):
    """The account is worth one share: it starts with the first close, and every further close is a sample."""
    times = pd.DatetimeIndex(spy.timestamp).as_unit("ns").asi8 + DAY_NS
    closes = spy.close.to_numpy()
    recorder = EquityRecorder(closes[0], int(times[0]))
    recorder.add(times[1:], closes[1:], np.ones(len(times) - 1, bool))
    return RunFacts(recorder.finish())


# 252 periods a year, n = 5848 returns of 5849 closes; these figures are those of empyrical and quantstats.
@pytest.mark.parametrize(
    ("key", "published"),
    [("sharpe", 0.4075), ("sortino", 0.5734), ("max_drawdown", -0.5645), ("cagr", 0.0624), ("calmar", 0.1105)],
)
def test_spy_has_the_published_figures(spy_facts, key, published):
    assert value(key, spy_facts) == pytest.approx(published, abs=5e-5)


def test_spy_against_pandas(spy, spy_facts):
    close = spy.close
    returns = close.pct_change().dropna()
    growth = (close.iloc[-1] / close.iloc[0]) ** (252 / len(returns)) - 1
    fall = (close / close.cummax() - 1).min()
    wanted = {
        "total_return": close.iloc[-1] / close.iloc[0] - 1,
        "cagr": growth,
        "volatility": returns.std() * sqrt(252),
        "sharpe": returns.mean() / returns.std() * sqrt(252),
        "sortino": returns.mean() / sqrt((returns.clip(upper=0) ** 2).mean()) * sqrt(252),
        "max_drawdown": fall,
        "calmar": growth / abs(fall),
    }
    for key, number in wanted.items():
        assert value(key, spy_facts) == pytest.approx(number, rel=1e-12), key


def test_spy_drawdown_dates_against_pandas(spy, spy_facts):
    closes = spy.close.set_axis(pd.DatetimeIndex(spy.timestamp).as_unit("ns") + pd.Timedelta(days=1))
    trough = (closes / closes.cummax() - 1).idxmin()
    peak = closes[:trough].idxmax()
    recovery = closes[trough:][closes[trough:] >= closes[peak]].index[0]
    assert value("max_drawdown_trough", spy_facts) == trough.value
    assert value("max_drawdown_peak", spy_facts) == peak.value
    assert value("max_drawdown_recovery", spy_facts) == recovery.value
    tops = closes[closes >= closes.cummax()].index
    assert value("longest_drawdown", spy_facts) == pd.Series(tops).diff().max().total_seconds()


def test_a_risk_free_rate_and_a_target_are_yearly(spy, spy_facts):
    returns = spy.close.pct_change().dropna()
    over = returns - (1.03 ** (1 / 252) - 1)
    assert sharpe(spy_facts, risk_free=0.03) == pytest.approx(over.mean() / returns.std() * sqrt(252), rel=1e-12)
    downside = sqrt((over.clip(upper=0) ** 2).mean())
    assert sortino(spy_facts, target=0.03) == pytest.approx(over.mean() / downside * sqrt(252), rel=1e-12)


def test_intraday_bars_are_sampled_by_the_day_and_fall_by_the_bar(outside_data):
    btc = pd.read_parquet(outside_data / "crypto/binance_spot_BTCUSDT_1h_2017_2024.parquet").head(5_000)
    times = pd.DatetimeIndex(btc.timestamp).as_unit("ns").asi8 + HOUR_NS
    closes = btc.close.to_numpy()
    recorder = EquityRecorder(btc.open[0], int(times[0] - HOUR_NS))
    recorder.add(times, closes, np.ones(len(times), bool))
    facts = RunFacts(recorder.finish())
    daily = btc.close.groupby(pd.DatetimeIndex(btc.timestamp).floor("D")).last()
    returns = pd.concat([pd.Series([btc.open[0]]), daily]).pct_change().dropna()
    assert value("sharpe", facts) == pytest.approx(returns.mean() / returns.std() * sqrt(365), rel=1e-12)
    line = pd.concat([btc.open.head(1), btc.close])
    assert value("max_drawdown", facts) == pytest.approx((line / line.cummax() - 1).min(), rel=1e-12)
    assert value("max_drawdown", facts) < (daily / daily.cummax() - 1).min()


@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(0, 3))
def test_trades_against_pandas(make_trade, make_facts, results, still_open):
    # Whole numbers, so that sums are exact and results of exactly zero happen.
    trades = [
        make_trade(float(net), fees=1.0, is_long=net % 2 == 0, closed_at=(2 + number) * DAY_NS)
        for number, net in enumerate(results)
    ]
    facts = make_facts([100.0, 101.0], [*trades, *(make_trade(3.0, is_open=True) for _ in range(still_open))])
    nets = pd.Series(results, dtype=float)
    won, lost = nets[nets > 0], nets[nets < 0]
    spread = nets.std(ddof=0) if len(nets) > 1 else 0.0
    wanted = {
        "trades": len(nets),
        "open_trades": still_open,
        "long_trades": int((nets % 2 == 0).sum()),
        "short_trades": int((nets % 2 != 0).sum()),
        "win_rate": (nets > 0).mean(),
        "profit_factor": won.sum() / -lost.sum() if len(lost) else np.nan,
        "average_trade": nets.mean(),
        "average_win": won.mean(),
        "average_loss": lost.mean(),
        "best_trade": nets.max(),
        "worst_trade": nets.min(),
        "average_holding": np.mean([(1 + number) * 86_400 for number in range(len(nets))]) if len(nets) else np.nan,
        "sqn": sqrt(len(nets)) * nets.mean() / spread if spread else np.nan,
    }
    for key, number in wanted.items():
        assert value(key, facts) == pytest.approx(number, nan_ok=True), key


def test_a_trade_that_made_nothing_is_neither_won_nor_lost(make_trade, make_facts):
    facts = make_facts([100.0, 100.0], [make_trade(0.0, fees=2.0), make_trade(5.0), make_trade(-5.0)])
    assert value("win_rate", facts) == pytest.approx(1 / 3)
    assert value("average_win", facts) == 5.0
    assert value("average_loss", facts) == -5.0


def test_money_measures(make_facts):
    facts = make_facts([100.0, 300.0, 200.0], exposed=[True, False], fees=7.5, notional_traded=400.0)
    assert value("fees_paid", facts) == 7.5
    assert value("turnover", facts) == 2.0
    assert value("exposure", facts) == 0.5
    assert value("net_profit", facts) == 100.0
    assert (value("initial_equity", facts), value("final_equity", facts)) == (100.0, 200.0)
    assert (value("bars", facts), value("duration", facts)) == (2, 2 * 86_400.0)


NO_RATIO = {"sharpe", "sortino", "calmar", "win_rate", "profit_factor", "average_trade", "average_win", "average_loss"}
NO_RATIO |= {"best_trade", "worst_trade", "average_holding", "sqn", "payoff_ratio", "kelly"}
# What the facts made here have none of: positions, and a benchmark.
NO_RATIO |= {"average_leverage", "max_leverage", "alpha", "beta", "correlation", "tracking_error", "information_ratio"}
NO_RATIO |= {"omega", "recovery_factor", "skewness", "kurtosis"}


def not_computable(facts):
    numbers = {key: spec.compute(facts) for key, spec in MEASURES.items() if spec.unit is not Unit.TIME}
    return {key for key, number in numbers.items() if isnan(number)}


def test_a_run_that_never_traded(make_facts):
    assert not_computable(make_facts([100.0] * 5)) == NO_RATIO | {"tail_ratio"}


def test_a_run_without_a_bar(make_facts):
    missing = {"cagr", "volatility", "exposure", "downside_deviation", "vwr", "ulcer_index", "tail_ratio"}
    missing |= {"value_at_risk", "conditional_value_at_risk"}
    assert not_computable(make_facts([100.0])) == NO_RATIO | missing


def test_a_run_of_one_bar_has_growth_and_no_spread(make_facts):
    assert not_computable(make_facts([100.0, 101.0])) == NO_RATIO | {"volatility", "vwr"}


@pytest.mark.parametrize("equity", [[100.0, 50.0, 0.0], [100.0, -20.0, 150.0]])
def test_ruin_ends_the_rates_and_keeps_the_sums(make_facts, equity):
    facts = make_facts(equity)
    rates = {"cagr", "volatility", "turnover", "log_return", "downside_deviation", "vwr", "tail_ratio"}
    rates |= {"value_at_risk", "conditional_value_at_risk"}
    assert not_computable(facts) == (NO_RATIO - {"recovery_factor"}) | rates
    assert value("total_return", facts) == equity[-1] / 100.0 - 1.0
    assert value("max_drawdown", facts) == min(equity) / 100.0 - 1.0


def test_steady_growth_has_no_sharpe_ratio_made_of_rounding(make_facts):
    facts = make_facts(100.0 * 1.01 ** np.arange(30))
    assert isnan(value("sharpe", facts))
    assert value("cagr", facts) == pytest.approx(1.01**365 - 1, rel=1e-9)


def test_growth_beyond_a_float_is_not_computable(make_facts):
    assert isnan(value("cagr", make_facts([1e-3, 1e3])))


def test_times_are_none_where_equity_never_fell(make_facts):
    facts = make_facts([100.0, 101.0])
    assert [value(f"max_drawdown_{word}", facts) for word in ("peak", "trough", "recovery")] == [None] * 3
