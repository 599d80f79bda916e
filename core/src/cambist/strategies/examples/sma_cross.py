"""Moving-average cross: long while the fast average is above the slow one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.indicators import SMA, crossover
from cambist.strategies import Strategy, param

if TYPE_CHECKING:
    from cambist.indicators.series import BarView

__all__ = ["SmaCross"]


class SmaCross(Strategy):
    """Buys when the fast average crosses above the slow one, closes when it crosses below."""

    fast: int = param(10, ge=2, doc="bars of the fast average")
    slow: int = param(30, ge=3, doc="bars of the slow average")

    def on_start(self) -> None:
        """Build the cross."""
        close = self.data.close
        self.cross = crossover(SMA(close, self.fast), SMA(close, self.slow))

    def on_bar(self, bar: BarView) -> None:  # noqa: ARG002 - the line says it all
        """Trade the cross."""
        if self.cross[0] > 0:
            self.buy()
        elif self.cross[0] < 0:
            self.close()
