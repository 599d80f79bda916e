"""Runs foreign clients against a simulated venue: ``python venue.py PYTHON SCRIPT [PYTHON SCRIPT ...]``.

Each script is run by a Python of its own, which has the client's package and nothing of Cambist.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cambist_simulator import ExchangeSimulator


def main() -> int:
    """Run them one after another; the number of those that did not show all."""
    failed = 0
    pairs = list(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    money = {"BTC": "10", "ETH": "100", "BNB": "100", "USDT": "1000000"}
    with ExchangeSimulator("binance", seed=11, history=600, balances=money) as simulator:
        who = simulator.credentials()
        rest = simulator.endpoints["rest"]
        venue = {"http": rest, "ws": rest.replace("http", "ws", 1), "key": who.key, "secret": who.secret}
        for python, script in pairs:
            print(f"{Path(script).stem} ...", flush=True)
            environment = os.environ | {"CAMBIST_FOREIGN_VENUE": json.dumps(venue)}
            done = subprocess.run([python, script], env=environment, timeout=300, check=False)  # noqa: S603 - our own scripts
            failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
