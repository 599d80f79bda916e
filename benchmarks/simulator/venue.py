"""A simulated venue in a process of its own: prints what a client needs as a line of JSON, ends with its input.

``python -m benchmarks.simulator.venue NAME [SETTINGS]``; every line that comes is a request: ``cpu`` prints the seconds
of CPU used so far and the resident memory, bytes.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from cambist_simulator import ExchangeSimulator


def main() -> None:
    """Run it."""
    settings: dict[str, Any] = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    if "shape" in settings:
        from cambist_simulator.market.random_market import RandomShape

        settings["shape"] = RandomShape(**settings["shape"])
    with ExchangeSimulator(sys.argv[1], **settings) as simulator:
        who = simulator.credentials()
        say({"endpoints": dict(simulator.endpoints), "key": who.key, "secret": who.secret})
        for line in sys.stdin:
            if line.strip() == "cpu":
                usage = resource.getrusage(resource.RUSAGE_SELF)
                say({"cpu": usage.ru_utime + usage.ru_stime, "memory": resident()})


def resident() -> int:
    """Return the resident memory of this process, bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def say(what: dict[str, Any]) -> None:
    """Print a line."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
