"""Bars for suites that want a market: made here, the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.model import Bars, Instrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bars_of", "flat_bars", "walking_bars"]

_DAY = 86_400_000_000_000
_BEGIN = 1_577_836_800_000_000_000  # 2020-01-01
_INSTRUMENT = Instrument(symbol="ACME", tick_size="0.01", step_size="1")


def bars_of(close: NDArray[np.float64], *, spread: float = 0.01, instrument: Instrument = _INSTRUMENT) -> Bars:
    """Return daily bars around closes: each opens at the close before, and reaches a `spread` beyond both."""
    opens = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opens, close) * (1 + spread)
    low = np.minimum(opens, close) * (1 - spread)
    volume = 1_000.0 + 100.0 * (np.arange(len(close)) % 7).astype(np.float64)
    ts = _BEGIN + _DAY * np.arange(len(close), dtype=np.int64)
    return Bars(instrument, "1d", ts, opens, high, low, close, volume)


def walking_bars(rows: int = 300, seed: int = 1) -> Bars:
    """Return bars that walk at random, with a swing so that averages cross."""
    steps = np.random.default_rng(seed).normal(0.0, 0.01, rows)
    close = 100.0 * np.exp(np.cumsum(steps) + 0.1 * np.sin(np.arange(rows) / 15.0))
    return bars_of(np.round(close, 2))


def flat_bars(rows: int = 300) -> Bars:
    """Return bars on which nothing ever moves."""
    return bars_of(np.full(rows, 100.0), spread=0.0)
