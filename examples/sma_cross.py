"""A moving-average cross: hold the instrument while its fast average is above the slow one.

$ cambist backtest examples/sma_cross.py:SmaCross --data samples:AAPL --cash 100000 --fees 0.001
"""

from cambist import Strategy, param
from cambist.indicators import SMA, crossover


class SmaCross(Strategy):
    """Buys when the fast average crosses above the slow one, and sells when it crosses back."""

    fast: int = param(10, ge=2)
    slow: int = param(30, ge=3)

    def on_start(self):
        close = self.data.close
        self.cross = crossover(SMA(close, self.fast), SMA(close, self.slow))

    def on_bar(self, bar):
        if self.cross[0] > 0:
            self.buy()
        elif self.cross[0] < 0:
            self.close()
