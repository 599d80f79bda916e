"""RSI reversal: buys weakness with half of the equity, protects it with a stop, takes a profit at a limit.

cambist backtest examples/rsi_reversal.py --data samples:MSFT --fees 0.001 --path pessimistic
"""

from cambist import Strategy, param
from cambist.indicators import ATR, RSI


class RsiReversal(Strategy):
    period: int = param(14, ge=2, doc="bars of the RSI")
    oversold: float = param(35.0, gt=0, lt=100, doc="buy below this RSI")
    risk: float = param(2.0, gt=0, doc="distance of the stop, in average true ranges")
    reward: float = param(3.0, gt=0, doc="distance of the limit, in average true ranges")

    def on_start(self):
        self.rsi = RSI(self.data.close, self.period)
        self.range = ATR(self.data, self.period)

    def on_bar(self, bar):
        if not self.position and self.rsi[0] < self.oversold:
            self.order_target_percent(0.5, tag="entry")

    def on_fill(self, fill):
        if fill.side == "buy":
            on_grid = fill.instrument.round_price
            stop = on_grid(fill.price - self.risk * self.range[0])
            limit = on_grid(fill.price + self.reward * self.range[0])
            self.sell(fill.size, stop=stop, reduce_only=True, tag="stop")
            self.sell(fill.size, limit=limit, reduce_only=True, tag="profit")

    def on_trade(self, trade):
        # One of the two exits has closed the position; the other must not wait for the next one.
        self.cancel_all()
