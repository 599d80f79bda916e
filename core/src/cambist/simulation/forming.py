"""The simulated venue where a bar is still forming: its open is known, and where the price stands."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.simulation.hedging import HedgingVenue
from cambist.simulation.liquidation import LiquidatingVenue
from cambist.simulation.venue import SimulatedVenue
from cambist.simulation.working import EVERY_BAR, NO_BAR

if TYPE_CHECKING:
    from collections.abc import Container

    from cambist.simulation.working import Market

__all__ = ["FormingHedgingVenue", "FormingLiquidatingVenue", "FormingVenue"]


class FormingVenue(SimulatedVenue):
    """A `SimulatedVenue` that can be told of a bar before it is over; the parameters are the same."""

    @property
    def knows_opens(self) -> bool:
        """Whether an open alone, without the rest of its bar, decides what happens at it."""
        return not self._sees_bars

    def meet_open(self, symbol: str, opened: int, open_: float) -> None:
        """Let orders act at the open of a bar; what happens is what `match` would have made happen there.

        `match` is to be called with the whole bar later.
        """
        market = self.markets[symbol]
        if market.timed:
            self._expire(market, opened)
        self._stand(market, open_, opened, {number for number, one in market.working.items() if one.since > opened})

    def meet_price(self, symbol: str, ts: int, price: float, numbers: Container[int]) -> None:
        """Let the orders of some numbers act where the price stands at `ts`, ns, and no others."""
        market = self.markets[symbol]
        self._stand(market, price, ts, {number for number in market.working if number not in numbers})

    def _stand(self, market: Market, price: float, ts: int, blocked: set[int]) -> None:
        """Let the orders that are not blocked act at a price."""
        market.opened, market.blocked, market.playing = ts, blocked, True
        self._arrivals = 0
        self._meet_open(market, price, ts)
        market.playing = False
        market.reach = NO_BAR if market.skips_bars and not market.working else EVERY_BAR


class FormingLiquidatingVenue(FormingVenue, LiquidatingVenue):
    """A `LiquidatingVenue` that can be told of a bar before it is over; the parameters are the same."""

    def meet_open(self, symbol: str, opened: int, open_: float) -> None:
        """Let orders, and what guards positions, act at the open of a bar; see `FormingVenue.meet_open`."""
        series = self._marks.get(symbol)
        if series is not None:  # of the mark price no more is known than what it was before
            before = series.at(opened)
            self._ranges[symbol] = before, before, before
            self._edges = nan, nan
        self._watch(symbol)
        super().meet_open(symbol, opened, open_)

    def watch(self, symbol: str) -> None:
        """Guard what is held of an instrument, as after a restart."""
        self._watch(symbol)


class FormingHedgingVenue(FormingLiquidatingVenue, HedgingVenue):
    """A `HedgingVenue` that can be told of a bar before it is over; the parameters are the same."""
