"""Recorded paper runs, replayed: a strategy that is the same decides the same, and one that is not is caught."""

from __future__ import annotations

import asyncio
from math import isnan

import attrs
import numpy as np
import pytest
from paper_runs import EverythingTrader, PaperRun, walk
from recorded_market import RecordedMarket

import cambist
from cambist import Strategy, Ticks, param
from cambist.errors import ParameterError
from cambist.indicators import SMA, indicator
from cambist.model import BookUpdate, Quote, Side, Tick
from cambist.model.events import OperatorCommand
from cambist.ports.venue import BarReport
from cambist.risk.rules.position import MaxPositionRule
from cambist.storage.journal import JournalFolder
from cambist.storage.recording import RecordingFolder


class Averaging(Strategy):
    """Trades a crossing; has a warm-up, a timer, signals and a memory."""

    persistent = ("bars",)

    def on_start(self):
        self.average = SMA(self.data.close, 5)
        self.bars = 0
        self.set_timer("soon", after="1s")

    def on_timer(self, name):
        self.record_signal("timer", name)
        assert self.is_live

    def on_bar(self, bar):
        self.bars += 1
        self.record_signal("bars", float(self.bars))
        if bar.close > self.average[0] and not self.position.size and not self.open_orders:
            self.buy_bracket(1.0, take_profit=round(bar.close * 1.01, 2), stop_loss=round(bar.close * 0.99, 2))


class Later(Averaging):
    """Decides otherwise from its fortieth bar on."""

    def on_bar(self, bar):
        super().on_bar(bar)
        if self.bars == 40:
            self.buy(0.5, limit=1.0)


Later.__name__ = "Averaging"


def test_a_paper_run_is_repeated_to_the_last_bit(tmp_path):
    paper = PaperRun(tmp_path / "journal", [EverythingTrader()], RecordedMarket(walk(120, seed=7)), record=True)
    paper.play()
    report = cambist.replay(tmp_path / "journal", EverythingTrader)
    assert report.equal, str(report)
    assert report.complete, str(report)
    assert report.events > 200


def test_what_a_changed_strategy_does_first_is_told(tmp_path):
    PaperRun(tmp_path / "journal", [Averaging()], RecordedMarket(walk(120, seed=7)), record=True).play()
    assert cambist.replay(tmp_path / "journal", Averaging).equal
    report = cambist.replay(tmp_path / "journal", Later)
    assert not report.equal
    assert report.divergence.event == "BarClosed"
    assert report.divergence.found.kind == "order_submitted"
    assert report.divergence.strategies["Averaging"]["bars"] == 40


@pytest.mark.parametrize("kills", [[30], [10, 31, 32, 77]])
def test_restarts_are_repeated_with_the_history_that_was_fed(tmp_path, monkeypatch, kills):
    import time

    bars = walk(120, seed=7)
    market = RecordedMarket(bars)
    paper = PaperRun(tmp_path / "journal", [Averaging()], market, record=True)

    async def play():
        for row in [*kills, 120]:
            market.until = row
            now = int(bars.ts[min(market.first, 119)]) + 10**9
            monkeypatch.setattr(time, "time_ns", lambda now=now: now)
            await paper.start()
            await paper.calm()
            if row < 120:
                await paper.cut_off()
        await paper.end()

    asyncio.run(play())
    report = cambist.replay(tmp_path / "journal", Averaging)
    assert report.equal, str(report)
    assert f"the run was started {len(kills) + 1} times." in report.notes
    assert not cambist.replay(tmp_path / "journal", Later).equal


def test_rules_have_to_be_given_again(tmp_path):
    market = RecordedMarket(walk(60, seed=7))
    rules = [MaxPositionRule(0.5)]
    PaperRun(tmp_path / "journal", [Averaging()], market, record=True, live={"risk": rules}).play()
    with pytest.raises(ParameterError, match="which a recording cannot keep"):
        cambist.replay(tmp_path / "journal", Averaging)
    assert cambist.replay(tmp_path / "journal", Averaging, risk=rules).equal
    with pytest.raises(ParameterError, match="a replay has no option 'sizer'"):
        cambist.replay(tmp_path / "journal", Averaging, risk=rules, sizer=None)


def test_fees_of_the_paper_venue_are_kept(tmp_path):
    market = RecordedMarket(walk(60, seed=7))
    PaperRun(tmp_path / "journal", [Averaging()], market, record=True, fees={"maker": 0.0, "taker": 0.01}).play()
    assert RecordingFolder(tmp_path / "journal").head.about["options"] == {"fees": {"maker": 0.0, "taker": 0.01}}
    assert cambist.replay(tmp_path / "journal", Averaging).equal


