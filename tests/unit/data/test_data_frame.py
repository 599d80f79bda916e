from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from cambist.data import load
from cambist.errors import DataError
from cambist.model import Instrument, Timeframe, to_ns

NINE = to_ns("2024-03-01T09:00:00")
HOUR = 3_600_000_000_000
TIMES = [NINE + step * HOUR for step in range(5)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_datetime_index_of_any_unit_gives_nanoseconds(frame, unit):
    frame.index = frame.index.as_unit(unit)
    assert load(frame).ts.tolist() == TIMES


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("name", ["ts", "Time", "TIMESTAMP", "date", "Datetime", "open_time"])
def test_integer_times_are_told_apart_by_magnitude(frame, unit, name):
    frame[name] = frame.index.as_unit(unit).asi8
    assert load(frame.reset_index(drop=True)).ts.tolist() == TIMES


def test_naive_times_are_utc_and_zoned_ones_are_converted(frame):
    naive = frame.set_axis(frame.index.tz_localize(None))
    zoned = frame.set_axis(frame.index.tz_convert("America/New_York"))
    assert load(naive).ts.tolist() == load(zoned).ts.tolist() == TIMES


@pytest.mark.parametrize(
    "times",
    [
        [f"2024-03-01 {hour:02d}:00:00" for hour in range(9, 14)],
        [f"2024-03-01T{hour:02d}:00:00Z" for hour in range(9, 14)],
        [
            "2024-03-01 10:00+01:00",
            "2024-03-01 10:00Z",
            "2024-03-01 10:00-01:00",
            "2024-03-01T12:00+0000",
            "2024-03-01T13:00Z",
        ],
        [datetime(2024, 3, 1, hour, tzinfo=UTC) for hour in range(9, 14)],
        [TIMES[0] / 1e9, *(value / 1e9 for value in TIMES[1:])],
        [str(value // 10**9) for value in TIMES],
    ],
    ids=["text", "text with Z", "text of several offsets", "datetime objects", "float seconds", "digits as text"],
)
def test_a_column_of_times_in_other_forms(frame, times):
    bars = load(frame.reset_index(drop=True).assign(time=times), timeframe="1h")
    assert bars.ts.tolist() == TIMES


def test_a_named_index_of_texts_is_the_times(frame):
    frame.index = pd.Index([str(time) for time in frame.index], name="Date")
    assert load(frame).ts.tolist() == TIMES


@pytest.mark.parametrize(
    "days",
    [
        [20240228, 20240229, 20240301, 20240302, 20240303],
        [date(2024, 2, 28 + day) for day in (0, 1)] + [date(2024, 3, day) for day in (1, 2, 3)],
    ],
)
def test_dates_as_integers_or_objects(frame, days):
    bars = load(frame.reset_index(drop=True).assign(date=days))
    assert bars.ts.tolist() == [to_ns("2024-02-28") + day * 24 * HOUR for day in range(5)]
    assert bars.timeframe == Timeframe.parse("1d")


def test_fractions_of_a_second_survive_as_floats(frame):
    bars = load(frame.reset_index(drop=True).assign(ts=[1_700_000_000.25 + 60 * row for row in range(5)]))
    assert bars.ts.tolist() == [1_700_000_000_250_000_000 + row * 60_000_000_000 for row in range(5)]


@pytest.mark.parametrize("names", [["Open", "HIGH", "low", "Close", "Volume"], list("ohlcv"), list("OHLCV")])
def test_columns_go_by_several_names(frame, names):
    bars = load(frame.set_axis(names, axis=1))
    assert bars.close.tolist() == [11.0, 12.0, 13.0, 14.0, 15.0]
    assert bars.volume.tolist() == [0.0, 100.0, 200.0, 300.0, 400.0]


def test_further_columns_are_ignored_and_no_volume_is_zero(frame):
    bars = load(frame.drop(columns="volume").assign(**{"Adj Close": 1.0, "Dividends": "none"}))
    assert bars.volume.tolist() == [0.0] * 5


def test_integers_decimals_and_nullable_columns_are_numbers(frame):
    frame["open"] = frame["open"].astype("Int64")
    frame["close"] = [Decimal(str(value)) for value in frame["close"]]
    frame["volume"] = frame["volume"].astype("int32")
    bars = load(frame)
    assert bars.open.tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert bars.close.dtype == bars.open.dtype == bars.volume.dtype == np.float64


def test_the_instrument_is_made_or_given(frame):
    made = load(frame).instrument
    assert (made.symbol, made.kind, made.tick_size, made.step_size) == ("ASSET", "spot", None, Decimal("1e-8"))
    assert load(frame, symbol="SPY").instrument.symbol == "SPY"
    given = Instrument(symbol="SPY", kind="equity")
    assert load(frame, instrument=given).instrument is given
    assert load(frame, instrument=given, symbol="SPY").instrument is given
    with pytest.raises(DataError, match=r"symbol='QQQ' and an instrument called 'SPY'"):
        load(frame, instrument=given, symbol="QQQ")


def test_the_timeframe_is_the_commonest_spacing_or_given(frame):
    assert load(frame.drop(frame.index[2])).timeframe == Timeframe.parse("1h")
    assert load(frame, timeframe="30m").timeframe == Timeframe.parse("30m")
    with pytest.raises(DataError, match=r"row 1 .*opens before row 0 .*Is the timeframe really 4h\?"):
        load(frame, timeframe="4h")


def test_one_bar_needs_a_timeframe(frame):
    with pytest.raises(DataError, match=r"cannot be told from 1 bar.*timeframe="):
        load(frame.iloc[:1])
    assert len(load(frame.iloc[:1], timeframe="1h")) == 1


def test_months_are_no_timeframe(frame):
    frame.index = pd.date_range("2024-01-01", periods=5, freq="MS")
    with pytest.raises(DataError, match=r"commonest spacing of the bars \(2 of 4\) is 31 days.*Calendar months"):
        load(frame)


def test_ticks_are_no_bars(frame):
    frame.index = pd.DatetimeIndex(np.array(TIMES[:1] * 5) + np.arange(5) * 1_500_000_000, tz="UTC")
    with pytest.raises(DataError, match=r"1500000000 ns.*not a whole number of seconds.*ticks"):
        load(frame)


def test_a_missing_column_lists_what_is_there_and_the_near_miss(frame):
    with pytest.raises(DataError) as caught:
        load(frame.rename(columns={"close": "closse", "low": "lowest"}))
    message = str(caught.value)
    assert "no column for low, close" in message
    assert "Found: 'open', 'high', 'lowest', 'closse', 'volume'" in message
    assert "Needed: a time (ts, time, timestamp, date, datetime, open_time), open, high, low, close" in message
    assert "For 'close', did you mean 'closse'?" in message


def test_a_frame_without_times_says_so(frame):
    with pytest.raises(DataError, match=r"no column for time\. Found: 'open'"):
        load(frame.reset_index(drop=True))


def test_a_misspelt_volume_is_not_taken_for_none(frame):
    with pytest.raises(DataError, match=r"no column 'volume', but one called 'volum'"):
        load(frame.rename(columns={"volume": "volum"}))


@pytest.mark.parametrize("twin", ["Close", "c"])
def test_two_columns_of_one_meaning_are_refused(frame, twin):
    with pytest.raises(DataError, match=rf"columns 'close' and '{twin}' could all be the close"):
        load(frame.assign(**{twin: 1.0}))


def test_date_and_time_in_two_columns_are_refused(frame):
    apart = frame.reset_index(drop=True).assign(date="2024-03-01", time="09:00")
    with pytest.raises(DataError, match=r"columns 'date' and 'time' could all be the time"):
        load(apart)


def test_several_levels_of_columns_are_explained(frame):
    with pytest.raises(DataError, match=r"several levels: select one symbol"):
        load(pd.concat({"AAPL": frame}, axis=1))


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (2, "close", np.nan, r"row 2 \(2024-03-01 11:00:00 UTC\): close is nan"),
        (2, "volume", np.nan, r"row 2 \(2024-03-01 11:00:00 UTC\): volume is nan"),
        (3, "open", np.inf, r"row 3 \(2024-03-01 12:00:00 UTC\): open is inf"),
        (1, "low", -9.0, r"row 1 \(2024-03-01 10:00:00 UTC\): low is -9.0, and a price must be above zero"),
        (4, "open", 0.0, r"row 4 \(2024-03-01 13:00:00 UTC\): open is 0.0, and a price must be above zero"),
        (1, "high", 11.0, r"row 1 \(2024-03-01 10:00:00 UTC\): high 11.0 is below close 12.0"),
        (1, "low", 11.5, r"row 1 \(2024-03-01 10:00:00 UTC\): low 11.5 is above open 11.0"),
        (0, "volume", -1.0, r"row 0 \(2024-03-01 09:00:00 UTC\): volume is -1.0"),
    ],
)
def test_a_bad_value_names_row_time_and_value(frame, row, column, value, message):
    frame.iloc[row, frame.columns.get_loc(column)] = value
    with pytest.raises(DataError, match=f"the DataFrame: ASSET 1h: {message}"):
        load(frame)


def test_a_text_among_the_numbers_names_its_row(frame):
    frame["close"] = ["11", "12", "n.a.", "14", "15"]
    with pytest.raises(DataError, match=r"the DataFrame: row 2: close is 'n\.a\.', which is no number"):
        load(frame)


def test_unsorted_and_repeated_bars_are_refused(frame):
    with pytest.raises(DataError, match=r"row 2 \(2024-03-01 10:00:00 UTC\): its time comes before .* row 1"):
        load(frame.iloc[[0, 2, 1, 3, 4]])
    with pytest.raises(DataError, match=r"row 3 \(2024-03-01 11:00:00 UTC\): its time repeats the time of row 2"):
        load(frame.iloc[[0, 1, 2, 2, 3]])


def test_an_empty_frame_is_refused(frame):
    with pytest.raises(DataError, match=r"the DataFrame: there are no bars\. Check"):
        load(frame.iloc[:0])


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (
            ["2024-03-01", "2024-03-02", "01.02.2024", "2024-03-04", "2024-03-05"],
            r"row 2: the time '01\.02\.2024' cannot",
        ),
        (["2024-03-01", "2024-03-02", "3/4/2024", "2024-03-04", "2024-03-05"], r"row 2: the time '3/4/2024' cannot"),
        (["2024-03-01", None, "2024-03-03", "2024-03-04", "2024-03-05"], r"row 1: the time is missing"),
        (pd.to_datetime(["2024-03-01", "2024-03-02", None, "2024-03-04", "2024-03-05"]), r"row 2: the time is missing"),
        ([1.7e9, np.nan, 1.7e9 + 120, 1.7e9 + 180, 1.7e9 + 240], r"row 1: the time is missing \(nan\)"),
        (["1700000000", "1700000060", "x", "1700000180", "1700000240"], r"row 2: the time 'x' is no number"),
        ([True, False, True, False, True], r"the times are of type bool"),
        (
            [20240301120000 + step for step in range(5)],
            r"row 0: the time 20240301120000, read as ms since 1970, lies outside the years 1800 to 2200",
        ),
        ([20240230, 20240301, 20240302, 20240303, 20240304], r"row 0: the time 20240230 is no date"),
    ],
)
def test_a_time_that_cannot_be_read_names_its_row(frame, times, message):
    with pytest.raises(DataError, match=f"the DataFrame: {message}"):
        load(frame.reset_index(drop=True).assign(time=times))


def test_times_that_change_their_unit_on_the_way_are_refused(frame):
    milliseconds = [1_735_600_000_000, 1_735_603_600_000, 1_735_607_200_000]
    microseconds = [1_735_610_800_000_000, 1_735_614_400_000_000]
    with pytest.raises(DataError, match=r"row 3: the time 1735610800000000 after 1735607200000 is of another unit"):
        load(frame.reset_index(drop=True).assign(ts=milliseconds + microseconds))


def test_times_beyond_64_bits_are_refused(frame):
    frame.index = pd.DatetimeIndex([f"{year}-01-01" for year in range(2300, 2305)])
    with pytest.raises(DataError, match=r"row 0: the time .* lies outside the years 1678 to 2262"):
        load(frame, timeframe="1d")
