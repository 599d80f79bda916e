"""`cambist live` as a process of its own is operated by commands, and its account can be cleared when it is gone."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest
from live_room import Room

from cambist.cli.exits import Exit
from cambist_simulator import ExchangeSimulator


@pytest.fixture
def simulator():
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000, speed=120) as made:
        yield made


@pytest.fixture
def room(tmp_path, simulator, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    key = simulator.credentials()
    monkeypatch.setenv("VENUE_KEY", key.key)
    monkeypatch.setenv("VENUE_SECRET", key.secret)
    made = Room(tmp_path, simulator, capsys)
    made.strategy(STRATEGY)
    made.run_file(more="[live.control]\nwarn_after = 1.0\npatience = 1.0")
    return made


STRATEGY = """
    from cambist import Strategy


    class Trader(Strategy):
        def on_bar(self, bar):
            if self.position.size < 0.001:
                if not self.open_orders:
                    self.buy(0.01)
            elif not self.open_orders:
                self.buy(0.01, limit=round(bar.close * 0.97, 2))
"""


@contextlib.contextmanager
def live(room):
    """Run `cambist live run.toml` beside the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cambist", "live", "run.toml", "--yes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        process.stdout.close()


def until(condition, process, within=60):
    deadline = time.monotonic() + within
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def on_a_terminal(columns, *words):
    """Return what a command draws on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "cambist", *words],
        stdout=theirs,
        stderr=theirs,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"},
    )
    os.close(theirs)
    drawn = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 65536):
            drawn += piece
    os.close(ours)
    assert process.wait(30) == 0, drawn
    return drawn.decode()


def resting(simulator):
    return [order for order in simulator.orders() if order.open]


def test_a_running_process_is_shown_halted_killed_and_stopped(room, simulator):
    with live(room) as process:
        until(lambda: resting(simulator), process, 90)
        code, out, _ = room.call("status", "run.toml", "--json")
        assert code == Exit.OK
        status = json.loads(out)
        assert (status["phase"], status["environment"], status["name"]) == ("run", "dev", "run")
        assert status["budget"]
        assert status["links"]
        assert {"private", "market"} <= set(status["streams"])
        for columns in (40, 120):
            shown = on_a_terminal(columns, "watch", "run.toml", "--for", "0.5")
            assert "binance-spot" in shown
            assert "BTC/USDT" in shown
        code, out, _ = room.call("kill", "run.toml", "--flatten", "--yes", "--json")
        assert code == Exit.OK, out
        done = json.loads(out)
        assert (done["acted"], done["verified"]) == ("run", True)
        assert not resting(simulator)
        assert simulator.balances()["binance-spot"]["BTC"].free < 0.00001
        code, out, _ = room.call("stop")
        assert code == Exit.OK
        assert process.wait(30) == 0
    assert room.call("status", "run.toml")[0] == Exit.NOT_RUNNING
    told = {record["code"] for record in room.records("alert_raised")}
    assert {"kill_switch", "kill_switch_done"} <= told
    asked = [(record["name"], record["by"]) for record in room.records("operator_command")]
    assert {name for name, _ in asked} >= {"halt", "cancel_orders", "stop"}
    assert all("@" in by for _, by in asked if by != "live run"), asked


def test_the_account_of_a_process_that_is_gone_is_cleared_and_stays_halted(room, simulator):
    with live(room) as process:
        until(lambda: resting(simulator), process, 90)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert len(resting(simulator)) == 1
    code, _, err = room.call("kill", "journal", "--yes")
    assert code == Exit.NOT_RUNNING
    assert "run file" in err
    code, out, err = room.call("kill", "run.toml", "--flatten", "--yes", "--json")
    assert code == Exit.OK, (out, err)
    done = json.loads(out)
    assert (done["acted"], done["verified"]) == ("session", True)
    assert [(item["order"] > 0, item["outcome"]) for item in done["orders"]] == [(True, "canceled")]
    assert not resting(simulator)
    assert simulator.balances()["binance-spot"]["BTC"].free < 0.00001
    with live(room) as process:
        until(lambda: room.call("status", "run.toml")[0] == Exit.OK, process)
        until(lambda: json.loads(room.call("status", "run.toml", "--json")[1])["phase"] == "run", process)
        status = json.loads(room.call("status", "run.toml", "--json")[1])
        assert status["trading"]["state"] == "halted"
        count = len(simulator.orders())
        time.sleep(1.5)  # three bars
        assert len(simulator.orders()) == count
        assert room.call("resume")[0] == Exit.OK
        until(lambda: len(simulator.orders()) > count, process)
