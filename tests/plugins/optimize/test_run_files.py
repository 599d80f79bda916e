"""A sweep of what a run file says: its strategy, data and settings, and the plugin beside it."""

from __future__ import annotations

import json

import pytest

from cambist.api import ConfigError, backtest_in_file
from cambist.cli.main import main

RUN = """\
extends = "base.toml"
[strategy]
use = "cross"
parameters = { slow = 12 }
[[risk]]
use = "never-above"
most = 1_000_000
"""
BASE = """\
[[data]]
source = "random:gbm"
bars = 200
[account]
cash = 5_000
[venue]
fees = 0.001
[run]
journal = "journal"
events = true
"""
PLUGIN = """\
from cambist.api import Refusal, RiskRuleSpec, StrategySpec, hookimpl
from cambist.strategies.examples.sma_cross import SmaCross

class NeverAbove:
    name = "never-above"
    def __init__(self, most: float):
        self.most = most
    def concerns(self, instrument):
        return True
    def review(self, order, view):
        return None if order.size <= self.most else Refusal("above", "too much of it")

@hookimpl
def cambist_risk_rules():
    return [RiskRuleSpec(name="never-above", factory=NeverAbove)]

@hookimpl
def cambist_strategies():
    return [StrategySpec(name="cross", factory=SmaCross)]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in (("run.toml", RUN), ("base.toml", BASE), ("cambist_plugins.py", PLUGIN)):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["optimize", *words])
    told = capsys.readouterr()
    return ended.value.code or 0, told.out, told.err


def test_a_sweep_plays_what_the_file_says(folder, capsys):
    words = ["run.toml", "-p", "fast=3:5", "-m", "final_equity", "--json", "--set", "account.cash=6000"]
    code, out, err = call(capsys, *words)
    assert code == 0, err
    rows = json.loads(out)
    best = rows["best"][0] if isinstance(rows, dict) else rows[0]
    assert not (folder / "journal").exists()
    with pytest.raises(SystemExit):
        main(["backtest", "run.toml", "--json", "--set", "account.cash=6000", "--param", f"fast={best['fast']}"])
    result = json.loads(capsys.readouterr().out)
    assert result["settings"]["strategy"][0]["parameters"] == {"slow": 12, "fast": best["fast"]}
    assert best["final_equity"] == pytest.approx(result["summary"]["final_equity"], abs=1e-9)


def test_what_cannot_be_tried_is_told(folder, capsys):
    code, _, err = call(capsys, "run.toml", "-p", "fast=3:5", "--no-local-plugins")
    assert code == 2
    assert "which is left out by --no-local-plugins" in err
    assert "there is no data. Give --data FILE" in call(capsys, "sma-cross")[2]
    assert "--set sets keys of a run file" in call(capsys, "sma-cross", "-d", "random:gbm", "--set", "a=1")[2]
    (folder / "two.toml").write_text('[[strategy]]\nuse = "cross"\n[[strategy]]\nuse = "cross"\nname = "b"\n' + BASE)
    with pytest.raises(ConfigError, match=r"two\.toml has to have one strategy and nothing beside it; it has 2"):
        backtest_in_file(folder / "two.toml")
