"""A calendar as a record: sessions with breaks, over midnight, and what it answers about them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from cambist import Calendar
from cambist.errors import InputError, ParameterError
from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS, format_ns, to_ns


def at(text: str) -> int:
    return to_ns(f"2024-03-{text}")


LATER = (at("04 17:00"), at("05 17:00"))


def calendar(**changes):
    """Three sessions: a Friday with a break, a Monday, and a Tuesday that opens on Monday evening."""
    terms = {
        "name": "three",
        "tz": "UTC",
        "dates": ["2024-03-01", "2024-03-04", "2024-03-05"],
        "opens": [at("01 09:00"), at("04 09:00"), at("04 22:00")],
        "closes": [at("01 16:00"), at("04 17:00"), at("05 17:00")],
        "break_starts": [at("01 12:00"), at("04 17:00"), at("05 17:00")],
        "break_ends": [at("01 13:00"), at("04 17:00"), at("05 17:00")],
    }
    return Calendar(**(terms | changes))


@pytest.mark.parametrize(
    ("when", "is_open", "session"),
    [
        ("01 08:59", False, -1),
        ("01 09:00", True, 0),
        ("01 11:59", True, 0),
        ("01 12:00", False, 0),
        ("01 12:59", False, 0),
        ("01 13:00", True, 0),
        ("01 16:00", False, -1),
        ("03 12:00", False, -1),
        ("04 16:59", True, 1),
        ("04 21:59", False, -1),
        ("04 22:00", True, 2),
        ("05 12:00", True, 2),
    ],
)
def test_open_up_to_the_close_and_not_in_the_break(when, is_open, session):
    assert calendar().is_open(at(when)) is is_open
    assert calendar().session_number(at(when)) == session


def test_before_and_after():
    ours = calendar()
    assert ours.next_open(at("01 08:59")) == at("01 09:00")
    assert ours.next_open(at("01 09:00")) == at("04 09:00")
    assert ours.previous_open(at("04 09:00")) == at("01 09:00")
    assert ours.next_close(at("01 16:00")) == at("04 17:00")
    assert ours.previous_close(at("04 17:01")) == at("04 17:00")
    assert ours.previous_close(at("04 17:00")) == at("01 16:00")


def test_the_twins_answer_alike():
    ours, chance = calendar(), np.random.default_rng(3)
    times = chance.integers(at("01 10:00"), at("05 16:00"), 200) // MINUTE_NS * MINUTE_NS
    times = times[(times > ours.opens[0]) & (times > ours.closes[0]) & (times < ours.opens[-1])]
    assert len(times) > 100
    for one, many in (
        (ours.is_open, ours.open_at),
        (ours.session_number, ours.session_numbers),
        (ours.next_open, ours.next_opens),
        (ours.next_close, ours.next_closes),
        (ours.previous_open, ours.previous_opens),
        (ours.previous_close, ours.previous_closes),
        (lambda opened: ours.bar_session(opened, HOUR_NS), lambda opens: ours.bar_sessions(opens, HOUR_NS)),
    ):
        assert [one(int(time)) for time in times] == many(times).tolist()


def test_the_session_of_a_bar():
    ours = calendar()
    for opened, length, session in (
        ("01 00:00", DAY_NS, 0),  # the day of UTC
        ("02 00:00", DAY_NS, -1),
        ("04 00:00", DAY_NS, 1),  # the first of two
        ("04 21:30", HOUR_NS, 2),  # opens in it
        ("04 21:00", HOUR_NS, -1),  # ends as it opens
        ("01 15:30", HOUR_NS, 0),
        ("01 16:00", HOUR_NS, -1),
        ("01 12:15", 30 * MINUTE_NS, 0),  # in its break
    ):
        assert ours.bar_session(at(opened), length) == session, opened


def test_sessions_of_days():
    ours = calendar()
    assert ours.sessions_between("2024-03-01", dt.date(2024, 3, 4)).tolist() == [
        dt.date(2024, 3, 1),
        dt.date(2024, 3, 4),
    ]
    assert ours.is_session("2024-03-05")
    assert not ours.is_session(dt.datetime(2024, 3, 3, 12, tzinfo=dt.UTC))
    assert ours.sessions_between("2024-03-02", "2024-03-03").tolist() == []
    assert len(ours) == 3
    assert repr(ours) == "<Calendar three: 3 sessions, 2024-03-01 .. 2024-03-05>"


def test_it_knows_the_whole_of_its_first_and_last_day_in_its_zone():
    assert (calendar().start, calendar().end) == (at("01"), at("06"))
    tokyo = calendar(tz="Asia/Tokyo")
    assert (tokyo.start, tokyo.end) == (at("01") - 9 * HOUR_NS, at("05 17:00"))
    assert (calendar(start=5, end=9).start, calendar(start=5, end=9).end) == (5, 9)


def test_what_lies_outside_is_refused_with_the_range():
    ours = calendar()
    known = "three knows 2024-03-01 00:00:00 UTC .. 2024-03-06 00:00:00 UTC"
    with pytest.raises(InputError, match=f"{known}; 2024-02-29 23:59:00 UTC is outside.*load_calendar takes start="):
        ours.is_open(at("01") - MINUTE_NS)
    with pytest.raises(InputError, match=f"{known}; 2024-03-07 00:00:00 UTC is outside"):
        ours.next_opens(np.array([at("01"), at("07")]))
    with pytest.raises(InputError, match="is outside"):
        ours.is_session("2024-03-06")
    with pytest.raises(InputError, match="knows no open after 2024-03-05 12:00:00 UTC"):
        ours.next_open(at("05 12:00"))
    with pytest.raises(InputError, match="knows no close before 2024-03-01 16:00:00 UTC"):
        ours.previous_close(at("01 16:00"))
    with pytest.raises(InputError, match=f"{known}, and the bars of A run 2024-03-02 00:00:00 UTC .. 2024-03-09"):
        ours.require(at("02"), at("09"), "the bars of A")
    ours.require(at("01"), at("06"), "the bars of A")


def test_a_calendar_without_breaks_needs_none():
    ours = calendar(break_starts=calendar().closes, break_ends=calendar().closes)
    terms = {"name": "three", "tz": "UTC", "dates": ours.dates, "opens": ours.opens, "closes": ours.closes}
    times = np.arange(at("01"), at("06"), 30 * MINUTE_NS)
    assert Calendar(**terms).open_at(times).tolist() == ours.open_at(times).tolist()
    assert Calendar(**(terms | {"opens": ours.opens.view("datetime64[ns]")})).opens.tolist() == ours.opens.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"closes": [at("01 09:00"), *LATER]}, "session 0 of 2024-03-01 .*: its close is not after its open"),
        ({"break_ends": [at("01 16:01"), *LATER]}, "session 0 .*its break does not lie within it"),
        ({"break_starts": [at("01 12:00"), at("04 09:00"), LATER[1]]}, "session 1 .*its break does not lie within it"),
        ({"dates": ["2024-03-01", "2024-03-05", "2024-03-05"]}, "session 2 .*its date is not after that of"),
        ({"opens": [at("01 09:00"), at("01 15:59"), at("04 22:00")]}, "session 1 .*opens before the session before"),
        ({"dates": ["2024-03-01"]}, "three has 1 dates, 3 opens and 3 closes; give one of each"),
        ({"tz": "Mars/Base"}, "no time zone has that name"),
    ],
)
def test_disorder_is_refused_at_its_first_session(changes, message):
    with pytest.raises(ParameterError, match=message):
        calendar(**changes)


def test_no_session_at_all_is_refused():
    with pytest.raises(ParameterError, match="at least one session"):
        Calendar(name="none", tz="UTC", dates=[], opens=[], closes=[])


def test_times_in_messages_are_those_of_the_session():
    first = format_ns(at("01 09:00"))
    with pytest.raises(ParameterError, match=f"{first} .. {first}"):
        calendar(closes=[at("01 09:00"), at("04 17:00"), at("05 17:00")])
