"""A folder with a strategy and a run file, and an exchange on loopback, for tests of `cambist live`."""

from __future__ import annotations

import json
from textwrap import dedent

import attrs
import pytest

from cambist.cli.main import main

STRATEGY = """
    from pathlib import Path

    from cambist import Strategy, param


    class Trader(Strategy):
        persistent = ("bars",)
        size: float = param(0.01)
        limit: float = param(0.0)

        def on_start(self):
            self.bars = 0

        def on_bar(self, bar):
            self.bars += 1
            if self.limit:
                if not self.open_orders:
                    self.buy(self.size, limit=round(bar.close * self.limit, 2))
            elif self.position.size > 0.001:
                self.close()
            else:
                self.buy(self.size)

        def on_order(self, order):
            with Path("heard.txt").open("a") as heard:
                heard.write(f"{order.status} {order.reason}\\n")
"""


@attrs.define
class Room:
    """A working directory, the exchange, and calls of ``cambist`` in this process."""

    path: object
    simulator: object
    capsys: object = None

    def strategy(self, text=STRATEGY):
        (self.path / "my.py").write_text(dedent(text))

    def run_file(self, *, data="symbol = 'BTC/USDT'\ntimeframe = '1m'", parameters="", live="", settings="", more=""):
        """Write ``run.toml``; what is given is added to its tables, or stands in their place."""
        text = f"""
[strategy]
use = "my.py"
parameters = {{ {parameters} }}

[[data]]
{data}

[live]
venue = "binance-spot"
{live or "environment = 'dev'"}

[live.settings]
{settings or self.settings()}

{more}
"""
        target = self.path / "run.toml"
        target.write_text(text)
        return target

    def settings(self, **changes):
        """Return the settings of the session; None leaves one out."""
        said = {"url": self.simulator.url, "key": "${env:VENUE_KEY}", "secret": "${env:VENUE_SECRET}", **changes}
        return "\n".join(f"{name} = {json.dumps(value)}" for name, value in said.items() if value is not None)

    def call(self, *words):
        """Call ``cambist`` to its end; gives code, output and errors."""
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words)])
        told = self.capsys.readouterr()
        return int(ended.value.code), told.out, told.err

    def heard(self):
        """What the strategy was told of its orders."""
        path = self.path / "heard.txt"
        return path.read_text().splitlines() if path.exists() else []

    def records(self, kind):
        """The fields of the records of a kind in the journal."""
        from cambist.engine.codec import readable
        from cambist.storage.journal import JournalFolder

        return [readable(one) for one in JournalFolder(self.path / "journal").read(1) if one.kind == kind]


def changes_asked(simulator):
    """The requests that ask the exchange to change something, by method and path, or by the method of a message."""
    found = []
    for one in simulator.requests():
        if one.kind == "rest" and one.method != "GET":
            found.append(f"{one.method} {one.path}")
        elif one.kind == "message" and one.path.startswith("/ws-"):
            method = json.loads(one.body)["method"]
            if method.partition(".")[2] not in _QUESTIONS:
                found.append(method)
    return found


_QUESTIONS = {"status", "subscribe", "subscribe.signature"}
