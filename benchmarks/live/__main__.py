"""``python -m benchmarks.live [frames|symbols|orders|restart] [--seconds 600]``."""

from __future__ import annotations

import argparse
import logging
import sys

from benchmarks.live.frames import measure_frames, measure_symbols
from benchmarks.live.orders import measure_orders
from benchmarks.live.restart import measure_restart


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("parts", nargs="*", default=["frames", "symbols", "orders", "restart"])
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the load of 500 symbols lasts")
    parser.add_argument("--records", type=int, default=100_000, help="records of the journal of a restart")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    measures = {
        "frames": measure_frames,
        "symbols": lambda: measure_symbols(asked.seconds),
        "orders": measure_orders,
        "restart": lambda: measure_restart(asked.records),
    }
    for part in asked.parts:
        measures[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
