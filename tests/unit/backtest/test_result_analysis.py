"""What hangs from `Result.analysis`: positions are what the strategy saw of them, and nothing comes unasked."""

from __future__ import annotations

import json
from math import isnan, nan

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Strategy
from cambist.analysis import MEASURES, Analysis, RunFacts
from cambist.errors import ResultError
from cambist.model.times import DAY_NS, HOUR_NS

HOURS = 24 * 6


class Source:
    """Blocks of bars, cut where a test wants."""

    def __init__(self, whole, *edges):
        self.name = whole.instrument.symbol
        self.parts = [whole[left:right] for left, right in zip((0, *edges), (*edges, len(whole)), strict=True)]

    def blocks(self, size):
        yield from self.parts


class Dice(Strategy):
    """Trades by a seeded dice, and writes down what it holds at each close."""

    def on_start(self):
        self.dice = np.random.default_rng(7)
        self.seen = []

    def on_step(self):
        self.seen.append(
            (self.cash, {symbol: (held.size, self.data[symbol].close[0]) for symbol, held in self.positions.items()})
        )
        for symbol in self.positions:
            face = self.dice.integers(6)
            size = float(self.dice.integers(1, 4))
            if face == 0:
                self.buy(size, data=symbol)
            elif face == 1:
                self.sell(size, data=symbol)
            elif face == 2:
                self.close(symbol)


MARKETS = {
    "paid in full": ({"A": {}, "B": {"multiplier": 5}}, 20_000.0),
    "margined": ({"A": {"kind": "future", "margin_rate": 0.1}, "B": {}}, 20_000.0),
    "inverse": ({"A": {"kind": "inverse_perpetual", "base": "BTC", "multiplier": 100, "margin_rate": 0.1}}, 50.0),
}


def series_of(bars, terms, *, late=0):
    """Hourly bars of each market; the second begins `late` hours after the first."""
    chance = np.random.default_rng(1)
    made = {}
    for number, (symbol, more) in enumerate(terms.items()):
        closes = 100.0 * np.exp(np.cumsum(chance.normal(0, 0.01, HOURS)))
        begin = late if number else 0
        whole = bars(closes, symbol, timeframe="1h", every=HOUR_NS, **more)
        made[symbol] = whole[begin:]
    return made


def play(data, cash, **options):
    seen = []

    class Kept(Dice):
        def on_stop(self):
            seen.extend(self.seen)

    result = cambist.backtest(Kept, list(data), cash=cash, fees=0.0005, benchmark=False, **options)
    return result, seen


@pytest.fixture(params=MARKETS)
def ran(request, bars):
    terms, cash = MARKETS[request.param]
    data = series_of(bars, terms, late=30)
    result, seen = play(data.values(), cash)
    assert len(result.fill_records) > 30
    return result, seen, data


def test_sizes_values_and_cash_are_what_the_strategy_saw_at_each_close(ran):
    result, seen, data = ran
    analysis = result.analysis
    sizes, values = analysis.position_sizes, analysis.position_values(cash=True)
    assert values.columns.tolist() == [*data, "cash"]
    assert sizes.index.equals(result.equity.index)
    # `on_step` waits for the bar of every market: the first closes are before that.
    sizes, values = sizes.iloc[-len(seen) :], values.iloc[-len(seen) :]
    assert sizes.abs().to_numpy().sum() > 0
    for row, (cash, held) in enumerate(seen):
        assert values["cash"].iloc[row] == pytest.approx(cash)
        for symbol, (size, close) in held.items():
            instrument = data[symbol].instrument
            assert sizes[symbol].iloc[row] == size
            assert values[symbol].iloc[row] == pytest.approx(instrument.notional(size, close))


def test_leverage_is_what_is_held_over_equity(ran):
    result, _, data = ran
    analysis, equity = result.analysis, result.equity["equity"]
    values = analysis.position_values()[list(data)]
    gross = (values.abs().sum(axis=1) / equity).rename("gross_leverage")
    pd.testing.assert_series_equal(analysis.gross_leverage, gross)
    pd.testing.assert_series_equal(analysis.net_leverage, (values.sum(axis=1) / equity).rename("net_leverage"))
    assert analysis.measure("max_leverage") == pytest.approx(gross.max())
    assert analysis.measure("average_leverage") == pytest.approx(gross[gross > 0].mean())


@pytest.mark.parametrize("edges", [(17,), (40, 41, 100)])
def test_a_run_over_blocks_tells_the_same_of_the_ends_of_its_days(bars, edges):
    terms, cash = MARKETS["paid in full"]
    data = series_of(bars, terms, late=30)
    whole, _ = play(data.values(), cash)
    sources = [Source(one, *(edge for edge in edges if edge < len(one))) for one in data.values()]
    blocks, _ = play(sources, cash, blocks=True)
    for name in ("position_sizes", "gross_leverage"):
        mine, theirs = getattr(blocks.analysis, name), getattr(whole.analysis, name)
        assert mine.index.equals(blocks.equity.index)
        assert mine.equals(theirs.loc[mine.index])
    values = blocks.analysis.position_values(cash=True)
    pd.testing.assert_frame_equal(values, whole.analysis.position_values(cash=True).loc[values.index])
    assert blocks.analysis.transactions.equals(whole.analysis.transactions)
    assert blocks.analysis.monthly_returns.equals(whole.analysis.monthly_returns)


