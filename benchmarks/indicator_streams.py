"""What computations cost over whole columns, blocks and single rows; every indicator: `benchmarks.every_indicator`.

Run with ``python benchmarks/indicator_streams.py``. CPU time, median of seven interleaved rounds, ns for each row.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
import talib
from talib import stream

from cambist.indicators import flow_imbalance, indicator
from cambist.indicators.arithmetic import Delay, Elementwise
from cambist.indicators.crossing import Crossover
from cambist.indicators.talib_functions import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.indicators.computation import Computation

ROWS = 250_000
STEPS = 50_000
ROUNDS = 7


@indicator(lookback=19)
def middle(high, low):  # noqa: ANN001, ANN201
    """Middle of the last twenty bars, from NumPy alone."""
    windows = np.lib.stride_tricks.sliding_window_view
    values = (windows(high, 20).max(axis=1) + windows(low, 20).min(axis=1)) / 2
    return np.concatenate((np.full(19, np.nan), values))


COMPUTATIONS: dict[str, tuple[Computation, int]] = {
    "SMA(10)": (described()["SMA"](period=10), 1),
    "EMA(10)": (described()["EMA"](period=10), 1),
    "RSI(14)": (described()["RSI"](period=14), 1),
    "MACD(12, 26, 9)": (described()["MACD"](fast=12, slow=26, signal=9), 1),
    "ATR(14)": (described()["ATR"](period=14), 3),
    "BBANDS(20, 2)": (described()["BBANDS"](period=20, deviations=2.0), 1),
    "a - b": (Elementwise(np.subtract), 2),
    "a / b": (Elementwise(np.divide), 2),
    "a > 100": (Elementwise(np.greater, 100.0), 1),
    "a ** 2": (Elementwise(np.power, 2.0), 1),
    "delay(5)": (Delay(5), 1),
    "crossover": (Crossover(), 2),
    "custom, window of 20": (middle.computation(), 2),
    "order flow of 10 quotes": (flow_imbalance(10), 4),
}


def measure(ways: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Run each way in turn, some rounds; return the median CPU time of each, ns for each row."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            began = time.process_time_ns()
            rows = run()
            times[name].append((time.process_time_ns() - began) / rows)
    return {name: statistics.median(values) for name, values in times.items()}


def ways_of(computation: Computation, columns: list[np.ndarray]) -> dict[str, Callable[[], int]]:
    """Return what to measure of one computation."""
    rows = list(zip(*(column[:STEPS].tolist() for column in columns), strict=True))

    def batch() -> int:
        computation.batch(*columns)
        return ROWS

    def extend() -> int:
        open_stream = computation.open()
        for start in range(0, ROWS, 8_192):
            open_stream.extend(*(column[start : start + 8_192] for column in columns))
        return ROWS

    def update() -> int:
        step = computation.open().update
        for row in rows:
            step(*row)
        return STEPS

    return {"batch": batch, "extend": extend, "update": update}


def direct(close: np.ndarray) -> dict[str, Callable[[], int]]:
    """Return TA-Lib's own ways for SMA(10): the floor."""
    values = close[:STEPS].tolist()

    def batch() -> int:
        talib.SMA(close, timeperiod=10)
        return ROWS

    def update() -> int:
        step = stream.SMA(close[:10], timeperiod=10).update
        for value in values:
            step(value)
        return STEPS

    return {"batch": batch, "update": update}


def main() -> None:
    """Print a table."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 1e-3, ROWS)))
    available = [close * 1.001, close * 0.999, close]
    print(f"{'ns for each row':24}{'batch':>10}{'extend':>10}{'update':>10}")
    floor = measure(direct(close))
    print(f"{'TA-Lib itself, SMA(10)':24}{floor['batch']:10.1f}{'':10}{floor['update']:10.0f}")
    for name, (computation, count) in COMPUTATIONS.items():
        columns = [*available, close][:count] if count >= 3 else [close, close[::-1].copy()][:count]
        costs = measure(ways_of(computation, columns))
        print(f"{name:24}{costs['batch']:10.1f}{costs['extend']:10.1f}{costs['update']:10.0f}")


if __name__ == "__main__":
    main()
