"""Timers by rule in a run: when they fire, what replaces them, and by whose calendar they go."""

from __future__ import annotations

import sys
from itertools import pairwise

import attrs
import numpy as np
import pytest

import cambist
from cambist import At, Calendar, Every, OnSession, StrategyError, load_calendar, weekly_calendar
from cambist.backtest import feeds
from cambist.data import calendars
from cambist.errors import InputError, ParameterError
from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS, format_ns, to_ns

WAYS = pytest.mark.parametrize(
    "way",
    [{}, {"events": True}, {"blocks": True}, {"events": True, "blocks": True}],
    ids=["columns", "events", "blocks", "events in blocks"],
)
SERIES = pytest.mark.parametrize("series", [1, 2])
#: Bars are of an hour, from a Friday at 10:00 UTC on, over a weekend.
START = to_ns("2024-03-01 10:00")


def clock(ns):
    return format_ns(ns)[8:16]


@pytest.fixture
def hours(bars):
    """Make hourly bars, one series for each letter."""

    def make(names="A", count=100, start=START, **terms):
        return [bars(np.full(count, 100.0), name, "1h", start, HOUR_NS, **terms) for name in names]

    return make


@pytest.fixture
def fired(run):
    """Run timers by rule and return (name, due, now) of each firing."""

    def play(series, rules, on_timer=None, **options):
        log = []

        def start(strategy):
            for name, (rule, *data) in rules.items():
                strategy.schedule(name, rule, data=data[0] if data else None)

        def timer(strategy, name):
            log.append((name, clock(strategy.timer_due), clock(strategy.now)))
            if on_timer is not None:
                on_timer(strategy, name)

        run(series, on_start=start, on_timer=timer, **options)
        return log

    return play


@WAYS
@SERIES
def test_a_timer_fires_at_the_first_close_that_is_not_before_it(fired, hours, way, series):
    log = fired(hours("AB"[:series], 30), {"t": (At("12:20", repeat="6h"),)}, **way)
    assert log == [
        ("t", "01 12:20", "01 13:00"),
        ("t", "01 18:20", "01 19:00"),
        ("t", "02 12:20", "02 13:00"),
    ]


@WAYS
@SERIES
def test_what_was_due_between_two_bars_fires_once(fired, hours, way, series):
    log = fired(hours("AB"[:series], 3), {"t": (Every("25m"),)}, **way)
    assert log == [("t", "01 10:00", "01 11:00"), ("t", "01 11:15", "01 12:00"), ("t", "01 12:05", "01 13:00")]


def test_the_start_of_the_run_counts_save_where_it_is_counted_from(fired, hours):
    rules = {"clock": (At("10:00"),), "start": (Every("1h", anchor="start"),), "open": (OnSession("open"),)}
    log = fired(hours(count=2), rules, calendar=weekly_calendar("w", "10:00-16:00"))
    assert log == [
        ("clock", "01 10:00", "01 11:00"),
        ("open", "01 10:00", "01 11:00"),
        ("start", "01 11:00", "01 11:00"),
        ("start", "01 12:00", "01 12:00"),
    ]


@WAYS
def test_setting_clearing_and_moving_replace_what_stood_behind_a_name(fired, hours, way):
    def timer(strategy, name):
        if name == "cleared" and clock(strategy.now) == "01 12:00":
            strategy.clear_timer("cleared")
        if name == "once":
            strategy.set_timer("once", after="3h")
        if name == "anew":
            strategy.schedule("anew", At("13:00"))
        if name == "swapped" and strategy.now < START + 4 * HOUR_NS:
            strategy.schedule("swapped", Every("2h"))

    hourly = (Every("1h", anchor="start"),)
    log = fired(hours(count=10), dict.fromkeys(("cleared", "once", "anew", "swapped"), hourly), timer, **way)
    nows = {name: [now[3:] for one, _, now in log if one == name] for name, _, _ in log}
    assert nows == {
        "cleared": ["11:00", "12:00"],
        "once": ["11:00", "14:00", "17:00", "20:00"],
        "anew": ["11:00", "13:00"],  # set while it fires, at the very time: the next is tomorrow's
        "swapped": ["11:00", "12:00", "14:00", "16:00", "18:00", "20:00"],
    }


def test_timers_of_two_strategies_do_not_meet(told, hours):
    log = []

    def told_of(interval):
        return {
            "on_start": lambda strategy: strategy.schedule("t", Every(interval, anchor="start")),
            "on_timer": lambda strategy, name: log.append((strategy.name, clock(strategy.now))),
        }

    cambist.backtest([told(told=told_of("2h")), told(told=told_of("3h"))], hours(count=6), benchmark=False)
    assert log == [
        ("Told-1", "01 12:00"), ("Told-2", "01 13:00"), ("Told-1", "01 14:00"), ("Told-1", "01 16:00"),
        ("Told-2", "01 16:00"),
    ]  # fmt: skip


