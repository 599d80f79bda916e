"""Timers by a cron expression: in runs, at changes of the clock, and the expressions that are none."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from cronsim import CronSim

from cambist import Cron, ParameterError, Strategy, backtest
from cambist.errors import MissingDependencyError
from cambist.model.times import to_datetime, to_ns

NEW_YORK = ZoneInfo("America/New_York")


def frame(start, count, freq):
    price = np.linspace(100.0, 110.0, count)
    columns = dict.fromkeys(("open", "high", "low", "close"), price)
    return pd.DataFrame({**columns, "volume": 1e6}, index=pd.date_range(start, periods=count, freq=freq, tz="UTC"))


class Watch(Strategy):
    """Notes when it was called, and trades then, so that the order of things shows in the result too."""

    traded = None

    def on_start(self):
        self.fired = []
        self.schedule("work", Cron("*/5 9-16 * * 1-5", tz="America/New_York"))

    def on_timer(self, name):
        self.fired.append((name, self.timer_due, self.now))
        if len(self.fired) % 3 == 1:
            self.buy(1, data=self.traded)
        elif len(self.fired) % 3 == 0:
            self.close(data=self.traded)


def fired(bars, **settings):
    kept = []

    class Kept(Watch):
        traded = next(iter(bars)) if isinstance(bars, dict) else None

        def on_stop(self):
            kept.extend(self.fired)

    result = backtest(Kept, bars, **settings)
    return kept, result.fills


def test_all_paths_fire_at_the_times_that_a_clock_on_the_wall_shows():
    """Over the weekend of a clock change: the hours stay those of New York."""
    minutes = frame("2024-03-07 00:00", 6 * 1_440, "min")
    expected = [
        to_ns(one.to_pydatetime())
        for one in minutes.index + pd.Timedelta("1min")  # a bar is known at its close
        if (local := one.tz_convert(NEW_YORK)).minute % 5 == 0 and 9 <= local.hour <= 16 and local.day_of_week < 5
    ]
    single, fills = fired(minutes)
    assert [due for _, due, _ in single] == expected
    assert all(due == now for _, due, now in single)
    events, event_fills = fired(minutes, events=True)
    assert events == single
    pd.testing.assert_frame_equal(event_fills, fills)
    assert len(fills) > 100


def test_several_instruments_fire_once():
    bars = {"AAA": frame("2024-03-07 12:00", 1_440, "min"), "BBB": frame("2024-03-07 12:00", 1_440, "min")}
    many, _ = fired(bars)
    events, _ = fired(bars, events=True)
    alone, _ = fired(bars["AAA"])
    assert many == events == alone != []


def test_bars_that_are_coarser_than_the_rule_fire_it_once_each():
    hourly, _ = fired(frame("2024-03-07 00:00", 48, "h"))
    assert [datetime.fromtimestamp(now / 1e9, NEW_YORK).hour for _, _, now in hourly[:9]] == [
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
    ]


@pytest.mark.parametrize(
    ("expression", "day", "due"),
    [
        ("30 2 * * *", "2024-03-10", ["03:00-04:00"]),  # left out: the first instant after the change
        ("15,30,45 2 * * *", "2024-03-10", ["03:00-04:00"]),  # once
        ("30 1 * * *", "2024-11-03", ["01:30-04:00"]),  # twice on the wall: the first time
        ("*/30 1 * * *", "2024-11-03", ["01:00-04:00", "01:30-04:00", "01:00-05:00", "01:30-05:00"]),
        ("*/30 1-3 * * *", "2024-03-10", ["01:00-05:00", "01:30-05:00", "03:00-04:00", "03:30-04:00"]),
        ("0 */6 * * *", "2024-03-10", ["00:00-05:00", "06:00-04:00", "12:00-04:00", "18:00-04:00"]),
    ],
)
def test_changes_of_the_clock(expression, day, due):
    rule, found = Cron(expression, tz="America/New_York"), []
    begin = datetime.fromisoformat(day).replace(tzinfo=NEW_YORK)
    at = to_ns(begin) - 1
    while (at := rule.next_due(at, None, 0)) < to_ns(begin + timedelta(days=1)):
        found.append(
            to_datetime(at).astimezone(NEW_YORK).isoformat()[11:16]
            + to_datetime(at).astimezone(NEW_YORK).isoformat()[19:]
        )
    assert found == due


@pytest.mark.parametrize(
    "expression",
    [
        "*/7 * * * *",
        "0 9 * * 1-5",
        "30 16 L * *",
        "0 12 * * 5L",
        "15 8 * * 5#3",
        "5 4 13 * FRI",
        "0 0 1 JAN *",
        "59 23 31 12 0",
    ],
)
def test_it_agrees_with_the_library_where_clocks_are_left_alone(expression):
    begin = datetime(2024, 1, 31, 22, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    theirs, rule, at = CronSim(expression, begin), Cron(expression, tz="Asia/Tokyo"), to_ns(begin)
    for _ in range(50):
        at = rule.next_due(at, None, 0)
        assert at == to_ns(next(theirs))


@pytest.mark.parametrize(
    ("expression", "plain"),
    [
        ("30 9-9/1 * * *", "30 9 * * *"),
        ("05-5/3 9 * * *", "5 9 * * *"),
        ("0 12 * 1-1/2,JUN-jun/1,nov-12/1 *", "0 12 * 1,6,11,12 *"),
        ("0 12 * * MON-1/2,5-5/01", "0 12 * * 1,5"),
        ("0 12 * * 0-0/1,SUN-0/2", "0 12 * * SUN"),
        ("0 12 10/10 * *", "0 12 10,20,30 * *"),  # a single number with a step goes on to the last one
        ("0 12 0010-20/10 * *", "0 12 10,20 * *"),
    ],
)
def test_a_range_of_one_with_a_step_is_that_one(expression, plain):
    """The library takes the step as if there were no end; what a user wrote has one."""
    at = to_ns(date(2024, 2, 27))
    one, other = Cron(expression, tz="UTC"), Cron(plain, tz="UTC")
    for _ in range(40):
        due = one.next_due(at, None, 0)
        assert due == other.next_due(at, None, 0)
        at = due


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("* * * *", "has 4 fields; it takes 5"),
        ("0 * * * * *", "has 6 fields"),
        ("", "has 0 fields"),
        ("@daily", "has 1 fields"),
        ("61 * * * *", "cannot be read: Bad minute"),
        ("* * * * mon-fry", "cannot be read: Bad day-of-week"),
        ("*/0 * * * *", "cannot be read: Bad minute"),
        ("0 0 30 2 *", "cannot be read: Bad day-of-month"),
        (5, "is a text such as"),
    ],
)
def test_an_expression_that_is_none(expression, told):
    with pytest.raises(ParameterError, match=told):
        Cron(expression)


def test_filters_that_exclude_every_day_of_the_expression_are_never_due():
    assert Cron("0 12 * * MON", weekdays="tue").next_due(0, None, 0) is None
    assert Cron("* * * * MON", weekdays="tue").next_due(0, None, 0) is None


def test_other_settings_are_those_of_every_rule():
    with pytest.raises(ParameterError, match="tz is 'Amerika/New_York'"):
        Cron("* * * * *", tz="Amerika/New_York")
    with pytest.raises(ParameterError, match="every_day"):
        Cron("* * * * *", every_day=True, weekdays="mon", weekcarry=True)
    rule = Cron(" 0  12 * * * ", tz="UTC")
    assert rule == Cron("0 12 * * *", tz="UTC") == pickle.loads(pickle.dumps(rule))


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(MissingDependencyError, match=r"needs the package cronsim: pip install 'cambist\[cron\]'"):
        Cron("0 12 * * *")


def test_the_library_is_loaded_by_the_first_rule_that_needs_it():
    program = "import sys, cambist; cambist.At; cambist.Cron; assert 'cronsim' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
