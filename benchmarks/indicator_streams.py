"""What an indicator costs: whole columns, blocks, and single rows, beside TA-Lib called directly.

Run with ``python benchmarks/indicator_streams.py``. CPU time, median of seven interleaved rounds, ns for each row.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
import talib
from talib import stream

from cambist import indicators as room
from cambist.indicators import backtrader as btind
from cambist.indicators import flow_imbalance, indicator
from cambist.indicators.arithmetic import Delay, Elementwise
from cambist.indicators.crossing import Crossover
from cambist.indicators.series import Series
from cambist.indicators.talib_functions import described
from cambist.model.bars import Bar, Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.indicators.computation import Computation

ROWS = 250_000
STEPS = 50_000
COMPOSED_STEPS = 5_000
ROUNDS = 7
PRICES = ("open", "high", "low", "close", "volume")


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

#: Indicators of several lines, made of a series: what is measured is all that they are made of.
COMPOSED: dict[str, Callable[[Series], object]] = {
    "laguerre_rsi": room.laguerre_rsi,
    "error_correcting": room.error_correcting,
    "relative_strength, sma": lambda data: room.relative_strength(data, 14, "sma"),
    "kaufman(10)": lambda data: room.kaufman(data, 10),
    "deviation(20)": lambda data: room.deviation(data, 20),
    "percent_rank(50)": lambda data: room.percent_rank(data, 50),
    "hurst(40)": room.hurst,
    "pair_regression(10)": lambda data: room.pair_regression(data.close, data.open, 10),
    "ichimoku": room.ichimoku,
    "zigzag": room.zigzag,
    "parabolic_stop": room.parabolic_stop,
    "session_vwap": room.session_vwap,
    "volume_profile(20)": room.volume_profile,
    "pivots": room.pivots,
    "backtrader CCI(20)": btind.CCI,
    "backtrader ADX(14)": btind.ADX,
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


def composed(make: Callable[[Series], object], bars: Bars) -> dict[str, Callable[[], int]]:
    """Return what to measure of an indicator of lines: less a series without it, these are its own costs."""
    part = [column[:COMPOSED_STEPS].tolist() for column in (bars.ts, *(getattr(bars, one) for one in PRICES))]
    rows = [Bar(*row) for row in zip(*part, strict=True)]

    def fresh() -> Series:
        series = Series(bars.instrument, bars.timeframe)
        make(series)
        return series

    def batch() -> int:
        fresh()._cursor.load(bars, whole=True)
        return ROWS

    def update() -> int:
        push = fresh()._cursor.push
        for row in rows:
            push(row)
        return COMPOSED_STEPS

    return {"batch": batch, "update": update}


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
    times = np.arange(ROWS) * 60_000_000_000
    volume = np.random.default_rng(2).integers(1, 100, ROWS) * 1.0
    instrument = Instrument(symbol="BENCH")
    bars = Bars(instrument, Timeframe.parse("1m"), times, close, available[0], available[1], close, volume)
    nothing = measure(composed(lambda _: None, bars))
    for name, make in COMPOSED.items():
        costs = measure(composed(make, bars))
        batch, update = (costs[way] - nothing[way] for way in ("batch", "update"))
        print(f"{name:24}{batch:10.1f}{'':10}{update:10.0f}")


if __name__ == "__main__":
    main()