@WAYS
def test_orders_before_the_close_of_a_half_day_fill_before_it(run, bars, way):
    """New York, 29 November 2024, closed at 13:00, 18:00 UTC; minutes from 9:30 to 13:00."""
    minutes = bars(np.arange(210.0) + 100, "SPY", "1m", to_ns("2024-11-29 14:30"), calendar="XNYS")
    result = run(
        minutes,
        on_start=lambda strategy: strategy.schedule("flatten", OnSession("close", offset="-15m")),
        on_timer=lambda strategy, name: strategy.buy(1),
        **way,
    )
    assert [format_ns(record.ts) for record in result.fill_records] == ["2024-11-29 17:45:00 UTC"]


# By whose calendar.


def test_with_a_calendar_a_time_of_day_keeps_to_its_days(fired, hours):
    rules = {"t": (At("12:00"),), "all": (At("12:00", every_day=True),)}
    log = fired(hours(), rules, calendar=weekly_calendar("w", "10:00-16:00"))
    assert [due for name, due, _ in log if name == "t"] == ["01 12:00", "04 12:00", "05 12:00"]
    assert [due for name, due, _ in log if name == "all"] == [f"0{day} 12:00" for day in range(1, 6)]


@SERIES
def test_the_calendar_of_the_run_that_of_a_symbol_and_that_of_an_instrument(fired, hours, series):
    names, early, late = "AB"[:series], weekly_calendar("early", "9:00-12:00"), weekly_calendar("late", "9:00-15:00")
    plain, own = hours(names, 8), hours(names, 8, calendar="24/7")
    closes = {"t": (OnSession("close"), "A")}
    assert fired(plain, closes, calendar=late) == [("t", "01 15:00", "01 15:00")]
    assert fired(plain, closes, calendar={"A": early}) == [("t", "01 12:00", "01 12:00")]
    assert fired(own, closes, calendar={"A": early}) == [("t", "01 12:00", "01 12:00")]
    assert fired(hours(names, 20, calendar="24/7"), closes) == [("t", "02 00:00", "02 00:00")]
    if series == 2:
        both = {"a": (OnSession("close"), "A"), "b": (OnSession("close"), "B")}
        log = fired(plain, both, calendar={"A": early, "B": late})
        assert log == [("a", "01 12:00", "01 12:00"), ("b", "01 15:00", "01 15:00")]


def test_without_a_calendar_the_error_says_where_to_put_one(fired, hours):
    for rule in (OnSession("open"), Every("1h", anchor="session"), At("9:30", weekdays=1, weekcarry=True)):
        with pytest.raises(
            StrategyError, match=r"timer 't' goes by the sessions of a calendar, and A has none. Give one: ba"
        ):
            fired(hours(), {"t": (rule,)})
    with pytest.raises(StrategyError, match=r"and A, B has none"):
        fired(hours("AB"), {"t": (OnSession("open"),)})


def test_with_several_calendars_the_error_says_to_name_one(fired, hours):
    given = {"A": "24/7", "B": weekly_calendar("w", "9:00-12:00")}
    with pytest.raises(StrategyError, match=r"several calendars \(A 24/7, B w\). Say whose is meant: self.schedule"):
        fired(hours("AB"), {"t": (At("12:00"),)}, calendar=given)
    with pytest.raises(StrategyError, match=r"several calendars \(A 24/7, B none\)"):
        fired(hours("AB"), {"t": (OnSession("open"),)}, calendar={"A": "24/7"})
    # A rule that hangs on none needs no choice.
    assert len(fired(hours("AB"), {"t": (At("12:00", tz="UTC", every_day=True),)}, calendar=given)) == 5


def test_what_is_no_rule_is_refused(run, hours):
    def start(strategy):
        with pytest.raises(InputError, match=r"timer 't': '15m' is no rule. Give At\('15:45'\)"):
            strategy.schedule("t", "15m")
        with pytest.raises(InputError, match="no series 'C'"):
            strategy.schedule("t", At("9:30"), data="C")

    run(hours(), on_start=start)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (5, ParameterError, "calendar is 5; give a name such as 'XNYS', a Calendar, or a dict by symbol"),
        ({"A": 5}, ParameterError, "calendar is 5"),
        ({"B": "24/7"}, ParameterError, "calendar is given for 'B'. Known: A."),
        ("XNYX", InputError, "no calendar is called 'XNYX'. Did you mean 'XNYS'"),
    ],
)
def test_a_calendar_that_is_none(run, hours, given, error, message):
    with pytest.raises(error, match=message):
        run(hours(), calendar=given)


class Pieces:
    """Bars that come ten at a time."""

    def __init__(self, bars):
        self.bars, self.name = bars, bars.name

    def blocks(self, size):
        return self.bars.blocks(10)


