"""Local times, days and weekdays, as people write them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cambist.errors import InputError, ParameterError
from cambist.model.local_time import clock_ns, first_instant, local_day, read_day, read_weekdays, read_zone
from cambist.model.times import HOUR_NS, MINUTE_NS, SECOND_NS, to_ns

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", (1, 2, 3, 4, 5)),
        ("Fri - Mon", (1, 5, 6, 7)),
        ("wed,mon", (1, 3)),
        ("saturday", (6,)),
        (7, (7,)),
        ([5, 1, "mon"], (1, 5)),
        ((), ()),
    ],
)
def test_weekdays(written, days):
    assert read_weekdays(written) == days


@pytest.mark.parametrize("written", ["mo", "mon-", "1", 0, 8, True, ["fri", "fry"], "mon-tue-wed"])
def test_what_is_no_weekday_is_refused(written):
    with pytest.raises(ParameterError, match=r"is no day of the week. Write 'mon', 'mon-fri' or a number from 1"):
        read_weekdays(written)


def test_times_of_day():
    assert clock_ns("9:30") == clock_ns("09:30") == clock_ns(dt.time(9, 30)) == 9 * HOUR_NS + 30 * MINUTE_NS
    assert clock_ns(" 15:45:30 ") == 15 * HOUR_NS + 45 * MINUTE_NS + 30 * SECOND_NS
    assert clock_ns(dt.time(0, 0, 0, 250)) == 250_000


@pytest.mark.parametrize("written", ["24:00", "9.30", "noon", 9, dt.time(9, tzinfo=dt.UTC), "9:30+01:00"])
def test_what_is_no_time_of_day_is_refused(written):
    with pytest.raises(ParameterError, match=r"is no time of day. Write it like '9:30'"):
        clock_ns(written)


def test_days():
    day = dt.date(2024, 3, 1)
    for written in ("2024-03-01", day, dt.datetime(2024, 3, 1, 23, tzinfo=dt.UTC), np.datetime64("2024-03-01T23:00")):
        assert read_day(written) == day
    for wrong in ("1.3.2024", "2024-02-30", 20240301, np.datetime64("NaT")):
        with pytest.raises(InputError, match=r"is no day. Write it like 2024-03-01"):
            read_day(wrong)


def test_zones():
    assert read_zone("UTC") is dt.UTC
    assert read_zone(NEW_YORK) is NEW_YORK
    assert str(read_zone("Asia/Kathmandu")) == "Asia/Kathmandu"
    with pytest.raises(ParameterError, match=r"no time zone has that name. Did you mean 'America/New_York'"):
        read_zone("America/NewYork")
    with pytest.raises(ParameterError, match="give a name such as"):
        read_zone(5)
    with pytest.raises(ParameterError, match="no time zone has that name"):
        read_zone("America")  # a folder of zones


def test_a_time_that_a_change_leaves_out_is_the_instant_after_it():
    """United States, 10 March 2024: at 2:00 EST (7:00 UTC) clocks went to 3:00 EDT."""
    day = dt.date(2024, 3, 10)
    for clock, instant in (
        ("1:59", "06:59"),
        ("2:00", "07:00"),
        ("2:30", "07:00"),
        ("3:00", "07:00"),
        ("3:01", "07:01"),
    ):
        assert first_instant(day, clock_ns(clock), NEW_YORK) == to_ns(f"2024-03-10T{instant}+00:00")


def test_a_time_that_comes_twice_is_the_first():
    """United States, 3 November 2024: at 2:00 EDT (6:00 UTC) clocks went back to 1:00 EST."""
    day = dt.date(2024, 11, 3)
    for clock, instant in (("0:59", "04:59"), ("1:00", "05:00"), ("1:59", "05:59"), ("2:00", "07:00")):
        assert first_instant(day, clock_ns(clock), NEW_YORK) == to_ns(f"2024-11-03T{instant}+00:00")


def test_a_day_that_began_stays_when_clocks_go_back_to_the_evening_before():
    """Newfoundland, 1 November 2009: at 0:01 (2:31 UTC) clocks went back to 23:01 of the day before."""
    zone = ZoneInfo("America/St_Johns")
    for at, day in (("02:29:59", 31), ("02:30", 1), ("02:31", 1), ("03:15", 1), ("04:00", 1)):
        assert local_day(to_ns(f"2009-11-01T{at}+00:00"), zone).day == day
