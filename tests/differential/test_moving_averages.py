"""A whole strategy over many bars: the cross of two averages gives the same fills, trades and equity in both engines.

Prices are multiples of 1/64, so sums of them are exact in both. Averages do tie, and both then remember the last side
that was not a tie.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from differential_engines import backtrader

import cambist
from cambist.indicators import SMA, crossover

BARS = 20_000
FAST, SLOW, SIZE, FEE = 10, 30, 3.0, 0.001


def random_walk(seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    close = 400.0 + np.cumsum(chance.integers(-16, 17, BARS)) / 64.0
    open_ = np.concatenate(([400.0], close[:-1])) + chance.integers(-2, 3, BARS) / 64.0
    reach = chance.integers(0, 9, (2, BARS)) / 64.0
    assert close.min() > 100.0
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) + reach[0],
            "low": np.minimum(open_, close) - reach[1],
            "close": close,
            "volume": 1_000.0,
        },
        index=pd.date_range("2020-01-01", periods=BARS, freq="min"),
    )


class TheirCross(backtrader.Strategy):
    def __init__(self) -> None:
        averages = [backtrader.indicators.SMA(self.data.close, period=period) for period in (FAST, SLOW)]
        self.difference = averages[0] - averages[1]
        self.cross = backtrader.indicators.CrossOver(*averages)
        self.fills: list[tuple[float, float, float]] = []
        self.trades: list[tuple[int, int, float, float]] = []
        self.ties = 0

    def next(self) -> None:
        self.ties += self.difference[0] == 0.0
        if self.cross[0] > 0:
            self.order_target_size(target=SIZE)
        elif self.cross[0] < 0:
            self.order_target_size(target=-SIZE)

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            done = order.executed
            self.fills.append((done.size, done.price, done.comm))

    def notify_trade(self, trade: Any) -> None:
        if trade.isclosed:
            self.trades.append((trade.baropen - 1, trade.barclose - 1, trade.pnl, trade.pnlcomm))


class OurCross(cambist.Strategy):
    def on_start(self) -> None:
        self.cross = crossover(SMA(self.data.close, FAST), SMA(self.data.close, SLOW))

    def on_bar(self, bar: Any) -> None:
        if self.cross[0] > 0:
            self.order_target_size(SIZE)
        elif self.cross[0] < 0:
            self.order_target_size(-SIZE)


@pytest.fixture(scope="module")
def walk() -> pd.DataFrame:
    return random_walk(11)


@pytest.fixture(scope="module")
def theirs(walk) -> Any:
    cerebro = backtrader.Cerebro(stdstats=False)
    minutes = backtrader.TimeFrame.Minutes
    cerebro.adddata(backtrader.feeds.PandasData(dataname=walk, timeframe=minutes, compression=1))
    cerebro.addstrategy(TheirCross)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=FEE)
    return cerebro.run()[0]


@pytest.mark.parametrize("rules", ["cambist", "backtrader"])
def test_a_cross_of_averages_trades_alike(rules, walk, theirs):
    result = cambist.backtest(OurCross, walk, cash=100_000.0, fees=FEE, rules=rules, benchmark=False)
    fills = [(fill.side.sign * fill.size, fill.price, fill.fee) for fill in result.fill_records]
    assert len(fills) > 500
    np.testing.assert_allclose(fills, theirs.fills, rtol=1e-9)
    closed = [
        (trade.opened_bar, trade.closed_bar, trade.gross, trade.net)
        for trade in result.trade_records
        if not trade.is_open
    ]
    np.testing.assert_allclose(closed, theirs.trades, rtol=1e-9, atol=1e-9)
    assert result.curve.final == pytest.approx(theirs.broker.getvalue(), rel=1e-9)


def test_the_averages_of_that_walk_do_tie(theirs):
    assert theirs.ties > 20
