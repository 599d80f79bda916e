"""Sessions, holidays, early closes and breaks of real exchanges, against the library they come from.

It is asked through its own methods, minute by minute and session by session; ours answers from its arrays.
"""

from __future__ import annotations

import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cambist import load_calendar
from cambist.model.times import DAY_NS, MINUTE_NS, to_ns

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import exchange_calendars

# Theirs tells us what pandas will do to it.
pytestmark = pytest.mark.filterwarnings("ignore")

START, END = "2019-01-01", "2024-12-31"
NAMES = ["XNYS", "XHKG", "XSHG", "24/7", "CMES", "XTKS"]


@pytest.fixture(params=NAMES)
def both(request):
    name = request.param
    return load_calendar(name, START, END), exchange_calendars.get_calendar(name, start="2018-12-01", end="2025-01-31")


@pytest.fixture
def moments():
    """Minutes, ns: a spread over the years, those around noon and midnight of a year's ends, and random ones."""
    chance = np.random.default_rng(5)
    first, last = to_ns("2019-01-08"), to_ns("2024-12-20")
    return (chance.integers(first, last, 1_500) // MINUTE_NS) * MINUTE_NS


def test_the_same_sessions_with_the_same_times(both):
    ours, theirs = both
    days = ours.sessions_between(START, END)
    wanted = theirs.schedule.loc[START:END]
    assert days.tolist() == [day.date() for day in wanted.index]
    rows = np.searchsorted(ours.dates, days)
    for column, values in (("open", ours.opens), ("close", ours.closes)):
        assert values[rows].tolist() == wanted[column].dt.tz_localize(None).to_numpy("datetime64[ns]").tolist()
    has_break = (ours.break_starts < ours.break_ends)[rows]
    assert has_break.tolist() == wanted["break_start"].notna().tolist()
    paused = wanted[has_break]
    for column, values in (("break_start", ours.break_starts), ("break_end", ours.break_ends)):
        assert values[rows][has_break].tolist() == [stamp.value for stamp in paused[column]]


def test_holidays_and_early_closes(both):
    ours, theirs = both
    early = {day.date() for day in theirs.early_closes if pd.Timestamp(START) <= day <= pd.Timestamp(END)}
    length = {}
    for row in np.searchsorted(ours.dates, ours.sessions_between(START, END)):
        local_close = pd.Timestamp(ours.closes[row], tz="UTC").tz_convert(ours.tz).time()
        length[ours.dates[row].item()] = local_close
    for day in pd.date_range(START, END):
        assert ours.is_session(day.date()) == theirs.is_session(day), day
    for day in early:
        assert length[day] < max(length.values()), day
    assert (len(early) > 5) is (ours.name in {"XNYS", "XHKG", "CMES"})


def test_open_or_closed_and_the_nearest_edges_at_random_minutes(both, moments):
    ours, theirs = both
    is_open, sessions = ours.open_at(moments), ours.session_numbers(moments)
    answers = zip(
        moments.tolist(), is_open, sessions, ours.next_opens(moments), ours.next_closes(moments),
        ours.previous_opens(moments), ours.previous_closes(moments), strict=True,
    )  # fmt: skip
    for at, trades, session, *edges in answers:
        minute = pd.Timestamp(at, tz="UTC")
        assert trades == theirs.is_trading_minute(minute), minute
        if trades:
            assert ours.dates[session].item() == theirs.minute_to_session(minute).date()
        assert edges == [
            theirs.next_open(minute).value,
            theirs.next_close(minute).value,
            theirs.previous_open(minute).value,
            theirs.previous_close(minute).value,
        ], minute


def test_the_edges_themselves(both):
    """The open is open and the close is not; before and after mean before and after."""
    ours, theirs = both
    for row in range(20, 60):
        for at in (int(ours.opens[row]), int(ours.closes[row]), int(ours.break_starts[row]), int(ours.break_ends[row])):
            minute = pd.Timestamp(at, tz="UTC")
            if at < ours.start:
                continue
            assert ours.is_open(at) == theirs.is_trading_minute(minute), minute
            assert ours.next_open(at) == theirs.next_open(minute).value
            assert ours.previous_close(at) == theirs.previous_close(minute).value


@pytest.mark.parametrize("name", ["XNYS", "XHKG", "XSHG", "24/7"])
def test_the_session_of_a_bar(name):
    """A day of UTC holds the session of that day; a minute the session that trades in it, if one does."""
    ours = load_calendar(name, START, END)
    theirs = exchange_calendars.get_calendar(name, start="2018-12-01", end="2025-01-31")
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2021-01-01"))
    rows = ours.bar_sessions(days.astype("datetime64[ns]").astype(np.int64), DAY_NS)
    assert (rows >= 0).tolist() == [theirs.is_session(pd.Timestamp(day)) for day in days]
    assert ours.dates[rows[rows >= 0]].tolist() == days[rows >= 0].tolist()
    minutes = to_ns("2020-11-27") + np.arange(1_440) * MINUTE_NS  # half a day in New York
    found = ours.bar_sessions(minutes, MINUTE_NS)
    session = theirs.schedule.loc["2020-11-27"] if theirs.is_session("2020-11-27") else None
    for minute, row in zip(minutes.tolist(), found.tolist(), strict=True):
        trades = session is not None and session["open"].value <= minute < session["close"].value
        assert (row >= 0) is trades
    assert ours.bar_session(int(minutes[0]), DAY_NS) == found.max()


def test_the_default_range_is_that_of_the_library_where_it_is_shorter():
    shanghai = load_calendar("XSHG")
    known = type(exchange_calendars.get_calendar("XSHG"))
    assert shanghai.dates[0].item() >= known.bound_min().date()
    assert shanghai.end == to_ns(known.bound_max().date() + timedelta(days=1)) - 8 * 60 * MINUTE_NS
    assert load_calendar("XSHG") is shanghai
