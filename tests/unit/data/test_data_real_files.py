"""Real files, read by us and by pandas: they must agree to the last bit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cambist.data import concatenate, load, open_source
from cambist.errors import DataError
from cambist.model import COLUMNS, Timeframe

FOLDER = os.environ.get("CAMBIST_TEST_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CAMBIST_TEST_DATA names no folder of real market data")
FILES = sorted(Path(FOLDER or ".").glob("crypto/*.parquet")) if FOLDER else [Path("none")]
#: What a file of that name must be told to be of.
TIMEFRAMES = {"_1m": "1m", "_5m": "5m", "_1h": "1h"}


def name_of(path):
    return path.stem


def expected_timeframe(path):
    return next(Timeframe.parse(text) for part, text in TIMEFRAMES.items() if part in path.name)


@pytest.mark.parametrize("path", [path for path in FILES if "trades" not in path.name], ids=name_of)
def test_bars_equal_what_pandas_reads(path):
    frame = pd.read_parquet(path)
    times = frame["timestamp"].dt.tz_convert("UTC").dt.as_unit("ns").astype("int64")
    at_once = load(path)
    assert at_once.timeframe == expected_timeframe(path)
    for bars in (at_once, concatenate(open_source(path).blocks(10_000)), load(frame)):
        assert np.array_equal(bars.ts, times)
        for name in COLUMNS:
            assert np.array_equal(getattr(bars, name), frame[name]), name


@pytest.mark.parametrize("path", [path for path in FILES if "trades" in path.name], ids=name_of)
def test_single_trades_are_no_bars(path):
    with pytest.raises(DataError, match=r"no column for open, high, low, close\. Found: 'timestamp', 'price'"):
        load(path)


def test_a_raw_download_is_refused_at_its_first_fault():
    path = Path(FOLDER) / "crypto" / "defects" / "yahoo_BTC-USD_15m_raw.csv.gz"
    frame = pd.read_csv(path)
    times = pd.to_datetime(frame["Datetime"], utc=True)
    row = int(np.flatnonzero(times.diff() <= pd.Timedelta(0))[0])
    assert str(frame["Datetime"][row]) == "2021-10-27 06:00:00+00:00"
    fault = rf"\({times[row]:%Y-%m-%d %H:%M:%S} UTC\): its time comes before"
    with pytest.raises(DataError, match=rf"^{path}: .* line {row + 2} {fault}"):
        load(path, timeframe="15m")
    with pytest.raises(DataError, match=rf"row {row} {fault}"):
        load(frame, timeframe="15m")


def outcome(path):
    try:
        return len(load(path, timeframe="1h"))
    except DataError as error:
        return str(error)


def test_defective_files_load_whole_or_are_refused_by_line():
    files = sorted((Path(FOLDER) / "stocks" / "defects").glob("*.csv.gz"))
    outcomes = {path: outcome(path) for path in files}
    for path, found in outcomes.items():
        if isinstance(found, str):
            assert found.startswith(f"{path}: ")
            assert "line " in found
        else:
            assert found == len(pd.read_csv(path))
    assert {type(found) for found in outcomes.values()} == {str, int}
