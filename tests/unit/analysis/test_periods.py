"""How many samples make a year, for the calendars markets keep."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
import pytest

from cambist.analysis import EquityRecorder
from cambist.analysis.periods import day_numbers, infer_periods_per_year
from cambist.model.times import DAY_NS, HOUR_NS, to_ns


def curve_of(opens, length_ns):
    times = pd.DatetimeIndex(opens).as_unit("ns").asi8 + length_ns
    recorder = EquityRecorder(100.0, int(times[0] - length_ns))
    recorder.add(times, np.full(len(times), 100.0), np.zeros(len(times), bool))
    return recorder.finish()


@pytest.mark.parametrize(
    ("opens", "length", "wanted"),
    [
        (pd.date_range("2024-01-01", periods=60, freq="D"), DAY_NS, 365.0),
        (pd.bdate_range("2024-01-01", periods=60), DAY_NS, 252.0),
        (pd.date_range("2024-01-01", periods=24 * 60, freq="h"), HOUR_NS, 365.0),
        # A daily bar stamped 14:30 closes on the next day, Friday's on Saturday: still five days a week.
        (pd.bdate_range("2024-01-01", periods=60) + pd.Timedelta(hours=14, minutes=30), DAY_NS, 252.0),
        # Currencies: from Sunday 22:00 to Friday 22:00.
        (
            [
                t
                for t in pd.date_range("2024-01-01", periods=24 * 60, freq="h")
                if t.weekday() < 4 or (t.weekday() == 4 and t.hour < 22) or (t.weekday() == 6 and t.hour >= 22)
            ],
            HOUR_NS,
            313.0,
        ),
        (pd.date_range("2024-01-01", periods=60, freq="7D"), 7 * DAY_NS, 365.25 / 7),
        (pd.date_range("2024-01-01", periods=60, freq="2D"), 2 * DAY_NS, 365.25 / 2),
    ],
    ids=["crypto days", "stock days", "crypto hours", "stamped days", "currency hours", "weeks", "two days"],
)
def test_the_year_follows_the_market(opens, length, wanted):
    assert curve_of(opens, length).periods_per_year == wanted


def test_a_rare_saturday_session_does_not_make_a_stock_exchange_trade_every_day():
    opens = pd.bdate_range("2020-01-01", periods=500).append(pd.DatetimeIndex(["2021-01-30", "2021-02-28"]))
    assert curve_of(opens.sort_values(), DAY_NS).periods_per_year == 252.0


def test_real_markets(outside_data):
    spy = pd.read_parquet(outside_data / "stocks/us_daily/SPY.parquet")
    btc = pd.read_parquet(outside_data / "crypto/binance_spot_BTCUSDT_1h_2017_2024.parquet")
    assert curve_of(spy.timestamp, DAY_NS).periods_per_year == 252.0
    assert curve_of(btc.timestamp, HOUR_NS).periods_per_year == 365.0


def test_without_a_sample_there_is_no_year():
    assert isnan(infer_periods_per_year(np.array([0], np.int64)))


def test_midnight_belongs_to_the_day_that_ends_there():
    midnight = to_ns("2024-01-02")
    days = day_numbers(np.array([midnight - 1, midnight, midnight + 1], np.int64))
    assert days[0] == days[1] == days[2] - 1


def test_the_caller_may_know_the_calendar_better():
    recorder = EquityRecorder(100.0, 0)
    recorder.add(np.array([DAY_NS]), np.array([101.0]), np.array([True]))
    assert recorder.finish(periods_per_year=260).periods_per_year == 260.0
