"""Breakouts over several instruments in one account: the strongest ones are held, in equal shares.

cambist backtest examples/portfolio_breakout.py -d samples:AAPL-RAW -d samples:IBM -d samples:GOOG
"""

from cambist import Strategy, param
from cambist.indicators import highest, lowest


class PortfolioBreakout(Strategy):
    entry: int = param(55, ge=2, doc="bars whose high must be passed to buy")
    exit: int = param(20, ge=2, doc="bars whose low must be passed to sell")
    most: int = param(3, ge=1, doc="positions at once")

    def on_start(self):
        # (-1): the channel of the bars before this one.
        self.upper = {series.symbol: highest(series.high, self.entry)(-1) for series in self.data}
        self.lower = {series.symbol: lowest(series.low, self.exit)(-1) for series in self.data}

    def on_step(self):
        # Called once when the bars of all instruments of this instant are known.
        for series in self.data:
            if self.positions[series.symbol] and series.close[0] < self.lower[series.symbol][0]:
                self.close(series)
        free = self.most - sum(1 for position in self.positions.values() if position)
        breaks = {
            series: series.close[0] / self.upper[series.symbol][0]
            for series in self.data
            if not self.positions[series.symbol] and series.close[0] > self.upper[series.symbol][0]
        }
        for series in sorted(breaks, key=breaks.get, reverse=True)[: max(free, 0)]:
            self.order_target_percent(0.9 / self.most, series)
