"""Calendars by name and by the week."""

from __future__ import annotations

import datetime as dt
import sys

import numpy as np
import pytest

from cambist import load_calendar, weekly_calendar
from cambist.data import calendars
from cambist.errors import InputError, MissingDependencyError, ParameterError
from cambist.model.times import DAY_NS, HOUR_NS, to_ns

SPAN = {"start": "2024-01-01", "end": "2024-12-31"}


def hours_of(calendar, day):
    """Return open, break and close of a day on the clock of the calendar's zone."""
    row = int(np.searchsorted(calendar.dates, np.datetime64(day)))
    assert calendar.dates[row] == np.datetime64(day)
    edges = [calendar.opens[row], calendar.break_starts[row], calendar.break_ends[row], calendar.closes[row]]
    local = [dt.datetime.fromtimestamp(edge / 1e9, tz=calendar.tz) for edge in edges]
    opened, starts, ends, closed = (f"{one:%d %H:%M}" for one in local)
    return (opened, closed) if starts == closed else (opened, starts, ends, closed)


def test_hours_by_the_week_are_those_of_new_york():
    """The exchange's own calendar is the oracle, over both changes of summer time."""
    theirs = load_calendar("XNYS", "2024-01-01", "2024-12-31")
    days = theirs.sessions_between("2024-01-01", "2024-12-31")
    holidays = [
        day for day in np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
        if np.is_busday(day) and day not in days
    ]  # fmt: skip
    early = {"2024-07-03": "13:00", "2024-11-29": "13:00", "2024-12-24": "13:00"}
    ours = weekly_calendar(
        "mine", "9:30-16:00", tz="America/New_York", holidays=holidays, early_closes=early, **SPAN
    )  # fmt: skip
    assert ours.sessions_between(*SPAN.values()).tolist() == days.tolist()
    for name in ("opens", "closes", "break_starts"):
        mine, wanted = (getattr(one, name)[np.searchsorted(one.dates, days)] for one in (ours, theirs))
        assert mine.tolist() == wanted.tolist(), name
    assert (ours.start, ours.end) == (theirs.start, theirs.end)


def test_breaks_other_hours_on_fridays_and_hours_over_midnight():
    ours = weekly_calendar(
        "futures",
        {"mon-thu": "9:00-10:15, 21:00-2:30", "fri": "9:00-11:00", "sat": "0:00-0:00"},
        tz="Asia/Shanghai",
        holidays=["2024-05-01"],
        early_closes={"2024-05-06": "9:30", "2024-05-07": "22:00", "2024-05-08": "1:00"},
        **SPAN,
    )
    assert hours_of(ours, "2024-05-02") == ("02 09:00", "02 10:15", "02 21:00", "03 02:30")
    assert hours_of(ours, "2024-05-03") == ("03 09:00", "03 11:00")
    assert hours_of(ours, "2024-05-04") == ("04 00:00", "05 00:00")
    assert not ours.is_session("2024-05-01")
    assert not ours.is_session("2024-05-05")
    assert hours_of(ours, "2024-05-06") == ("06 09:00", "06 09:30")
    assert hours_of(ours, "2024-05-07") == ("07 09:00", "07 10:15", "07 21:00", "07 22:00")
    assert hours_of(ours, "2024-05-08") == ("08 09:00", "08 10:15", "08 21:00", "09 01:00")


@pytest.mark.parametrize(
    ("hours", "terms", "message"),
    [
        ("9:30", {}, "'9:30' are no hours. Write '9:30-16:00'"),
        ("9-16-17", {}, "are no hours"),
        ("9:00-10:00, 11:00-12:00, 13:00-14:00", {}, "are no hours"),
        ("9:00-18:00, 17:00-16:00", {}, "last longer than a day"),
        ({"mo": "9:00-16:00"}, {}, "'mo' is no day of the week"),
        ("9:30-16:00", {"start": "2024-02-01", "end": "2024-01-01"}, "start is 2024-02-01, after end"),
        ("9:30-16:00", {"early_closes": {"2024-01-06": "13:00"}}, "2024-01-06 closes early and has no session"),
        ("9:30-16:00", {"early_closes": {"2024-01-05": "16:00"}}, "early close of 2024-01-05 is not before its usual"),
        ({}, {}, "no session from 2024-01-01 to 2024-12-31"),
        ({"mon": "9:00-18:00", "tue": "9:00-16:00", "sun": "18:00-18:00"}, {}, "before the session before has closed"),
    ],
)
def test_hours_that_cannot_be_are_refused(hours, terms, message):
    with pytest.raises(ParameterError, match=message):
        weekly_calendar("odd", hours, **(SPAN | terms))


def test_around_the_clock_needs_no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    always = load_calendar("24/7", "2023-12-30", "2024-01-02")
    assert always.dates.tolist() == [
        dt.date(2023, 12, 30),
        dt.date(2023, 12, 31),
        dt.date(2024, 1, 1),
        dt.date(2024, 1, 2),
    ]
    assert always.opens.tolist() == [to_ns("2023-12-30") + number * DAY_NS for number in range(4)]
    assert all(always.open_at(np.arange(always.start, always.end, 7 * HOUR_NS)))


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    calendars._load.cache_clear()
    with pytest.raises(MissingDependencyError, match=r'\'XNYS\' needs .* pip install "cambist\[calendars\]"'):
        load_calendar("XNYS")


def test_a_name_that_nobody_knows():
    with pytest.raises(InputError, match=r"no calendar is called 'XNYX'. Did you mean 'XNYS'"):
        load_calendar("XNYX")


def test_days_that_the_exchange_does_not_know():
    with pytest.raises(InputError, match=r"sessions of XSHG are known 1990-12-03 \.\. .* 1980-01-01 \.\. .* was asked"):
        load_calendar("XSHG", "1980-01-01")
    with pytest.raises(InputError, match=r"2099-01-01 was asked for. Ask for less, or install"):
        load_calendar("XHKG", end="2099-01-01")


def test_a_calendar_is_loaded_once_and_only_when_asked_for():
    assert load_calendar("XHKG", "2024-01-01", dt.date(2024, 6, 30)) is load_calendar(
        "XHKG", dt.date(2024, 1, 1), "2024-06-30"
    )
    assert load_calendar("XHKG", "2024-01-01", "2024-06-30").tz.key == "Asia/Hong_Kong"
