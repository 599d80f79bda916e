"""``cambist live`` as a process: signals, a kill in mid-trade, a person at a terminal, and no key anywhere."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path

import pytest

from cambist.engine.rebuild import rebuild
from cambist.storage.journal import JournalFolder
from cambist_simulator import ExchangeSimulator

PATIENCE = 60.0

STRATEGY = """
    from cambist import Strategy, param

    class InAndOut(Strategy):
        persistent = ("bars",)
        limit: float = param(0.0)

        def on_start(self):
            self.bars = 0

        def on_bar(self, bar):
            self.bars += 1
            if self.limit:
                if not self.open_orders:
                    self.buy(0.01, limit=round(bar.close * self.limit, 2))
            elif self.position.size > 0.001:
                self.close()
            else:
                self.buy(0.01)
"""

RUN_FILE = """
[strategy]
use = "live.py"
parameters = {{ limit = {limit} }}

[[data]]
symbol = "BTC/USDT"
timeframe = "1m"

[live]
venue = "binance-spot"
environment = "dev"
on_stop = "{on_stop}"

[live.settings]
url = "{url}"
key = "${{env:VENUE_KEY}}"
secret = "${{env:VENUE_SECRET}}"

[[notify]]
use = "log"
at_least = "info"
"""


@pytest.fixture
def simulator():
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000, speed=120) as made:
        yield made


@pytest.fixture
def floor(desk, simulator, monkeypatch):
    """The desk with a run file for the exchange, and its key in the environment."""
    key = simulator.credentials()
    monkeypatch.setenv("VENUE_KEY", key.key)
    monkeypatch.setenv("VENUE_SECRET", key.secret)
    desk.write("live.py", STRATEGY)
    write(desk, simulator)
    return desk


def write(desk, simulator, limit=0.0, on_stop="cancel"):
    desk.write("live.toml", RUN_FILE.format(limit=limit, on_stop=on_stop, url=simulator.url))


def until(condition, process=None):
    """Wait for a condition, and fail with what a process said that ended meanwhile."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if process is not None and process.poll() is not None:
            out, err = process.communicate()
            pytest.fail(f"it ended with {process.returncode}\n{out}\n{err}")
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def state_of(desk):
    return rebuild(JournalFolder(desk.path / "journal"))


def compare(desk, simulator):
    """Hold the journal against the venue's truth."""
    state = state_of(desk)
    there = simulator.balances()["binance-spot"]
    for asset in there:
        assert state.ledger.balance(asset) == there[asset].free + there[asset].locked, asset
    ours = {state.book.client_id(order): order for order in state.book.orders}
    theirs = {order.client_id: order for order in simulator.orders()}
    assert set(theirs) <= set(ours)
    for client_id, order in theirs.items():
        assert Decimal(repr(ours[client_id].filled)) == order.filled
    return state


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_run_by_its_policy(floor, simulator, number):
    write(floor, simulator, limit=0.9)
    process = floor.start("live", "live.toml")
    until(lambda: simulator.orders(open_only=True), process)
    process.send_signal(number)
    code, out, err = finish(process)
    assert code == 0, err
    assert f"stopping ({signal.Signals(number).name}): orders are canceled" in out
    assert not simulator.orders(open_only=True)
    assert not state_of(floor).book.open


def test_orders_may_stay_and_are_there_again(floor, simulator):
    write(floor, simulator, limit=0.9, on_stop="keep")
    process = floor.start("live", "live.toml")
    until(lambda: simulator.orders(open_only=True), process)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0
    (resting,) = simulator.orders(open_only=True)
    again = floor.run("live", "live.toml", "--for", "2s")
    assert again.returncode == 0, again.stderr
    assert "1 open orders" in again.stderr
    assert [one.client_id for one in simulator.orders()] == [resting.client_id]


def test_a_second_signal_ends_a_run_at_once(floor, simulator):
    simulator.add_fault("timeout", label="order.cancel")
    write(floor, simulator, limit=0.9)
    process = floor.start("live", "live.toml")
    until(lambda: simulator.orders(open_only=True), process)
    process.send_signal(signal.SIGINT)
    until(simulator.fired, process)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code == 130, err
    assert "ended: cut off" in out
    simulator.remove_fault()
    again = floor.run("live", "live.toml", "--for", "1s")
    assert again.returncode == 0, again.stderr
    compare(floor, simulator)


