"""What it costs to make slower bars: of 1,000,000 minutes, beside ``DataFrame.resample``.

Run with ``python benchmarks/resampling.py``. CPU time, median of seven interleaved rounds, seconds. The goal is 0.1 s
from 1m to 1h.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from cambist import Bars, Instrument, weekly_calendar
from cambist.data import resample
from cambist.model.times import MINUTE_NS, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
ROUNDS = 7


def main() -> None:
    chance = np.random.default_rng(7)
    close = 100.0 + np.cumsum(chance.normal(0.0, 0.01, ROWS))
    ts = to_ns("2022-01-01") + np.arange(ROWS) * MINUTE_NS
    bars = Bars(Instrument(symbol="ACME"), "1m", ts, close, close + 0.1, close - 0.1, close, chance.random(ROWS))
    market = weekly_calendar("market", "9:30-16:00", tz="America/New_York", start="2021-12-01", end="2024-12-31")
    frame = bars.to_frame()
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    ways: dict[str, Callable[[], object]] = {
        "1m to 1h": lambda: resample(bars, "1h"),
        "1m to 1h, midnight in New York": lambda: resample(bars, "1h", tz="America/New_York"),
        "1m to 1h, sessions": lambda: resample(bars, "1h", calendar=market),
        "1m to 1M": lambda: resample(bars, "1M"),
        "pandas, 1m to 1h": lambda: frame.resample("1h").agg(rules),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            before = time.process_time()
            run()
            times[name].append(time.process_time() - before)
    for name, taken in times.items():
        print(f"{name:<34} {statistics.median(taken):.3f} s")


if __name__ == "__main__":
    main()
