"""Rules of timers: what each answers at dates that people know, and what is refused."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import pytest

from cambist import At, Every, OnSession, load_calendar
from cambist.errors import InputError, ParameterError
from cambist.model.times import HOUR_NS, to_ns

NEW_YORK = "America/New_York"


def dues(rule, after, calendar=None, start=0):
    """Yield due times as UTC texts."""
    at = to_ns(after)
    while (due := rule.next_due(at, calendar, to_ns(start) if start else 0)) is not None:
        at = due
        yield str(dt.datetime.fromtimestamp(due / 1e9, tz=dt.UTC))[:16]


def first(count, *terms, **more):
    return list(islice(dues(*terms, **more), count))


@pytest.fixture(scope="module")
def nyse():
    return load_calendar("XNYS", "2024-01-01", "2024-12-31")


@pytest.fixture(scope="module")
def hong_kong():
    return load_calendar("XHKG", "2024-01-01", "2024-12-31")


def test_a_time_that_was_left_out_and_one_that_came_twice():
    rule = At("2:30", tz=NEW_YORK)
    assert first(3, rule, "2024-03-09") == ["2024-03-09 07:30", "2024-03-10 07:00", "2024-03-11 06:30"]
    rule = At("1:30", tz=NEW_YORK)
    assert first(3, rule, "2024-11-02 12:00") == ["2024-11-03 05:30", "2024-11-04 06:30", "2024-11-05 06:30"]


def test_thanksgiving_and_the_half_day_after_it(nyse):
    assert first(3, OnSession("close", offset="-15m"), "2024-11-27 12:00", nyse) == [
        "2024-11-27 20:45",
        "2024-11-29 17:45",
        "2024-12-02 20:45",
    ]
    assert first(2, At("15:45"), "2024-11-28", nyse) == ["2024-11-29 20:45", "2024-12-02 20:45"]
    assert first(2, At("8:00", tz="UTC", every_day=True), "2024-11-28", nyse) == [
        "2024-11-28 08:00",
        "2024-11-29 08:00",
    ]


def test_the_zone_is_that_of_the_calendar(nyse):
    assert first(1, At("9:30"), "2024-07-01", nyse) == ["2024-07-01 13:30"]
    assert first(1, At("9:30"), "2024-07-01") == ["2024-07-01 09:30"]
    assert first(1, At("9:30", every_day=True), "2024-07-04", nyse) == ["2024-07-04 13:30"]
    assert first(1, At("9:30", tz="Europe/London"), "2024-07-01", nyse) == ["2024-07-01 08:30"]


def test_hourly_with_a_lunch_break(hong_kong):
    """Hong Kong: 9:30 to 12:00 and 13:00 to 16:00, eight hours ahead of UTC; the change of day is in UTC's night."""
    wanted = [f"2024-03-04 {text}" for text in ("01:30", "02:30", "03:30", "05:30", "06:30", "07:30")]
    assert first(7, Every("1h", anchor="session"), "2024-03-04", hong_kong) == [*wanted, "2024-03-05 01:30"]
    assert first(6, OnSession("open", repeat="1h"), "2024-03-04", hong_kong) == wanted
    # The edges of the break are no part of it.
    halves = first(8, OnSession("open", repeat="30m"), "2024-03-04 03:00", hong_kong)
    assert halves[:4] == ["2024-03-04 03:30", "2024-03-04 04:00", "2024-03-04 05:00", "2024-03-04 05:30"]
    clock = first(6, At("10:15", repeat="45m"), "2024-03-04", hong_kong)
    assert [text[11:] for text in clock] == ["02:15", "03:00", "03:45", "05:15", "06:00", "06:45"]


def test_the_close_itself_is_the_last(nyse):
    assert first(4, OnSession("close", offset="-1h", repeat="30m"), "2024-07-01", nyse) == [
        "2024-07-01 19:00", "2024-07-01 19:30", "2024-07-01 20:00", "2024-07-02 19:00",
    ]  # fmt: skip


def test_a_monday_without_a_session_gives_its_turn_to_tuesday(nyse):
    """Memorial Day, 27 May 2024."""
    monday = {"after": "2024-05-21", "calendar": nyse}
    assert first(2, At("10:00", weekdays="mon", weekcarry=True), **monday) == ["2024-05-28 14:00", "2024-06-03 14:00"]
    assert first(2, At("10:00", weekdays="mon"), **monday) == ["2024-06-03 14:00", "2024-06-10 14:00"]
    both = {"weekdays": "mon,tue", "weekcarry": True}
    tuesdays = ["2024-05-21 14:00", "2024-05-28 14:00"]  # the second once, though it is its own turn too
    assert first(3, At("10:00", **both), **monday) == [*tuesdays, "2024-06-03 14:00"]


