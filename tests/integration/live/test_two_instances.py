"""Two processes on one account: on one machine the second does not start; on two, the younger one stops."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cambist.cli.exits import Exit
from cambist.errors import AccountInUseError
from cambist.live.control import AccountLock, fingerprint
from cambist.live.control.places import runtime_folder
from cambist_simulator import ExchangeSimulator

SCRIPT = Path(__file__).with_name("trading_process.py")


class Process:
    """A run in a process, and what it says."""

    def __init__(self, simulator, journal, host, kind="InAndOut") -> None:
        key = simulator.credentials()
        words = [simulator.url, key.key, key.secret, str(journal), kind]
        self.secret = key.secret
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "CAMBIST_RUNTIME_DIR": str(host)},
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def until(self, begins, within=60):
        deadline = time.monotonic() + within
        while True:
            found = [line for line in self.lines if line.startswith(begins)]
            if found:
                return found[0]
            assert time.monotonic() < deadline, (begins, self.lines)
            assert self.process.poll() is None or self.reader.is_alive(), (begins, self.lines)
            time.sleep(0.05)

    def wait(self, within=60):
        code = self.process.wait(within)
        self.reader.join(10)
        return code

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.reader.join(10)
        self.process.stdout.close()


@pytest.fixture
def simulator():
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000, speed=60) as made:
        yield made


@pytest.fixture
def start(simulator, tmp_path):
    started = []

    def one(name, host="host", kind="InAndOut"):
        process = Process(simulator, tmp_path / name, tmp_path / host, kind)
        started.append(process)
        return process

    yield one
    for process in started:
        process.end()


def test_on_one_machine_the_second_does_not_start_and_names_the_first(start, tmp_path):
    first = start("first")
    first.until("trading")
    second = start("second")
    assert second.wait() == Exit.IN_USE
    assert len(second.lines) == 1
    assert f"process {first.process.pid}" in second.lines[0]
    assert str(tmp_path / "first") in second.lines[0]
    assert second.secret not in second.lines[0]
    os.kill(first.process.pid, signal.SIGKILL)
    first.wait()
    third = start("third")  # a process that died holds nothing
    third.until("trading")


def test_on_two_machines_the_younger_one_stops_and_the_older_one_goes_on(start):
    first = start("first", "one-host")
    older = first.until("trading").split()[1]
    time.sleep(1.1)  # tokens tell seconds
    second = start("second", "another-host")
    younger = second.until("trading").split()[1]
    assert older < younger
    assert second.wait() == Exit.OK
    assert "begun before this one" in second.until("alarm second_instance")
    assert "ended an older run trades the account" in second.lines
    assert "begun after this one" in first.until("alarm second_instance")
    assert first.process.poll() is None


def test_a_run_that_does_not_get_on_is_ended_with_a_code_for_its_supervisor(start):
    one = start("frozen", kind="Endless")
    assert one.wait(90) == Exit.FROZEN
    assert "trading_process.py" in one.until("told loop_frozen")
    one.until("told frozen_exit")


def test_a_lock_says_nothing_of_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMBIST_RUNTIME_DIR", str(tmp_path / "host"))
    key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    with AccountLock("binance-spot", fingerprint(key), tmp_path / "journal"):
        files = [path for path in runtime_folder().rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert key not in path.name
            assert key.encode() not in path.read_bytes()
        with pytest.raises(AccountInUseError, match=f"process {os.getpid()}"):
            AccountLock("binance-spot", fingerprint(f" {key}\n"), tmp_path / "other").take()
        with AccountLock("binance-usdm", fingerprint(key), tmp_path / "other"):
            pass
    with AccountLock("binance-spot", fingerprint(key), tmp_path / "other"):
        pass
