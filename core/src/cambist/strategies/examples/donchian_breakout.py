"""Donchian breakout: the turtles' channel, long and short, over any number of instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.indicators import highest, lowest
from cambist.strategies import Strategy, param

if TYPE_CHECKING:
    from cambist.indicators.series import BarView

__all__ = ["DonchianBreakout"]


class DonchianBreakout(Strategy):
    """Enters when the close leaves the channel of the bars before, exits through a shorter one."""

    entry: int = param(20, ge=2, doc="bars of the channel that opens a position")
    exit: int = param(10, ge=2, doc="bars of the channel that closes it")
    share: float = param(0.2, gt=0, le=1, doc="fraction of the equity for each position")
    short: bool = param(True, doc="whether to sell short")

    def on_start(self) -> None:
        """Build the channels of each instrument, without the current bar."""
        self.channels = {
            series.symbol: (
                highest(series.high, self.entry)(-1),
                lowest(series.low, self.entry)(-1),
                highest(series.high, self.exit)(-1),
                lowest(series.low, self.exit)(-1),
            )
            for series in self.data
        }

    def on_bar(self, bar: BarView) -> None:
        """Follow the break."""
        upper, lower, exit_upper, exit_lower = (line[0] for line in self.channels[bar.symbol])
        position = self.position
        if (position.is_long and bar.close < exit_lower) or (position.is_short and bar.close > exit_upper):
            self.close()
        elif position.is_flat and bar.close > upper:
            self.order_target_percent(self.share)
        elif position.is_flat and self.short and bar.close < lower:
            self.order_target_percent(-self.share)