def test_the_first_session_of_each_month(nyse):
    rule = OnSession("open", monthdays=1, monthcarry=True)
    assert [text[:10] for text in first(4, rule, "2024-05-15", nyse)] == [
        "2024-06-03", "2024-07-01", "2024-08-01", "2024-09-03",
    ]  # fmt: skip
    # Both a carried day of the month and a weekday of its own.
    rule = OnSession("open", monthdays=15, monthcarry=True, weekdays="mon,tue")
    assert [text[:10] for text in first(3, rule, "2024-06-01", nyse)] == ["2024-06-17", "2024-07-15", "2024-09-16"]


def test_intervals():
    assert first(3, Every("6h"), "2024-03-01 05:00") == ["2024-03-01 06:00", "2024-03-01 12:00", "2024-03-01 18:00"]
    assert first(3, Every("7h"), "2024-03-01 13:00") == ["2024-03-01 14:00", "2024-03-01 21:00", "2024-03-02 00:00"]
    # An hour longer, and so is the last interval; the clock time stays with At.
    long_day = [text[11:] for text in first(5, Every("6h", tz=NEW_YORK), "2024-11-03 04:00")]
    assert long_day == ["10:00", "16:00", "22:00", "04:00", "05:00"]
    by_clock = [text[11:] for text in first(4, At("0:00", repeat="6h", tz=NEW_YORK), "2024-11-03 04:00")]
    assert by_clock == ["11:00", "17:00", "23:00", "05:00"]
    assert first(2, Every("1w"), "2024-03-01") == ["2024-03-04 00:00", "2024-03-11 00:00"]  # Mondays
    assert first(2, Every(dt.timedelta(hours=36), anchor="start"), "2024-03-01", start="2024-02-29 06:00") == [
        "2024-03-01 18:00",
        "2024-03-03 06:00",
    ]


def test_every_fifth_session_from_the_start_of_the_run(nyse):
    weekly = first(3, Every("5d", anchor="session"), "2024-05-20", nyse, start="2024-05-20 20:00")
    assert weekly == ["2024-05-21 13:30", "2024-05-29 13:30", "2024-06-05 13:30"]


def test_a_rule_that_no_day_fulfills_ends():
    never = {"allow": lambda day: False}
    assert At("12:00", **never).next_due(0, None, 0) is None
    assert Every("1h", **never).next_due(0, None, 0) is None
    assert Every("1h", anchor="start", **never).next_due(0, None, 0) is None
    # Week after week on the day on which the run began, and only on other days.
    assert Every("7d", anchor="start", weekdays="mon").next_due(0, None, to_ns("2024-03-01")) is None


def test_rules_end_with_the_calendar(nyse):
    last = to_ns("2025-01-20")
    for rule in (At("12:00"), Every("1h"), Every("1h", anchor="session"), Every("2d", anchor="session"),
                 Every("1h", anchor="start"), OnSession("open"), OnSession("close", repeat="1h")):  # fmt: skip
        assert rule.next_due(last, nyse, 0) is None, rule


def test_rules_are_values():
    assert At("9:30", weekdays="mon") == At(dt.time(9, 30), weekdays=[1])
    assert OnSession("close", offset="-15m") == OnSession("close", offset=-HOUR_NS // 4)
    assert hash(Every("1h")) == hash(Every(dt.timedelta(hours=1)))
    assert At("9:30", weekdays=1) != At("9:30")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: At("25:00"), "'25:00' is no time of day"),
        (lambda: At("9:30", tz="New York"), "tz is 'New York', and no time zone has that name"),
        (lambda: At("9:30", weekdays="mon-fru"), "'mon-fru' is no day of the week"),
        (lambda: At("9:30", monthdays=[0]), "monthdays has 0; a day of the month is a number from 1 to 31"),
        (lambda: At("9:30", monthdays="1"), "monthdays has '1'"),
        (lambda: At("9:30", allow="mon"), "allow is 'mon'; give a function that takes a date"),
        (lambda: At("9:30", weekcarry=True), r"weekcarry says where .* choose some: weekdays=\.\.\."),
        (lambda: OnSession("open", monthcarry=True), r"monthcarry says where .* choose some: monthdays=\.\.\."),
        (lambda: At("9:30", weekdays=1, weekcarry=True, every_day=True), "every_day leaves no day without a timer"),
        (lambda: At("9:30", repeat="1"), "'1' is no length of time"),
        (lambda: At("9:30", repeat=0), "cannot fire every 0; give at least a second"),
        (lambda: Every("-1h"), "cannot fire every '-1h'"),
        (lambda: Every(True), "True is no length of time"),
        (lambda: Every("1h", anchor="noon"), "anchor is 'noon'. Known: midnight, session, start."),
        (lambda: Every("36h"), "an interval of 1 day, 12:00:00 does not begin with a day"),
        (lambda: Every("1h", anchor="session", every_day=True), "needs sessions, which every_day leaves out"),
        (lambda: OnSession("end"), "edge is 'end'. Known: close, open."),
        (lambda: OnSession("close", offset="15 min"), "'15 min' is no length of time. Write a count and one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert isinstance(caught.value, ParameterError) or "no length of time" in message
