"""Processes that trade at an exchange in another process, killed with SIGKILL at random moments, orders under way."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from stage import PLACES, Stage

from cambist_simulator import ExchangeSimulator

TRADER = Path(__file__).with_name("trader.py")
#: Seconds in which a process begins, or ends, on a machine that does other things, too.
PATIENCE = 120


class Trader:
    """The process."""

    def __init__(self, name: str, simulator, folder, *words: str) -> None:
        key = simulator.credentials()
        command = [sys.executable, str(TRADER), name, simulator.url, key.key, key.secret, str(folder), *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._watch = threading.Timer(PATIENCE, self.process.kill)
        self._watch.start()

    def until_it_runs(self) -> None:
        line = self.process.stdout.readline()
        if line != "running\n":
            pytest.fail(f"the trader did not begin: {self.end()[-3000:]}")

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def stop(self) -> None:
        """Let it cancel what is open, and end."""
        self.process.send_signal(signal.SIGTERM)
        told = self.end()
        assert self.process.returncode == 0, told[-3000:]

    def end(self) -> str:
        told = self.process.stderr.read()
        self.process.wait()
        self._watch.cancel()
        self.process.stdout.close()
        self.process.stderr.close()
        return told


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spot", "usdm"])
def test_however_often_a_trader_is_killed_no_order_is_lost_doubled_or_orphaned(name, tmp_path, request):
    chance = random.Random(f"kills {name}")
    place, folder = PLACES[name], tmp_path / "journal"
    kills = max(1, request.config.getoption("--kills"))
    met = set()
    venue = {"symbols": [place.plays], "seed": 7, "history": 60, "cash": 1_000_000, "speed": 60, "limits": False}
    with ExchangeSimulator("binance", **venue) as simulator:
        for number in range(kills):
            trader = Trader(name, simulator, folder)
            if number % 4 == 3:  # while it finds its way back
                time.sleep(chance.uniform(0.2, 1.5))
            else:
                trader.until_it_runs()
                time.sleep(chance.uniform(0.0, 0.6))
            trader.kill()
            met.add(bool([one for one in simulator.orders() if one.open]))
        last = Trader(name, simulator, folder, "quiet")
        last.until_it_runs()
        last.stop()
        assert len(simulator.orders()) > kills
        assert True in met, "no kill left an order open"
        Stage(place, folder, simulator).compare()
