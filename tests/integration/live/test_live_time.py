"""Live runs and time: timers over restarts, clocks that are off or jump, instants, the hooks of a run's life."""

from __future__ import annotations

import asyncio
import time

import pytest
from going import running, strategy_of, until
from market_in_process import MINUTE, NOW, bar, make_run, make_venue
from venue_in_process import SYMBOL

from cambist import Cron, Every, Strategy
from cambist.live.clock import MonotoneClock
from cambist.model import OrderStatus, Timeframe
from cambist.ports.venue import BarReport, StreamReport

SECOND = 1_000_000_000


@pytest.fixture
def clock_at(monkeypatch):
    """Have the clock of the next run begin at a time."""

    def begin(ts: int) -> None:
        ahead = ts - time.monotonic_ns()
        monkeypatch.setattr("cambist.live.run.MonotoneClock", lambda _not_before: lambda: time.monotonic_ns() + ahead)

    return begin


class Timed(Strategy):
    """Has a timer by each kind of rule, and one that its first bar sets."""

    persistent = ("bars",)

    def on_start(self):
        self.bars = 0
        self.fired = []
        self.life = ["start"]
        self.schedule("seconds", Every("1s"))
        self.schedule("minutes", Cron("* * * * *"))

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 1:
            self.set_timer("later", after="5s")

    def on_timer(self, name):
        self.fired.append((name, self.timer_due))

    def on_stop(self):
        self.life.append("stop")

    def due(self, name):
        return [due for one, due in self.fired if one == name]


def test_timers_fire_by_rule_and_survive_a_restart(tmp_path, clock_at):
    venue, begin = make_venue(), NOW + 57 * SECOND

    async def first():
        clock_at(begin)
        run = make_run(tmp_path, venue, Timed(), ["1m"])
        async with running(run, end="cut", close=True):
            strategy = strategy_of(run)
            venue.tell_bar(bar(-1))
            await until(lambda: strategy.bars == 1 and len(strategy.due("minutes")) == 1)
            return strategy

    async def second(ts):
        clock_at(ts)
        run = make_run(tmp_path, venue, Timed(), ["1m"])
        async with running(run, close=True):
            strategy = strategy_of(run)
            await until(lambda: strategy.due("later") and len(strategy.due("seconds")) > 1)
        return run, strategy

    strategy = asyncio.run(first())
    assert strategy.due("minutes") == [NOW + MINUTE.ns]
    seconds = strategy.due("seconds")
    assert seconds == [seconds[0] + number * SECOND for number in range(len(seconds))]
    set_for = strategy.due("later")
    assert set_for == []
    # It comes back long after: what was due meanwhile fires at once, and what goes by a rule goes on from now.
    run, again = asyncio.run(second(NOW + 5 * MINUTE.ns))
    due = again.due("later")
    assert len(due) == 1
    assert begin + 5 * SECOND <= due[0] < begin + 20 * SECOND
    assert again.due("minutes") == []
    assert min(again.due("seconds")) > NOW + 5 * MINUTE.ns
    assert again.life == ["start", "stop"]
    assert again.bars == 1
    assert run.alarms == []


def test_the_system_clock_may_jump(monkeypatch):
    at = [NOW]
    monkeypatch.setattr("cambist.live.clock.time.time_ns", lambda: at[0])
    clock = MonotoneClock()
    before = clock()
    for jump in (-10, 10, -3600, 3600):
        at[0] = NOW + jump * SECOND
        now = clock()
        assert 0 <= now - before < 60 * SECOND
        before = now
    assert MonotoneClock(NOW + 5000 * SECOND)() >= NOW + 5000 * SECOND  # a journal was written by a clock ahead


class Steps(Strategy):
    """Keeps what closed together."""

    def on_start(self):
        self.instants = []
        self.bars = []

    def on_bar(self, bar):
        self.bars.append(bar.close)

    def on_step(self):
        self.instants.append(tuple(self.bars))
        self.bars.clear()


@pytest.mark.parametrize("off", [-8, 0, 8])
def test_bars_of_one_instant_are_shown_together_by_a_clock_that_is_seconds_off(tmp_path, clock_at, off):
    venue, five = make_venue(), Timeframe.parse("5m")
    clock_at(time.time_ns() + off * SECOND)
    end = next(number for number in range(-10, 0) if (NOW + number * MINUTE.ns) % five.ns == 0)  # both close there

    def tell(timeframe, close):
        one = bar(end - timeframe.ns // MINUTE.ns, close)
        venue.tell(BarReport(venue.instrument, timeframe, one, True))

    async def play():
        run = make_run(tmp_path, venue, Steps(), ["1m", "5m"], step_timeout=20.0)
        async with running(run, close=True):
            strategy = strategy_of(run)
            tell(MINUTE, 100.1)
            await until(lambda: strategy.bars == [100.1])
            await asyncio.sleep(0.1)
            assert strategy.instants == []
            tell(five, 100.5)
            await until(lambda: strategy.instants)
            return strategy.instants

    assert asyncio.run(play()) == [(100.1, 100.5)]


def test_an_instant_whose_other_bars_do_not_come_is_closed_in_time(tmp_path):
    venue, five = make_venue(), Timeframe.parse("5m")
    end = next(number for number in range(-10, 0) if (NOW + number * MINUTE.ns) % five.ns == 0)

    async def play():
        run = make_run(tmp_path, venue, Steps(), ["1m", "5m"], step_timeout=0.2)
        async with running(run, close=True):
            strategy = strategy_of(run)
            venue.tell_bar(bar(end - 6, 100.1))
            venue.tell(BarReport(venue.instrument, five, bar(end - 10, 100.5), True))
            await until(lambda: len(strategy.instants) == 1)
            for number in range(end - 5, end - 1):
                venue.tell_bar(bar(number, 101.0))
            await until(lambda: len(strategy.instants) == 5)
            venue.tell_bar(bar(end - 1, 102.0))  # five minutes close here, too
            await until(lambda: len(strategy.instants) == 6)
            return strategy.instants

    instants = asyncio.run(play())
    assert [sorted(one) for one in instants] == [[100.1, 100.5], [101.0], [101.0], [101.0], [101.0], [102.0]]


def test_a_clock_that_goes_wrong_while_running_holds_new_risk_and_is_told(tmp_path):
    venue = make_venue()

    async def play():
        run = make_run(tmp_path, venue, Steps(), ["quotes"])
        async with running(run, close=True):
            strategy = strategy_of(run)
            problem = "the clock of this machine is 40.0 s ahead of the venue's; set it (by NTP)."
            venue.private_events.put_nowait(StreamReport(stream="clock", state="down", text=problem))
            await until(lambda: run.kernel.trading.holds)
            assert strategy.buy(0.1, data=SYMBOL).status is OrderStatus.REJECTED
            run.engine.put(run.kernel.collect())
            venue.private_events.put_nowait(StreamReport(stream="clock", state="up", text="right again"))
            await until(lambda: not run.kernel.trading.holds)
        return run.alarms

    alarms = asyncio.run(play())
    assert [word for word, _ in alarms] == ["clock_skew", "clock_right"]
    assert "40.0 s ahead" in alarms[0][1]
    assert "Nothing signed is sent" in alarms[0][1]
