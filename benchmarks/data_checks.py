"""What it costs to check bars: ``python -m benchmarks.data_checks``.

A million minute bars that are right, the same with a defect in every thousandth, and a stream, bar by bar.
"""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.journal import show
from benchmarks.storage import ROUNDS, minutes, seconds
from cambist.data import BarStream, RawBars, check, read_raw
from cambist.live.screening import SCREENED

_STREAMED = 2_000


def damaged(raw: RawBars) -> RawBars:
    """Return bars of which every thousandth has a price in another unit, a high that is too low, or no close."""
    columns = {name: values.copy() for name, values in raw.columns.items()}
    rows = np.arange(500, len(raw), 1_000)
    for name in ("open", "high", "low", "close"):
        columns[name][rows[::3]] *= 100.0
    columns["high"][rows[1::3]] *= 0.9
    columns["close"][rows[2::3]] = np.nan
    return RawBars(instrument=raw.instrument, timeframe=raw.timeframe, ts=raw.ts, columns=columns)


def main() -> None:
    """Print every figure."""
    bars = minutes(1_000_000)
    raw = read_raw(bars)
    spoiled = damaged(raw)
    for what, source in (("1,000,000 bars that are right, every rule", raw), ("the same with 1,000 defects", spoiled)):
        took = statistics.median(seconds(lambda: check(source)) for _ in range(ROUNDS))  # noqa: B023
        show(what, took, 0.5, "s", f"{check(source).describe()}", at_least=False)
    some = list(bars[:_STREAMED])
    stream = BarStream("1m", rules=SCREENED, always=True)
    took = statistics.median(seconds(lambda: [stream.push(bar) for bar in some]) for _ in range(3))
    show("a live bar, the rules for live bars", took / _STREAMED * 1e6, 1_000.0, "us", at_least=False)


if __name__ == "__main__":
    main()
