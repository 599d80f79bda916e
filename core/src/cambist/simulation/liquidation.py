"""A venue that closes positions whose margin is used up."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING

from cambist.model.orders import Liquidity, Order, OrderType, Side, TimeInForce
from cambist.simulation.deleveraging import Deleverager
from cambist.simulation.liquidator import DELEVERAGED, LIQUIDATION, Liquidator
from cambist.simulation.venue import SimulatedVenue
from cambist.simulation.working import NEVER, Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.simulation.liquidator import Adopt, MarginAccount, MarkPrices
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market

__all__ = ["DELEVERAGED", "LIQUIDATION", "LiquidatingVenue", "guard"]


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
    seed
        Of what happens by chance.

    Notes
    -----
    A position has a guard among the working orders of its market, at its liquidation price, which so acts in its place
    along the bar's path: orders that the price reaches earlier come first, and at the open, and where prices are equal,
    the guard does. Where it acts, every working order of the instrument is canceled, then the position is closed by one
    order of the venue's, whatever the bar's volume.

    With a mark series the price of the bar does not decide. The mark's extreme within the bar is then taken to stand
    where the bar's own extreme stands on the path, and its price at the open to be the last one known before.

    The price of the fill is the liquidation price, or the open where that is already worse, but never worse than the
    bankruptcy price: what is missing there the venue's insurance fund pays. Under ``liquidate_at="bankruptcy"`` it is
    always that. Under ``liquidation="by_tier"`` only as much is closed at the liquidation price as brings the position
    into a lower tier with margin enough; where there is none, the fund takes it over at the bankruptcy price.
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
        marks: Mapping[str, MarkPrices],
        seed: int = 0,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._margin = account
        self._liquidator = Liquidator(self, account, adopt)
        self._marks = marks
        self._guards = {symbol: guard(number, market) for number, (symbol, market) in enumerate(self.markets.items())}
        given = account.terms.deleveraging
        self._deleverager = None if given is None else Deleverager(given, seed)
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
        mark = close if series is None else series.at(closed)
        if self._deleverager is not None:
            self._deleverage(symbol, self._deleverager, opened, closed, open_, close, mark)
        if self.matches_together:
            self._closes[symbol] = mark

    def match_together(self) -> None:
        """Look at the account once more when every bar of the instant has been matched, at their closes."""
        closes = self._closes
        if not closes:
            return
        while (symbol := self._margin.worst_deficient(closes)) is not None:
            if symbol not in closes:
                break  # it has no bar now, and so no market to be closed in
            self._liquidate(self.markets[symbol], symbol, closes[symbol], self._closed, closes)
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
        key, level = self._due(symbol, working)
        mark = self._ranges[symbol][0] if symbol in self._ranges else price
        self._liquidate(market, key, min(level, mark) if working.falling else max(level, mark), ts, {})

    def _due(self, symbol: str, working: Working) -> tuple[str, float]:  # noqa: ARG002 - there is one guard
        """Return what a guard stands for, and the mark price at which it acts."""
        return symbol, self._margin.liquidation_price(symbol)

    # The guard.

    def _watch(self, symbol: str) -> None:
        """Put the guard of a position where it belongs, or take it away."""
        held = self._account.positions[symbol].size
        if held == 0.0:
            self.markets[symbol].working.pop(self._guards[symbol].order.id, None)
        else:
            self._place(symbol, self._guards[symbol], held > 0.0, self._margin.liquidation_price(symbol))

    def _place(self, symbol: str, guard: Working, falling: bool, level: float) -> None:
        """Put a guard first among the working orders, to act where the mark price falls or rises to `level`."""
        working, number = self.markets[symbol].working, guard.order.id
        guard.falling = falling
        if level != level:  # noqa: PLR0124 - NaN: no price does it now, but another position or a charge may
            guard.level = -inf if guard.falling else inf
        else:
            guard.level = level if symbol not in self._ranges else self._level_of_mark(symbol, level, falling)
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

    def _liquidate(self, market: Market, key: str, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Cancel the orders of an instrument and close a position, the mark price having reached `reached`."""
        self._clear(market, ts, LIQUIDATION)
        self._close_out(key, reached, ts, marks)
        self._watch(market.instrument.symbol)

    def _clear(self, market: Market, ts: int, reason: str) -> None:
        """Cancel every working order of an instrument, and take its guards away."""
        for number in [number for number in market.working if number < 0]:
            del market.working[number]
        self._liquidator.clear(market, ts, reason)

    def _close_out(self, key: str, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Close a position, or as much of it as helps."""
        self._liquidator.close_out(key, reached, ts, marks)

    # Auto-deleveraging.

    def _deleverage(
        self, symbol: str, model: Deleverager, opened: int, closed: int, open_: float, close: float, mark: float
    ) -> None:
        """Close what the model says of the positions in an instrument that are in profit at the end of a bar."""
        events = model.events(symbol, opened, closed)
        market = self.markets[symbol]
        for key, position in self._margin.legs.items():
            instrument = position.instrument
            if instrument.symbol != symbol or instrument.is_cash or not position.size:
                continue
            if instrument.profit(position.size, position.average_price, mark) <= 0.0:
                continue
            for share, given in events or model.by_chance(position.size, open_, close):
                held = abs(position.size)
                size = held if share == 1.0 else instrument.round_size(held * share)
                if not size:
                    continue
                price = model.price(position.size, mark) if given is None else given
                price = self._liquidator.on_tick(position, price, better=False)
                self._clear(market, closed, DELEVERAGED)
                self._margin.note_closing(key, DELEVERAGED)
                fee = self._fee(instrument, size, price, Liquidity.MAKER)
                self._liquidator.send(key, size, price, fee, Liquidity.MAKER, closed, DELEVERAGED)
        self._watch(symbol)


def guard(number: int, market: Market) -> Working:
    """Return what stands for the liquidation among the working orders; its order is known to the venue alone."""
    instrument = market.instrument
    terms = (Side.SELL, OrderType.STOP, 0.0, nan, nan, TimeInForce.GTC, 0, True, "", LIQUIDATION, 0)
    return Working(Order(-1 - number, instrument, *terms), market, 0.0, -NEVER, nan, True, False, NEVER)
