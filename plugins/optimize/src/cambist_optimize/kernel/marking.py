"""The equity of each close, and what measures need of it: peaks, falls, ends of days; see `EquityRecorder`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.layout import (
    AVERAGE,
    CASH,
    EQUITY,
    EXPOSED,
    FALL,
    FALL_MONEY,
    IS_CASH,
    LONGEST,
    LOW,
    LOWEST,
    MULTIPLIER,
    PEAK,
    PEAK_TIME,
    SAMPLE,
    SIZE,
)
from cambist_optimize.kernel.reach import STRIDE, extremes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cambist_optimize.kernel.reach import Reach

    Floats = NDArray[np.float64]
    #: Closes, their times, the rows that end a day, and what `extremes` looks up.
    Closes = tuple[Floats, NDArray[np.int64], NDArray[np.int64], Reach]

__all__ = ["end_marking", "mark"]


@inlined
def mark(
    rules: Floats,
    state: Floats,
    counts: NDArray[np.int64],
    closes: Closes,
    kept: tuple[Floats, Floats],
    start: int,
    stop: int,
) -> None:
    """Value the account at the closes of the bars from `start` up to `stop`, during which nothing trades.

    `kept` is where equity and peak at the end of each day go, and where the equity of each bar goes, or nothing.
    """
    prices, times, samples, _ = closes
    ends, every = kept
    if state[SIZE] != 0.0:
        counts[EXPOSED] += stop - start
    if len(every):
        _keep(rules, state, prices, every, start, stop)
    row = start
    while row < stop:
        last = stop
        at = counts[SAMPLE]
        is_sample = at < len(samples) and samples[at] < stop
        if is_sample:
            last = samples[at] + 1
        if state[SIZE] == 0.0:
            _stand(state, counts, times, row, last)
        else:
            _ride(rules, state, counts, closes, row, last)
        if is_sample:
            ends[at, 0], ends[at, 1] = state[EQUITY], state[PEAK]
            counts[SAMPLE] += 1
        row = last


@inlined
def _held(rules: Floats, state: Floats) -> tuple[float, float, float]:
    """Return cash, units and what the price is counted from: equity is ``cash + units * (price - base)``."""
    return state[CASH], state[SIZE] * rules[MULTIPLIER], 0.0 if rules[IS_CASH] > 0.0 else state[AVERAGE]


@compiled
def _keep(rules: Floats, state: Floats, prices: Floats, every: Floats, start: int, stop: int) -> None:
    """Keep the equity of each bar, for who wants the whole result."""
    cash, units, base = _held(rules, state)
    for row in range(start, stop):
        every[row] = cash if units == 0.0 else cash + units * (prices[row] - base)


@inlined
def _stand(state: Floats, counts: NDArray[np.int64], times: NDArray[np.int64], start: int, stop: int) -> None:
    """Value bars at whose closes nothing is held: equity is cash at all of them."""
    equity = state[CASH]
    if equity >= state[PEAK]:
        _rise(state, counts, times[start])
        state[PEAK] = state[LOW] = equity
        counts[PEAK_TIME] = times[stop - 1]
    elif equity < state[LOW]:
        state[LOW] = equity
    state[EQUITY] = equity


@inlined
def _ride(rules: Floats, state: Floats, counts: NDArray[np.int64], closes: Closes, start: int, stop: int) -> None:
    """Value bars at whose closes something is held."""
    prices, times, _, reach = closes
    cash, units, base = _held(rules, state)
    if start // STRIDE < (stop - 1) // STRIDE:
        # Rounding keeps the order of numbers, so that equity is highest and lowest where the price is, to the last bit.
        high, low = extremes(reach, start, stop)
        one, other = cash + units * (high - base), cash + units * (low - base)
        if max(one, other) < state[PEAK]:
            state[LOW] = min(state[LOW], one, other)
            state[EQUITY] = cash + units * (prices[stop - 1] - base)
            return
    peak, low, equity = state[PEAK], state[LOW], state[EQUITY]
    for row in range(start, stop):
        equity = cash + units * (prices[row] - base)
        if equity >= peak:
            if low < peak:
                state[PEAK], state[LOW] = peak, low
                _rise(state, counts, times[row])
            peak = low = equity
            counts[PEAK_TIME] = times[row]
        elif equity < low:
            low = equity
    state[PEAK], state[LOW], state[EQUITY] = peak, low, equity


@inlined
def _rise(state: Floats, counts: NDArray[np.int64], ts: int) -> None:
    """Note the fall that is over, equity being back at its peak at `ts`."""
    peak, low = state[PEAK], state[LOW]
    if not low < peak:
        return
    counts[LONGEST] = max(counts[LONGEST], ts - counts[PEAK_TIME])
    fall = low / peak - 1.0
    state[FALL] = min(state[FALL], fall)
    state[FALL_MONEY] = min(state[FALL_MONEY], low - peak)
    state[LOWEST] = min(state[LOWEST], low)


@compiled
def end_marking(state: Floats, counts: NDArray[np.int64], ts: int) -> None:
    """Note the fall that is not over at the last close, `ts`."""
    _rise(state, counts, ts)
