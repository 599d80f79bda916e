"""Loading a result that is not there, foreign, newer, older, damaged or changed: which file, and what to do."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import cambist
from cambist.backtest.export import checksum
from cambist.errors import MissingDependencyError, ParameterError, ResultError
from cambist.strategies.examples.sma_cross import SmaCross

FORMATS = ["csv", "parquet", "json"]


@pytest.fixture
def result(run, bars):
    """A result with a few trades, one of them open."""

    def trade(self, _bar):
        (self.buy if self.bar % 3 == 0 else self.close)()

    return run(bars(100.0 + np.arange(17) % 5, kind="equity"), on_bar=trade, fees=0.001, benchmark=True)


def refusal(folder):
    with pytest.raises(ResultError) as caught:
        cambist.load_result(folder)
    return str(caught.value)


def change(folder, **what):
    """Change keys of a document; None takes one out."""
    path = folder / "result.json"
    said = {**json.loads(path.read_text()), **what}
    path.write_text(json.dumps({key: value for key, value in said.items() if value is not None}))


def forge(folder, name, old, new):
    """Change a table and make its checksum right."""
    path = next(folder.glob(f"{name}.*"))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    said = json.loads((folder / "result.json").read_text())["tables"]
    said[name]["crc32"] = checksum(path)
    change(folder, tables=said)


@pytest.mark.parametrize("place", ["nowhere", "empty", "file"])
def test_no_result_there(tmp_path, place):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    told = refusal(tmp_path / place)
    assert told == (
        f"{tmp_path / place / 'result.json'}: there is no such file. "
        "Give a folder that result.save or cambist backtest --out has written."
    )


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema_version": "2"}', '{"schema_version": 2}', "3"])
def test_json_of_others(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    assert "result.json: this is JSON, but not of a result of Cambist. Give a folder" in refusal(tmp_path)


def test_a_newer_and_an_older_format(result, tmp_path):
    change(result.save(tmp_path), schema_version=4, cambist_version="9.1")
    assert "result.json: Cambist 9.1 wrote it in version 4 of the format; this one reads up to 3." in refusal(tmp_path)
    change(tmp_path, schema_version=1, cambist_version="0.0.9")
    assert "version 1 of the format, which did not hold all" in refusal(tmp_path)
    assert "Run the backtest again" in refusal(tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_every_file_that_is_cut_off_missing_or_bent_is_named(result, tmp_path, name):
    files = sorted(path.name for path in result.save(tmp_path, name).iterdir())
    assert len(files) == 11
    for file in files:
        path = tmp_path / file
        whole = path.read_bytes()
        for broken in (whole[: len(whole) // 2], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
            path.write_bytes(broken)
            told = refusal(tmp_path)
            assert told.startswith(f"{path}: ")
            assert "damaged, or was changed" in told
            assert told.endswith("Take an unchanged copy of the folder, or run the backtest again and save it.")
        path.unlink()
        assert refusal(tmp_path).startswith(f"{path}: ")
        path.write_bytes(whole)
    assert cambist.load_result(tmp_path).run_id == result.run_id


@pytest.mark.parametrize("name", FORMATS)
def test_the_bars_that_were_played_come_back(bars, tmp_path, name):
    result = cambist.backtest(SmaCross(fast=2, slow=4), bars(100.0 + np.arange(17) % 5), cash=1_000)
    (one,), (again,) = result.played, cambist.load_result(result.save(tmp_path, name)).played
    assert (again.bars.instrument, again.bars.timeframe) == (one.bars.instrument, one.bars.timeframe)
    assert np.array_equal(again.bars.ts, one.bars.ts)
    for column, values in one.bars.columns.items():
        assert np.array_equal(again.bars.columns[column], values)
    assert [(line.strategy, line.name) for line in again.lines] == [(line.strategy, line.name) for line in one.lines]
    assert one.lines
    for line, kept in zip(one.lines, again.lines, strict=True):
        assert np.array_equal(line.values, kept.values, equal_nan=True)


def test_a_key_that_is_missing_is_named(result, tmp_path):
    result.save(tmp_path)
    whole = (tmp_path / "result.json").read_text()
    unread = {"cambist_version", "schema_version", "summary", "measures", "buy_and_hold", "open_trades"}
    older = json.loads(whole)
    del older["analyzers"]  # as it was written before run files could name measures
    (tmp_path / "result.json").write_text(json.dumps(older))
    assert cambist.load_result(tmp_path).measured == ()
    (tmp_path / "result.json").write_text(whole)
    for key in json.loads(whole).keys() - unread - {"analyzers"}:
        change(tmp_path, **{key: None})
        assert f"result.json: the key '{key}' is missing" in refusal(tmp_path)
        (tmp_path / "result.json").write_text(whole)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"warnings": 3}, "something in it is not what a result holds"),
        ({"data": []}, "something in it is not what a result holds"),
        ({"non_finite": {"/account/nothing/there": "nan"}}, "result.json: "),
        ({"instruments": [{"symbol": "ACME", "kind": "stonk"}]}, "'stonk' is no kind of instrument"),
        ({"account": {"cash": 1.0}}, "something in it is not what a result holds"),
        ({"curve": {"every_bar": True, "start": "2024-03-01T10:00:00Z", "initial": -1.0}}, "cannot start at -1.0"),
    ],
)
def test_a_document_that_holds_something_else(result, tmp_path, what, told):
    change(result.save(tmp_path), **what)
    assert told in refusal(tmp_path)
    assert "damaged, or was changed" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("orders", "market", "marked", "orders.csv: row 0: type is 'marked', which is none that there is"),
        ("fills", "ACME", "ACNE", "fills.csv: row 0: instrument is 'ACNE', which is none that there is"),
        ("trades", "long", "wide", "trades.csv: row 0: side is 'wide', which is none that there is"),
        ("fills", "Z,ACME", "Zulu,ACME", "fills.csv: the column 'ts' cannot be read as time values"),
        ("equity", "drawdown", "drawdrown", "equity.csv: there is no column 'drawdown'"),
        ("equity", "\n", "\n1,2\n", "equity.csv: row 0 has 2 cells and not 5"),
        ("cash", "\n1,", "\n1.5,", "cash.csv: the column 'bar' cannot be read as integer values"),
        ("orders", ",false,", ",maybe,", "orders.csv: the column 'reduce_only' cannot be read as flag values"),
        ("orders", '"', '"x"y"', "orders.csv: line "),
        ("fills", "Z,ACME", "-01:00Z,ACME", "fills.csv: the column 'ts' cannot be read as time values"),
        ("equity", "Z,100000.0,", "Z,,", "equity.csv: equity at 2024-03-01 10:01:00 UTC is nan"),
    ],
)
def test_a_table_that_holds_something_else(result, tmp_path, table, old, new, told):
    result.order_records[0].tag = 'a "tag"'
    forge(result.save(tmp_path), table, old, new)
    assert told in refusal(tmp_path)


@pytest.mark.parametrize(
    ("table", "text", "told"),
    [
        ("cash", '{"bar": [1], "ts": [null], "cash": 3}', "cash.json: this is no JSON object of columns"),
        ("cash", "[1, 2]", "cash.json: this is no JSON object of columns"),
        ("cash", '{"bar": [true], "ts": [null], "cash": [1.0]}', "the column 'bar' cannot be read as integer values"),
        ("cash", '{"bar": [1], "ts": [null], "cash": ["much"]}', "the column 'cash' cannot be read as float values"),
        ("cash", '{"bar": [1, 2], "ts": [null], "cash": [1.0]}', "cash.json: the columns differ in length"),
        ("cash", '{"bar": [1], "ts": [null], "cash": [1.0]}', "cash.json: it has 1 rows, and result.json says"),
    ],
)
def test_a_json_table_that_holds_something_else(result, tmp_path, table, text, told):
    path = result.save(tmp_path, "json") / f"{table}.json"
    forge(tmp_path, table, path.read_text(), text)
    assert told in refusal(tmp_path)


def test_a_document_does_not_lead_out_of_its_folder(result, tmp_path):
    inside = result.save(tmp_path / "inside")
    (inside / "fills.csv").rename(tmp_path / "fills.csv")
    said = json.loads((inside / "result.json").read_text())["tables"]
    said["fills"]["file"] = "../fills.csv"
    change(inside, tables=said)
    assert refusal(inside).startswith(f"{inside / 'fills.csv'}: ")


def test_numbers_that_json_has_no_sign_for_come_back(result, tmp_path):
    result.settings["odd/ones~"] = [float("inf"), {"deep": float("-inf")}, float("nan"), None, 1]
    folder = result.save(tmp_path)
    said = json.loads((folder / "result.json").read_text())
    assert said["settings"]["odd/ones~"] == [None, {"deep": None}, None, None, 1]
    first, second, third, *rest = cambist.load_result(folder).settings["odd/ones~"]
    assert (first, second, rest) == (float("inf"), {"deep": float("-inf")}, [None, 1])
    assert third != third  # noqa: PLR0124 - NaN


def test_an_unknown_format_is_refused_before_anything_is_written(result, tmp_path):
    with pytest.raises(ParameterError, match=r"format is 'parket'\. Did you mean 'parquet'\?"):
        result.save(tmp_path / "new", "parket")
    assert not (tmp_path / "new").exists()


def test_another_format_leaves_nothing_of_the_earlier_one(result, tmp_path):
    (tmp_path / "orders.parquet").write_text("somebody's own")
    result.save(tmp_path)
    result.save(tmp_path, "json")
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"orders.json", "result.json", "orders.parquet"}
    assert not any(name.endswith(".csv") for name in names)
    assert cambist.load_result(tmp_path).run_id == result.run_id


def test_without_pyarrow_the_extra_is_named(result, tmp_path, monkeypatch):
    kept = result.save(tmp_path / "kept", "parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for attempt in (lambda: result.save(tmp_path / "new", "parquet"), lambda: cambist.load_result(kept)):
        with pytest.raises(MissingDependencyError, match=r"needs pyarrow.*pip install 'cambist\[parquet\]'"):
            attempt()
    assert not (tmp_path / "new").exists()
    assert cambist.load_result(result.save(tmp_path / "other")).run_id == result.run_id


def test_a_result_in_csv_or_json_is_loaded_without_pandas_and_pyarrow(result, tmp_path):
    for name in ("csv", "json"):
        program = (
            f"import sys, cambist\nresult = cambist.load_result({str(result.save(tmp_path / name, name))!r})\n"
            "print(result.summary['trades'], *{'pandas', 'pyarrow'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [str(result.summary["trades"])]


@pytest.mark.parametrize("a_closes", [True, False])
def test_trades_that_end_in_another_order_than_they_began(run, bars, tmp_path, a_closes):
    """Trade 1 outlives trade 2: records stay in the order of ids, marks are in the order of time."""

    def trade(self, _bar):
        if self.now == first + 60 * 10**9:
            self.buy(data="A")
            self.buy(data="B")
        elif self.bar == 6:
            self.close("B")
        elif self.bar == 10 and a_closes:
            self.close("A")

    made = [bars(np.arange(10.0, 20.0), "A"), bars(np.arange(30.0, 40.0), "B")]
    first = int(made[0].ts[0])
    result = run(made, on_bar=trade)
    assert result.series.trades.trade.tolist() == ([2, 1] if a_closes else [2])
    assert result.series.trades.index.is_monotonic_increasing
    loaded = cambist.load_result(result.save(tmp_path))
    assert [trade.id for trade in loaded.trade_records] == [trade.id for trade in result.trade_records] == [1, 2]
    assert loaded.series.trades.equals(result.series.trades)
