from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.data import concatenate, load, open_source
from cambist.model import COLUMNS, Bars, Instrument, Timeframe

INSTRUMENT = Instrument(symbol="XYZ")
PRICES = st.floats(1e-9, 1e9, allow_nan=False)
#: From 1990 on: earlier counts of milliseconds could be seconds.
STARTS = st.integers(631_152_000, 4_102_444_800)


@st.composite
def series(draw):
    """Draw bars with gaps; at least half of the steps are of one timeframe, so that it can be told."""
    timeframe = Timeframe.parse(draw(st.sampled_from(["1s", "1m", "15m", "1h", "1d", "1w"])))
    count = draw(st.integers(2, 25))
    gaps = draw(st.lists(st.integers(2, 9), max_size=(count - 1) // 3))
    steps = np.array([*gaps, *[1] * (count - 1 - len(gaps))], dtype=np.int64)
    steps = steps[np.random.default_rng(draw(st.integers(0, 99))).permutation(len(steps))]
    ts = draw(STARTS) * 10**9 + timeframe.ns * np.concatenate([[0], steps.cumsum()])
    rows = [sorted(draw(st.tuples(PRICES, PRICES, PRICES, PRICES))) for _ in range(count)]
    low, one, other, high = (np.array(column) for column in zip(*rows, strict=True))
    volume = np.array(draw(st.lists(st.floats(0, 1e12), min_size=count, max_size=count)))
    turned = draw(st.booleans())
    return Bars(INSTRUMENT, timeframe, ts, other if turned else one, high, low, one if turned else other, volume)


def assert_same(found, expected):
    assert found.timeframe == expected.timeframe
    assert found.ts.tolist() == expected.ts.tolist()
    for name in COLUMNS:
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name


@settings(deadline=None)
@given(series(), st.sampled_from(["s", "ms", "us", "ns"]))
def test_frames_give_back_what_they_were_made_of(bars, unit):
    frame = bars.to_frame()
    assert_same(load(frame, instrument=INSTRUMENT), bars)
    frame.index = frame.index.as_unit(unit)
    assert_same(load(frame, instrument=INSTRUMENT), bars)
    assert_same(load(frame.reset_index(), instrument=INSTRUMENT), bars)
    counted = frame.reset_index(drop=True).assign(ts=frame.index.asi8)
    assert_same(load(counted, instrument=INSTRUMENT), bars)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("round_trips")


@settings(deadline=None, max_examples=60)
@given(bars=series(), size=st.integers(1, 30), packing=st.sampled_from(["", ".gz", ".bz2", ".zip"]))
def test_csv_gives_back_what_was_written_whatever_the_size_of_the_blocks(folder, bars, size, packing):
    path = folder / f"XYZ.csv{packing}"
    bars.to_frame().to_csv(path)
    assert_same(load(path), bars)
    blocks = list(open_source(path).blocks(size))
    assert {len(block) for block in blocks[:-1]} <= {size}
    assert_same(concatenate(blocks), bars)


@settings(deadline=None, max_examples=60)
@given(bars=series(), size=st.integers(1, 30), group=st.integers(1, 30), unit=st.sampled_from(["s", "ms", "us", "ns"]))
def test_parquet_gives_back_what_was_written_whatever_the_size_of_the_blocks(folder, bars, size, group, unit):
    path = folder / "XYZ.parquet"
    times = pa.array(bars.ts, pa.timestamp("ns", "UTC")).cast(pa.timestamp(unit, "UTC"))
    pq.write_table(pa.table({"ts": times, **bars.columns}), path, row_group_size=group, version="2.6")
    assert_same(load(path), bars)
    blocks = list(open_source(path).blocks(size))
    assert max(len(block) for block in blocks) <= size
    assert_same(concatenate(blocks), bars)


@settings(deadline=None)
@given(series(), st.integers(1, 30))
def test_blocks_in_memory_put_together_are_the_bars(bars, size):
    assert_same(concatenate(open_source(bars).blocks(size)), bars)
