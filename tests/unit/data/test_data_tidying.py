from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.data import tidy
from cambist.errors import DataError
from cambist.model import Timeframe, to_ns

MINUTE = 60 * 10**9
QUARTER = 15 * MINUTE
START = to_ns("2024-03-01T09:00:00")


def repair(minutes, closes, timeframe="15m"):
    ts = START + (np.array(minutes) * MINUTE).astype(np.int64)
    return tidy(ts, {"close": np.array(closes, dtype=float), "volume": np.arange(len(ts), dtype=float)}, timeframe)


def test_clean_rows_stay():
    ts, columns, report = repair([0, 15, 45], [1, 2, 3])
    assert ts.tolist() == [START, START + QUARTER, START + 3 * QUARTER]
    assert columns["close"].tolist() == [1, 2, 3]
    assert report.is_clean
    assert report.describe() == "nothing to repair in 3 rows"


def test_rows_are_sorted_with_their_values():
    ts, columns, report = repair([30, 0, 15], [3, 1, 2])
    assert ((ts - START) // MINUTE).tolist() == [0, 15, 30]
    assert columns["close"].tolist() == [1, 2, 3]
    assert columns["volume"].tolist() == [1, 2, 0]
    assert report.describe() == "sorted 3 rows"


def test_of_repeats_the_first_stays_and_differences_are_told():
    ts = START + np.array([0, 15, 0, 15, 15], dtype=np.int64) * MINUTE
    columns = {"close": np.array([1.0, 2.0, 1.0, 2.5, 2.0])}
    kept, values, report = tidy(ts, columns, "15m")
    assert ((kept - START) // MINUTE).tolist() == [0, 15]
    assert values["close"].tolist() == [1.0, 2.0]
    assert (report.repeats, report.conflicts, report.kept) == ((2, 3, 4), (3,), 2)
    assert report.describe() == (
        "sorted 5 rows, dropped 3 repeats (1 of other values than the first of that time, which was kept)"
    )


def test_rows_off_the_grid_and_with_missing_values_are_dropped():
    ts, _, report = repair([0, 15, 16.5, 30, 45], [1, np.nan, 2, 3, 4])
    assert ((ts - START) // MINUTE).tolist() == [0, 30, 45]
    assert (report.off_grid, report.missing, report.was_sorted) == ((2,), (1,), True)
    assert report.describe() == "dropped 1 row with missing values and 1 bar off the 15m grid of 5 rows"


def test_a_row_with_values_survives_its_repeat_without():
    _, columns, report = repair([0, 0, 15], [np.nan, 7, 8])
    assert columns["close"].tolist() == [7, 8]
    assert (report.missing, report.repeats) == ((0,), ())


def test_the_wrong_timeframe_does_not_drop_the_data():
    with pytest.raises(DataError, match=r"3 of 4 rows are off the 1h grid, which starts at 1970-01-01 00:00 UTC"):
        repair([0, 15, 30, 45], [1, 2, 3, 4], "1h")


def test_the_inputs_are_left_alone():
    ts = START + np.array([15, 0], dtype=np.int64) * MINUTE
    close = np.array([2.0, 1.0])
    tidy(ts, {"close": close}, "15m")
    assert close.tolist() == [2.0, 1.0]
    assert ts.tolist() == [START + QUARTER, START]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-20, 20), st.sampled_from([1.0, 2.0, np.nan]), st.booleans()), max_size=40).filter(
        lambda rows: 2 * sum(off for _, _, off in rows) <= len(rows)
    )
)
def test_it_agrees_with_a_plain_loop(rows):
    frame = Timeframe.parse("15m")
    ts = np.array([START + step * QUARTER + off for step, _, off in rows], dtype=np.int64)
    close = np.array([value for _, value, _ in rows], dtype=float)
    kept: dict[int, float] = {}
    dropped = 0
    for time, value in zip(ts.tolist(), close.tolist(), strict=True):
        if time % frame.ns or value != value or time in kept:  # noqa: PLR0124 -- NaN
            dropped += 1
        else:
            kept[time] = value
    times, columns, report = tidy(ts, {"close": close}, frame)
    assert dict(zip(times.tolist(), columns["close"].tolist(), strict=True)) == kept
    assert times.tolist() == sorted(kept)
    assert report.rows - report.kept == dropped
    again, _, second = tidy(times, columns, frame)
    assert second.is_clean
    assert again.tolist() == times.tolist()
