"""Bars of real files, made of faster ones of the same market, against the exchange's own."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cambist import load, load_calendar, open_ticks, tick_bars, weekly_calendar
from cambist.data import ResampledBars, open_source, resample

FOLDER = os.environ.get("CAMBIST_TEST_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CAMBIST_TEST_DATA names no folder of real market data")


def file(name):
    return Path(FOLDER) / name


def equal_where_both_are(made, own):
    """Compare on common times; return how many. Prices to the bit, volumes to what adding decimals as doubles costs."""
    common, ours, theirs = np.intersect1d(made.ts, own.ts, return_indices=True)
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(made, name)[ours], getattr(own, name)[theirs]), name
    np.testing.assert_allclose(made.volume[ours], own.volume[theirs], rtol=1e-9, atol=1e-6)
    return len(common)


@pytest.mark.parametrize(
    ("fast", "slow", "timeframe", "count"),
    [
        ("binance_spot_BTCUSDT_1m", "binance_spot_BTCUSDT_5m", "5m", 8639),
        ("binance_spot_BTCUSDT_5m", "binance_spot_BTCUSDT_1h_2017_2024", "1h", 1239),
    ],
)
def test_they_are_the_exchange_s_own(fast, slow, timeframe, count):
    bars, own = load(file(f"crypto/{fast}.parquet")), load(file(f"crypto/{slow}.parquet"))
    assert equal_where_both_are(resample(bars, timeframe, incomplete="drop"), own) == count


def test_trades_make_the_exchange_s_own_bar():
    trades = open_ticks(file("ticks/binance_spot_BTCUSDT_2024-08-08_trades.parquet"), symbol="BTCUSDT")
    own = load(file("crypto/binance_spot_BTCUSDT_5m.parquet"))
    made = tick_bars(trades, "5m").load()
    wanted = own.between(int(made.ts[0]), int(made.ts[-1]) + 1)
    row = int(np.flatnonzero(made.ts == pd.Timestamp("2024-08-08 23:55", tz="UTC").value)[0])
    assert equal_where_both_are(made[row : row + 1], wanted) == 1


def test_blocks_of_a_file_make_what_the_file_makes():
    path = file("crypto/binance_spot_BTCUSDT_5m.parquet")
    whole, source = resample(load(path), "4h"), ResampledBars(open_source(path), "4h")
    made = source.load()
    assert made.ts.tolist() == whole.ts.tolist()
    assert all(getattr(made, name).tolist() == column.tolist() for name, column in whole.columns.items())


def test_days_of_shanghai_from_bars_that_were_stamped_by_their_end():
    """Five-minute bars of one stock, with a break at noon, against the days of another file of the same source."""
    frame = pd.read_parquet(file("stocks/cn_daily_qfq/000338_5m_qfq.parquet"))
    frame = frame[: np.flatnonzero(frame["timestamp"].astype(str) < "2019-11-04")[-1] + 1]  # that day has odd minutes
    time = next(name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name]))
    ends = frame[time]
    opens = (ends if ends.dt.tz is not None else ends.dt.tz_localize("Asia/Shanghai")) - pd.Timedelta(minutes=5)
    bars = load(frame.drop(columns=[time]).assign(ts=opens), timeframe="5m", symbol="000338")
    market = weekly_calendar(
        "SZSE", "9:30-11:30, 13:00-15:00", tz="Asia/Shanghai", start="2007-01-01", end="2020-12-31"
    )
    days, halves = resample(bars, "session", calendar=market), resample(bars, "2h", calendar=market)
    by_day = frame.groupby(ends.dt.date)
    assert days.high.tolist() == by_day["high"].max().tolist()
    assert days.close.tolist() == by_day["close"].last().tolist()
    assert len(halves) == 2 * len(days)
    hours = pd.DatetimeIndex(halves.ts.view("datetime64[ns]"), tz="UTC").tz_convert("Asia/Shanghai")
    assert sorted(set(hours.strftime("%H:%M"))) == ["09:30", "13:00"]


def test_sessions_of_new_york_close_early_where_the_exchange_does():
    pytest.importorskip("exchange_calendars", reason="exchange_calendars is not installed")
    bars = load(file("crypto/binance_spot_BTCUSDT_5m.parquet"))
    days = resample(bars, "session", calendar=load_calendar("XNYS", "2024-01-01", "2025-12-31"))
    lengths = (days.close_times - days.ts) / 3.6e12
    by_date = dict(zip(pd.DatetimeIndex(days.ts.view("datetime64[ns]")).strftime("%Y-%m-%d"), lengths, strict=True))
    assert by_date["2024-11-29"] == 3.5  # the day after Thanksgiving
    assert by_date["2024-11-27"] == 6.5
    assert "2024-11-28" not in by_date