class Slower(Averaging):
    """Looks at a slower series as well, whose bars it is shown."""

    timeframe: str = param("7m")

    def on_start(self):
        super().on_start()
        self.slow = self.data.resample(self.timeframe, on_bar=True)
        self.trend = SMA(self.slow.close, 2)

    def on_bar(self, bar):
        self.record_signal(f"close of {bar.timeframe}", bar.close)
        self.record_signal("trend", self.trend[0])
        if bar.close > self.trend[0] and str(bar.timeframe) == "1m":
            super().on_bar(bar)
        elif self.position.size:
            self.close()


@pytest.mark.parametrize("timeframe", ["7m", "renko 0.25"])
def test_slower_series_are_repeated(tmp_path, timeframe):
    bars = walk(120, seed=7)
    paper = PaperRun(tmp_path / "journal", [Slower(timeframe=timeframe)], RecordedMarket(bars), record=True)
    paper.play()
    noted = [one for one in paper.kernel.signals if one[2] == f"close of {timeframe}"]
    assert len(noted) > 10
    report = cambist.replay(tmp_path / "journal", Slower(timeframe=timeframe))
    assert report.equal, str(report)
    assert report.complete


class Breaks(Averaging):
    """Raises, which stops its trading and not the run."""

    def on_bar(self, bar):
        super().on_bar(bar)
        if self.bars == 20:
            raise ValueError("a fault of its own")


def test_a_strategy_that_raised_is_repeated_too(tmp_path):
    paper = PaperRun(tmp_path / "journal", [Breaks()], RecordedMarket(walk(60, seed=7)), record=True)
    paper.play()
    assert next(word for word, _ in paper.alarms) == "strategy_failed"
    report = cambist.replay(tmp_path / "journal", Breaks)
    assert report.equal, str(report)
    assert any("a fault of its own" in note for note in report.notes)


def test_timers_and_what_an_operator_commanded_are_repeated(tmp_path):
    market = RecordedMarket(walk(60, seed=7))
    market.until = 30
    paper = PaperRun(tmp_path / "journal", [Averaging()], market, record=True)

    async def play():
        await paper.start()
        await paper.calm()
        run = paper.run
        run.take(OperatorCommand(run.now(), "reduce", {"reason": "a look at it"}, "me"))
        await paper.until(lambda: any(one[2] == "timer" for one in paper.kernel.signals))
        for row in list(walk(60, seed=7))[30:50]:
            market.queue.put_nowait(BarReport(market.blocks[0].instrument, market.blocks[0].timeframe, row, True))
        await paper.calm()
        run.take(OperatorCommand(run.now(), "resume", {}, "me"))
        for row in list(walk(60, seed=7))[50:]:
            market.queue.put_nowait(BarReport(market.blocks[0].instrument, market.blocks[0].timeframe, row, True))
        await paper.calm()
        await paper.end()

    asyncio.run(play())
    report = cambist.replay(tmp_path / "journal", Averaging)
    assert report.equal, str(report)
    assert report.complete
    kinds = {entry.kind for entry in JournalFolder(tmp_path / "journal").read()}
    assert {"operator_command", "timer_fired", "trading_state"} <= kinds


class Ticking(Strategy):
    """Trades on trades, quotes and books, and asks where it stands."""

    below: float = param(99.0)

    def on_tick(self, tick):
        if not self.position.size and not self.open_orders and tick.price < self.below:
            self.buy(1.0, limit=98.5)

    def on_book(self, book):
        for order in self.open_orders:
            ahead = self.queue_ahead(order)
            if not isnan(ahead):
                self.record_signal("ahead", ahead)


