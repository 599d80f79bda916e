"""`cambist data check`, `repair` and `compare`: what they print, write and end with."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cambist
from cambist.cli.main import root


@pytest.fixture
def frame():
    """Hourly bars that are right."""
    rng = np.random.default_rng(9)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.003, 200)))
    open_ = np.concatenate([[100.0], close[:-1]])
    return pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=200, freq="h", tz="UTC"),
            "open": open_,
            "high": np.maximum(open_, close) * 1.001,
            "low": np.minimum(open_, close) * 0.999,
            "close": close,
            "volume": rng.integers(1, 100, 200).astype(float),
        }
    )


@pytest.fixture
def spoiled(frame, tmp_path):
    """Write the bars with a row twice, a day in another unit and a gap; return the path."""
    frame.loc[50, ["open", "high", "low", "close"]] *= 100.0
    rows = pd.concat([frame.iloc[:100], frame.iloc[99:150], frame.iloc[153:]])
    path = tmp_path / "spoiled.csv"
    rows.to_csv(path, index=False)
    return path


def call(*words, answers=None):
    done = CliRunner().invoke(root, list(map(str, words)), input=answers)
    # The program's own door, which is not called here, prints an error.
    error = "" if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
    return done.exit_code, done.output + error


def test_a_clean_file_ends_well(frame, tmp_path):
    frame.to_csv(tmp_path / "bars.csv", index=False)
    code, text = call("data", "check", tmp_path / "bars.csv")
    assert (code, text) == (0, "bars 1h: nothing wrong in 200 bars\n")


def test_defects_are_listed_and_end_with_1(spoiled):
    code, text = call("data", "check", spoiled)
    assert code == 1
    assert "duplicate 1, unit 1, spike 1, gap 1" in text
    assert "row 50 (2024-01-03 02:00:00 UTC): prices (" in text
    assert "3 bars are missing since 2024-01-07 05:00:00 UTC" in text


def test_json_tells_the_same(spoiled):
    code, text = call("data", "check", spoiled, "--json")
    assert code == 1
    report = json.loads(text)
    assert (report["rows"], report["clean"]) == (198, False)
    (gap,) = (one for one in report["defects"] if one["rule"] == "gap")
    assert (gap["row"], gap["time"], gap["value"]) == (151, "2024-01-07 09:00:00 UTC", 3.0)


def test_one_rule_can_be_asked_alone(spoiled):
    code, text = call("data", "check", spoiled, "--rule", "stuck")
    assert (code, text) == (0, "spoiled 1h: nothing wrong in 198 bars\n")
    code, text = call("data", "check", spoiled, "--rule", "stick")
    assert code != 0
    assert "Did you mean 'stuck'" in text


def test_a_calendar_and_the_age_of_the_last_bar_can_be_given(spoiled):
    assert "stale" not in call("data", "check", spoiled)[1]
    assert "is the last bar" in call("data", "check", spoiled, "--stale-after", "2d")[1]
    assert "outside the sessions of XNYS" in call("data", "check", spoiled, "--calendar", "XNYS")[1]


@pytest.mark.parametrize("name", ["clean.csv", "clean.csv.gz", "clean.parquet"])
def test_a_repair_writes_a_file_and_lists_each_change(spoiled, frame, name):
    before = spoiled.read_bytes()
    out = spoiled.with_name(name)
    policy = ["--policy", "duplicate=drop", "--policy", "unit=rescale", "--policy", "gap=fill"]
    code, text = call("data", "repair", spoiled, *policy, "--out", out)
    assert code == 0, text
    assert "row 100 (2024-01-05 03:00:00 UTC): left out (duplicate: drop)" in text
    assert "2024-01-07 06:00:00 UTC: put in, close " in text
    assert "Left: spoiled 1h: nothing wrong in 200 bars" in text
    assert spoiled.read_bytes() == before
    bars = cambist.load(out)
    assert len(bars) == 200
    assert bars.close[50] == pytest.approx(frame["close"][50] / 100.0)
    assert [path.name for path in spoiled.parent.iterdir() if path.name.startswith(".")] == []


def test_without_a_file_to_write_a_repair_only_tells(spoiled):
    code, text = call("data", "repair", spoiled, "--policy", "duplicate=drop", "--json")
    assert code == 0
    told = json.loads(text)
    assert [(one["rule"], one["action"], one["row"]) for one in told["changes"]] == [("duplicate", "drop", 100)]
    assert told["left"]["counts"] == {"unit": 1, "spike": 1, "gap": 1}
    assert [path.name for path in spoiled.parent.iterdir()] == ["spoiled.csv"]


def test_somebody_can_be_asked(spoiled):
    code, text = call("data", "repair", spoiled, "--policy", "unit=ask", answers="rescale\n")
    assert code == 0
    assert "unit: row 50" in text
    assert "unit: rescale 4" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "needs a policy"),
        (["--policy", "unit"], "names no action"),
        (["--policy", "units=rescale"], "Did you mean 'unit'"),
        (["--policy", "unit=fill"], "unit cannot be answered so"),
        (["--policy", "gap=refuse"], "3 bars are missing"),
        (["--policy", "duplicate=drop", "--out", "spoiled.csv"], "there already"),
        (["--policy", "duplicate=drop", "--out", "clean.xls"], "written to files ending in"),
        (["--policy", "gap=fill", "--out", "clean.csv"], "repeats the time"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_no_file(spoiled, words, message, monkeypatch):
    monkeypatch.chdir(spoiled.parent)
    code, text = call("data", "repair", spoiled, *words)
    assert code != 0
    assert message in text
    assert [path.name for path in spoiled.parent.iterdir()] == ["spoiled.csv"]


def test_two_sources_are_compared(spoiled, frame, tmp_path):
    frame.to_csv(tmp_path / "other.csv", index=False)
    assert call("data", "compare", tmp_path / "other.csv", spoiled)[0] == 0
    frame.assign(time=frame["time"] + pd.Timedelta("1h")).to_csv(tmp_path / "late.csv", index=False)
    code, text = call("data", "compare", tmp_path / "other.csv", tmp_path / "late.csv")
    assert code == 1
    assert "+1 bars off" in text
    code, text = call("data", "compare", tmp_path / "other.csv", tmp_path / "late.csv", "--json")
    assert (code, json.loads(text)["lag"]) == (1, 1)


def test_a_run_file_repairs_its_bars_and_the_result_tells(spoiled):
    text = '[strategy]\nuse = "sma-cross"\n[[data]]\nsource = "spoiled.csv"\nrepair = REPAIR\n'
    run = spoiled.with_name("run.toml")
    run.write_text(text.replace("REPAIR", '{ duplicate = "drop", gap = "fill", unit = "rescale" }'), encoding="utf-8")
    code, said = call("backtest", run)
    assert code == 0, said
    run.write_text(text.replace("REPAIR", '{ duplicate = "drop", gap = "drop" }'), encoding="utf-8")
    code, said = call("backtest", run)
    assert code != 0
    assert "gap=drop: gap cannot be answered so" in said
