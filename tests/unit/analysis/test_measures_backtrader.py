"""The measures against backtrader's analyzers, on a run of backtrader's own."""

from __future__ import annotations

import random

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from cambist.analysis import EquityRecorder, RunFacts, summarize
from cambist.model.times import DAY_NS, to_ns

CASH = 10_000.0


class Dice(bt.Strategy):
    """Buys, sells and closes by a seeded dice, and writes down what the account is worth."""

    def __init__(self):
        self.dice = random.Random(5)
        self.values = []
        self.nets = []

    def next(self):
        self.values.append(self.broker.getvalue())
        face = self.dice.randrange(8)
        if face == 0:
            self.buy(size=20)
        elif face == 1:
            self.sell(size=20)
        elif face == 2:
            self.close()

    def notify_trade(self, trade):
        if trade.isclosed:
            self.nets.append(trade.pnlcomm)


@pytest.fixture(scope="module")
def ran():
    chance = np.random.default_rng(11)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.02, 600)))
    open_ = np.concatenate(([100.0], close[:-1])) * (1 + chance.normal(0, 0.002, 600))
    bars = pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * 1.005,
            "low": np.minimum(open_, close) * 0.995,
            "close": close,
            "volume": 1.0,
        },
        index=pd.bdate_range("2020-01-01", periods=600),
    )
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=bars))
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(0.001)
    cerebro.addstrategy(Dice)
    cerebro.addanalyzer(bt.analyzers.DrawDown)
    cerebro.addanalyzer(bt.analyzers.SQN)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer)
    cerebro.addanalyzer(bt.analyzers.TimeReturn, timeframe=bt.TimeFrame.NoTimeFrame)
    cerebro.addanalyzer(
        bt.analyzers.SharpeRatio,
        timeframe=bt.TimeFrame.Days,
        riskfreerate=0.0,
        stddev_sample=True,
        annualize=True,
        factor=252,
    )
    strategy = cerebro.run()[0]
    return strategy, bars


@pytest.fixture(scope="module")
def summary(ran, make_trade):
    strategy, bars = ran
    recorder = EquityRecorder(CASH, to_ns(bars.index[0]))
    times = bars.index.as_unit("ns").asi8 + DAY_NS
    recorder.add(times, np.array(strategy.values), np.ones(len(times), bool))
    return summarize(RunFacts(recorder.finish(), [make_trade(net) for net in strategy.nets]))


def test_drawdown(ran, summary):
    analysis = ran[0].analyzers.drawdown.get_analysis()
    assert summary.max_drawdown == pytest.approx(-analysis.max.drawdown / 100, rel=1e-12)


def test_sharpe_ratio_in_the_same_terms(ran, summary):
    assert summary.sharpe == pytest.approx(ran[0].analyzers.sharperatio.get_analysis()["sharperatio"], rel=1e-9)


def test_total_return(ran, summary):
    assert summary.total_return == pytest.approx(next(iter(ran[0].analyzers.timereturn.get_analysis().values())))


def test_trades(ran, summary):
    analysis = ran[0].analyzers.tradeanalyzer.get_analysis()
    assert summary.trades == analysis.total.closed
    assert 0.0 not in ran[0].nets  # the one case in which the two count differently
    assert summary.win_rate == pytest.approx(analysis.won.total / analysis.total.closed)
    assert summary.average_trade == pytest.approx(analysis.pnl.net.average)
    assert summary.average_win == pytest.approx(analysis.won.pnl.average)
    assert summary.average_loss == pytest.approx(analysis.lost.pnl.average)
    assert summary.best_trade == pytest.approx(analysis.won.pnl.max)
    assert summary.worst_trade == pytest.approx(analysis.lost.pnl.max)
    assert summary.profit_factor == pytest.approx(analysis.won.pnl.total / -analysis.lost.pnl.total)


def test_sqn(ran, summary):
    analysis = ran[0].analyzers.sqn.get_analysis()
    assert analysis.trades == summary.trades > 20
    assert summary.sqn == pytest.approx(analysis.sqn, rel=1e-9)
