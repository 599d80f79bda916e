"""Checks and uses a plugin of each kind, begun by `cambist plugins new` and called ``my-KIND``.

Run it in an empty folder of an environment in which they are installed. It needs nothing else of the repository.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from cambist.api import open_storage
from cambist.cli.main import main
from cambist.plugins.checking import Subject, check
from cambist.plugins.scaffold import KINDS
from cambist.testing.markets import walking_bars
from cambist_simulator import ExchangeSimulator

STRATEGIES = """
from cambist import Strategy
from cambist_my_indicator.indicator import my_indicator


class Straight(Strategy):
    def on_start(self):
        self.straight = my_indicator(self.data.close, period=5)

    def on_bar(self, bar):
        if self.position:
            self.close()
        elif self.straight[0] > 0.3:
            self.buy(2)


class InAndOut(Strategy):
    def on_bar(self, bar):
        if not self.position:
            self.buy(0.01)
        else:
            self.stop("it holds something")
"""
BACKTEST = """
[[strategy]]
use = "mine.py:Straight"
[[strategy]]
use = "my-strategy"
parameters = { run = 2, trend = 20 }
[[data]]
source = "my-feed:ACME.npz"
[[risk]]
use = "my-risk"
opens = "00:00"
closes = "23:59"
[broker]
use = "my-broker"
fee = 1.5
[[analyzer]]
use = "my-analyzer"
[[sink]]
use = "my-sink"
path = "backtest.csv"
[output]
dir = "result"
"""
LIVE = """
[strategy]
use = "mine.py:InAndOut"
[[data]]
symbol = "BTC/USDT"
timeframe = "1m"
[[notify]]
use = "my-notifier"
at_least = "info"
[[sink]]
use = "my-sink"
path = "live.csv"
[live]
venue = "my-exchange"
environment = "dev"
on_stop = "flatten"
notify_fills = true
[live.settings]
url = "{url}"
key = "{key}"
secret = "{secret}"
"""


def run(*words):
    try:
        code = main(list(words))
    except SystemExit as end:
        code = end.code
    assert not code, f"cambist {' '.join(words)} ended with {code}"


def fills_in(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == "order_filled"]


def check_all():
    """Run the suites of all of them, in one process: by name, as `cambist plugins check` runs those of one."""
    modules = tuple(f"cambist_my_{kind}.conformance" for kind in KINDS)
    found = check(Subject("begun", "", "", modules), "")
    failed = [(one.subject, one.id, one.why) for one in found.requirements if one.outcome == "failed"]
    assert found.is_green, failed
    subjects = " ".join({one.subject for one in found.requirements})
    named = {"storage": "TestState"}
    missing = [kind for kind in KINDS if named.get(kind, f"TestMy{kind.capitalize()}") not in subjects]
    assert not missing, missing
    print(f"a plugin of each kind was checked: {dict(found.counts)}")


def backtest():
    bars = walking_bars(300)
    np.savez("ACME.npz", ts=bars.ts, **bars.columns)
    Path("run.toml").write_text(BACKTEST)
    run("backtest", "run.toml")
    told = json.loads(Path("result/result.json").read_text())
    summary = told["summary"]
    assert summary["trades"] > 5, summary
    assert summary["my_analyzer"] > 0
    fills = fills_in("backtest.csv")
    assert fills
    assert {row["fee"] for row in fills} == {"1.5"}
    assert summary["fees_paid"] == 1.5 * len(fills)


def state():
    for text in (b"first", b"second"):
        with open_storage("my-storage:state.db", "state") as storage:
            storage.state.put("what", text)
    with open_storage("my-storage:state.db", "state") as storage:
        assert storage.state.get("what") == b"second"


def live():
    playing = {"symbols": ["BTCUSDT"], "seed": 7, "history": 60, "speed": 60, "cash": 20_000}
    with ExchangeSimulator("generic", **playing) as exchange:
        key = exchange.credentials()
        Path("live.toml").write_text(LIVE.format(url=exchange.url, key=key.key, secret=key.secret))
        run("live", "live.toml", "--yes")
        orders = exchange.orders()
    assert [str(one.status) for one in orders] == ["filled"] * len(orders)
    assert len(orders) == 2, "one to buy, one to be flat at the end"
    assert len(fills_in("live.csv")) >= 2
    notices = [json.loads(line) for line in Path("notices.jsonl").read_text().splitlines()]
    assert any("BTC/USDT" in one["title"] + one["text"] for one in notices), notices


if __name__ == "__main__":
    check_all()
    Path("mine.py").write_text(STRATEGIES)
    backtest()
    state()
    live()
    print("a plugin of each kind was used")
