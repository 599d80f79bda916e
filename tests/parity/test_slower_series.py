"""Slower series in a strategy: every way of running sees the same bars at the same time, and never too early."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist import Bars, Instrument, Strategy, Ticks, backtest, param, tick_bars, weekly_calendar
from cambist.data import resample
from cambist.errors import DataError, InputError, LineError, StrategyError
from cambist.indicators import EMA, SMA, crossover
from cambist.model.times import MINUTE_NS, to_ns

ACME, OTHER = Instrument(symbol="ACME"), Instrument(symbol="OTHER")
MARKET = weekly_calendar(
    "market", "9:30-11:00, 12:00-16:00", tz="America/New_York", start="2023-01-01", end="2026-12-31"
)
OPTIONS = [
    {"timeframe": "5m"},
    {"timeframe": "15m", "offset": "4m"},
    {"timeframe": "1h", "tz": "America/New_York"},
    {"timeframe": "1d", "calendar": MARKET},
    {"timeframe": "2h", "calendar": MARKET},
]


def minutes(seed, count, gaps=True, start="2024-03-08 13:58", instrument=ACME):
    """Bars with holes of all lengths, over a change of the clock in New York."""
    chance = np.random.default_rng(seed)
    steps = chance.choice([1, 1, 1, 1, 1, 2, 4, 7, 70, 800], count) if gaps else np.ones(count, np.int64)
    ts = to_ns(start) + (np.cumsum(steps) - steps[0]) * MINUTE_NS
    close = np.round(100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.004, count))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    spread = np.round(chance.random(count), 2)
    high, low = np.maximum(open_, close) + spread, np.minimum(open_, close) - spread
    return Bars(instrument, "1m", ts, open_, high, low, close, chance.integers(0, 100, count).astype(float))


class Blocks:
    """Bars in pieces of a size."""

    def __init__(self, bars, size):
        self.bars, self.size, self.name = bars, size, bars.name

    def blocks(self, size=65_536):
        return self.bars.blocks(self.size)

    def load(self):
        return self.bars


class Watcher(Strategy):
    """Trades on both series, and writes down all it sees."""

    timeframe: str = param("5m")
    shows_slow = False

    def on_start(self):
        self.slow = self.data.resample(self.timeframe, on_bar=self.shows_slow, **self.options)
        self.average = SMA(self.slow.close, 3)
        self.trend = EMA(self.slow.close, 2)
        self.cross = crossover(self.data.close, EMA(self.data.close, 4))
        self.seen = type(self).log_of = []

    def what(self):
        slow = self.slow
        now = (slow.ts, slow.open[0], slow.high[0], slow.low[0], slow.close[0], slow.volume[0])
        return (self.now, *now, slow.close[-1], slow.close[-4], self.average[0], self.average[-1], self.trend[0])

    def on_warmup_bar(self, bar):
        self.seen.append(("warming", str(bar.timeframe), bar.ts, bar.close, *self.what()))

    def on_bar(self, bar):
        self.seen.append((str(bar.timeframe), bar.ts, bar.close, *self.what()))
        if str(bar.timeframe) == "1m":
            held = self.position.size
            if not held and bar.close > self.average[0]:
                self.buy(1, stop=bar.high + 0.1)
            elif held and self.cross[0] < 0:
                self.close()
        elif self.trend[0] < self.average[0]:
            self.close()


def watched(bars, options, shows_slow=False, **settings_):
    cls = type(
        "Own", (Watcher,), {"options": {k: v for k, v in options.items() if k != "timeframe"}, "shows_slow": shows_slow}
    )
    result = backtest(cls(timeframe=options["timeframe"]), bars, **settings_)
    return repr(cls.log_of), result


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(OPTIONS), st.booleans(), st.integers(1, 40), st.integers(30, 200))
def test_every_way_sees_the_same(seed, options, shows_slow, size, count):
    bars = minutes(seed, count)
    whole, result = watched(bars, options, shows_slow)
    for given_, settings_ in (
        (Blocks(bars, size), {}),
        (bars, {"events": True}),
        (Blocks(bars, size), {"events": True}),
    ):
        seen, other = watched(given_, options, shows_slow, **settings_)
        assert seen == whole
        pd.testing.assert_frame_equal(other.fills, result.fills, check_exact=True)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(OPTIONS), st.integers(30, 160), st.integers(1, 159))
def test_what_comes_later_changes_nothing(seed, options, count, cut):
    """The same decisions, whether the bars go on or not."""
    bars = minutes(seed, count)
    cut = cut % count or 1
    whole, prefix = (watched(given_, options, True)[0] for given_ in (bars, bars[:cut]))
    assert whole.startswith(prefix[:-1])


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(OPTIONS), st.integers(1, 160))
def test_the_bar_that_is_seen_is_the_last_that_is_over(seed, options, count):
    """Against bars made, at each close, of what had closed by then."""
    bars = minutes(seed, count)
    options = dict(options)
    timeframe = options.pop("timeframe")

    class Looker(Strategy):
        def on_start(self):
            self.slow = self.data.resample(timeframe, **options)

        def on_warmup_bar(self, bar):
            rows.append((self.slow.ts, self.slow.close[0]))

        on_bar = on_warmup_bar

    rows = []
    backtest(Looker(), bars)
    assert len(rows) == len(bars)
    for row in range(count):
        try:
            made = resample(bars[: row + 1], timeframe, incomplete="drop", **options)
        except DataError:
            assert rows[row][0] == 0
            assert np.isnan(rows[row][1])
            continue
        # What is not over by its end counts as over once a later bar came: nothing else can be added to it.
        assert rows[row] == (made.ts[-1], made.close[-1])


def test_warm_up_ends_when_every_line_of_both_is_known():
    bars = minutes(1, 200, gaps=False, start="2024-03-08 13:57")  # three minutes before the hour

    class Slow(Strategy):
        def on_start(self):
            self.slow = self.data.resample("5m")
            self.average = SMA(self.slow.close, 4)
            self.first = None

        def on_bar(self, bar):
            if self.first is None:
                self.first = bar.ts
                out.append((bar.ts, self.average[0]))

    out = []
    for events in (False, True):
        backtest(Slow(), bars, events=events)
    # Bars from 14:00, 14:05, 14:10 and 14:15 are whole; the last is over with the minute of 14:19.
    closes = [bars.close[3 + 5 * number + 4] for number in range(4)]
    assert out == [(to_ns("2024-03-08 14:19"), pytest.approx(sum(closes) / 4, rel=1e-12))] * 2


def test_a_first_bar_that_had_begun_counts_if_it_is_asked_for():
    bars = minutes(1, 20, gaps=False, start="2024-03-08 13:58")
    firsts = []

    class Slow(Strategy):
        keep: bool = param(False)

        def on_start(self):
            self.slow = self.data.resample("5m", keep_first=self.keep)

        def on_bar(self, bar):
            firsts.append((self.slow.ts, bar.ts))
            self.stop()

    for keep in (False, True):
        backtest(Slow(keep=keep), bars)
    assert firsts == [
        (to_ns("2024-03-08 14:00"), to_ns("2024-03-08 14:04")),
        (to_ns("2024-03-08 13:55"), to_ns("2024-03-08 13:59")),
    ]


def test_several_instruments_have_slower_series_each():
    one, other = minutes(3, 120), minutes(4, 150, instrument=OTHER)

    class Both(Strategy):
        def on_start(self):
            self.slow = [self.data["ACME"].resample("5m", on_bar=True), self.data["OTHER"].resample("1h")]
            self.lines = [SMA(series.close, 2) for series in self.slow]

        def on_bar(self, bar):
            seen.append((bar.symbol, str(bar.timeframe), bar.ts, *(line[0] for line in self.lines)))
            if bar.close > self.lines[0][0]:
                self.buy(1, data=bar)

        def on_step(self):
            seen.append((self.now, *(series.ts for series in self.slow)))

    logs = []
    for settings_ in ({}, {"events": True}):
        seen = []
        backtest(Both(), [one, other], **settings_)
        logs.append(repr(seen))
    assert logs[0] == logs[1]
    assert "'5m'" in logs[0]


def test_lines_of_a_slower_series_are_recorded_on_the_fast_clock():
    bars = minutes(5, 60, gaps=False, start="2024-03-08 14:00")

    class Slow(Strategy):
        def on_start(self):
            self.slow = self.data.resample("5m")
            self.average = SMA(self.slow.close, 2)

        def on_bar(self, bar):
            seen.append(self.average[0])

    logs = []
    for settings_ in ({}, {"events": True}):
        seen = []
        result = backtest(Slow(), bars, record_lines=["average"], **settings_)
        logs.append(result.signals["value"].tolist())
        assert logs[-1] == seen
    assert logs[0] == logs[1]


def test_the_past_of_a_slower_bar_can_be_asked_for():
    bars = minutes(6, 300, gaps=False, start="2024-03-08 14:00")

    class Slow(Strategy):
        def on_start(self):
            self.data.resample("5m", on_bar=True)

        def on_bar(self, bar):
            if str(bar.timeframe) == "5m":
                seen.append(bar.history(3))

    for given_, settings_ in ((bars, {}), (Blocks(bars, 7), {}), (bars, {"events": True})):
        seen = []
        backtest(Slow(), given_, **settings_)
        made = resample(bars, "5m")
        assert seen[0].ts.tolist() == made.ts[:1].tolist()
        for end, past in enumerate(seen[2:], 3):
            assert past.ts.tolist() == made.ts[end - 3 : end].tolist()
            assert past.close.tolist() == made.close[end - 3 : end].tolist()


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        (lambda one: one.data.resample("90s"), InputError, "whole multiple"),
        (lambda one: one.data.resample("5m").resample("1h"), InputError, "is made of faster bars itself"),
        (lambda one: SMA(one.data.close, 2) > one.data.resample("5m").close, LineError, "belong to different series"),
    ],
)
def test_what_cannot_be_is_refused(start, error, message):
    class Wrong(Strategy):
        def on_start(self):
            start(self)

    with pytest.raises(StrategyError, match=message) as raised:
        backtest(Wrong(), minutes(1, 20))
    assert isinstance(raised.value.__cause__, error)


def test_a_series_is_resampled_at_the_start_only():
    class Late(Strategy):
        def on_bar(self, bar):
            self.data.resample("5m")

    with pytest.raises(StrategyError, match="in on_start only"):
        backtest(Late(), minutes(1, 20))


@pytest.mark.parametrize("events", [False, True])
def test_bars_made_of_trades_make_slower_ones(events):
    """A run on trades sees what a run on their bars sees."""
    chance = np.random.default_rng(2)
    ts = to_ns("2024-03-08 14:00") + np.cumsum(chance.integers(1, 90, 900)) * 1_000_000_000
    trades = Ticks(ACME, ts, 100.0 + np.cumsum(chance.normal(0.0, 0.01, 900)), np.ones(900))

    class Slow(Strategy):
        def on_start(self):
            self.slow, self.growing = self.data.resample("5m", on_bar=True), self.data.replay("15m")
            self.lines = SMA(self.slow.close, 3), EMA(self.growing.close, 2)

        def on_bar(self, bar):
            seen.append((str(bar.timeframe), bar.ts, self.slow.close[0], *(line[0] for line in self.lines)))

    logs = []
    for data, how in ((trades, {"timeframe": "1m", "events": events}), (tick_bars(trades, "1m").load(), {})):
        seen = []
        backtest(Slow(), data, **how)
        logs.append(seen)
    assert len(logs[0]) > 50
    assert logs[0] == logs[1]


def test_a_declared_slower_feed_shows_what_a_resampled_one_does():
    """Slower bars under another name, declared first, are seen with the same fast bar."""
    bars = minutes(8, 200, gaps=False, start="2024-03-08 14:00")
    made = resample(minutes(8, 200, gaps=False, start="2024-03-08 14:00", instrument=OTHER), "5m", incomplete="drop")

    class Both(Strategy):
        def on_start(self):
            self.slow = self.data["ACME"].resample("5m")
            self.lines = [SMA(series.close, 3) for series in (self.slow, self.data["OTHER"])]

        def on_bar(self, bar):
            if bar.symbol == "ACME":
                seen.append((self.slow.ts, *(line[0] for line in self.lines)))
                assert self.data["OTHER"].ts == self.slow.ts

    for events in (False, True):
        seen = []
        backtest(Both(), [made, bars], events=events)
        assert len(seen) == len(bars) - 14
        assert all(one == other for _, one, other in seen)


def test_several_strategies_have_slower_series_each():
    bars = minutes(9, 150)
    logs = []
    for events in (False, True):
        seen = []

        class Slow(Strategy):
            timeframe: str = param("5m")

            def on_start(self):
                self.slow = self.data.resample(self.timeframe, on_bar=True)

            def on_bar(self, bar):
                seen.append((self.timeframe, str(bar.timeframe), bar.ts, self.slow.close[0]))  # noqa: B023

        backtest([Slow(), Slow(timeframe="15m")], bars, events=events)
        logs.append(seen)
    assert logs[0] == logs[1]
    assert {row[:2] for row in logs[0]} == {("5m", "5m"), ("5m", "1m"), ("15m", "15m"), ("15m", "1m")}


def test_an_open_that_is_cheated_on_knows_no_slower_bar_of_its_own():
    """At the open of a bar, the newest slower bar is the one that was seen with the bar before."""
    bars = minutes(10, 150)
    logs = []
    for events in (False, True):
        seen = []

        class Opening(Strategy):
            def on_start(self):
                self.slow = self.data.resample("5m")
                self.average = SMA(self.slow.close, 2)

            def on_open(self, series, price):
                seen.append(("open", self.now, self.slow.ts, self.average[0]))  # noqa: B023

            def on_bar(self, bar):
                seen.append(("bar", self.now, self.slow.ts, self.average[0]))  # noqa: B023

        backtest(Opening(), bars, cheat_on_open=True, events=events)
        logs.append(seen)
    assert logs[0] == logs[1]
    for before, now in pairwise(logs[0]):
        if now[0] == "open":
            assert now[2:] == before[2:]
