"""A whole small backtest as a script: ``python benchmarks/first_result.py bars.parquet``."""

from __future__ import annotations

import sys

import cambist
from cambist import Strategy
from cambist.indicators import SMA, crossover


class SmaCross(Strategy):
    """The README's strategy."""

    def on_start(self) -> None:
        close = self.data.close
        self.cross = crossover(SMA(close, 10), SMA(close, 30))

    def on_bar(self, bar) -> None:  # noqa: ANN001, ARG002 - as short as in the README
        if self.cross[0] > 0:
            self.buy()
        elif self.cross[0] < 0:
            self.close()


print(cambist.backtest(SmaCross, sys.argv[1], cash=1_000_000, fees=0.001).summary)
