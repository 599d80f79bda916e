from __future__ import annotations

import pytest

from cambist.data import load, open_source
from cambist.errors import DataError, InputError
from cambist.model import Instrument


def test_bars_are_returned_as_they_are(frame):
    bars = load(frame)
    assert load(bars) is bars
    assert load(bars, symbol="ASSET", timeframe="1h", instrument=bars.instrument) is bars


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"symbol": "SPY"}, r"the bars are of 'ASSET'; symbol='SPY' cannot change that"),
        ({"timeframe": "4h"}, r"the bars are of 1h; timeframe='4h' cannot change that"),
        ({"instrument": Instrument(symbol="ASSET", tick_size="0.01")}, r"an instrument .*attrs\.evolve"),
    ],
)
def test_bars_know_what_they_are(frame, options, message):
    with pytest.raises(DataError, match=message):
        load(load(frame), **options)


@pytest.mark.parametrize("option", [{"symbol": "SPY"}, {"timeframe": "4h"}, {"instrument": Instrument(symbol="X")}])
def test_a_source_knows_what_it_is(frame, option):
    with pytest.raises(DataError, match=rf"leave {next(iter(option))}= out"):
        open_source(open_source(load(frame)), **option)


def test_an_opened_source_is_not_wrapped_again(frame):
    source = open_source(load(frame))
    assert open_source(source) is source


def test_a_timeframe_that_is_none_is_refused(frame):
    with pytest.raises(InputError, match="'1x' is no timeframe"):
        load(frame, timeframe="1x")


def test_paths_are_texts_or_path_objects(frame, tmp_path):
    path = tmp_path / "SPY.daily.csv"
    frame.to_csv(path)
    assert load(str(path)).instrument.symbol == load(path).instrument.symbol == "SPY"
    assert load(path, symbol="QQQ").instrument.symbol == "QQQ"
    upper = tmp_path / "SPY.CSV"
    frame.to_csv(upper)
    assert len(load(upper)) == 5


@pytest.mark.parametrize("name", ["bars.xlsx", "bars.h5", "bars"])
def test_an_unknown_kind_of_file_lists_the_known(tmp_path, name):
    with pytest.raises(DataError) as caught:
        load(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: files ending in ")
    assert ".csv, .csv.gz, .csv.bz2, .csv.zip, .parquet, .pq, .arrow, .feather, .jsonl" in str(caught.value)


def test_a_file_that_is_not_there_suggests_the_nearest(frame, tmp_path):
    frame.to_csv(tmp_path / "AAPL.csv")
    with pytest.raises(DataError, match=r"APPL\.csv: there is no such file\. .*Did you mean 'AAPL\.csv'\?"):
        load(tmp_path / "APPL.csv")
    with pytest.raises(DataError, match=r"no such file, nor a folder"):
        load(tmp_path / "dat" / "AAPL.csv")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "x.parquet").mkdir()
    with pytest.raises(DataError, match=r"x\.parquet: this is a folder"):
        load(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"there is a folder of that name"):
        load(tmp_path)


def test_a_file_removed_after_it_was_opened_is_named(frame, tmp_path):
    for name, write in (("x.csv", frame.to_csv), ("x.parquet", frame.to_parquet)):
        write(tmp_path / name)
        source = open_source(tmp_path / name)
        (tmp_path / name).unlink()
        with pytest.raises(DataError, match=rf"{name}: the file cannot be opened"):
            source.load()


@pytest.mark.parametrize("thing", [None, 5, [1, 2], object()])
def test_what_holds_no_bars_is_refused(thing):
    with pytest.raises(DataError, match=rf"bars cannot be made of a {type(thing).__name__}\. Give Bars, a DataFrame"):
        load(thing)


def test_other_frames_are_told_how_to_convert():
    class Polars:
        def to_pandas(self):
            raise NotImplementedError

    with pytest.raises(DataError, match=r"Convert it with \.to_pandas\(\) first"):
        load(Polars())
