"""A venue that closes positions whose margin is used up."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Protocol

from cambist.model.orders import Fill, Liquidity, Order, OrderType, Side, TimeInForce
from cambist.simulation.matching import VenueAccount
from cambist.simulation.venue import SimulatedVenue
from cambist.simulation.working import NEVER, Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.timeseries import PriceSeries
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market

__all__ = ["LIQUIDATION", "LiquidatingVenue", "MarginAccount"]

#: Tag of the order that closes a position, reason of the orders canceled for it and of the trade it ends.
LIQUIDATION = "liquidation"


class MarginAccount(VenueAccount, Protocol):
    """What this venue must know of the account that trades; see `cambist.portfolio.margin.MarginPortfolio`."""

    @property
    def terms(self) -> Margin:
        """How it trades on margin."""
        ...

    def liquidation_price(self, symbol: str, marks: Mapping[str, float] = ...) -> float:
        """Return the mark price at which a position is liquidated, or NaN."""
        ...

    def bankruptcy_price(self, symbol: str, marks: Mapping[str, float] = ...) -> float:
        """Return the price at which nothing is left of what backs a position, or NaN."""
        ...

    def left(self, symbol: str, price: float, marks: Mapping[str, float] = ...) -> float:
        """Return what is left of that at a mark price."""
        ...

    def note_liquidation(self, symbol: str, ts: int, price: float, fee: float) -> None:
        """Learn that the next fill liquidates the position in `symbol`."""
        ...

    def worst_deficient(self, marks: Mapping[str, float]) -> str | None:
        """Return the position to close first where the account's equity is no more than maintenance margin."""
        ...


class LiquidatingVenue(SimulatedVenue):
    """`SimulatedVenue` with liquidation.

    Parameters
    ----------
    instruments, account, deliver, clock, rules
        See `SimulatedVenue`; `account` also knows margin.
    adopt
        ``(instrument, side, size, tag, ts) -> order``: makes an order that the venue itself sends.
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
        adopt: Callable[[Instrument, Side, float, str, int], Order],
        marks: Mapping[str, PriceSeries],
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._margin = account
        self._adopt = adopt
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
        instrument, margin = market.instrument, self._margin
        symbol = instrument.symbol
        market.working.pop(self._guards[symbol].order.id, None)
        for working in list(market.working.values()):
            if working.order.id in market.working:
                self.withdraw(working, ts, LIQUIDATION)
        held = self._account.positions[symbol].size
        size, side = abs(held), Side.SELL if held > 0.0 else Side.BUY
        price = self._price(instrument, side, reached, margin.bankruptcy_price(symbol, marks))
        fee = instrument.notional(size, price) * margin.terms.liquidation_fee
        fee = min(fee, max(0.0, margin.left(symbol, price, marks)))
        order = self._adopt(instrument, side, size, LIQUIDATION, ts)
        accepted, filled = self._accepted, self._filled
        accepted(order, ts)
        margin.note_liquidation(symbol, ts, price, fee)
        self._fills += 1
        filled(order, ts, Fill(self._fills, order.id, instrument, side, size, price, fee, Liquidity.TAKER, ts))
        self._watch(symbol)

    def _price(self, instrument: Instrument, side: Side, reached: float, bankrupt: float) -> float:
        """Return the price of the fill: on the tick, and no worse than the bankruptcy price."""
        sells = side is Side.SELL
        grid = instrument.price_grid
        if grid is not None:
            reached = grid.below(reached) if sells else grid.above(reached)
        if bankrupt != bankrupt:  # noqa: PLR0124 - NaN: there is no price at which nothing would be left
            return reached
        if grid is not None:
            bankrupt = grid.above(bankrupt) if sells else grid.below(bankrupt)
        if self._margin.terms.liquidate_at == "bankruptcy":
            return bankrupt
        return max(reached, bankrupt) if sells else min(reached, bankrupt)


def _guard(number: int, market: Market) -> Working:
    """Return what stands for the liquidation among the working orders; its order is known to the venue alone."""
    instrument = market.instrument
    terms = (Side.SELL, OrderType.STOP, 0.0, nan, nan, TimeInForce.GTC, 0, True, "", LIQUIDATION, 0)
    return Working(Order(-1 - number, instrument, *terms), market, 0.0, -NEVER, nan, True, False, NEVER)
