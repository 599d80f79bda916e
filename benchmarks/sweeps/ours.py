"""Cambist's two paths, and the floor: a loop written for this one strategy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

import cambist
from benchmarks.data import walk_of
from benchmarks.job import CASH, FEES
from benchmarks.strategies import SmaCross
from cambist import Bars, Instrument, SignalStrategy, Timeframe, param
from cambist.indicators import SMA, crossover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Averages", "SignalCross", "compiled", "engine", "floor"]

#: Columns of the table, in every way of making it.
MEASURES = ("final_equity", "max_drawdown", "sharpe", "trades", "win_rate", "profit_factor", "fees_paid")


class SignalCross(SignalStrategy):
    """The cross as signals."""

    fast: int = param(10, ge=2)
    slow: int = param(30, ge=3)

    def on_start(self) -> None:
        close = self.data.close
        cross = crossover(SMA(close, self.fast), SMA(close, self.slow))
        self.trade_on(cross > 0, cross < 0)


def bars_of(size: int) -> Bars:
    """Return the bars."""
    walk = walk_of(size)
    columns = (walk.ts, walk.open, walk.high, walk.low, walk.close, walk.volume)
    return Bars(Instrument(symbol="A"), Timeframe.parse("1m"), *columns)


def _sweep(strategy: Any, size: int, pairs: Sequence[tuple[int, int]], **options: Any) -> float:
    """Return the best final equity of a sweep."""
    fast, slow = (sorted({pair[at] for pair in pairs}) for at in (0, 1))
    sweep = cambist.optimize(
        strategy,
        bars_of(size),
        {"fast": fast, "slow": slow},
        metric="final_equity",
        measures=MEASURES,
        cash=CASH,
        fees=FEES,
        **options,
    )
    assert len(sweep.rows) == len(pairs)
    return sweep.best.measures["final_equity"]


def compiled(size: int, pairs: Sequence[tuple[int, int]], jobs: int) -> float:
    """Play signals in the compiled loop, in threads."""
    return _sweep(SignalCross, size, pairs, jobs=jobs)


def engine(size: int, pairs: Sequence[tuple[int, int]], jobs: int) -> float:
    """Play an ordinary strategy in the event engine, in processes."""
    return _sweep(SmaCross, size, pairs, jobs=jobs)


@numba.njit(nogil=True, cache=True)
def _loop(  # noqa: PLR0912 - everything at once is what makes it the floor
    open_: NDArray[np.float64],
    close: NDArray[np.float64],
    fast: NDArray[np.float64],
    slow: NDArray[np.float64],
    day_ends: NDArray[np.int64],
    ends: NDArray[np.float64],
) -> tuple[float, ...]:
    cash, size, entry, entry_fee = 1_000_000.0, 0.0, 0.0, 0.0
    pending, above, day = 0, -1, 0
    peak, fall = cash, 0.0
    trades, wins, won, lost, fees = 0, 0, 0.0, 0.0, 0.0
    equity = cash
    for row in range(len(close)):
        if pending:
            price = open_[row]
            fee = price * 0.001
            fees += fee
            if pending > 0:
                cash -= price + fee
                size, entry, entry_fee = 1.0, price, fee
            else:
                cash += price - fee
                size = 0.0
                net = price - entry - entry_fee - fee
                trades += 1
                if net > 0.0:
                    wins += 1
                    won += net
                else:
                    lost -= net
            pending = 0
        if slow[row] == slow[row]:
            side = 1 if fast[row] > slow[row] else 0
            if side != above:
                if above >= 0:
                    if side:
                        pending = 1
                    elif size > 0.0:
                        pending = -1
                above = side
        equity = cash + size * close[row]
        if equity > peak:  # noqa: PLR1730
            peak = equity
        below = equity / peak - 1.0
        if below < fall:  # noqa: PLR1730
            fall = below
        if day < len(day_ends) and row == day_ends[day]:
            ends[day] = equity
            day += 1
    total, squares, count, before = 0.0, 0.0, len(day_ends), 1_000_000.0
    for at in range(count):
        change = ends[at] / before - 1.0
        before = ends[at]
        total += change
        squares += change * change
    mean = total / count
    spread = sqrt(max(0.0, squares / count - mean * mean))
    sharpe = mean / spread * sqrt(365.0) if spread else 0.0
    return equity, fall, sharpe, trades, wins / max(1, trades), won / max(lost, 1e-300), fees


class Averages:
    """What the loop reads: bars, and each average computed once."""

    def __init__(self, size: int, pairs: Sequence[tuple[int, int]]) -> None:
        import talib

        self._walk = walk_of(size)
        periods = sorted({one for pair in pairs for one in pair})
        self._averages = {one: talib.SMA(self._walk.close, one) for one in periods}
        days = (self._walk.ts + 60_000_000_000 - 1) // 86_400_000_000_000
        self._day_ends = np.flatnonzero(np.append(np.diff(days) != 0, True))

    def loop(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[float, ...]]:
        """Play one combination after the other."""
        walk, averages, ends = self._walk, self._averages, np.empty(len(self._day_ends))
        return [_loop(walk.open, walk.close, averages[one], averages[two], self._day_ends, ends) for one, two in pairs]


def floor(size: int, pairs: Sequence[tuple[int, int]], jobs: int) -> float:
    """Play the loop, each average computed once; fees, trades and measures of the equity, as the others keep."""
    averages = Averages(size, pairs)
    if jobs == 1:
        rows = averages.loop(pairs)
    else:
        with ThreadPoolExecutor(jobs) as pool:
            rows = [row for part in pool.map(averages.loop, [[pair] for pair in pairs]) for row in part]
    return max(row[0] for row in rows)
