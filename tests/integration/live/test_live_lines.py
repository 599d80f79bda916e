"""Lines of a run that was cut off and goes on have the values of one that never was."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from functools import partial

import pytest
from market_in_process import MINUTE, NOW, bar, make_run, make_venue
from venue_in_process import SYMBOL

from cambist import Bars, Strategy, backtest, param
from cambist.engine.rebuild import rebuild
from cambist.indicators import EMA, RSI
from cambist.storage.journal import Journal

KEY = f"{SYMBOL} 1m"


class Averages(Strategy):
    """Keeps the values of lines that remember all of the past."""

    def on_start(self):
        self.average = EMA(self.data.close, 5)
        self.strength = RSI(self.data.close, 4)
        self.values = []

    def on_bar(self, bar):
        self.values.append((bar.close, self.average[0], self.average[-1], self.strength[0]))


class Slower(Strategy):
    """Keeps the values of lines of a slower series, and its bars."""

    timeframe: str = param("4m")

    def on_start(self):
        self.slow = self.data.resample(self.timeframe, on_bar=True)
        self.average = EMA(self.slow.close, 3)
        self.values, self.slow_bars = [], []

    def on_bar(self, bar):
        if bar.timeframe == MINUTE:
            self.values.append((bar.close, self.slow.ts, self.slow.close[0], self.average[0], self.average[-1]))
        else:
            self.slow_bars.append((bar.copy(), self.average[0]))


@pytest.fixture
def prices():
    chance = random.Random(11)
    return {number: round(100 + chance.gauss(0, 1), 2) for number in range(-200, 0)}


async def hear(run, numbers, prices, venue) -> list:
    """Run until these bars were heard; then cut off, without a goodbye."""
    task = asyncio.create_task(run.run())
    try:
        async with asyncio.timeout(30):
            while run.phase != "run":
                if task.done():
                    await task
                await asyncio.sleep(0.005)
            values = run.kernel.seats[0].strategy.values
            for count, number in enumerate(numbers, 1):
                venue.tell_bar(bar(number, prices[number]))
                while len(values) < count:  # noqa: ASYNC110 - what the run does tells nobody
                    await asyncio.sleep(0.002)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        run.journal.close()
    return values


def anchors(folder) -> dict[str, int]:
    with Journal(folder / "journal") as journal:
        return rebuild(journal).anchors


def begin_at(monkeypatch, number):
    """Have the clock of the next run begin a second behind the open of a bar."""
    ahead = NOW + number * MINUTE.ns + 1_000_000_000 - time.monotonic_ns()
    monkeypatch.setattr("cambist.live.run.MonotoneClock", lambda _not_before: lambda: time.monotonic_ns() + ahead)


@pytest.fixture
def play(monkeypatch, prices):
    def play(folder, venue, numbers, strategy=Averages, **settings):
        begin_at(monkeypatch, numbers.start)
        run = make_run(folder, venue, strategy(), ["1m"], **settings)
        return asyncio.run(hear(run, numbers, prices, venue)), run

    return play


def venue_until(number, prices):
    """Return a venue whose bars before `number` are over."""
    venue = make_venue()
    venue.known = {one.ts: one for one in (bar(each, prices[each]) for each in range(-200, number))}
    return venue


def test_the_values_are_equal_to_the_last_bit_after_restarts(tmp_path, play, prices):
    whole, _ = play(tmp_path / "whole", venue_until(-60, prices), range(-60, -10))
    parts, venue = [], venue_until(-60, prices)
    for start, stop in ((-60, -41), (-41, -23), (-23, -10)):
        values, run = play(tmp_path / "parts", venue, range(start, stop))
        parts += values
        assert run.alarms == []
    assert repr(parts) == repr(whole)  # NaN equals no NaN
    # Lines of 5 and 4 bars need five before they are known: with those alone the values differ.
    short, _ = play(tmp_path / "short", venue_until(-23, prices), range(-23, -10))
    assert repr(short) != repr(whole[-13:])
    assert anchors(tmp_path / "parts") == anchors(tmp_path / "whole")


@pytest.mark.parametrize("timeframe", ["4m", "renko 0.5"])
def test_slower_series_are_those_of_a_backtest_after_restarts_too(tmp_path, play, prices, timeframe):
    made = partial(Slower, timeframe=timeframe)
    whole, run = play(tmp_path / "whole", venue_until(-60, prices), range(-60, -10), made)
    slow_bars = run.kernel.seats[0].strategy.slow_bars
    assert len(whole) == 50  # what came before was history enough for all of its lines
    parts, venue = [], venue_until(-60, prices)
    for start, stop in ((-60, -41), (-41, -23), (-23, -10)):
        values, run = play(tmp_path / "parts", venue, range(start, stop), made)
        parts += values
        assert run.alarms == []
    assert repr(parts) == repr(whole)

    first = (anchors(tmp_path / "whole")[KEY] - NOW) // MINUTE.ns
    rows = [bar(number, prices[number]) for number in range(first, -10)]
    columns = {name: [getattr(one, name) for one in rows] for name in ("open", "high", "low", "close", "volume")}
    backtest(Keeping(timeframe=timeframe), Bars(run.kernel.instruments[0], MINUTE, [one.ts for one in rows], **columns))
    assert repr(whole) == repr(Keeping.last.values[-50:])
    assert repr(slow_bars) == repr(Keeping.last.slow_bars[-len(slow_bars) :])


class Keeping(Slower):
    """Can be asked after a backtest."""

    def on_start(self):
        super().on_start()
        Keeping.last = self


def test_history_that_no_longer_reaches_the_first_bar_is_told_and_becomes_the_new_one(tmp_path, play, prices):
    venue = venue_until(-60, prices)
    play(tmp_path, venue, range(-60, -30))
    before = anchors(tmp_path)[KEY]
    venue.known = {ts: one for ts, one in venue.known.items() if ts >= NOW - 50 * MINUTE.ns}
    values, run = play(tmp_path, venue, range(-30, -20))
    assert [word for word, _ in run.alarms] == ["reanchored"]
    assert before < anchors(tmp_path)[KEY] == NOW - 50 * MINUTE.ns
    again, run = play(tmp_path, venue, range(-20, -15))
    assert run.alarms == []
    fresh, _ = play(tmp_path / "fresh", venue_until(-30, prices), range(-30, -20))
    assert values != fresh
    assert again


def test_a_start_goes_back_no_further_than_it_is_allowed_to(tmp_path, play, prices):
    venue = venue_until(-100, prices)
    play(tmp_path, venue, range(-100, -40))
    venue.asked.clear()
    _, run = play(tmp_path, venue, range(-40, -38), anchor_bars=20)
    assert [word for word, _ in run.alarms] == ["reanchored"]
    assert venue.asked[0][0] >= NOW - 60 * MINUTE.ns


def test_bars_that_closed_while_history_was_fetched_are_shown_once(tmp_path, monkeypatch, prices):
    begin_at(monkeypatch, -60)
    venue = venue_until(-60, prices)
    history = venue.history

    async def slow(*asked):
        found = await history(*asked)
        venue.tell_bar(bar(-60, prices[-60]))  # closes while the answer is on its way
        venue.tell_bar(bar(-58, prices[-58]))  # and the stream has lost one
        venue.known[bar(-59).ts] = bar(-59, prices[-59])
        venue.history = history
        await asyncio.sleep(0.05)
        return found

    venue.history = slow
    run = make_run(tmp_path, venue, Averages(), ["1m"])

    async def go():
        values = await hear(run, range(-57, -50), prices, venue)
        return [one[0] for one in values]

    closes = asyncio.run(go())
    assert closes[:7] == [prices[number] for number in range(-60, -53)]
