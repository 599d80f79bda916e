from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cambist.data import load, open_source
from cambist.errors import DataError, InputError, MissingDependencyError
from cambist.model import to_ns

NINE = to_ns("2024-03-01T09:00:00")
HOUR = 3_600_000_000_000


def table_of(frame, times):
    return pa.table({"time": times, **{name: frame[name].to_numpy() for name in frame}})


@pytest.fixture
def write(tmp_path, frame):
    def write(times=None, *, name="BTC.parquet", rows=1_000, **columns):
        if times is None:
            times = pa.array(frame.index.as_unit("ms").asi8, pa.timestamp("ms", "UTC"))
        pq.write_table(table_of(frame.assign(**columns), times), tmp_path / name, row_group_size=rows)
        return tmp_path / name

    return write


def read_both_ways(path, **options):
    """Read a file at once and in blocks of two; both must say the same."""
    outcomes = []
    for read in (
        lambda: load(path, **options),
        lambda: list(open_source(path, **options).blocks(2)),
    ):
        with pytest.raises(DataError) as caught:
            read()
        outcomes.append(str(caught.value))
    return outcomes


def test_a_file_gives_its_bars(write, frame):
    bars = load(write())
    assert bars.ts.tolist() == [NINE + row * HOUR for row in range(5)]
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, name).tolist() == frame[name].tolist()
    assert str(bars) == "<Bars BTC 1h: 5 bars, 2024-03-01 09:00:00 UTC .. 2024-03-01 13:00:00 UTC>"


