"""Made-up bars: a random walk whose averages never tie, the same for every engine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.model import Bars

__all__ = ["Columns", "GeneratedBars", "random_walk", "walk_of"]

#: 2020-01-01, ns.
START = 1_577_836_800 * 10**9
MINUTE = 60 * 10**9


@attrs.frozen(eq=False)
class Columns:
    """One-minute bars.

    Attributes
    ----------
    ts
        Open times, int64 ns UTC, shape ``(n,)``.
    open, high, low, close, volume
        float64, shape ``(n,)``.
    """

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def frame(self) -> pd.DataFrame:
        """Return them as most people hold bars: a DataFrame with a naive UTC index."""
        import pandas as pd

        prices = {name: getattr(self, name) for name in ("open", "high", "low", "close", "volume")}
        return pd.DataFrame(prices, index=pd.DatetimeIndex(self.ts.view("datetime64[ns]"), name="ts"))

    def bars(self, symbol: str = "WALK") -> Bars:
        """Return them as Cambist's own columns."""
        from cambist.model import Bars, Instrument, Timeframe

        columns = (self.open, self.high, self.low, self.close, self.volume)
        return Bars(Instrument(symbol=symbol), Timeframe.parse("1m"), self.ts, *columns)


def random_walk(count: int, seed: int = 1, *, start: int = START, price: float = 100.0) -> Columns:
    """Return `count` bars of a random walk that begins at `price`.

    Prices have all the digits of a double: two averages of them are never equal, so that no engine's rule for a
    tie decides anything.
    """
    chance = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(chance.normal(0.0, 1e-3, count)))
    open_ = np.concatenate(([price], close[:-1])) * np.exp(chance.normal(0.0, 1e-4, count))
    high = np.maximum(open_, close) * np.exp(np.abs(chance.normal(0.0, 3e-4, count)))
    low = np.minimum(open_, close) * np.exp(-np.abs(chance.normal(0.0, 3e-4, count)))
    ts = start + np.arange(count, dtype=np.int64) * MINUTE
    return Columns(ts, open_, high, low, close, chance.uniform(1.0, 100.0, count))


@cache
def walk_of(size: int) -> Columns:
    """Return the walk of a size, made once in a process: before a clock runs that it is nothing to."""
    return random_walk(size)


@attrs.frozen
class GeneratedBars:
    """Bars that exist one block at a time, for runs longer than memory.

    Parameters
    ----------
    count
        How many there are in all.
    """

    count: int

    def blocks(self, size: int = 65_536) -> Iterator[Bars]:
        """Yield the bars in blocks of `size`."""
        price = 100.0
        for number, first in enumerate(range(0, self.count, size)):
            part = random_walk(min(size, self.count - first), number, start=START + first * MINUTE, price=price)
            # Back towards the beginning: a walk of many millions of steps leaves the range of prices.
            price = 100.0 + 0.9 * (float(part.close[-1]) - 100.0)
            yield part.bars()
