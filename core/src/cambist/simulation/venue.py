"""The simulated venue: works orders against bars."""

from __future__ import annotations

from math import inf, nextafter
from typing import TYPE_CHECKING

from cambist.errors import OrderError
from cambist.model.events import OrderExpired, OrderTriggered
from cambist.model.orders import Liquidity, OrderType, Side, TimeInForce
from cambist.model.times import DAY_NS, format_ns
from cambist.simulation.bar import MatchedBar
from cambist.simulation.matching import VenueAccount
from cambist.simulation.modeled import ModeledVenue
from cambist.simulation.rules import MarketFill, VenueRules
from cambist.simulation.working import FLEETING, LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.working import Market, Working

__all__ = ["MarketFill", "SimulatedVenue", "VenueAccount", "VenueRules"]

_MARKET, _LIMIT, _STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_FOK = TimeInForce.FOK
_SELL = Side.SELL
#: Orders that may join one bar of one instrument: more is a strategy that answers each fill with the next order.
_MOST_ARRIVALS = 10_000


class SimulatedVenue(ModeledVenue):
    """Works orders of one account against bars, and tells what happens to them.

    Parameters
    ----------
    instruments
        What can be traded.
    account
        Asked at each fill whether the money is there, and what a reduce-only order may still reduce.
    deliver
        Called with each event at once, before anything else happens: what it makes the strategy send joins
        what remains of the bar.
    clock
        Answers the time of a request, ns.
    rules
        Fees, slippage, path and the rest.

    Notes
    -----
    An order meets the first bar that opens at or after the moment it was sent. At the open: market orders
    trade; limits at or through the open trade at the open; stops at or through it trigger. Then the price walks
    in straight lines through both extremes to the close (see `cambist.simulation.paths`), and orders act in the
    order in which it reaches them; at one price, in the order in which they were sent. Market and stop fills
    slip, as do limits that are already marketable when they arrive (never beyond their limit).
    New terms are met like a new order, save that the order keeps its place among those of one price.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: VenueAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._touch = self.rules.fill_on_touch
        self._arrivals = 0

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Accept an order."""
        order = approved.order
        if order.type is _MARKET:
            working = self._keep(order)
        else:
            level, falling = self._level(order, False)
            working = self._keep(order, level, falling)
        market = working.market
        now = working.since
        market.newest = max(market.newest, now)  # a fill at an open is told after orders of later times
        if market.playing:
            market.joined.append(working)
            if working.expires == LONG_AGO:
                working.expires = _end_of_day(market.opened)  # it meets this very bar
        accepted = self._accepted
        accepted(order, now)
        if self.trades_at_close and not market.playing and order.type is _MARKET and market.closed_at == now:
            self._trade_at_close(market, working)

    def _trade_at_close(self, market: Market, working: Working) -> None:
        """Let a market order trade at the close at which it was sent, if the strategy has not taken it back by now."""
        if working.order.id in market.working:
            self._arrive(market, working, market.close, market.closed_at)

    def _reprice(self, working: Working) -> None:
        market = working.market
        # New terms are as good as a new order: they meet no bar that opened before them, and are fresh to the next.
        working.since = self._clock()
        market.newest = max(market.newest, working.since)
        working.level, working.falling = self._level(working.order, working.triggered)
        if market.playing and working not in market.joined:
            market.joined.append(working)

    def _level(self, order: Order, triggered: bool) -> tuple[float, bool]:
        """Return the price at which an order acts, and whether it acts when the price falls to it."""
        kind = order.type
        buys = order.side is not _SELL
        if kind is _LIMIT or (triggered and kind is not _STOP):
            limit = order.limit_price
            return (limit if self._touch else nextafter(limit, 0.0 if buys else inf)), buys
        if kind is _MARKET or triggered:
            return inf, True
        return order.stop_price, not buys

    def mark_close(
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
        """Note a bar's close, for rules under which orders may trade at it."""
        market = self.markets[symbol]
        market.close, market.closed_at = close, closed
        if market.last_open != opened:  # nothing of ours was matched in it yet
            market.last_open = opened
            if self._sees_bars:
                self._see(market, MatchedBar(opened, closed, open_, high, low, close, volume))

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
        """Work the orders of one instrument against one bar.

        Parameters
        ----------
        opened, closed
            Open and close time, ns. Fills at the open carry `opened`, all others `closed`.
        open_, high, low, close, volume
            The bar.
        """
        market = self.markets[symbol]
        if market.timed:
            self._expire(market, opened)
        if self._sees_bars:
            self._see(market, MatchedBar(opened, closed, open_, high, low, close, volume))
        for working in market.working.values():
            if (low <= working.level) if working.falling else (high >= working.level):
                break
        else:
            if not market.timed:
                market.last_open = opened
                return
        market.opened = opened
        self._arrivals = 0
        if market.blocked:
            market.blocked.clear()
        if market.newest > opened:
            market.blocked.update(number for number, one in market.working.items() if one.since > opened)
        market.playing = True
        self._meet_open(market, open_, opened)
        if market.working:
            at = open_
            held = self._account.positions[symbol].size
            first, second = self.rules.path(open_, high, low, close, held)
            for target in (first, second, close):
                if target != at:
                    self._walk(market, at, target, closed)
                    at = target
        market.playing = False
        market.last_open = opened

    def _meet_open(self, market: Market, price: float, opened: int) -> None:
        """Let the orders that wait for the open, and those it has passed already, act at it."""
        for number, working in list(market.working.items()):
            if number in market.blocked or number not in market.working:
                continue
            if (price <= working.level) if working.falling else (price >= working.level):
                if working.order.type is _MARKET:  # most of all orders, and nothing to decide
                    at = self._slipped(working, price) if self._slips else price
                    self._execute(market, working, at, _TAKER, opened)
                else:
                    fresh = working.since > market.last_open
                    self._act(market, working, price, price, opened, _TAKER if fresh else _MAKER)
                if market.joined:
                    self._join(market, price, opened)
            if market.timed and working.order.time_in_force in FLEETING and number in market.working:
                self._remove(working)
                self._canceled(working.order, opened, "could not trade at once")
                if market.joined:
                    self._join(market, price, opened)

    def _walk(self, market: Market, start: float, end: float, ts: int) -> None:
        """Move the price from `start` to `end` and let orders act as it reaches them."""
        falls = end < start
        while True:
            chosen: Working | None = None
            for working in market.working.values():
                if working.falling is not falls or (end > working.level if falls else end < working.level):
                    continue
                if working.order.id in market.blocked:
                    continue
                if chosen is None or (working.level > chosen.level if falls else working.level < chosen.level):
                    chosen = working
            if chosen is None:
                return
            start = min(chosen.level, start) if falls else max(chosen.level, start)
            limit = chosen.order.limit_price
            rests = limit == limit and chosen.falling is chosen.order.is_buy  # noqa: PLR0124 - NaN
            # A limit that must be passed acts a hair beyond its price, and the hair is no price to trade at.
            at = limit if rests else start
            self._act(market, chosen, at, at, ts, _MAKER)
            if market.joined:
                self._join(market, at, ts)

    def _join(self, market: Market, price: float, ts: int) -> None:
        """Let the orders that came while the price stood at `price` meet it."""
        while market.joined:
            working = market.joined.pop(0)
            self._arrivals += 1
            if self._arrivals > _MOST_ARRIVALS:
                raise OrderError(
                    f"{working.order.strategy} sent {_MOST_ARRIVALS:,} orders within one bar of "
                    f"{market.instrument.symbol} ({format_ns(ts)}). An order sent from every fill has no end: "
                    "send it from on_bar, or from one fill only."
                )
            if working.order.id in market.working:
                self._arrive(market, working, price, ts)

    def _arrive(self, market: Market, working: Working, price: float, ts: int) -> None:
        """Let an order meet the price at which it comes to the market."""
        if (price <= working.level) if working.falling else (price >= working.level):
            self._act(market, working, price, price, ts, _TAKER)
        if working.order.time_in_force in FLEETING and working.order.id in market.working:
            self._remove(working)
            self._canceled(working.order, ts, "could not trade at once")

    # One order.

    def _act(self, market: Market, working: Working, price: float, limit_price: float, ts: int, who: Liquidity) -> None:
        """Do what an order does when the market stands at `price`; a resting limit trades at `limit_price`."""
        order = working.order
        kind = order.type
        if kind is _MARKET or (kind is _STOP and working.triggered):
            self._execute(market, working, self._slipped(working, price), _TAKER, ts)
        elif kind is _LIMIT or working.triggered:
            at = self._capped(working, limit_price) if who is _TAKER else limit_price
            self._execute(market, working, at, who, ts)
        else:
            working.triggered = True
            working.level, working.falling = self._level(order, True)
            self._deliver(OrderTriggered(ts, order.id))
            if order.id not in market.working:
                return
            if kind is _STOP:
                self._execute(market, working, self._slipped(working, price), _TAKER, ts)
            elif (price <= working.level) if working.falling else (price >= working.level):
                self._execute(market, working, self._capped(working, price), _TAKER, ts)

    def _execute(self, market: Market, working: Working, price: float, who: Liquidity, ts: int) -> None:
        """Trade what volume, position and funds allow at `price`."""
        order = working.order
        instrument = market.instrument
        size = working.remaining
        clamped = False
        if order.reduce_only:
            reducible = self._reducible(working, ts)
            if reducible == 0.0:
                return
            clamped = reducible < size
            size = min(size, reducible)
        if size > market.volume_left:
            room = self._room(market, order, price)
            if size > room:
                if order.time_in_force is _FOK:
                    return  # canceled by the caller, like everything fleeting that did not trade
                clamped = False  # some of what it may reduce is left for the next bar
                size = instrument.round_size(max(room, 0.0))
                if size <= 0.0:
                    market.blocked.add(order.id)
                    return
        charge = self._charge
        if charge is None:
            fee_of = self._fee
            fee = fee_of(instrument, size, price, who)
        else:
            fee = charge(order, size, price, who, ts)
        signed = -size if order.side is _SELL else size
        missing_funds = self._missing_funds
        if missing_funds(instrument, signed, price, fee) > 0.0:
            self._refuse(working, ts)
            return
        market.volume_left -= size
        if size != working.remaining:
            market.blocked.add(order.id)
        self._book(working, size, price, fee, who, ts, ts)
        if clamped and order.id in self._working:
            self._end_reduced(working, ts)

    def _expire(self, market: Market, opened: int) -> None:
        """End the orders whose time has passed when a bar opens."""
        for working in list(market.working.values()):
            # Word of one order's end may have made the strategy cancel the next.
            if working.since > opened or working.order.id not in market.working:
                continue
            if working.expires == LONG_AGO:
                working.expires = _end_of_day(opened)
            elif working.expires < opened:
                self._remove(working)
                self._deliver(OrderExpired(opened, working.order.id))


def _end_of_day(ts: int) -> int:
    """Return the last moment of the UTC day of `ts`."""
    return (ts // DAY_NS + 1) * DAY_NS - 1
