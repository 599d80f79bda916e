"""What slower bars cost: of 1,000,000 minutes at once, beside ``DataFrame.resample``, and in a strategy's run.

Run with ``python -m benchmarks.resampling``. CPU time, median of five interleaved rounds, seconds. The goal is 0.1 s
from 1m to 1h.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from cambist import Bars, Instrument, Strategy, backtest, weekly_calendar
from cambist.data import resample
from cambist.indicators import SMA
from cambist.model.times import MINUTE_NS, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.indicators.series import BarView

ROWS = 1_000_000
RUN = 200_000
ROUNDS = 5


class Fast(Strategy):
    """Reads an average of the fast bars."""

    def on_start(self) -> None:
        self.slow = self.data[0]
        self.average = SMA(self.slow.close, 20)

    def on_bar(self, bar: BarView) -> None:
        if bar.close > self.average[0] + 1e9:
            self.buy(1)


class Slow(Fast):
    """Reads an average of slower bars."""

    def on_start(self) -> None:
        self.slow = self.data.resample("1h")
        self.average = SMA(self.slow.close, 20)


class Ruled(Fast):
    """Reads an average of bars by volume."""

    def on_start(self) -> None:
        self.slow = self.data.resample("volume 30")
        self.average = SMA(self.slow.close, 20)


class Growing(Fast):
    """Reads an average of bars that grow."""

    def on_start(self) -> None:
        self.slow = self.data.replay("1h")
        self.average = SMA(self.slow.close, 20)


def main() -> None:
    chance = np.random.default_rng(7)
    close = 100.0 + np.cumsum(chance.normal(0.0, 0.01, ROWS))
    ts = to_ns("2022-01-01") + np.arange(ROWS) * MINUTE_NS
    bars = Bars(Instrument(symbol="ACME"), "1m", ts, close, close + 0.1, close - 0.1, close, chance.random(ROWS))
    some = bars[:RUN]
    market = weekly_calendar("market", "9:30-16:00", tz="America/New_York", start="2021-12-01", end="2024-12-31")
    frame = bars.to_frame()
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    ways: dict[str, Callable[[], object]] = {
        f"{ROWS:,} bars, 1m to 1h": lambda: resample(bars, "1h"),
        "the same, midnight in New York": lambda: resample(bars, "1h", tz="America/New_York"),
        "the same, sessions": lambda: resample(bars, "1h", calendar=market),
        "the same, months": lambda: resample(bars, "1M"),
        "the same, pandas, 1h": lambda: frame.resample("1h").agg(rules),
        f"a run on {RUN:,} bars": lambda: backtest(Fast(), some),
        "the same, an average of hours": lambda: backtest(Slow(), some),
        "the same, of bars by volume": lambda: backtest(Ruled(), some),
        "the same, of hours that grow": lambda: backtest(Growing(), some),
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
