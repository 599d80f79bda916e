"""Bars and trades from arrays, Arrow tables, Arrow files and JSON lines: the same as from a DataFrame."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cambist.data import load, open_quotes, open_source, open_ticks
from cambist.errors import DataError
from cambist.model import to_ns


def same(bars, frame):
    expected = load(frame)
    assert np.array_equal(bars.ts, expected.ts)
    for name, column in expected.columns.items():
        assert np.array_equal(bars.columns[name], column), name
    return True


def plain(frame):
    return frame.rename_axis("time").reset_index()


def structured(frame):
    rows = plain(frame)
    rows["time"] = rows["time"].dt.tz_localize(None).to_numpy()
    return rows.to_records(index=False)


def matrix(frame):
    times = frame.index.as_unit("ms").asi8.astype(float)
    return np.column_stack([times, frame.to_numpy()])


def by_name(frame):
    return {"time": frame.index.as_unit("us").asi8, **{name: frame[name].to_numpy() for name in frame}}


class Stream:
    """Nothing but the interface."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


FORMS = {
    "polars": lambda frame: pl.DataFrame(plain(frame).to_dict("series")),
    "polars texts": lambda frame: pl.DataFrame(
        {"time": [at.isoformat() for at in frame.index], **{name: frame[name].to_list() for name in frame}}
    ),
    "pyarrow": lambda frame: pa.Table.from_pandas(plain(frame)),
    "arrow stream": lambda frame: Stream(pa.Table.from_pandas(plain(frame))),
    "structured array": structured,
    "array": matrix,
    "arrays by name": by_name,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [None, 1, 2, 5])
def test_every_form_gives_the_bars_of_the_frame(frame, form, size):
    source = open_source(FORMS[form](frame))
    if size is None:
        assert same(source.load(), frame)
        return
    blocks = list(source.blocks(size))
    assert max(map(len, blocks)) <= size
    assert same(type(blocks[0]).joined(blocks), frame)


def feather(frame, path):
    import pyarrow.feather

    pyarrow.feather.write_feather(pa.Table.from_pandas(plain(frame)), path, compression="zstd", chunksize=2)


def stream_file(frame, path):
    table = pa.Table.from_pandas(plain(frame))
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, 3)


def json_objects(frame, path):
    rows = [
        json.dumps({"time": at.isoformat(), **{name: str(value) for name, value in row.items()}})
        for at, row in frame.iterrows()
    ]
    path.write_text("\n\n".join(rows) + "\n")


def json_lists(frame, path):
    rows = [json.dumps([int(at.timestamp() * 1000), *row.tolist(), "more"]) for at, row in frame.iterrows()]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))


FILES = {"a.feather": feather, "a.arrow": stream_file, "a.jsonl": json_objects, "a.jsonl.gz": json_lists}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [None, 1, 2, 5])
def test_every_file_gives_the_bars_of_the_frame(frame, tmp_path, name, size):
    FILES[name](frame, tmp_path / name)
    source = open_source(tmp_path / name)
    blocks = [source.load()] if size is None else list(source.blocks(size))
    assert same(type(blocks[0]).joined(blocks), frame)


@pytest.mark.parametrize("name", ["a.feather", "a.arrow"])
def test_a_half_written_arrow_file_is_told(frame, tmp_path, name):
    path = tmp_path / name
    FILES[name](frame, path)
    whole = path.read_bytes()
    for kept in range(0, len(whole) - 10, 7):
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError, match=f"{name}: ") as caught:
            load(path, timeframe="1h")
        assert "cut off" in str(caught.value) or "no rows" in str(caught.value) or "no column" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-20], r"line 5 is no JSON: .*cut off"),
        (lambda text: text.replace('"high"', '"hi"'), "no column for high"),
        (lambda text: text.replace('"hi', '"ho', 1), "line 2 has no 'hogh', which the lines before it have"),
        (lambda text: text.replace("14.5", "fourteen"), r"line 4: high is 'fourteen', which is no number"),
        (lambda text: text.replace('"14.5"', "5"), r"line 4 .*high 5.0 is below"),
        (lambda text: "7\n" + text, "line 1 is int"),
        (lambda text: text + "[1,2,3,4,5,6]\n", "line 6 is not like those before it"),
        (lambda _: "\n\n", "no rows|cannot be told from 0 bars"),
    ],
)
def test_json_lines_with_a_mistake_name_the_line(frame, tmp_path, change, message):
    path = tmp_path / "a.jsonl"
    json_objects(frame, path)
    path.write_text(change(path.read_text().replace("\n\n", "\n")))
    for read in (load, lambda path: list(open_source(path).blocks(1))):
        with pytest.raises(DataError, match=message):
            read(path)


def test_lines_are_counted_with_those_that_are_blank(frame, tmp_path):
    path = tmp_path / "a.jsonl"
    json_objects(frame, path)
    path.write_text(path.read_text().replace('"14.5"', "5"))
    with pytest.raises(DataError, match="line 7 "):
        list(open_source(path).blocks(2))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (np.zeros((3, 4)), r"shape \(3, 4\)"),
        ({"open": [1.0]}, "no column for time, high, low, close"),
        ({"time": [1, 2], "open": [1.0]}, "differ in length"),
        ({"time": np.zeros((2, 2))}, "one dimension"),
        (by_name(pd.DataFrame(columns=["open", "high", "low", "close"], index=pd.DatetimeIndex([]))), "no rows|0 bars"),
        ({"time": [1.7e18], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]}, "does not hold nanoseconds"),
    ],
)
def test_arrays_that_are_no_bars(arrays, message):
    with pytest.raises(DataError, match=message):
        load(arrays)


def test_an_instrument_and_a_timeframe_go_with_any_table(frame):
    bars = load(FORMS["polars"](frame.iloc[:1]), symbol="SPY", timeframe="4h")
    assert (bars.instrument.symbol, str(bars.timeframe)) == ("SPY", "4h")


TRADES = {"time": ["2024-03-01T09:30:00Z", "2024-03-01T09:30:00.5Z"], "price": [10.0, 10.5], "size": [1.0, 2.0]}


def test_trades_and_quotes_from_tables_and_lines(tmp_path):
    sided = {**TRADES, "side": ["buy", "sell"]}
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(dict(zip(sided, row, strict=True))) + "\n" for row in zip(*sided.values())))  # noqa: B905
    arrow = tmp_path / "a.arrow"
    pa.Table.from_pydict(sided)
    with pa.OSFile(str(arrow), "wb") as file, pa.ipc.new_file(file, pa.Table.from_pydict(sided).schema) as writer:
        writer.write_table(pa.Table.from_pydict(sided), 1)
    for source in (sided, pl.DataFrame(sided), lines, arrow):
        opened = open_ticks(source)
        for ticks in (opened.load(), next(iter(opened.blocks(2)))):
            assert (ticks.ts - to_ns("2024-03-01T09:30")).tolist()[0] == 0
            assert ticks.price.tolist()[:1] == [10.0]
            assert ticks.side.tolist()[:1] == [1]
        assert opened.load().ts.tolist()[1] == to_ns("2024-03-01T09:30") + 500_000_000
    quotes = open_quotes({"time": TRADES["time"], "bid": [1.0, 2.0], "ask": [3.0, 4.0]}).load()
    assert quotes.ask.tolist() == [3.0, 4.0]
    backwards = {name: values[::-1] for name, values in TRADES.items()}
    with pytest.raises(DataError, match="row 1"):
        list(open_ticks(backwards).blocks(1))
    with pytest.raises(DataError, match="which column is which"):
        open_ticks(np.zeros((2, 3)))
