"""Bars are checked where they are made; times are nanoseconds inside and anything sensible outside."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.errors import DataError, InputError
from cambist.model import Bar, Bars, Instrument, Timeframe, format_ns, to_datetime, to_ns
from cambist.model.bars import COLUMNS, _are_sound, check_columns
from cambist.model.times import HOUR_NS, MINUTE_NS, duration_ns

START = to_ns("2024-03-01")
ACME = Instrument(symbol="ACME")


def columns(count=4, **changes):
    values = {
        "ts": START + np.arange(count) * MINUTE_NS,
        "open": np.full(count, 10.0),
        "high": np.full(count, 12.0),
        "low": np.full(count, 9.0),
        "close": np.full(count, 11.0),
        "volume": np.full(count, 5.0),
    }
    for name, (row, value) in changes.items():
        values[name] = values[name].copy()
        values[name][row] = value
    return values


def make(timeframe="1m", **changes):
    return Bars(ACME, timeframe, **columns(**changes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"close": (2, np.nan)}, "row 2 (2024-03-01 00:02:00 UTC): close is nan. Fill or drop the bar"),
        ({"high": (1, np.inf)}, "row 1 (2024-03-01 00:01:00 UTC): high is inf"),
        ({"volume": (0, np.nan)}, "row 0 (2024-03-01 00:00:00 UTC): volume is nan"),
        ({"low": (3, 0.0)}, "low is 0.0, and a price must be above zero"),
        ({"open": (3, -1.0)}, "open is -1.0, and a price must be above zero"),
        ({"high": (1, 10.5)}, "row 1 (2024-03-01 00:01:00 UTC): high 10.5 is below close 11.0"),
        ({"high": (1, 9.5)}, "high 9.5 is below open 10.0"),
        ({"low": (2, 10.5)}, "low 10.5 is above open 10.0"),
        ({"close": (2, 8.0)}, "low 9.0 is above close 8.0"),
        ({"volume": (3, -1.0)}, "volume is -1.0. Volume counts units traded and cannot be negative"),
        ({"ts": (2, START + MINUTE_NS)}, "row 2 (2024-03-01 00:01:00 UTC): its time repeats the time of row 1"),
        ({"ts": (2, START - 1)}, "Sort the bars by time and drop repeats"),
        ({"ts": (1, START + MINUTE_NS - 1)}, "opens before row 0 (2024-03-01 00:00:00 UTC) has closed"),
    ],
)
def test_a_bad_row_is_named_with_its_time_and_value(change, message):
    with pytest.raises(DataError) as caught:
        make(**change)
    assert message in str(caught.value)
    assert str(caught.value).startswith("ACME 1m: ")


ODD = [0.0, -1.0, 8.0, 9.0, 10.0, 10.5, 12.0, 13.0, np.nan, np.inf, -np.inf]


@given(
    st.dictionaries(
        st.sampled_from(["open", "high", "low", "close", "volume"]), st.tuples(st.integers(0, 3), st.sampled_from(ODD))
    ),
    st.lists(st.integers(-1, 3 * MINUTE_NS), min_size=3, max_size=3) | st.just([MINUTE_NS] * 3),
)
def test_the_quick_look_and_the_thorough_one_agree(changes, steps):
    values = columns(**changes) | {"ts": START + np.cumsum([0, *steps])}
    ts, prices = values["ts"], {name: values[name] for name in COLUMNS}
    try:
        check_columns(ts, prices)
        faultless = min(steps) >= MINUTE_NS
    except DataError:
        faultless = False
    assert _are_sound(ts, prices, MINUTE_NS) is faultless


def test_columns_must_be_there_in_full():
    short = columns()
    short["volume"] = short["volume"][:3]
    with pytest.raises(DataError, match=r"columns differ in length \(times 4, .* volume 3\)"):
        Bars(ACME, "1m", **short)
    with pytest.raises(DataError, match=r"there are no bars. Check the path, the symbol and the time range"):
        Bars(ACME, "1m", **columns(0))
    with pytest.raises(DataError, match="column 'open' cannot be read as numbers"):
        Bars(ACME, "1m", **(columns() | {"open": ["a", "b", "c", "d"]}))
    with pytest.raises(DataError, match="column 'close' must be flat"):
        Bars(ACME, "1m", **(columns() | {"close": np.full((4, 1), 11.0)}))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_numpy_keep_their_meaning_in_any_unit(unit):
    times = np.array(["2024-03-01T00:00", "2024-03-01T00:01", "2024-03-01T00:02", "2024-03-01T00:03"], f"M8[{unit}]")
    assert Bars(ACME, "1m", **(columns() | {"ts": times})).ts.tolist() == columns()["ts"].tolist()


def test_times_that_are_no_whole_numbers_are_refused():
    for times in (columns()["ts"] + 0.5, np.array(["2024", "NaT", "2026", "2027"], "M8[ns]")):
        with pytest.raises(DataError, match="column 'ts'"):
            Bars(ACME, "1m", **(columns() | {"ts": times}))


def test_bars_are_sequences_of_bars():
    bars = make()
    assert len(bars) == 4
    assert list(bars)[1] == Bar(START + MINUTE_NS, 10.0, 12.0, 9.0, 11.0, 5.0)
    assert bars[1:3].ts.tolist() == [START + MINUTE_NS, START + 2 * MINUTE_NS]
    assert (bars.close_times - bars.ts).tolist() == [MINUTE_NS] * 4
    assert [len(block) for block in bars.blocks(3)] == [3, 1]
    assert bars.to_frame().index[0] == pd.Timestamp("2024-03-01", tz="UTC")
    assert repr(bars) == "<Bars ACME 1m: 4 bars, 2024-03-01 00:00:00 UTC .. 2024-03-01 00:03:00 UTC>"
    with pytest.raises(TypeError, match="slice the bars"):
        bars[0]
    with pytest.raises(TypeError, match="without a step"):
        bars[::2]


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("1m", 60), ("15M", None), ("4h", 14_400), ("1d", 86_400), ("2w", 1_209_600)]
)
def test_timeframes_are_written_as_count_and_unit(text, seconds):
    if seconds is None:
        with pytest.raises(InputError, match="'15M' is no timeframe"):
            Timeframe.parse(text)
        return
    frame = Timeframe.parse(text)
    assert frame.ns == seconds * 1_000_000_000
    assert Timeframe.parse(f" {text.upper() if 'm' not in text else text} ") == frame
    assert Timeframe.parse(str(frame)) == frame
    assert Timeframe.parse(frame) is frame


@pytest.mark.parametrize("text", ["", "m", "0m", "-1m", "1", "1mo", "1.5h", "1 m", "5y", 5, None])
def test_what_is_no_timeframe(text):
    with pytest.raises(InputError, match=r"is no timeframe. Write a count and one of s, m \(minutes\), h, d, w"):
        Timeframe.parse(text)


def test_a_timeframe_lasts_a_second_at_least():
    with pytest.raises(InputError, match=r"too short. The shortest is one second"):
        Timeframe(1)
    assert Timeframe.parse("1m") < Timeframe.parse("1h")


@pytest.mark.parametrize(
    "when",
    [
        "2024-03-01T09:30:00+00:00",
        "2024-03-01 09:30",
        "2024-03-01 10:30+01:00",
        datetime(2024, 3, 1, 9, 30, tzinfo=UTC),
        datetime(2024, 3, 1, 9, 30),  # noqa: DTZ001 - naive means UTC
        datetime(2024, 3, 1, 10, 30, tzinfo=timezone(timedelta(hours=1))),
        pd.Timestamp("2024-03-01 04:30", tz="America/New_York"),
        START + 9 * HOUR_NS + 30 * MINUTE_NS,
        np.int64(START + 9 * HOUR_NS + 30 * MINUTE_NS),
        np.datetime64("2024-03-01T09:30"),
    ],
)
def test_points_in_time(when):
    assert to_ns(when) == START + 9 * HOUR_NS + 30 * MINUTE_NS


def test_points_in_time_keep_their_nanoseconds():
    assert to_ns(pd.Timestamp(START + 123_456_789)) == START + 123_456_789
    assert to_ns(date(2024, 3, 1)) == START
    assert to_ns("1969-12-31 23:59:59") == -1_000_000_000
    assert to_datetime(-1_000_000_000) == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("when", ["soon", True, None, 1.5, [], pd.NaT])
def test_what_is_no_point_in_time(when):
    with pytest.raises(InputError, match=r"is no (point in time|ISO 8601 time)"):
        to_ns(when)


def test_lengths_of_time():
    assert duration_ns(timedelta(days=1, microseconds=5)) == 24 * HOUR_NS + 5_000
    assert duration_ns(7) == 7


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (START, "2024-03-01 00:00:00 UTC"),
        (START + 1_500_000_000, "2024-03-01 00:00:01.5 UTC"),
        (START + 1, "2024-03-01 00:00:00.000000001 UTC"),
        (-1, "1969-12-31 23:59:59.999999999 UTC"),
    ],
)
def test_times_for_people(ns, text):
    assert format_ns(ns) == text