def test_trades_quotes_and_books_are_repeated_with_the_times_of_their_venue(tmp_path):
    block = walk(3)
    one, ts = block.instrument, int(block.ts[0])
    market = RecordedMarket(block)
    market.until = 0
    series = [(one.symbol, "ticks"), (one.symbol, "quotes"), (one.symbol, "book")]
    live = {"step_timeout": 0.1}  # how long a start waits for prices, which this market does not tell before
    paper = PaperRun(tmp_path / "journal", [Ticking()], market, series=series, live=live, record=True)

    async def play():
        await paper.start()
        for number in range(40):
            at = ts + number * 10**9
            price = 99.2 - (number % 10) * 0.1
            market.queue.put_nowait(BookUpdate(one, at, number == 0, ((1, 98.5, 2.0 + number % 3), (-1, 99.9, 3.0))))
            market.queue.put_nowait(Quote(one, at + 1, 98.5, 99.9, 2.0, 3.0))
            market.queue.put_nowait(Tick(one, at + 2, price, 1.0, Side.SELL))
        market.queue.put_nowait(Tick(one, ts + 41 * 10**9, 98.4, 9.0, Side.SELL))
        await paper.until(lambda: len(paper.kernel.fills) == 1)
        await paper.calm()
        await paper.end()

    asyncio.run(play())
    report = cambist.replay(tmp_path / "journal", Ticking)
    assert report.equal, str(report)
    assert report.complete
    assert any(one[2] == "ahead" and one[4] > 0.0 for one in paper.kernel.signals)
    assert paper.kernel.views[0].ts == ts + 41 * 10**9
    assert not cambist.replay(tmp_path / "journal", Ticking(below=98.7)).equal


class OnTrades(Strategy):
    """Trades on bars of trades that end by a rule, with an average over them."""

    def on_start(self):
        self.average = SMA(self.data.close, 2)

    def on_bar(self, bar):
        self.record_signal("closed", bar.close)
        if bar.close > self.average[0]:
            self.buy(1.0)
        elif self.position.size:
            self.close()


@indicator(lookback=0)
def fragile(values):
    """Fail at a price."""
    if 99.5 in values:
        raise ZeroDivisionError("a price it does not like")
    return values


class Fragile(Strategy):
    """Has an indicator of its own over bars of trades, which stops it and nobody else."""

    def on_start(self):
        self.line = fragile(self.data.event_bars("count 1", on_bar=True).close)

    def on_bar(self, bar):
        self.record_signal("seen", bar.close)


def test_bars_of_trades_are_made_on_paper_as_in_a_backtest_and_again_in_a_replay(tmp_path):
    block = walk(3)
    one, ts = block.instrument, int(block.ts[0])
    prices = [99.0 + (number * 7 % 11) * 0.1 for number in range(90)]
    ticks = Ticks(one, [ts + number * 10**9 for number in range(90)], prices, np.full(90, 1.0))
    market = RecordedMarket(block)
    market.until = 0
    strategy = OnTrades(bar_rule="volume 4")
    live = {"step_timeout": 0.1}  # how long a start waits for prices, which this market does not tell before
    series = [(one.symbol, "ticks")]
    paper = PaperRun(tmp_path / "journal", [strategy, Fragile()], market, series=series, live=live, record=True)

    async def play():
        await paper.start()
        for tick in ticks:
            market.queue.put_nowait(tick)
        await paper.until(lambda: paper.kernel.views[0].ts == ticks.ts[-1])
        await paper.calm()
        await paper.end()

    asyncio.run(play())
    noted = [(name, value) for _, who, name, _, value in paper.kernel.signals if who == "OnTrades"]
    result = cambist.backtest(strategy, ticks)
    assert noted == list(zip(result.signals["name"], result.signals["value"], strict=True))
    assert len(noted) == 90 // 4 - 1
    assert len(paper.kernel.fills) > 5
    assert [word for word, _ in paper.alarms] == ["strategy_failed"]
    assert "an indicator of Fragile raised ZeroDivisionError" in paper.alarms[0][1]
    assert 0 < sum(one.strategy == "Fragile" for one in paper.kernel.signals) < prices.index(99.5) + 1
    report = cambist.replay(tmp_path / "journal", [OnTrades(bar_rule="volume 4"), Fragile()])
    assert report.equal, str(report)
    assert report.complete


def test_rules_that_changed_while_the_run_went_on_are_repeated(tmp_path):
    bars = walk(60, seed=7)
    market = RecordedMarket(bars)
    market.until = 20
    paper = PaperRun(tmp_path / "journal", [EverythingTrader()], market, record=True)

    async def play():
        await paper.start()
        await paper.calm()
        assert paper.run.engine.redefine(attrs.evolve(bars.instrument, step_size="0.1"))
        for row in list(bars)[20:]:
            market.queue.put_nowait(BarReport(bars.instrument, bars.timeframe, row, True))
        await paper.calm()
        await paper.end()

    asyncio.run(play())
    assert all(round(order.size % 0.1, 6) in (0.0, 0.1) for order in paper.kernel.book.orders[-10:])
    report = cambist.replay(tmp_path / "journal", EverythingTrader)
    assert report.equal, str(report)
    assert report.complete
