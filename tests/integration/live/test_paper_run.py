"""Paper runs: when orders trade, what a restart brings back, and what they meet beside bars."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from paper_runs import PaperRun, decided, traded, walk
from recorded_market import RecordedMarket

from cambist import Strategy
from cambist.errors import ConfigError, ParameterError
from cambist.live import OnStop
from cambist.live.paper import PaperSettings
from cambist.model import Bar, BookUpdate, OrderStatus, Quote, Side, Tick
from cambist.ports.venue import BarReport
from cambist.simulation import FeeInKind
from cambist.storage.journal import Journal

SYMBOL = "BTC/USDT"


class Once(Strategy):
    """Does something on its first bar."""

    persistent = ("done",)

    def on_start(self):
        self.done = False

    def on_bar(self, bar):
        if not self.done:
            self.done = True
            self.first(bar)

    def first(self, bar):
        self.buy(1.0)


class Bracket(Once):
    def first(self, bar):
        self.buy_bracket(1.0, take_profit=round(bar.close * 1.03, 2), stop_loss=round(bar.close * 0.97, 2))


def forming(block, row: int, close: float | None = None) -> BarReport:
    """Return the first word of a bar, or a later one."""
    bar = block[row : row + 1].__iter__().__next__()
    price = bar.open if close is None else close
    known = Bar(bar.ts, bar.open, max(bar.open, price), min(bar.open, price), price, 0.0)
    return BarReport(block.instrument, block.timeframe, known, False)


def test_a_market_order_trades_with_the_first_word_of_the_next_open(tmp_path):
    bars = walk(10)
    market = RecordedMarket(bars)
    market.until = 1
    paper = PaperRun(tmp_path / "journal", [Once()], market)

    async def play():
        await paper.start()
        await paper.calm()
        assert paper.kernel.book.orders[0].status is OrderStatus.ACCEPTED
        market.queue.put_nowait(forming(bars, 1))
        await paper.until(lambda: len(paper.kernel.fills) == 1)
        await paper.end()

    asyncio.run(play())
    fill = paper.kernel.fills[0]
    assert (fill.ts, fill.price) == (bars.ts[1], bars.open[1])


def test_flattening_does_not_wait_for_the_next_bar(tmp_path):
    bars = walk(10)
    market = RecordedMarket(bars)
    market.until = 2
    paper = PaperRun(tmp_path / "journal", [Once()], market, live={"on_stop": OnStop.FLATTEN, "drain_within": 50.0})

    async def play():
        await paper.start()
        await paper.calm()
        assert paper.kernel.portfolio.positions[SYMBOL].size == 1.0
        paper.run.stop("enough")
        await paper.until(lambda: len(paper.kernel.book.orders) == 2 and paper.kernel.book.orders[1].accepted)
        market.queue.put_nowait(forming(bars, 2, close=123.45))
        await paper.end()

    asyncio.run(play())
    assert paper.kernel.portfolio.positions[SYMBOL].size == 0.0
    assert paper.kernel.fills[1].price == 123.45


def test_a_bar_that_the_stream_left_out_is_met_too(tmp_path):
    bars = walk(40, seed=5)
    whole = PaperRun(tmp_path / "whole", [Bracket()], RecordedMarket(bars)).play()
    market = RecordedMarket(bars)
    shown = market.rows
    market.rows = lambda: [one for number, one in enumerate(shown()) if number < 3 or number > 20]
    market.until = len(market.rows())
    market.history = RecordedMarket(bars).history
    source = RecordedMarket(bars)
    source.shown_until = 2**63 - 1
    market.history = source.history
    broken = PaperRun(tmp_path / "broken", [Bracket()], market).play()
    assert traded(broken.fills) == traded(whole.fills)
    assert len(whole.fills) == 2


@pytest.mark.parametrize("cut", [3, 20, 45, 71])
def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not(tmp_path, monkeypatch, cut):
    bars = walk(90, seed=2)
    market = RecordedMarket(bars)
    whole = PaperRun(tmp_path / "whole", [Bracket()], RecordedMarket(bars)).play()
    paper = PaperRun(tmp_path / "journal", [Bracket()], market)

    async def play():
        market.until = cut
        monkeypatch.setattr(time, "time_ns", lambda: int(bars.ts[cut]) + 10**9)
        await paper.start()
        await paper.calm()
        await paper.cut_off()
        before = decided(paper.kernel.book.orders)
        await paper.start()
        assert decided(paper.kernel.book.orders) == before
        for bar in bars[cut:]:
            market.queue.put_nowait(BarReport(bars.instrument, bars.timeframe, bar, True))
        await paper.calm()
        balances = {one.asset: one.total for one in (await paper.session.account()).balances}
        await paper.end()
        return balances

    balances = asyncio.run(play())
    assert decided(paper.kernel.book.orders) == decided(whole.book.orders)
    assert traded(paper.kernel.fills) == traded(whole.fills)
    assert paper.kernel.portfolio.cash == whole.portfolio.cash
    assert balances == ledger_of(tmp_path / "journal")
    assert paper.alarms == []


def ledger_of(folder):
    from cambist.engine.rebuild import rebuild

    with Journal(folder) as journal:
        return dict(rebuild(journal).ledger.balances)


def test_orders_meet_the_bars_that_go_by_while_the_run_is_down(tmp_path, monkeypatch):
    bars = walk(90, seed=2)
    market = RecordedMarket(bars)
    whole = PaperRun(tmp_path / "whole", [Bracket()], RecordedMarket(bars)).play()
    assert len(whole.fills) == 2
    paper = PaperRun(tmp_path / "journal", [Bracket()], market)

    async def play():
        market.until = 2
        monkeypatch.setattr(time, "time_ns", lambda: int(bars.ts[2]) + 10**9)
        await paper.start()
        await paper.calm()
        await paper.cut_off()
        market.first, market.until = 80, 90
        market.shown_until = int(bars.ts[80])
        monkeypatch.setattr(time, "time_ns", lambda: int(bars.ts[80]) + 10**9)
        await paper.start()
        await paper.calm()
        await paper.end()

    asyncio.run(play())
    assert traded(paper.kernel.fills) == traded(whole.fills)


class Slow(Once):
    """Sends what takes its time to get to the venue."""


def test_what_the_journal_does_not_know_has_never_been(tmp_path):
    market = RecordedMarket(walk(10))
    market.until = 1
    paper = PaperRun(tmp_path / "journal", [Slow()], market, latency="30s")

    async def play():
        await paper.start()
        await paper.calm()
        assert paper.kernel.book.orders[0].status is OrderStatus.SUBMITTED
        await paper.cut_off()
        market.first, market.until = 1, 10
        await paper.start()
        order = paper.kernel.book.orders[0]
        await paper.until(lambda: not order.is_open)
        await paper.calm()
        await paper.end()
        return order

    order = asyncio.run(play())
    assert (order.status, order.reason) == (OrderStatus.REJECTED, "never arrived at the venue")
    assert paper.kernel.fills == []


class Resting(Strategy):
    """Keeps a bid below the market."""

    def on_tick(self, tick):
        pass

    def on_bar(self, bar):
        if not self.open_orders and not self.position.size:
            self.buy(1.0, limit=99.0)


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("ticks", lambda one, ts: Tick(one, ts, 98.9, 5.0, Side.SELL)),
        ("quotes", lambda one, ts: Quote(one, ts, 98.0, 98.95, 5.0, 5.0)),
        ("book", lambda one, ts: BookUpdate(one, ts, True, ((1, 98.5, 2.0), (-1, 98.9, 3.0)))),
    ],
)
def test_orders_meet_trades_quotes_and_books(tmp_path, kind, event):
    bars = walk(3)
    market = RecordedMarket(bars)
    market.until = 1
    paper = PaperRun(tmp_path / "journal", [Resting()], market, match_by=kind)

    async def play():
        await paper.start()
        if kind == "book":
            away = BookUpdate(bars.instrument, int(bars.ts[0]), True, ((1, 99.5, 2.0), (-1, 100.5, 3.0)))
            market.queue.put_nowait(away)
        await paper.until(lambda: len(paper.kernel.book.orders) == 1 and paper.kernel.book.orders[0].accepted)
        market.queue.put_nowait(event(bars.instrument, int(bars.ts[1])))
        await paper.until(lambda: len(paper.kernel.fills) == 1)
        await paper.end()

    asyncio.run(play())
    assert paper.kernel.fills[0].price <= 99.0


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ParameterError, match="match_by names 'tick'"):
        PaperSettings(match_by="tick")
    with pytest.raises(ParameterError, match="either bars, or any of ticks"):
        PaperSettings(match_by=("bars", "ticks"))
    with pytest.raises(ParameterError, match="cash is 0"):
        PaperSettings(cash=0)
    with pytest.raises(ParameterError, match="stop_trigger is 'last'"):
        PaperSettings(match_by="bars", stop_trigger="last")
    with pytest.raises(ParameterError, match="stop_trigger is 'last'"):
        PaperSettings(stop_trigger="last").kinds(["1m"])
    assert PaperSettings(stop_trigger="last").kinds(["1m", "ticks"]) == ("ticks",)
    with pytest.raises(ParameterError, match="market_fill is 'now'"):
        PaperSettings(market_fill="now")


@pytest.mark.parametrize(("first", "then"), [(FeeInKind(0.001), 0.001), (0.001, FeeInKind(0.001))])
def test_a_journal_goes_on_with_purchases_that_pay_as_before(tmp_path, first, then):
    bars = walk(60, seed=2)
    PaperRun(tmp_path / "journal", [Bracket()], RecordedMarket(bars), fees=first).play()
    with pytest.raises(ConfigError, match=r"paid their fees in .* Set them back, or name a journal of its own"):
        PaperRun(tmp_path / "journal", [Bracket()], RecordedMarket(bars), fees=then).play()


@pytest.mark.parametrize("fees", ["money", "kind"])
def test_killed_processes_go_on_with_what_the_journal_knows(tmp_path, fees):
    command = [sys.executable, str(Path(__file__).with_name("paper_process.py")), str(tmp_path), fees]
    row, kills, starts = tmp_path / "row", 0, 0
    while not (tmp_path / "done.json").exists():
        starts += 1
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if kills < 4:
                assert process.stdout.readline() == "running\n"
                begun = int(row.read_text())
                deadline = time.monotonic() + 60.0
                while int(row.read_text() or begun) < begun + 20 and time.monotonic() < deadline:
                    time.sleep(0.002)
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            process.wait(60)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    told = json.loads((tmp_path / "done.json").read_text())
    assert told["alarms"] == []
    assert {asset: Decimal(total) for asset, total in told["balances"].items()} == ledger_of(tmp_path / "journal")
    with Journal(tmp_path / "journal") as journal:
        kinds = [entry.kind for entry in journal.read()]
    assert kinds.count("run_started") == starts > 1
    assert kinds.count("order_filled") > 5
