"""backtesting.py (AGPL, a development dependency): the fastest peer that calls Python for each bar."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

from benchmarks.data import random_walk
from benchmarks.job import CASH, FEES
from benchmarks.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["BacktestingCross"]


def _average(values: Any, period: int) -> NDArray[np.float64]:
    import talib

    return talib.SMA(np.asarray(values, dtype=np.float64), timeperiod=period)


def _crossing(close: Any, fast: int, slow: int) -> NDArray[np.float64]:
    """Return 1 where the fast average crosses above the slow one, -1 where below."""
    sides = np.sign(_average(close, fast) - _average(close, slow))
    return np.concatenate(([np.nan], np.diff(sides) / 2.0))


class _Cross(Strategy):
    """Buys one unit when the fast average crosses above the slow one, closes when below, as its README writes it."""

    def init(self) -> None:
        close = self.data.Close
        self.fast, self.slow = self.I(_average, close, 10), self.I(_average, close, 30)

    def next(self) -> None:
        if crossover(self.fast, self.slow):
            self.buy(size=1)
        elif crossover(self.slow, self.fast):
            self.position.close()


class _TunedCross(Strategy):
    """The same with the crossing worked out beforehand, so that a bar looks at one line: as fast as it gets."""

    def init(self) -> None:
        self.cross = self.I(_crossing, self.data.Close, 10, 30)

    def next(self) -> None:
        cross = self.cross[-1]
        if cross > 0:
            self.buy(size=1)
        elif cross < 0:
            self.position.close()


@attrs.frozen
class BacktestingCross:
    """The moving-average cross.

    Parameters
    ----------
    tuned
        Leave it no line to look at but the crossing.
    """

    tuned: bool = False

    def prepare(self, size: int) -> pd.DataFrame:
        return random_walk(size).frame().rename(columns=str.capitalize)

    def run(self, data: pd.DataFrame) -> pd.Series[Any]:
        backtest = Backtest(data, _TunedCross if self.tuned else _Cross, cash=CASH, commission=FEES)
        with warnings.catch_warnings():
            # The last position stays open in every engine, and is valued at the last close.
            warnings.filterwarnings("ignore", message="Some trades remain open", category=UserWarning)
            return backtest.run()

    def outcome(self, result: pd.Series[Any]) -> Outcome:
        return Outcome.of(_fills(result), float(result["Equity Final [$]"]))


def _fills(result: pd.Series[Any]) -> Iterator[tuple[float, float]]:
    closed = result["_trades"]
    for size, entry, exit_ in zip(closed["Size"], closed["EntryPrice"], closed["ExitPrice"], strict=True):
        yield float(size), float(entry)
        yield -float(size), float(exit_)
    for trade in result["_strategy"].trades:
        yield float(trade.size), float(trade.entry_price)
