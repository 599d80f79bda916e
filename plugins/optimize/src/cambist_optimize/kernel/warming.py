"""Compiles the loop ahead of its first use."""

from __future__ import annotations

import time

import numpy as np

from cambist import BacktestSettings, Bars, Instrument, Timeframe
from cambist.api import SignalColumns
from cambist_optimize.kernel.compiling import IS_COMPILED, cache_folder

__all__ = ["warm"]


def warm() -> str:
    """Compile what a sweep calls, for the next processes too, and say what was done."""
    if not IS_COMPILED:
        return "numba is not installed: nothing to compile; sweeps go through the event engine"
    from cambist.api import Comparison
    from cambist_optimize.kernel.player import Player

    began = time.perf_counter()
    up = np.array([1.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0])
    ts = np.arange(8, dtype=np.int64) * 86_400_000_000_000
    bars = Bars(Instrument(symbol="WARM"), Timeframe.parse("1d"), ts, up, up, up, up, up)
    player = Player(bars, BacktestSettings())
    nothing, one = np.empty(0), np.ones(1)
    crosses = (Comparison(np.greater, up, up[::-1].copy(), True), Comparison(np.less, up, up[::-1].copy(), True))
    batch = player.batch()
    for entries, exits, stop in ((*crosses, nothing), (*crosses, one), (up, None, nothing)):
        batch.add(SignalColumns(0, entries, exits, one, nothing, stop, nothing, nothing, None))
    batch.played()
    return f"compiled in {time.perf_counter() - began:.1f} s, kept in {cache_folder()}"
