"""Real market data, written in the forms of archives and vendors and read back."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cambist.data import load, open_csv, open_csv_ticks, open_ticks, tick_bars
from cambist.model import to_ns


@pytest.fixture
def real():
    folder = os.environ.get("CAMBIST_TEST_DATA")
    if not folder:
        pytest.skip("CAMBIST_TEST_DATA names no folder of market data")
    return Path(folder)


def test_a_month_of_minutes_in_the_form_of_the_archive(real, tmp_path):
    path = real / "crypto" / "binance_spot_BTCUSDT_1m.parquet"
    expected = load(path)
    for unit in (1_000_000, 1_000):
        opens = expected.ts // unit
        rows = pd.DataFrame({"time": opens, **expected.columns, "close_time": opens + 60_000_000_000 // unit - 1})
        for name in ("quote", "count", "taker", "taker_quote", "ignore"):
            rows[name] = 0
        with zipfile.ZipFile(tmp_path / "BTCUSDT-1m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("BTCUSDT-1m.csv", rows.to_csv(index=False, header=False))
        bars = open_csv(tmp_path / "BTCUSDT-1m.zip", dialect="binance").load()
        assert np.array_equal(bars.ts, expected.ts)
        for name, column in expected.columns.items():
            assert np.array_equal(bars.columns[name], column), name


def test_trades_in_the_form_of_the_archive_make_the_exchanges_own_bar(real, tmp_path):
    ticks = open_ticks(real / "ticks" / "binance_spot_BTCUSDT_2024-08-08_trades.parquet").load()
    rows = pd.DataFrame(
        {
            "id": 1,
            "price": ticks.price,
            "qty": ticks.size,
            "quote": 0,
            "time": ticks.ts // 1_000,
            "maker": "True",
            "b": "True",
        }
    )
    rows.to_csv(tmp_path / "BTCUSDT-trades.csv", index=False, header=False)
    bars = tick_bars(open_csv_ticks(tmp_path / "BTCUSDT-trades.csv", dialect="binance-trades"), "5m").load()
    last = int(np.searchsorted(bars.ts, to_ns("2024-08-08T23:55")))
    found = [float(bars.columns[name][last]) for name in ("open", "high", "low", "close")]
    assert found == [61828.00, 61860.80, 61583.22, 61685.99]
    assert bars.volume[last] == pytest.approx(199.42863, abs=1e-6)


def test_a_share_bars_are_stamped_by_their_end_in_china(real, tmp_path):
    frame = pd.read_parquet(real / "stocks" / "cn_daily_qfq" / "000338_5m_qfq.parquet").iloc[:480]
    time = next(name for name in frame if str(name) in {"timestamp", "time", "date", "datetime"})
    frame[[time, "open", "high", "low", "close", "volume"]].to_csv(tmp_path / "000338.csv", index=False)
    bars = open_csv(tmp_path / "000338.csv", label="close", tz="Asia/Shanghai", columns={"time": str(time)}).load()
    assert str(bars.timeframe) == "5m"
    opens = pd.DatetimeIndex(bars.ts.astype("datetime64[ns]"), tz="UTC").tz_convert("Asia/Shanghai")
    clocks = opens.strftime("%H:%M")
    assert (clocks[0], clocks[23], clocks[24], clocks[47]) == ("09:30", "11:25", "13:00", "14:55")
    assert np.array_equal(bars.close, frame["close"].to_numpy())