@WAYS
def test_a_calendar_that_does_not_reach_the_bars_is_refused_with_both_ranges(run, hours, way):
    short = weekly_calendar("short", "9:00-17:00", start="2024-02-01", end="2024-03-03")
    known = r"calendar short knows 2024-02-01 00:00:00 UTC \.\. 2024-03-04 00:00:00 UTC, and the bars of A run "
    with pytest.raises(InputError, match=known + r"2024-03-01 11:00:00 UTC \.\. 2024-03-05 13:00:00 UTC"):
        run(hours(), calendar=short, **way)
    late = weekly_calendar("late", "9:00-17:00", start="2024-03-02", end="2024-04-03")
    with pytest.raises(InputError, match="calendar late knows 2024-03-02"):
        run(hours(), calendar={"A": late}, **way)
    if "blocks" in way:  # and where that is known only when a later block was read
        with pytest.raises(InputError, match=known + r"2024-03-03 23:00:00 UTC \.\. 2024-03-04 07:00:00 UTC"):
            run(Pieces(hours()[0]), calendar=short, **way)


def test_daily_bars_of_utc_fit_a_calendar_of_the_same_days(fired, bars):
    """Such a bar begins before its session's day does in New York, and ends after it does in Tokyo."""
    daily = bars([100.0] * 5, "A", "1d", to_ns("2024-03-04"), DAY_NS)
    for tz in ("America/New_York", "Asia/Tokyo"):
        days = np.arange("2024-03-04", "2024-03-09", dtype="datetime64[D]")
        whole = weekly_calendar("w", "9:30-16:00", tz=tz, start="2024-03-04", end="2024-03-08")
        rows = np.searchsorted(whole.dates, days)
        exact = Calendar(name="x", tz=tz, dates=days, opens=whole.opens[rows], closes=whole.closes[rows])
        log = fired(daily, {"t": (OnSession("close", offset="-15m"),)}, calendar=exact)
        assert [now for _, _, now in log] == [f"0{day} 00:00" for day in range(5, 10)]


def test_what_an_instrument_names_is_loaded_when_a_timer_asks_for_it(run, hours, monkeypatch):
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    calendars._load.cache_clear()
    run(hours(calendar="XNYS"), on_start=lambda strategy: strategy.set_timer("t", after="1h"))
    with pytest.raises(StrategyError, match=r'pip install "cambist\[calendars\]"'):
        run(hours(calendar="XNYS"), on_start=lambda strategy: strategy.schedule("t", At("9:30")))


def test_an_instrument_whose_calendar_does_not_reach_its_bars(run, hours):
    old = to_ns("1960-03-01")
    with pytest.raises(StrategyError, match=r"calendar 24/7 knows 1970-01-01 .*, and the bars of A run 1960-03-01"):
        run(hours(calendar="24/7", start=old), on_start=lambda strategy: strategy.schedule("t", OnSession("open")))


def test_the_result_tells_of_the_calendar(run, hours):
    own = weekly_calendar("own", "9:00-12:00", start="2024-01-01", end="2024-12-31")
    assert run(hours(), calendar="24/7").settings["calendar"] == "24/7"
    assert run(hours(), calendar={"A": own}).settings["calendar"] == {"A": repr(own)}
    assert run(hours()).settings["calendar"] is None


# Nothing twice, nothing lost.

RULES = {
    "clock": At("11:10", repeat="50m", tz="America/New_York"),
    "open": OnSession("open", offset="-20m", repeat="45m"),
    "close": OnSession("close", weekdays="mon,thu", weekcarry=True),
    "quarters": Every("15m", anchor="session"),
    "hours": Every("7h", tz="Australia/Lord_Howe"),
    "start": Every("13h", anchor="start", weekdays="mon-thu"),
    "days": Every("2d", tz="Asia/Kathmandu"),
}


@WAYS
@SERIES
def test_each_due_time_is_delivered_once(run, bars, way, series, monkeypatch):
    """Bars with holes in them, over a change of summer time, in windows of a few rows.

    What is expected is worked out beside the engine: all due times of a rule, dealt out to the first close not before
    them.
    """
    monkeypatch.setattr(feeds, "ROWS", 60)
    chance, start = np.random.default_rng(8), to_ns("2024-03-07 15:00")
    calendar = load_calendar("XNYS", "2024-03-01", "2024-04-30")
    made = []
    for name in "AB"[:series]:
        rows = np.flatnonzero(chance.random(900) < 0.5)
        whole = bars(np.full(900, 100.0), name, "20m", start, 20 * MINUTE_NS)
        made.append(attrs.evolve(whole, **{key: getattr(whole, key)[rows] for key in ("ts", *whole.columns)}))
    log = []
    run(
        made,
        on_start=lambda strategy: [strategy.schedule(name, rule) for name, rule in RULES.items()],
        on_timer=lambda strategy, name: log.append((strategy.now, strategy.timer_due, name)),
        calendar=calendar,
        **way,
    )
    began = min(int(one.ts[0]) for one in made)
    closes = np.unique(np.concatenate([one.close_times for one in made]))
    expected = []
    for name, rule in RULES.items():
        dues, at = [], began - 1
        while (at := rule.next_due(at, calendar, began)) is not None and at <= closes[-1]:
            dues.append(at)
        assert len(dues) > 2
        for before, now in pairwise([began - 1, *closes.tolist()]):
            passed = [due for due in dues if before < due <= now]
            expected += [(now, passed[0], name)] if passed else []
    assert log == sorted(expected)
