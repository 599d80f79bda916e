"""``cambist replay`` as a process, on the journal of a recorded backtest."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def journal(desk):
    command = ("backtest", "my.py:Cross", "--data", "bars.csv", "--fees", "0.001", "--journal", "journal", "--record")
    done = desk.run(*command)
    assert done.returncode == 0, done.stderr
    return desk.path / "journal"


def test_the_same_strategy_is_equal_and_another_is_not(desk, journal):
    done = desk.run("replay", "journal", "my.py:Cross")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("equal: ")
    done = desk.run("replay", "journal", "my.py:Cross", "--param", "fast=4")
    assert done.returncode == 1
    assert done.stdout.startswith("different: ")
    assert "note: Cross is replayed with fast 4 (was 3)." in done.stdout
    assert "the first difference is at record" in done.stdout
    assert done.stderr == ""


def test_json_says_the_same(desk, journal):
    told = json.loads(desk.run("replay", "journal", "my.py:Cross", "--json").stdout)
    assert (told["equal"], told["complete"], told["divergence"]) == (True, True, None)
    verified = json.loads(desk.run("journal", "verify", "journal", "--json").stdout)
    assert told["records"] == verified["last"]
    assert verified["whole"]
    done = desk.run("replay", "journal", "my.py:Cross", "-p", "slow=9", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)["divergence"]
    assert told["event"] == "BarClosed"
    assert told["expected"] != told["found"]


def test_a_run_file_gives_what_a_recording_cannot_keep(desk):
    desk.write(
        "run.toml",
        """
        [[strategy]]
        use = "my.py:Cross"

        [[data]]
        source = "bars.csv"

        [sizer]
        use = "percent"
        fraction = 0.3

        [run]
        events = true
        journal = "journal"
        record = true
        """,
    )
    assert desk.run("backtest", "run.toml").returncode == 0
    done = desk.run("replay", "journal", "my.py:Cross")
    assert done.returncode == 2
    assert "the run had sizer=PercentOfEquity" in done.stderr
    assert desk.run("replay", "journal", "run.toml").stdout.startswith("equal: ")
    said = '{use = "percent", fraction = 0.3}'
    assert desk.run("replay", "journal", "my.py:Cross", "--sizer", said).returncode == 0
    assert desk.run("replay", "journal", "my.py:Cross", "--sizer", "all-in").returncode == 1


def test_what_is_missing_is_bad_input(desk, journal):
    done = desk.run("replay", "journal")
    assert done.returncode == 2
    assert "name one strategy" in done.stderr
    shutil.rmtree(journal / "recording")
    done = desk.run("replay", "journal", "my.py:Cross")
    assert done.returncode == 2
    assert "there is no recording beside this journal" in done.stderr
