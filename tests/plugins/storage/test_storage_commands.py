"""The commands that a user types, on real databases."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cambist.api import ROWS, AccountRow, BarKey, DailyRow, OrderRow, PositionSnapshotRow, SignalRow
from cambist.app.storage import opened_storage
from cambist.cli.main import main
from cambist.model import Bars, Instrument
from cambist.plugins.registry import Registry
from cambist_storage.parquet.store import ParquetStorage
from cambist_storage.sql.storage import SqlStorage


@pytest.fixture
def call(capsys):
    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, words)))
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


def backtest(call, url, *more):
    code, _, err = call("backtest", "sma-cross", "--data", "samples:AAPL", "--store", url, *more)
    assert code == 0, err


def test_a_backtest_is_kept_and_shown(call, sql_url):
    backtest(call, sql_url)
    backtest(call, sql_url, "--fees", "0.001", "--param", "fast=5")
    code, out, _ = call("storage", "info", sql_url, "--json")
    assert code == 0
    first, second = json.loads(out)
    assert first["id"] != second["id"]
    assert first["mode"] == "backtest"
    assert first["title"].endswith("on AAPL 1d")
    storage = SqlStorage(sql_url)
    run = storage.runs.get(second["id"])
    assert run.strategies[0]["parameters"]["fast"] == 5
    assert run.settings["fees"] == 0.001
    with storage.database.reading() as connection:
        fees = connection.execute(sa.text("SELECT run_id, fees FROM pnl_by_strategy ORDER BY fees")).all()
    assert [row.run_id for row in fees] == [first["id"], second["id"]]
    storage.close()
    code, out, _ = call("storage", "info", sql_url)
    assert code == 0
    assert first["id"] in out
    code, out, _ = call("storage", "check", sql_url)
    assert code == 0
    assert out.startswith("2 runs with")


def test_what_was_asked_for_is_kept_by_the_hour(call, sql_url, tmp_path):
    """Signals, lines, snapshots and days of a run file and of the command line, and a copy of all of them."""
    ts = 1_704_067_200_000_000_000 + np.arange(500) * 600_000_000_000
    close = 100.0 + np.sin(np.arange(500) / 20.0)
    bars = tmp_path / "bars.csv"
    rows = "\n".join(f"{one // 10**9},{price},{price},{price},{price},1" for one, price in zip(ts, close, strict=True))
    bars.write_text(f"time,open,high,low,close,volume\n{rows}\n")
    (tmp_path / "run.toml").write_text(
        f"""[strategy]
