"""Slower and growing bars beside backtrader's `resampledata` and `replaydata`, where the rules are the same.

backtrader takes the time of a bar for its end and puts a bar that ends on an edge into the period before: fed with
close times, its minutes and hours are ours, and each is seen with the same faster bar.
"""

from __future__ import annotations

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from cambist import Bars, Instrument, Strategy, backtest
from cambist.indicators import EMA, SMA
from cambist.model.times import MINUTE_NS, to_ns

ACME = Instrument(symbol="ACME")


def minutes(seed, count, gaps):
    chance = np.random.default_rng(seed)
    steps = chance.choice([1, 1, 1, 1, 2, 3], count) if gaps else np.ones(count, np.int64)
    ts = to_ns("2024-03-04 10:00") + (np.cumsum(steps) - 1) * MINUTE_NS
    close = np.round(100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.003, count))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) + 0.25, np.minimum(open_, close) - 0.25
    return Bars(ACME, "1m", ts, open_, high, low, close, chance.integers(1, 50, count).astype(float))


def by_backtrader(bars, compression, *, grows, timeframe=bt.TimeFrame.Minutes, ends=True):
    """Return what a strategy sees with each faster bar: how many slower ones, and the newest."""
    seen = []

    class Looker(bt.Strategy):
        def __init__(self):
            self.averages = [bt.ind.SMA(self.datas[-1].close, period=3), bt.ind.EMA(self.datas[-1].close, period=2)]

        def look(self):
            slow = self.datas[-1]
            if not len(slow):
                seen.append((0,))
                return
            values = [getattr(slow, name)[0] for name in ("open", "high", "low", "close", "volume")]
            averages = [
                line[0] if len(slow) >= period else np.nan for line, period in zip(self.averages, (3, 2), strict=True)
            ]
            seen.append((len(slow), *values, *averages))

        prenext = nextstart = next = look

    frame = bars.to_frame()
    frame.index = frame.index.tz_localize(None) + pd.Timedelta(minutes=int(ends))
    cerebro = bt.Cerebro(stdstats=False)
    feed = bt.feeds.PandasData(dataname=frame, timeframe=bt.TimeFrame.Minutes, compression=1)
    if grows:
        cerebro.replaydata(feed, timeframe=timeframe, compression=compression)
    else:
        cerebro.adddata(feed)
        cerebro.resampledata(feed, timeframe=timeframe, compression=compression)
    cerebro.addstrategy(Looker)
    cerebro.run()
    return seen


def by_cambist(bars, timeframe, *, grows):
    class Looker(Strategy):
        def on_start(self):
            make = self.data.replay if grows else self.data.resample
            self.slow = make(timeframe, keep_first=True)
            self.averages = SMA(self.slow.close, 3), EMA(self.slow.close, 2)
            self.count, self.last = 0, 0

        def on_warmup_bar(self, bar):
            slow = self.slow
            self.count += slow.ts != self.last
            self.last = slow.ts
            values = [getattr(slow, name)[0] for name in ("open", "high", "low", "close", "volume")]
            seen.append((self.count, *values, *(line[0] for line in self.averages)) if self.count else (0,))

        on_bar = on_warmup_bar

    seen = []
    backtest(Looker(), bars)
    return seen


def hold_equal(ours, theirs):
    # backtrader adds a step when the data is over, for the bar that is not: here, a slower bar is seen or is not over.
    assert len(theirs) - len(ours) in (0, 1)
    theirs = theirs[: len(ours)]
    assert [row[0] for row in ours] == [row[0] for row in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)


@pytest.mark.parametrize("compression", [5, 15, 60])
@pytest.mark.parametrize("seed", range(3))
def test_a_slower_bar_is_seen_with_the_same_faster_one(compression, seed):
    bars = minutes(seed, 400, gaps=False)
    hold_equal(by_cambist(bars, f"{compression}m", grows=False), by_backtrader(bars, compression, grows=False))


@pytest.mark.parametrize("compression", [5, 15, 60])
@pytest.mark.parametrize("seed", range(3))
def test_a_growing_bar_is_the_same_at_each_faster_one(compression, seed):
    bars = minutes(seed, 400, gaps=False)
    hold_equal(by_cambist(bars, f"{compression}m", grows=True), by_backtrader(bars, compression, grows=True))


@pytest.mark.parametrize("seed", range(3))
def test_with_gaps_the_growing_bar_is_the_same(seed):
    bars = minutes(seed, 300, gaps=True)
    hold_equal(by_cambist(bars, "5m", grows=True), by_backtrader(bars, 5, grows=True))


@pytest.mark.parametrize("seed", range(3))
def test_with_gaps_the_slower_bars_are_the_same(seed):
    bars = minutes(seed, 300, gaps=True)
    hold_equal(by_cambist(bars, "5m", grows=False), by_backtrader(bars, 5, grows=False))


def test_the_last_bar_which_is_not_over_is_not_seen():
    """Documented: backtrader shows it in a step of its own."""
    bars = minutes(1, 62, gaps=False)
    ours, theirs = by_cambist(bars, "15m", grows=False), by_backtrader(bars, 15, grows=False)
    assert len(ours) == 62
    assert ours[-1][0] == 4
    assert len(theirs) == 63
    assert theirs[-1][0] == 5


def test_a_day_is_seen_with_its_last_bar():
    """Documented: without a session end, backtrader's day is over when a bar of the next one has come."""
    bars = minutes(1, 2 * 1440, gaps=False)
    ours = by_cambist(bars, "1d", grows=False)
    theirs = by_backtrader(bars, 1, grows=False, timeframe=bt.TimeFrame.Days, ends=False)
    first = next(row for row, seen in enumerate(ours) if seen[0])
    assert bars.close_times[first] == to_ns("2024-03-05")
    assert next(row for row, seen in enumerate(theirs) if seen[0]) == first + 1
    assert ours[first][1:5] == theirs[first + 1][1:5]
