"""The strategies that are measured, as a user would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist import Strategy, param
from cambist.indicators import SMA, crossover

if TYPE_CHECKING:
    from cambist import Order
    from cambist.indicators.series import BarView

__all__ = ["Bracketed", "Replace", "SmaCross", "SmaCrossEach"]


class SmaCross(Strategy):
    """The README's: buys one unit when the fast average crosses above the slow one, closes when below."""

    fast: int = param(10, ge=2)
    slow: int = param(30, ge=3)

    def on_start(self) -> None:
        close = self.data.close
        self.cross = crossover(SMA(close, self.fast), SMA(close, self.slow))

    def on_bar(self, bar: BarView) -> None:  # noqa: ARG002 - the line is at the bar
        if self.cross[0] > 0:
            self.buy()
        elif self.cross[0] < 0:
            self.close()


class SmaCrossEach(Strategy):
    """The same on every instrument of the run."""

    fast: int = param(10, ge=2)
    slow: int = param(30, ge=3)

    def on_start(self) -> None:
        self.crosses = {
            series.symbol: crossover(SMA(series.close, self.fast), SMA(series.close, self.slow)) for series in self.data
        }

    def on_bar(self, bar: BarView) -> None:
        cross = self.crosses[bar.symbol][0]
        if cross > 0:
            self.buy()
        elif cross < 0:
            self.close()


class Replace(Strategy):
    """Cancels its resting limit order on every bar and sends a new one, a little away from the close."""

    distance: float = param(0.001, gt=0)

    def on_start(self) -> None:
        self.order: Order | None = None

    def on_bar(self, bar: BarView) -> None:
        if self.order is not None:
            self.cancel(self.order)
        if self.position.size > 0.0:
            self.order = self.sell(1.0, limit=bar.close * (1.0 + self.distance))
        else:
            self.order = self.buy(1.0, limit=bar.close * (1.0 - self.distance))


class Bracketed(Strategy):
    """Buys on every tenth bar, with a limit order that takes the profit and a stop order that limits the loss."""

    distance: float = param(0.003, gt=0)

    def on_start(self) -> None:
        self.bars = 0

    def on_bar(self, bar: BarView) -> None:
        self.bars += 1
        if self.bars % 10 == 0:
            close = bar.close
            self.buy_bracket(1.0, take_profit=close * (1.0 + self.distance), stop_loss=close * (1.0 - self.distance))
