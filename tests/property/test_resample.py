"""Slower bars: against pandas, through steps in between, and however the faster ones come."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cambist import Bars, Instrument, weekly_calendar
from cambist.data import ResampledBars, resample
from cambist.errors import DataError
from cambist.model.periods import read_periods
from cambist.model.slower_bars import SlowerBars
from cambist.model.times import MINUTE_NS, to_ns

ACME = Instrument(symbol="ACME")
#: Ours, pandas', and what pandas has to be told.
LEFT = {"closed": "left", "label": "left"}
EPOCH = {"origin": "epoch"}
FRAMES = [
    ("7m", "7min", EPOCH),
    ("5m", "5min", EPOCH),
    ("1h", "1h", EPOCH),
    ("5h", "5h", EPOCH),
    ("1d", "1D", EPOCH),
    ("3d", "3D", EPOCH),
    ("1w", "W-MON", LEFT),
    ("1M", "MS", LEFT),
    ("3M", "QS-JAN", LEFT),
    ("1y", "YS", LEFT),
]
STARTS = ["2024-02-28 22:57", "1969-12-31 23:58", "2023-12-31 12:00"]
#: Gaps in minutes, and prices in cents.
ROWS = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 2, 3, 17, 61, 600, 1441, 9000, 50_000]),
        st.lists(st.integers(1, 10**6), min_size=4, max_size=4),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=80,
)
WEEKDAYS = weekly_calendar(
    "market", "9:30-12:00,13:00-16:00", tz="America/New_York", start="1969-01-01", end="2035-12-31"
)
OPTIONS = [
    {"timeframe": "15m"},
    {"timeframe": "15m", "offset": "-4m"},
    {"timeframe": "1w"},
    {"timeframe": "4h", "tz": "America/New_York"},
    {"timeframe": "1d", "tz": "Australia/Lord_Howe", "offset": "-7h"},
    {"timeframe": "1M", "tz": "Europe/London"},
    {"timeframe": "1h", "calendar": WEEKDAYS},
    {"timeframe": "session", "calendar": WEEKDAYS},
    {"timeframe": "1w", "calendar": WEEKDAYS},
    {"timeframe": "2M", "calendar": WEEKDAYS},
]


def made(rows, start, volume=1.0):
    gaps, prices, sizes = zip(*rows, strict=True)
    ts = to_ns(start) + (np.cumsum(gaps) - gaps[0]) * MINUTE_NS
    open_, close, one, other = (np.array(prices, float) / 100.0).T
    columns = np.array([open_, close, one, other])
    return Bars(ACME, "1m", ts, open_, columns.max(0), columns.min(0), close, np.array(sizes) * volume)


def rows_of(bars):
    return [bars.ts.tolist(), *(column.tolist() for column in bars.columns.values())]


def by_pandas(bars, rule, tz=None, **options):
    frame = bars.to_frame()  # None takes the zone off: pandas counts days from the epoch only without one
    grouped = frame.tz_convert(tz).resample(rule, **options)
    names = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return grouped.agg(names)[grouped["close"].count() > 0]


@given(ROWS, st.sampled_from(FRAMES), st.sampled_from(STARTS))
def test_it_is_what_pandas_makes(rows, frame, start):
    bars = made(rows, start)
    ours, theirs, options = frame
    got, wanted = resample(bars, ours), by_pandas(bars, theirs, **options)
    assert got.ts.tolist() == wanted.index.as_unit("ns").asi8.tolist()
    for name, column in got.columns.items():
        assert column.tolist() == wanted[name].tolist()  # volumes are whole numbers, which add exactly


@given(ROWS, st.sampled_from(["Europe/London", "America/New_York"]), st.sampled_from([("1D", "1d"), ("MS", "1M")]))
def test_days_and_months_of_a_place_are_those_of_pandas(rows, tz, rule):
    bars = made(rows, STARTS[0])
    options = {} if rule[0] == "1D" else LEFT
    # pandas makes days by the clock where the rule is a day of the calendar.
    wanted = by_pandas(bars, pd.offsets.Day(1) if rule[0] == "1D" else rule[0], tz, **options)
    got = resample(bars, rule[1], tz=tz)
    assert got.ts.tolist() == wanted.index.tz_convert("UTC").as_unit("ns").asi8.tolist()
    assert got.volume.tolist() == wanted["volume"].tolist()


@given(ROWS, st.integers(-14, 14))
def test_an_offset_is_that_of_pandas(rows, minutes):
    bars = made(rows, STARTS[0])
    wanted = by_pandas(bars, "15min", origin="epoch", offset=f"{minutes}min")
    got = resample(bars, "15m", offset=f"{minutes}m")
    assert got.ts.tolist() == wanted.index.as_unit("ns").asi8.tolist()
    assert got.close.tolist() == wanted["close"].tolist()


@given(ROWS)
def test_bars_stamped_by_their_end_are_those_of_pandas_with_right_edges(rows):
    bars = made(rows, STARTS[0])
    stamped = bars.to_frame()
    stamped.index += pd.Timedelta(minutes=1)
    wanted = stamped["close"].resample("15min", closed="right", label="right", origin="epoch").last().dropna()
    got = resample(bars, "15m")
    assert got.close_times.tolist() == wanted.index.as_unit("ns").asi8.tolist()
    assert got.close.tolist() == wanted.tolist()


@given(ROWS, st.sampled_from([("5m", "15m"), ("15m", "1h"), ("1h", "1d"), ("1d", "1w"), ("1d", "1M")]))
def test_a_step_in_between_makes_no_difference(rows, frames):
    bars = made(rows, STARTS[1])
    between, slow = frames
    assert rows_of(resample(resample(bars, between), slow)) == rows_of(resample(bars, slow))


@given(ROWS, st.sampled_from(OPTIONS), st.booleans(), st.lists(st.integers(0, 79), max_size=6), st.floats(0.01, 1.0))
def test_how_the_bars_come_makes_no_difference(rows, options, keep, cuts, volume):
    bars = made(rows, STARTS[2], volume)
    options = dict(options)
    periods = read_periods(options.pop("timeframe"), **options)
    whole = SlowerBars(periods, MINUTE_NS, keep_first=keep).take(bars)
    edges = sorted({0, len(bars), *(cut % len(bars) for cut in cuts)})
    stream, blocks = (SlowerBars(periods, MINUTE_NS, keep_first=keep) for _ in range(2))
    pieces = [(start, blocks.take(bars[start:end])) for start, end in pairwise(edges)]
    pushed = [(row, done) for row, bar in enumerate(bars) for done in stream.push(bar)]
    assert np.concatenate([piece.known_at + start for start, piece in pieces]).tolist() == whole.known_at.tolist()
    assert [row for row, _ in pushed] == whole.known_at.tolist()
    assert [bar.ts for _, bar in pushed] == whole.ts.tolist()
    for number, name in enumerate(bars.columns):
        column = whole.columns[number].tolist()
        assert np.concatenate([piece.columns[number] for _, piece in pieces]).tolist() == column
        assert [getattr(bar, name) for _, bar in pushed] == column
    assert stream.growing == blocks.growing


def test_a_block_that_lies_in_no_session_ends_the_bar_before_it_as_one_row_of_many_does():
    row = [100, 101, 99, 100], 5
    bars = made([(gap, *row) for gap in (1, 1, 24 * 60, 48 * 60)], "2024-01-05T15:00:00Z")  # Friday to Monday
    periods = read_periods("1h", calendar=WEEKDAYS)
    whole = SlowerBars(periods, MINUTE_NS, keep_first=True).take(bars)
    slower = SlowerBars(periods, MINUTE_NS, keep_first=True)
    pieces = [(start, slower.take(bars[start:end])) for start, end in ((0, 2), (2, 3), (3, 4))]
    assert [row + start for start, piece in pieces for row in piece.known_at.tolist()] == whole.known_at.tolist() == [2]


@given(ROWS, st.sampled_from(OPTIONS), st.sampled_from(["keep", "drop"]), st.integers(1, 7))
def test_blocks_make_what_the_whole_makes(rows, options, incomplete, size):
    bars = made(rows, STARTS[2])
    options = {**options, "incomplete": incomplete}
    timeframe = options.pop("timeframe")
    try:
        wanted = resample(bars, timeframe, **options)
    except DataError:
        wanted = None

    class Source:
        name = "bars"

        def blocks(self):
            return bars.blocks(size)

    source = ResampledBars(Source(), timeframe, options)
    if wanted is None:
        with pytest.raises(DataError):
            source.load()
    else:
        assert rows_of(source.load()) == rows_of(wanted)


@given(ROWS, st.sampled_from(OPTIONS))
def test_nothing_is_known_before_it_is_over(rows, options):
    """Each slower bar holds bars that had closed by the bar with which it became known, and all of its period."""
    bars = made(rows, STARTS[2])
    options = dict(options)
    periods = read_periods(options.pop("timeframe"), **options)
    complete = SlowerBars(periods, MINUTE_NS, keep_first=True).take(bars)
    assume(len(complete.ts))
    ends = periods.ends(complete.ts)
    for number, (start, end, row) in enumerate(zip(complete.ts, ends, complete.known_at, strict=True)):
        inside = (bars.ts >= start) & (bars.ts < end)
        if "calendar" in options:
            inside &= WEEKDAYS.open_at(bars.ts)
        assert bars.close_times[row] >= end
        assert not row or bars.close_times[row - 1] < end
        assert complete.columns[4][number] == bars.volume[inside].sum()


@given(
    st.integers(to_ns("2020-01-01") // MINUTE_NS, to_ns("2026-01-01") // MINUTE_NS),
    st.sampled_from(["America/New_York", "Europe/London"]),
)
def test_periods_within_a_day_begin_at_its_midnight_and_are_cut_at_its_end(minute, tz):
    """Against the clock on the wall, as Python's zones tell it."""
    opened = minute * MINUTE_NS
    periods = read_periods("4h", tz=tz)
    start = int(periods.starts(np.array([opened]), MINUTE_NS)[0])
    end = int(periods.ends(np.array([start]))[0])
    zone = ZoneInfo(tz)
    day = datetime.fromtimestamp(minute * 60, tz=UTC).astimezone(zone).date()
    midnight = to_ns(datetime(day.year, day.month, day.day, tzinfo=zone))
    following = date.fromordinal(day.toordinal() + 1)
    next_midnight = to_ns(datetime(following.year, following.month, following.day, tzinfo=zone))
    length = 4 * 60 * MINUTE_NS
    assert start == midnight + (opened - midnight) // length * length
    assert end == min(start + length, next_midnight)
