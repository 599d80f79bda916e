"""Processes that trade at an exchange in another process, killed with SIGKILL at random moments, orders under way."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
from stage import PLACES, Stage
from trader import RUNNING, trade

from cambist_simulator import ExchangeSimulator

#: Seconds in which a process begins, or ends, on a machine that does other things, too.
PATIENCE = 120
#: Processes of their own, forked from one that has imported what takes a trader seconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["trader", "ccxt.async_support"])


class Trader:
    """The process."""

    def __init__(self, name: str, simulator, folder, *words: str) -> None:
        key = simulator.credentials()
        self.heard, said = PROCESSES.Pipe(duplex=False)
        given = (name, simulator.url, key.key, key.secret, str(folder), *words)
        self.process = PROCESSES.Process(target=trade, args=(said, *given), daemon=True)
        self.process.start()
        said.close()

    def until_it_runs(self) -> None:
        assert self.heard.poll(PATIENCE), "the trader did not begin in time"
        told = self.heard.recv()
        assert told == RUNNING, f"the trader did not begin: {told[-3000:]}"

    def kill(self) -> None:
        self.process.kill()
        self._end()
        assert self.process.exitcode == -signal.SIGKILL

    def stop(self) -> None:
        """Let it cancel what is open, and end."""
        self.process.terminate()
        self._end()
        assert self.process.exitcode == 0, self.heard.recv()[-3000:]

    def _end(self) -> None:
        self.process.join(PATIENCE)
        assert not self.process.is_alive(), "the trader did not end in time"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let the process that traders are forked from find what it is to import."""
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


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
                time.sleep(chance.uniform(0.0, 0.8))
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