def test_a_run_that_is_killed_goes_on_in_step_with_the_venue(floor, simulator):
    process = floor.start("live", "live.toml")
    until(lambda: len(simulator.orders()) >= 3, process)
    process.kill()
    finish(process)
    rehearsed = floor.run("rehearse", "live.toml", "--json")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert json.loads(rehearsed.stdout)["goes_on"]
    count = len(simulator.orders())
    again = floor.run("live", "live.toml", "--for", "3s")
    assert again.returncode == 0, again.stderr
    assert "its run goes on" in again.stdout
    assert len(simulator.orders()) > count
    state = compare(floor, simulator)
    assert not state.book.anomalies


def test_a_person_at_a_terminal_is_asked(floor, simulator):
    simulator.deposit("BTC", Decimal("0.5"))
    outside, inside = pty.openpty()
    process = subprocess.Popen(
        floor.command("live", "live.toml", "--for", "1s"),
        cwd=floor.path,
        env=floor.environment(),
        stdin=inside,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    os.close(inside)
    try:
        assert process.stderr is not None
        told = ""
        while "(adopt, ignore, close)?" not in told:
            read = process.stderr.read(1)
            assert read, told
            told += read
        assert "this run holds 0, the venue 0.5" in told
        os.write(outside, b"perhaps\n")
        os.write(outside, b"adopt\n")
        code, out, err = finish(process)
    finally:
        process.kill()
        os.close(outside)
    assert code == 0, err
    assert "'perhaps' is none of: adopt, ignore, close." in err
    assert "1 difference settled" in out
    compare(floor, simulator)


def test_two_runs_do_not_trade_one_account(floor, simulator):
    process = floor.start("live", "live.toml")
    try:
        until(simulator.orders, process)
        second = floor.run("live", "live.toml", "--journal", "another", "--for", "1s")
        assert second.returncode == 6
        assert f"is traded by process {process.pid}" in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        finish(process)


def test_no_key_and_no_secret_is_anywhere(floor, simulator, monkeypatch):
    key = simulator.credentials()
    secrets = {key.key, key.secret, "wrong-key-0123456789", "wrong-secret-0123456789"}
    told = []

    def run(*words, **environment):
        done = floor.run(*words, "--debug", "--log-level", "debug", **environment)
        told.append(done.stdout + done.stderr)
        return done

    assert run("live", "live.toml", "--for", "3s", "--json").returncode == 0
    assert run("live", "live.toml", "--log-json", "--for", "1s").returncode == 0
    assert run("rehearse", "live.toml").returncode == 0
    assert run("doctor", "live.toml").returncode == 0
    assert run("live", "live.toml", VENUE_KEY="wrong-key-0123456789").returncode == 7
    assert run("live", "live.toml", VENUE_SECRET="wrong-secret-0123456789").returncode == 7
    assert run("live", "live.toml", VENUE_SECRET=None).returncode == 2
    simulator.add_fault("http_error", label="account", status=500, body=f"you sent {key.key} and {key.secret}")
    run("live", "live.toml")
    simulator.remove_fault()
    open_text = floor.write("open.toml", (floor.path / "live.toml").read_text().replace("${env:VENUE_KEY}", key.key))
    broken = open_text.read_text().replace('secret = "${env:VENUE_SECRET}"', f'secert = "{key.secret}"')
    open_text.write_text(broken)
    assert run("live", "open.toml").returncode == 2
    files = [one for one in Path(floor.path).rglob("*") if one.is_file() and one != open_text]
    assert any("journal" in str(one) for one in files)
    runtime = Path(os.environ["CAMBIST_RUNTIME_DIR"])
    files += [one for one in runtime.rglob("*") if one.is_file()]
    for secret in secrets:
        for number, text in enumerate(told):
            assert secret not in text, f"run {number} shows it"
        for file in files:
            assert secret.encode() not in file.read_bytes(), file
    assert "Traceback" in "".join(told)
