"""A moving-average cross: all in while the fast average is above the slow one, out while it is below.

cambist backtest examples/sma_cross.py --data samples:AAPL --cash 100000 --fees 0.001
"""

from cambist import AllIn, Strategy, param
from cambist.indicators import SMA, crossover


class SmaCross(Strategy):
    fast: int = param(10, ge=2, doc="bars of the fast average")
    slow: int = param(30, ge=3, doc="bars of the slow average")

    sizer = AllIn(buffer=0.05)  # the order fills at the next open, which may be higher

    def on_start(self):
        close = self.data.close
        self.cross = crossover(SMA(close, self.fast), SMA(close, self.slow))

    def on_bar(self, bar):
        if self.cross[0] > 0:
            self.buy()
        elif self.cross[0] < 0:
            self.close()


if __name__ == "__main__":
    import cambist
    from cambist_samples import open_feed

    result = cambist.backtest(SmaCross(fast=5), open_feed("AAPL"), cash=100_000, fees=0.001)
    print(result.summary)
    print(result.trades.tail())
