"""Files damaged at random: bars come out, or a `DataError` that names the file. Nothing else, whatever the damage."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.data import concatenate, load, open_source
from cambist.errors import DataError

PRICES = np.round(100 + np.random.default_rng(5).standard_normal(60).cumsum(), 2)
FRAME = pd.DataFrame(
    {"open": PRICES, "high": PRICES + 1, "low": PRICES - 1, "close": PRICES + 0.25, "volume": np.arange(60.0)},
    index=pd.date_range("2024-03-01", periods=60, freq="1min", tz="UTC", name="time"),
)
CSV = FRAME.to_csv().encode()


def parquet():
    buffer = io.BytesIO()
    FRAME.reset_index().to_parquet(buffer)
    return buffer.getvalue()


PARQUET = parquet()
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["put", "cut", "end", "twice"]), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=3,
)
TEXT_DAMAGE = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["put", "cut", "end", "twice"]),
        st.text('0123456789-+.:,;eE"\n\r\t nainfZT_\x00', min_size=1, max_size=8).map(str.encode),
    ),
    min_size=1,
    max_size=3,
)


def damaged(data, damage):
    for where, what, filling in damage:
        place = int(where * len(data))
        if what == "put":
            data = data[:place] + filling + data[place + len(filling) :]
        elif what == "cut":
            data = data[:place] + data[place + len(filling) :]
        elif what == "end":
            data = data[:place]
        else:
            data = data[: place + 40] + data[place:]
    return data


def outcome(path, read):
    try:
        return read(), f"{path}: "
    except DataError as error:
        return None, str(error)


def check(path):
    at_once, first = outcome(path, lambda: load(path, timeframe="1m"))
    in_blocks, second = outcome(path, lambda: concatenate(open_source(path, timeframe="1m").blocks(7)))
    assert first.startswith(f"{path}: ")
    assert second.startswith(f"{path}: ")
    assert (at_once is None) == (in_blocks is None)
    if at_once is not None:
        assert at_once.ts.tolist() == in_blocks.ts.tolist()
        assert at_once.close.tolist() == in_blocks.close.tolist()
    return at_once


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@settings(deadline=None, max_examples=150)
@given(damage=st.one_of(DAMAGE, TEXT_DAMAGE))
def test_a_damaged_csv_file_gives_bars_or_an_error_that_names_it(folder, damage):
    path = folder / "x.csv"
    path.write_bytes(damaged(CSV, damage))
    bars = check(path)
    if bars is not None:
        with path.open(encoding="utf-8-sig", newline="") as text:
            lines = [line for line in csv.reader(text, skipinitialspace=True) if any(field.strip() for field in line)]
        place = [name.strip().lower()[:1] for name in lines[0]].index("c")
        assert bars.close.tolist() == [float(line[place]) for line in lines[1:]]


@settings(deadline=None, max_examples=150)
@given(damage=DAMAGE)
def test_a_damaged_parquet_file_gives_bars_or_an_error_that_names_it(folder, damage):
    path = folder / "x.parquet"
    path.write_bytes(damaged(PARQUET, damage))
    check(path)
