"""A storage of a stranger, who has read one page of the documentation: the page's own code, installed as its package.

It passes the suites that ship with Cambist and does whatever a storage of ours does for a user, by its URL alone.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from cambist.model import Bars, Instrument
from cambist.testing import BarStoreTests, RunStoreTests, StateStoreTests
from cambist_storage import open_storage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "write-a-storage.md"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The files of the page, and beside them what an installer makes of its ``pyproject.toml``."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in re.findall(r'^```\w+ file="([^"]+)"\n(.*?)^```$', PAGE.read_text(), re.DOTALL | re.MULTILINE):
        (folder / name).write_text(text)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        f"[{group}]\n{name} = {value}\n"
        for group, offers in project["entry-points"].items()
        for name, value in offers.items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))
    return folder


@pytest.fixture
def call(package, tmp_path, monkeypatch):
    """Run a command in an empty folder, with the package on the path, and return what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*words, code=0, folder=tmp_path):
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(package), "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.fixture
def cambist(call):
    return lambda *words, **more: call("-m", "cambist", *words, **more)


def test_it_imports_what_is_public_and_nothing_else(package):
    found = set()
    for file in package.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
    ours = {name for name in found if name.partition(".")[0].startswith("cambist")}
    assert ours == {"cambist.api", "cambist.model", "cambist.testing"}


def test_it_passes_every_suite_with_a_single_fixture(package, call):
    assert (package / "test_acme_shelf.py").read_text().count("@pytest.fixture") == 1
    words = ("-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", package, "--color=no")
    told = call(*words, package / "test_acme_shelf.py", folder=package)
    passed = set(re.findall(r"::(Test\w+)::(\w+)\S* PASSED", told))
    suites = {"TestState": StateStoreTests, "TestRuns": RunStoreTests, "TestBars": BarStoreTests}
    wanted = {(mine, name) for mine, suite in suites.items() for name in dir(suite) if name.startswith("test_")}
    assert len(wanted) > 30
    assert passed == wanted
    assert "skipped" not in told


def test_it_is_found_and_listed_with_its_package(cambist):
    assert re.search(r"shelf\W+1\.0\W+active\W+storage: shelf", cambist("plugins", "list"))
    assert "storage shelf: Runs, state and bars in one file of JSON lines" in cambist("plugins", "show", "shelf")


def test_a_backtest_is_kept_checked_shown_and_copied_back_and_forth(cambist, tmp_path):
    backtest = ("backtest", "sma-cross", "--data", "samples:AAPL", "--fees", "0.001", "--store", "shelf:runs.jsonl")
    cambist(*backtest)
    cambist(*backtest, "--param", "fast=5")
    runs = json.loads(cambist("storage", "info", "shelf:runs.jsonl", "--json"))
    assert [run["title"].endswith("on AAPL 1d") for run in runs] == [True, True]
    told = cambist("storage", "check", "shelf:runs.jsonl")
    assert told.startswith("2 runs with ")
    assert int(re.search(r"with ([\d,]+) rows", told)[1].replace(",", "")) > 100
    equal = "copied 2 of 2 runs; all 2 are equal in both\n"
    assert cambist("storage", "copy", "shelf:runs.jsonl", "sqlite:///runs.db") == equal
    assert cambist("storage", "copy", "sqlite:///runs.db", f"shelf:///{tmp_path / 'back.jsonl'}") == equal
    assert cambist("storage", "copy", "shelf:back.jsonl", "shelf:///runs.jsonl").startswith("copied 0 of 2")
    assert json.loads(cambist("storage", "info", "shelf:back.jsonl", "--json")) == runs


def test_a_run_file_names_it_beside_itself(cambist, tmp_path):
    (tmp_path / "run.toml").write_text(
        '[[strategy]]\nuse = "sma-cross"\n[[data]]\nsource = "samples:AAPL"\n[storage]\nurl = "shelf:kept.jsonl"\n'
    )
    (tmp_path / "elsewhere").mkdir()
    cambist("backtest", "../run.toml", folder=tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(json.loads(cambist("storage", "info", "shelf:kept.jsonl", "--json"))) == 1


def test_a_run_is_made_anew_of_its_journal(cambist):
    journaled = ("backtest", "sma-cross", "--data", "samples:AAPL", "--journal", "journal")
    cambist(*journaled, "--store", "shelf:runs.jsonl")
    for url in ("shelf:anew.jsonl", "sqlite:///anew.db"):
        assert "was made anew of" in cambist("storage", "rebuild", "journal", url, "--mode", "backtest")
    assert (
        cambist("storage", "check", "shelf:anew.jsonl").partition(",")[0]
        == (cambist("storage", "check", "sqlite:///anew.db").partition(",")[0])
    )


def test_bars_move_in_and_out(cambist):
    ts = 1_704_067_200_000_000_000 + np.arange(3_000) * 60_000_000_000
    bars = Bars(Instrument(symbol="ETH/USDT", venue="x"), "1m", ts, *([100 + np.sin(np.arange(3_000))] * 5))
    storage = open_storage("sqlite:///bars.db")
    storage.bars.write(bars)
    storage.close()
    new = "x:ETH/USDT 1m: 3,000 bars added, 0 replaced, 0 unchanged\n"
    assert cambist("data", "copy", "sqlite:///bars.db", "shelf:bars.jsonl") == new
    assert cambist("data", "copy", "shelf:bars.jsonl", "parquet:///bars") == new
    known = "x:ETH/USDT 1m: 0 bars added, 0 replaced, 3,000 unchanged\n"
    assert cambist("data", "copy", "parquet:///bars", "sqlite:///bars.db") == known


@pytest.mark.parametrize("words", [("info",), ("check",), ("copy", "sqlite:///target.db")], ids=lambda words: words[0])
def test_a_mistyped_path_is_refused_and_nothing_is_made(cambist, tmp_path, words):
    command, *more = words
    assert "there is nothing at" in cambist("storage", command, "shelf:typo.jsonl", *more, code=1)
    assert "no versions to upgrade" in cambist("storage", "upgrade", "shelf:typo.jsonl", code=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_what_is_damaged_is_named(cambist, tmp_path):
    cambist("backtest", "sma-cross", "--data", "samples:AAPL", "--store", "shelf:runs.jsonl")
    file = tmp_path / "runs.jsonl"
    file.write_bytes(file.read_bytes()[:-1])  # a writer that was killed: its line is not there, and harms nobody
    assert cambist("storage", "check", "shelf:runs.jsonl").startswith("1 runs with")
    file.write_bytes(b"?" + file.read_bytes()[1:])
    assert "runs.jsonl: the shelf cannot be used" in cambist("storage", "check", "shelf:runs.jsonl", code=1)
