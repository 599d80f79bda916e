"""A venue that closes positions whose margin is used up."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING

from cambist.model.orders import Liquidity, Order, OrderType, Side, TimeInForce
from cambist.simulation.liquidator import LIQUIDATION, Liquidator
from cambist.simulation.venue import SimulatedVenue
from cambist.simulation.working import NEVER, Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.timeseries import PriceSeries
    from cambist.simulation.liquidator import Adopt, MarginAccount
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market

__all__ = ["LIQUIDATION", "LiquidatingVenue"]


class LiquidatingVenue(SimulatedVenue):
    """`SimulatedVenue` with liquidation.

    Parameters
    ----------
    instruments, account, deliver, clock, rules
        See `SimulatedVenue`; `account` also knows margin.
    adopt
        See `Adopt`.
    marks
        Mark prices by symbol, where they differ from the prices of the bars.

    Notes
    -----
    A position has a guard among the working orders of its market, at its liquidation price, which so acts in its place
    along the bar's path: orders that the price reaches earlier come first, and at the open, and where prices are equal,
    the guard does. Where it acts, every working order of the instrument is canceled, then the position is closed by one
    order of the venue's, whatever the bar's volume.

    With a mark series the price of the bar does not decide. The mark's extreme within the bar is then taken to stand
    where the bar's own extreme stands on the path, and its price at the open to be the last one known before.

    The price of the fill is the liquidation price, or the open where that is already worse, but never worse than the
    bankruptcy price: what is missing there is the venue's loss. Under ``liquidate_at="bankruptcy"`` it is always that.
    """

    keeps_guards = True

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: MarginAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
        *,
        adopt: Adopt,
        marks: Mapping[str, PriceSeries],
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._margin = account
        self._liquidator = Liquidator(self, account, adopt)
        self._marks = marks
        self._guards = {symbol: _guard(number, market) for number, (symbol, market) in enumerate(self.markets.items())}
        # For the instant being played: mark prices at the close of what was matched, and the mark's range in the bar.
        self._closes: dict[str, float] = {}
        self._ranges: dict[str, tuple[float, float, float]] = {}
        self._edges = (nan, nan)
        self._closed = 0
        self.matches_together = len(self.markets) > 1

    # One bar.

    def match(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Work the orders of one instrument against one bar, and its liquidation."""
        series = self._marks.get(symbol)
        if series is not None:
            self._ranges[symbol] = series.extremes(opened, closed)
            self._edges = low, high
        self._watch(symbol)
        super().match(symbol, opened, closed, open_, high, low, close, volume)
        self._closed = closed
        if self.matches_together:
            self._closes[symbol] = close if series is None else series.at(closed)

    def match_together(self) -> None:
        """Look at the account once more when every bar of the instant has been matched, at their closes."""
        closes = self._closes
        if not closes:
            return
        while (symbol := self._margin.worst_deficient(closes)) is not None:
            if symbol not in closes:
                break  # it has no bar now, and so no market to be closed in
            self._liquidate(self.markets[symbol], closes[symbol], self._closed, closes)
        closes.clear()

    def _book(self, working: Working, size: float, price: float, fee: float, who: Liquidity, ts: int, at: int) -> None:
        """Take a fill into the books; what it leaves is watched from here on."""
        super()._book(working, size, price, fee, who, ts, at)
        self._watch(working.order.instrument.symbol)

    def _act(self, market: Market, working: Working, price: float, limit_price: float, ts: int, who: Liquidity) -> None:
        """Do what an order does at `price`, or liquidate."""
        if working.order.id > 0:
            super()._act(market, working, price, limit_price, ts, who)
            return
        symbol = market.instrument.symbol
        self._watch(symbol)  # the account may have changed since the guard was put there
        if working.order.id not in market.working:
            return
        if (price > working.level) if working.falling else (price < working.level):
            return
        level = self._margin.liquidation_price(symbol)
        mark = self._ranges[symbol][0] if symbol in self._ranges else price
        self._liquidate(market, min(level, mark) if working.falling else max(level, mark), ts, {})

    # The guard.

    def _watch(self, symbol: str) -> None:
        """Put the guard of a position where it belongs, or take it away."""
        market, guard = self.markets[symbol], self._guards[symbol]
        working = market.working
        number = guard.order.id
        held = self._account.positions[symbol].size
        if held == 0.0:
            working.pop(number, None)
            return
        level = self._margin.liquidation_price(symbol)
        guard.falling = held > 0.0
        if level != level:  # noqa: PLR0124 - NaN: no price does it now, but another position or a charge may
            guard.level = -inf if guard.falling else inf
        else:
            guard.level = level if symbol not in self._ranges else self._level_of_mark(symbol, level, held > 0.0)
        if number not in working:
            # First of all, since at an open beyond it no order of the position's owner comes before it.
            others = list(working.items())
            working.clear()
            working[number] = guard
            working.update(others)

    def _level_of_mark(self, symbol: str, level: float, falling: bool) -> float:
        """Return the price of the bar at which its mark price gets to `level`."""
        first, lowest, highest = self._ranges[symbol]
        low, high = self._edges
        if falling:
            return inf if first <= level else low if lowest <= level else -inf
        return -inf if first >= level else high if highest >= level else inf

    def _liquidate(self, market: Market, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Cancel the orders of an instrument and close its position, the mark price having reached `reached`."""
        symbol = market.instrument.symbol
        market.working.pop(self._guards[symbol].order.id, None)
        self._liquidator.close(market, reached, ts, marks)
        self._watch(symbol)


def _guard(number: int, market: Market) -> Working:
    """Return what stands for the liquidation among the working orders; its order is known to the venue alone."""
    instrument = market.instrument
    terms = (Side.SELL, OrderType.STOP, 0.0, nan, nan, TimeInForce.GTC, 0, True, "", LIQUIDATION, 0)
    return Working(Order(-1 - number, instrument, *terms), market, 0.0, -NEVER, nan, True, False, NEVER)