def test_transactions_add_up_to_the_fills(ran):
    result, _, _ = ran
    table, fills = result.analysis.transactions, result.fills
    assert table["fees"].sum() == pytest.approx(fills["fee"].sum())
    signed = fills["size"].where(fills["side"] == "buy", -fills["size"])
    for symbol, rows in table.groupby("instrument"):
        mine = fills[fills["instrument"] == symbol]
        assert rows["size"].sum() == pytest.approx(signed[fills["instrument"] == symbol].sum())
        assert set(rows.index) == set(mine["ts"])
    moved = sum(-fill.instrument.notional(fill.size * fill.side.sign, fill.price) for fill in result.fill_records)
    assert table["value"].sum() == pytest.approx(moved)
    assert (np.sign(table["value"]) == -np.sign(table["size"])).all()


def test_fills_of_one_side_and_moment_are_one_transaction(run, bars):
    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(2.0)
            strategy.buy(3.0)
            strategy.sell(1.0)

    result = run(bars([100.0, 100.0, 100.0]), on_bar=on_bar, fees=0.01, cash=1_000.0)
    table = result.analysis.transactions
    assert len(result.fills) == 3
    assert table["size"].tolist() == [5.0, -1.0]
    assert table["price"].tolist() == [100.0, 100.0]
    assert table["value"].tolist() == [-500.0, 100.0]
    assert table["fees"].tolist() == [5.0, 1.0]


def test_a_run_that_never_traded_has_every_table(run, bars):
    result = run(bars(np.linspace(100.0, 110.0, 50)))
    analysis = result.analysis
    assert analysis.transactions.empty
    assert analysis.transactions.columns.tolist() == ["instrument", "size", "price", "value", "fees"]
    assert not analysis.position_sizes.to_numpy().any()
    assert analysis.position_values(cash=True)["cash"].eq(result.initial_cash).all()
    assert analysis.gross_leverage.eq(0.0).all()
    assert isnan(analysis.measure("average_leverage"))
    assert analysis.measure("max_leverage") == 0.0
    assert analysis.trade_statistics.total.total == 0
    assert analysis.drawdowns.empty


def test_a_run_that_was_stopped_tells_of_the_bars_it_saw(run, bars):
    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy()
        if strategy.bar == 9:
            strategy.stop("enough")

    result = run(bars(np.linspace(100.0, 150.0, 50)), on_bar=on_bar, cash=1_000.0)
    assert result.stopped
    values = result.analysis.position_values()
    assert len(values) == 10
    assert values.iloc[-1, 0] == pytest.approx(np.linspace(100.0, 150.0, 50)[9])


def test_leverage_ends_with_the_money(run, bars):
    def on_bar(strategy, bar):
        if strategy.bar == 0:
            strategy.buy(50.0)

    data = bars([100.0, 100.0, 60.0, 100.0], kind="future", margin_rate=0.1)
    analysis = run(data, on_bar=on_bar, cash=1_000.0).analysis
    assert analysis.gross_leverage.tolist() == pytest.approx([0.0, 5.0, nan, 5.0], nan_ok=True)
    assert isnan(analysis.measure("max_leverage"))


# The surface.


@pytest.fixture
def result(bars):
    data = bars(100.0 + np.cumsum(np.random.default_rng(3).normal(size=400)), timeframe="1d", every=DAY_NS)
    return cambist.backtest(Dice, data, cash=10_000.0)


def test_nothing_is_computed_before_it_is_asked_for(result):
    analysis = result.analysis
    assert vars(analysis) == {"facts": result.facts}
    assert result.analysis is analysis
    assert analysis.drawdowns is analysis.drawdowns
    assert set(vars(analysis)) == {"facts", "drawdowns"}


def test_buying_and_holding_has_an_analysis_too(result):
    benchmark = result.analysis.benchmark
    assert benchmark.measure("cagr") == result.summary.benchmark["cagr"]
    assert benchmark.returns.index.equals(result.analysis.returns.index)
    assert benchmark.benchmark is None
    assert benchmark.trade_statistics.total.total == 0
    with pytest.raises(ResultError, match="nobody wrote down what was held"):
        _ = benchmark.position_sizes


def test_the_benchmark_of_a_run_is_buying_and_holding(result):
    own, other = result.analysis.returns, result.analysis.benchmark.returns
    found = result.analysis.compare()
    assert found.count == 400
    assert found.beta == pytest.approx(own.cov(other) / other.var())
    assert result.analysis.measure("beta") == found.beta


def test_a_measure_is_the_number_of_the_summary(result):
    for key, spec in MEASURES.items():
        if spec.in_summary and spec.unit != "time":
            assert result.analysis.measure(key) == pytest.approx(result.summary[key], nan_ok=True)
    assert result.analysis.measures().keys() == MEASURES.keys()


def test_the_file_of_a_result_holds_every_measure(result, tmp_path):
    document = json.loads((result.save(tmp_path) / "result.json").read_text())
    keys = {*document["summary"], *document["measures"]}
    assert keys == set(MEASURES)
    assert not {*document["summary"]} & {*document["measures"]}
    assert document["measures"]["omega"] == result.analysis.measure("omega")


def test_the_editor_shows_where_to_look(result):
    assert {"drawdowns", "monthly_returns", "trade_statistics", "rolling_sharpe", "compare"} <= set(
        dir(result.analysis)
    )
    assert repr(result.analysis) == f"<Analysis of 400 bars, {len(result.trades)} trades>"


def test_facts_made_by_hand_will_do(result):
    assert Analysis(RunFacts(result.curve)).measure("sharpe") == result.summary.sharpe
