"""The fixture for plugin authors, used as they use it; and what it does with an exchange that failed itself."""

from __future__ import annotations

import subprocess
import sys

from generic_client import GenericClient


def test_an_exchange_runs_for_a_test(exchange_simulator):
    simulator = exchange_simulator("generic", symbols=["BTCUSDT"], seed=3)
    assert simulator.time()["market"] == 1_704_067_200_000_000_000
    simulator.step("1s")
    assert GenericClient(simulator).place().json()["status"] == "filled"
    assert len(simulator.orders()) == 1


def test_several_run_side_by_side(exchange_simulator):
    one, two = exchange_simulator(), exchange_simulator()
    assert one.url != two.url


FAILING = """
def test_one(exchange_simulator):
    simulator = exchange_simulator("generic")
    simulator.call(lambda venue: venue.server.count("errors"))

def test_two(exchange_simulator):
    exchange_simulator("generic")
"""


def test_a_test_fails_in_which_the_exchange_itself_did(tmp_path):
    (tmp_path / "test_it.py").write_text(FAILING, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist"]
    done = subprocess.run([*words, str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "2 passed, 1 error" in done.stdout
    assert "the simulated exchange itself failed 1 times" in done.stdout


def test_a_test_run_that_needs_no_exchange_imports_none():
    program = (
        "import sys, pytest; pytest.main(['--version']);"
        "print(sorted(n for n in sys.modules if n.split('.')[0] in ('aiohttp', 'cambist_simulator')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "aiohttp" not in done.stdout.splitlines()[-1]
    assert "cambist_simulator.venue" not in done.stdout