@pytest.mark.parametrize(
    "times",
    [
        pa.array([NINE + row * HOUR for row in range(5)], pa.timestamp("ns")),
        pa.array([NINE // 1_000 + row * HOUR // 1_000 for row in range(5)], pa.timestamp("us", "Asia/Tokyo")),
        pa.array([NINE // 10**9 + row * 3600 for row in range(5)], pa.timestamp("s")),
        pa.array([NINE // 10**6 + row * 3_600_000 for row in range(5)], pa.int64()),
        pa.array([NINE // 10**9 + row * 3600 for row in range(5)], pa.uint32()),
        pa.array([float(NINE // 10**9 + row * 3600) for row in range(5)], pa.float64()),
        pa.array([f"2024-03-01T{9 + row:02d}:00:00Z" for row in range(5)], pa.string()),
        pa.array([f"2024-03-01 {10 + row:02d}:00:00+01:00" for row in range(5)], pa.large_string()),
    ],
    ids=lambda times: str(times.type),
)
def test_times_of_every_type(write, times):
    path = write(times)
    expected = [NINE + row * HOUR for row in range(5)]
    assert load(path).ts.tolist() == expected
    assert [time for block in open_source(path).blocks(2) for time in block.ts.tolist()] == expected


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_dates(write, kind):
    bars = load(write(pa.array([date(2024, 3, day) for day in range(1, 6)], kind)))
    assert bars.ts.tolist() == [to_ns(f"2024-03-0{day}") for day in range(1, 6)]


def test_numbers_of_every_type(tmp_path, frame):
    table = pa.table(
        {
            "ts": pa.array(frame.index.asi8, pa.timestamp("us")),
            "Open": pa.array([10, 11, 12, 13, 14], pa.int32()),
            "High": pa.array(frame["high"].to_numpy(), pa.float32()),
            "Low": pa.array([Decimal(str(value)) for value in frame["low"]], pa.decimal128(10, 2)),
            "Close": frame["close"].to_numpy(),
            "V": pa.array([0, 100, 200, 300, 400], pa.uint64()),
        }
    )
    pq.write_table(table, tmp_path / "x.pq")
    bars = load(tmp_path / "x.pq")
    assert bars.close.tolist() == frame["close"].tolist()
    assert (bars.open.tolist(), bars.volume.tolist()) == ([10, 11, 12, 13, 14], [0, 100, 200, 300, 400])
    assert (bars.high.tolist(), bars.low.tolist()) == (frame["high"].tolist(), frame["low"].tolist())
    assert {column.dtype for column in bars.columns.values()} == {np.dtype(np.float64)}


def test_row_groups_and_slices_of_them_are_joined(write, frame):
    path = write(rows=2)
    assert pq.ParquetFile(path).num_row_groups == 3
    assert load(path).close.tolist() == frame["close"].tolist()
    for size in range(1, 7):
        blocks = list(open_source(path).blocks(size))
        assert max(len(block) for block in blocks) <= size
        assert [close for block in blocks for close in block.close.tolist()] == frame["close"].tolist()
    with pytest.raises(InputError, match="blocks of -1 rows"):
        open_source(path).blocks(-1)


def test_what_pandas_writes_is_read(frame, tmp_path):
    """With the index as a column of its name, or of none."""
    for name in (None, "ts", "Date"):
        frame.rename_axis(index=name).to_parquet(tmp_path / "x.parquet")
        assert load(tmp_path / "x.parquet").ts.tolist() == load(frame).ts.tolist()


def test_row_numbers_are_not_taken_for_times(frame, tmp_path):
    frame.set_axis([3, 4, 5, 7, 9]).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="no column for time"):
        load(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("close", 3, None), r"ASSET 1h: row 3 \(2024-03-01 12:00:00 UTC\): close is nan\. Fill or drop"),
        (("close", 3, 99.0), r"ASSET 1h: row 3 \(2024-03-01 12:00:00 UTC\): high 14\.5 is below close 99\.0"),
        (
            ("low", 4, -1.0),
            r"ASSET 1h: row 4 \(2024-03-01 13:00:00 UTC\): low is -1\.0, and a price must be above zero",
        ),
        (("volume", 2, -7.0), r"ASSET 1h: row 2 \(2024-03-01 11:00:00 UTC\): volume is -7\.0"),
    ],
)
def test_a_bad_value_is_named_at_once_and_in_blocks(write, frame, change, message):
    column, row, value = change
    values = frame[column].tolist()
    values[row] = value
    path = write(**{column: np.array(values, dtype=float)})
    for outcome in read_both_ways(path, symbol="ASSET"):
        assert re.search(f"^{re.escape(str(path))}: {message}", outcome), outcome


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ([0, 1, 2, 2, 3], r"row 3 \(2024-03-01 11:00:00 UTC\): its time repeats"),
        ([0, 1, 1, 2, 3], r"row 2 \(2024-03-01 10:00:00 UTC\): its time repeats"),
        ([0, 1, 2, 1.5, 3], r"row 3 \(2024-03-01 10:30:00 UTC\): its time comes before"),
        ([0, 1, 0.5, 2, 3], r"row 2 \(2024-03-01 09:30:00 UTC\): its time comes before"),
        ([0, 1, 1.5, 2.5, 3.5], r"row 2 \(2024-03-01 10:30:00 UTC\)(:? it)? opens before"),
    ],
)
def test_bad_order_is_named_inside_and_between_blocks(write, hours, message):
    path = write(pa.array([NINE + int(hour * HOUR) for hour in hours], pa.timestamp("ns")))
    for outcome in read_both_ways(path):
        assert re.search(message, outcome), outcome


def test_a_missing_time_is_named(write):
    times = pa.array([NINE, NINE + HOUR, None, NINE + 3 * HOUR, NINE + 4 * HOUR], pa.timestamp("ns"))
    for outcome in read_both_ways(write(times), timeframe="1h"):
        assert "row 2: the time is missing (null)" in outcome


def test_types_that_are_no_times_or_numbers_are_refused(write):
    with pytest.raises(DataError, match=r"the times are of type bool"):
        load(write(pa.array([True] * 5)))
    with pytest.raises(DataError, match=r"column close is of type (large_)?string\. Write it as numbers"):
        load(write(close=["11"] * 5))


@pytest.mark.parametrize("keep", [0, 3, 100, -1, -100])
def test_a_file_cut_off_is_refused(write, keep):
    path = write()
    path.write_bytes(path.read_bytes()[:keep])
    for outcome in read_both_ways(path):
        assert outcome.startswith(f"{path}: this is no whole Parquet file ({path.stat().st_size:,} bytes): ")
        assert "cut off: do that again" in outcome


def test_a_file_with_a_hole_is_refused(write):
    """Its end is there, its pages are not what the end says."""
    path = write()
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)
    for outcome in read_both_ways(path):
        assert outcome.startswith(f"{path}: this is no whole Parquet file")


def test_a_file_without_rows_is_refused(write, frame, tmp_path):
    path = tmp_path / "none.parquet"
    pq.write_table(pq.read_table(write()).slice(0, 0), path)
    for outcome in read_both_ways(path):
        assert f"{path}: the file holds no rows" in outcome


def test_a_missing_column_is_named(tmp_path):
    pd.DataFrame({"timestamp": [1], "price": [2.0]}).to_parquet(tmp_path / "trades.parquet")
    for outcome in read_both_ways(tmp_path / "trades.parquet"):
        assert "no column for open, high, low, close. Found: 'timestamp', 'price'" in outcome


def test_without_pyarrow_the_package_is_named(write, monkeypatch):
    source = open_source(write())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"BTC\.parquet: .*pip install 'cambist\[parquet\]'"):
        source.load()


def test_reading_parquet_imports_no_pandas(write):
    program = (
        "import sys; from cambist.data import load, open_source\n"
        "assert not {'pandas', 'pyarrow', 'talib', 'pydantic', 'click', 'rich'} & set(sys.modules)\n"
        "bars = load(sys.argv[1]); load(bars); list(open_source(sys.argv[1]).blocks(2))\n"
        "print(len(bars), 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, write()], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5", "False"]


def test_blocks_take_no_more_memory_from_a_longer_file(tmp_path):
    """Even when the whole file is one row group."""
    program = (
        "import sys, pyarrow as pa; from cambist.data import open_source\n"
        "rows = sum(len(block) for block in open_source(sys.argv[1]).blocks(20_000))\n"
        "print(rows, pa.default_memory_pool().max_memory())"
    )
    peaks = []
    for rows in (150_000, 1_200_000):
        price = np.random.default_rng(3).uniform(10, 20, rows)
        table = {"ts": np.arange(rows) * 60 + 1_500_000_000, "open": price, "high": price, "low": price, "close": price}
        path = tmp_path / f"{rows}.parquet"
        pq.write_table(pa.table(table), path, row_group_size=rows)
        done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
        read, peak = map(int, done.stdout.split())
        assert read == rows
        peaks.append(peak)
    assert peaks[1] < 1.5 * peaks[0]