use = "sma-cross"
[data]
source = "bars.csv"
[run]
record_lines = ["cross"]
[storage]
url = "{sql_url}"
snapshots = "1h"
"""
    )
    lines = ("--record-line", "cross", "--snapshots", "1h")
    code, _, err = call("backtest", tmp_path / "run.toml")
    assert code == 0, err
    code, _, err = call("backtest", "sma-cross", "--data", bars, *lines, "--store", sql_url)
    assert code == 0, err
    storage = SqlStorage(sql_url)
    one, other = (run.id for run in storage.runs.runs())
    for kind in (SignalRow, AccountRow, PositionSnapshotRow, DailyRow):
        assert list(storage.runs.rows(one, kind)) == list(storage.runs.rows(other, kind))
    assert len(list(storage.runs.rows(one, AccountRow))) == 500 // 6 + 1
    assert len(list(storage.runs.rows(one, SignalRow))) > 400
    assert len(list(storage.runs.rows(one, DailyRow))) == 4
    storage.close()
    code, out, err = call("storage", "copy", sql_url, f"sqlite:///{tmp_path / 'copy.db'}")
    assert code == 0, err
    assert out == "copied 2 of 2 runs; all 2 are equal in both\n"


def test_runs_move_between_databases_and_back(call, sql_url, tmp_path):
    here, back = f"sqlite:///{tmp_path / 'here.db'}", f"sqlite:///{tmp_path / 'back.db'}"
    backtest(call, here)
    for source, target in ((here, sql_url), (sql_url, back)):
        code, out, err = call("storage", "copy", source, target)
        assert code == 0, err
        assert out == "copied 1 of 1 runs; all 1 are equal in both\n"
    assert call("storage", "copy", here, back)[1] == "copied 0 of 1 runs; all 1 are equal in both\n"
    one, other = SqlStorage(here), SqlStorage(back)
    (run,) = one.runs.runs()
    assert other.runs.runs() == [run]
    assert list(one.runs.rows(run.id, OrderRow)) == list(other.runs.rows(run.id, OrderRow))
    with other.database.writing() as connection:
        connection.execute(sa.text("UPDATE orders SET size = '7' WHERE id = 1"))
    one.close()
    other.close()
    code, _, err = call("storage", "copy", here, back)
    assert code == 1
    assert "differs" in err
    assert run.id in err


def test_bars_move_between_stores(call, sql_url, tmp_path):
    ts = 1_704_067_200_000_000_000 + np.arange(3_000) * 60_000_000_000
    close = 100 + np.sin(np.arange(3_000))
    bars = Bars(Instrument(symbol="ETH/USDT", venue="x", tick_size="0.01"), "1m", ts, *([close] * 5))
    ParquetStorage(f"parquet:///{tmp_path / 'bars'}").bars.write(bars)
    for _ in range(2):
        code, out, err = call("data", "copy", f"parquet:///{tmp_path / 'bars'}", sql_url)
        assert code == 0, err
    assert out == "x:ETH/USDT 1m: 0 bars added, 0 replaced, 3,000 unchanged\n"
    code, out, _ = call("data", "copy", sql_url, f"parquet:///{tmp_path / 'again'}")
    assert out == "x:ETH/USDT 1m: 3,000 bars added, 0 replaced, 0 unchanged\n"
    found = ParquetStorage(f"parquet:///{tmp_path / 'again'}").bars.read(BarKey.of(bars))
    assert found.instrument == bars.instrument
    assert np.array_equal(found.close, bars.close)


def test_a_run_file_names_the_storage_beside_it(call, tmp_path, monkeypatch):
    (tmp_path / "run.toml").write_text(
        '[[strategy]]\nuse = "sma-cross"\n[[data]]\nsource = "samples:AAPL"\n[storage]\nurl = "sqlite:///runs.db"\n'
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, _, err = call("backtest", "../run.toml")
    assert code == 0, err
    storage = SqlStorage(f"sqlite:///{tmp_path / 'runs.db'}")
    assert len(storage.runs.runs()) == 1
    storage.close()


@pytest.mark.parametrize(
    ("url", "told", "code"),
    [
        ("nothing", "has no scheme", 2),
        ("sqlit:///runs.db", "Did you mean 'sqlite'?", 3),
        ("parquet:///bars", "does not keep runs. What does: memory, postgresql, sqlite", 2),
        ("sqlite:///no/such/folder/runs.db", "folder exist", 1),
    ],
)
def test_a_url_that_cannot_be_used_is_told_before_the_run(call, url, told, code, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found, out, err = call("backtest", "sma-cross", "--data", "samples:AAPL", "--store", url)
    assert found == code
    assert told in err
    assert out == ""


def test_no_password_is_shown_in_a_result_or_an_error(call, postgres, tmp_path):
    url = postgres.new_database("secretive")
    backtest(call, url, "--out", tmp_path / "result")
    secrets = ("p@ss", "p%40ss")
    for file in (tmp_path / "result").iterdir():
        assert not any(secret in file.read_text() for secret in secrets)
    code, out, err = call("storage", "info", url.replace("secretive", "missing"), "--debug")
    assert code == 1
    assert "Create it first" in err
    assert not any(secret in out + err for secret in secrets)


def test_upgrading_what_is_new_does_nothing_and_what_is_not_ours_is_refused(call, sql_url, tmp_path):
    backtest(call, sql_url)
    code, out, _ = call("storage", "upgrade", sql_url)
    assert code == 0
    assert "which is the newest" in out
    (tmp_path / "new.db").touch()
    code, _, err = call("storage", "upgrade", f"sqlite:///{tmp_path / 'new.db'}")
    assert code == 1
    assert "nothing of Cambist" in err
    code, _, err = call("storage", "upgrade", "memory:")
    assert code == 2
    assert "no versions" in err


@pytest.mark.parametrize(
    "words",
    [
        ["storage", "info", "sqlite:///typo.db"],
        ["storage", "check", "sqlite:///typo.db"],
        ["storage", "check", "parquet:///typo"],
        ["storage", "check", "files:typo"],
        ["storage", "upgrade", "sqlite:///typo.db"],
        ["storage", "copy", "sqlite:///typo.db", "sqlite:///target.db"],
        ["data", "copy", "parquet:///typo", "sqlite:///target.db"],
    ],
)
def test_what_needs_a_storage_makes_nothing_of_a_typo(call, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(*words)
    assert code == 1
    assert "there is nothing at" in err
    assert list(tmp_path.iterdir()) == []


def test_options_behind_a_path_are_no_part_of_it(call, tmp_path):
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    backtest(call, url)
    assert call("storage", "check", f"{url}?timeout=5")[0] == 0
    assert call("storage", "upgrade", f"{url}?timeout=5")[0] == 0


def test_all_that_a_storage_keeps_is_checked(call, tmp_path, sql_url):
    ts = 1_704_067_200_000_000_000 + np.arange(3_000) * 60_000_000_000
    bars = Bars(Instrument(symbol="ETH/USDT"), "1m", ts, *([np.full(3_000, 7.0)] * 5))
    folder = f"parquet:///{tmp_path / 'bars'}"
    ParquetStorage(folder).bars.write(bars)
    assert call("storage", "check", folder)[:2] == (0, "1 series of 3,000 bars can be read\n")
    backtest(call, sql_url)
    storage = SqlStorage(sql_url)
    storage.bars.write(bars)
    storage.state.put("book", b"12345")
    rows = sum(1 for run in storage.runs.runs() for kind in ROWS for _ in storage.runs.rows(run.id, kind))
    storage.close()
    assert rows > 10
    told = f"1 runs with {rows:,} rows, 1 states of 5 bytes, 1 series of 3,000 bars can be read\n"
    assert call("storage", "check", sql_url)[:2] == (0, told)
    damaged = next((tmp_path / "bars").rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    code, out, err = call("storage", "check", folder)
    assert (code, out) == (1, "")
    assert damaged.name in err


def test_state_in_files_is_checked(call, tmp_path):
    url = f"files:{tmp_path / 'state'}"
    with opened_storage(url, Registry.discover(), "state") as storage:
        storage.state.put("projection/storage", b"123")
        storage.state.put("other", b"")
    assert call("storage", "check", url)[:2] == (0, "2 states of 3 bytes can be read\n")
    damaged = tmp_path / "state" / "_other.state"
    damaged.write_bytes(damaged.read_bytes() + b"?")
    code, out, err = call("storage", "check", url)
    assert (code, out) == (1, "")
    assert str(damaged) in err
    code, _, err = call("storage", "info", url)
    assert code == 2
    assert "files does not keep runs" in err


def test_help_needs_no_database():
    from cambist.cli.main import root

    done = CliRunner().invoke(root, ["storage", "--help"])
    assert done.exit_code == 0
    assert "sqlite:///runs.db" in done.stdout
