"""RSI reversal: buys weakness, with a stop below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.indicators import ATR, RSI
from cambist.strategies import PercentOfEquity, Strategy, param

if TYPE_CHECKING:
    from cambist.indicators.series import BarView
    from cambist.model.orders import Fill

__all__ = ["RsiReversal"]


class RsiReversal(Strategy):
    """Buys when RSI falls below a level, protects the position with a stop, closes when RSI has recovered."""

    period: int = param(14, ge=2, doc="bars of the RSI")
    oversold: float = param(30.0, gt=0, lt=100, doc="buy below this RSI")
    recovered: float = param(55.0, gt=0, lt=100, doc="close above this RSI")
    stop_distance: float = param(2.0, gt=0, doc="distance of the stop, in average true ranges")
    share: float = param(0.5, gt=0, le=1, doc="fraction of the equity to invest")

    def on_start(self) -> None:
        """Build RSI and range."""
        self.sizer = PercentOfEquity(self.share)
        self.rsi = RSI(self.data.close, self.period)
        self.range = ATR(self.data, self.period)

    def on_bar(self, bar: BarView) -> None:  # noqa: ARG002 - the lines say it all
        """Buy weakness, leave with strength."""
        if not self.position and not self.open_orders and self.rsi[0] < self.oversold:
            self.buy()
        elif self.position and self.rsi[0] > self.recovered:
            self.cancel_all()
            self.close()

    def on_fill(self, fill: Fill) -> None:
        """Put the stop under a new position."""
        if fill.side == "buy":
            stop = fill.price - self.stop_distance * self.range[0]
            if stop > 0:
                self.sell(fill.size, stop=stop, reduce_only=True, tag="stop")
