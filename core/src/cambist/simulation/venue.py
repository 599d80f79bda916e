"""The simulated venue: works orders against bars."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from cambist.errors import OrderError
from cambist.model.events import OrderExpired
from cambist.model.orders import TRAILING, Liquidity, OrderType, Side, TimeInForce
from cambist.model.times import format_ns
from cambist.simulation.acting import ActingVenue
from cambist.simulation.bar import MatchedBar
from cambist.simulation.matching import VenueAccount
from cambist.simulation.rules import MarketFill, VenueRules
from cambist.simulation.working import EVERY_BAR, FLEETING, LONG_AGO, NEXT_BAR, NO_BAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.working import Market, Working

__all__ = ["MarketFill", "SimulatedVenue", "VenueAccount", "VenueRules"]

_MARKET, _LIMIT, _ON_CLOSE = OrderType.MARKET, OrderType.LIMIT, OrderType.MARKET_ON_CLOSE
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_FOK = TimeInForce.FOK
_SELL = Side.SELL
#: Orders that may join one bar of one instrument: more is a strategy that answers each fill with the next order.
_MOST_ARRIVALS = 10_000


class SimulatedVenue(ActingVenue):
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
        self._arrivals = 0
        self._path = self.rules.path
        # A subclass that does more with a bar sees every one.
        if type(self).match is SimulatedVenue.match and not self._sees_bars:
            for market in self.markets.values():
                market.skip_bars()

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Accept an order; one that is tied to what has ended is rejected."""
        order, waits, ties = approved.order, False, None
        instructions = order.instructions
        if instructions is not None and (instructions.oco or instructions.parent):
            ties = self._tie(order)
            if ties is None:
                return
            waits_for_parent = ties.waits
            waits = waits_for_parent(order.id)
        working = self._keep(order)
        market = working.market
        now = working.since
        if not waits:
            self._enter(market, working)
        accepted = self._accepted
        accepted(order, now)
        if ties is not None and order.parent and order.id in self._working:
            ties.fit(working, now)
        if self.trades_at_close and not market.playing and order.type is _MARKET and market.closed_at == now:
            self._trade_at_close(market, working)

    def _enter(self, market: Market, working: Working) -> None:
        """Let an order come to the market: to the price of this moment, where a bar is being walked through."""
        # A fill at an open is told after orders of later times.
        if working.since > market.newest:  # noqa: PLR1730 - a call costs more than the rest of this
            market.newest = working.since
        order = working.order
        kind = order.type
        if kind is _MARKET:
            market.working[order.id] = working
            market.reach = NEXT_BAR
        else:
            working.level, working.falling = self._level(order, working.triggered)
            if kind is not _LIMIT:
                if kind in TRAILING:
                    market.trailing[order.id] = working
                elif kind is _ON_CLOSE:
                    market.closing[order.id] = working
            market.enter(working)
        if market.playing:
            market.joined.append(working)
            if working.expires == LONG_AGO:
                working.expires = self._end_of_day(market, market.opened)  # it meets this very bar

    def wake(self, working: Working, price: float, ts: int) -> None:
        """Let a child that waited for its parent come to the market, which stands at `price`."""
        order, market = working.order, working.market
        if LONG_AGO < working.expires < (market.opened if market.playing else ts):
            self._end(working, OrderExpired(ts, order.id))
            return
        working.since = ts
        if order.type in TRAILING and isnan(order.stop_price):  # it begins here
            self._trail(working, price if market.playing else self._price_of(order), ts)
        self._enter(market, working)
        self._lock(working, ts)

    def _price_of(self, order: Order) -> float:
        return self._account.positions[order.instrument.symbol].last_price

    def _trade_at_close(self, market: Market, working: Working) -> None:
        """Let a market order trade at the close at which it was sent, if the strategy has not taken it back by now."""
        if working.order.id in market.working:
            self._arrive(market, working, market.close, market.closed_at)

    def _reprice(self, working: Working) -> None:
        market = working.market
        # New terms are as good as a new order: they meet no bar that opened before them, and are fresh to the next.
        working.since = self._clock()
        market.reach = EVERY_BAR
        market.newest = max(market.newest, working.since)
        if working.order.id not in market.working:
            return  # a child that waits
        working.level, working.falling = self._level(working.order, working.triggered)
        if market.playing and working not in market.joined:
            market.joined.append(working)

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
        floor, ceiling = market.look() if market.reach is EVERY_BAR else market.reach
        by_time = market.timed or market.trailing or market.closing
        if floor < low and high < ceiling and not by_time:
            market.last_open = opened
            return
        market.opened = opened
        self._arrivals = 0
        if market.blocked:
            market.blocked.clear()
        if market.newest > opened:
            market.blocked.update(number for number, one in market.working.items() if one.since > opened)
        market.playing = True
        if open_ <= floor or open_ >= ceiling or by_time:
            self._meet_open(market, open_, opened)
            floor, ceiling = market.look() if market.working else NO_BAR
        if low <= floor or high >= ceiling or market.trailing or market.closing:
            held, path = self._account.positions[symbol].size, self._path
            at = open_
            for target in (*path(open_, high, low, close, held), close):
                if target == at:
                    continue
                if (target <= floor if target < at else target >= ceiling) or market.trailing:
                    self._walk(market, at, target, closed)
                    if not market.working:
                        break
                    floor, ceiling = market.look()
                at = target
            self._end_bar(market, close, closed)
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
                self.withdraw(working, opened, "could not trade at once")
                if market.joined:
                    self._join(market, price, opened)
        if market.closing:  # whose session ended with no bar
            self._close_session(market, price, opened)
        if market.trailing:
            self._follow(market, price, opened)

    def _end_bar(self, market: Market, close: float, closed: int) -> None:
        """Let stops that follow closes do so, and orders for the close trade."""
        if market.trailing and not self.is_inside:
            self._follow(market, close, closed, is_close=True)
        if market.closing:
            self._close_session(market, close, closed)

    def _walk(self, market: Market, start: float, end: float, ts: int) -> None:
        """Move the price from `start` to `end` and let orders act as it reaches them."""
        falls = end < start
        blocked = market.blocked
        while market.working:
            chosen: Working | None = None
            for working in market.working.values():
                level = working.level
                if working.falling is not falls or (end > level if falls else end < level):
                    continue
                if blocked and working.order.id in blocked:
                    continue
                if chosen is None or (level > chosen.level if falls else level < chosen.level):
                    chosen = working
            if chosen is None:
                break
            start = min(chosen.level, start) if falls else max(chosen.level, start)
            limit = chosen.order.limit_price
            rests = limit == limit and (chosen.triggered or chosen.order.type is _LIMIT)  # noqa: PLR0124 - NaN
            # A limit that must be passed acts a hair beyond its price, and the hair is no price to trade at.
            at = limit if rests else start
            self._act(market, chosen, at, at, ts, _MAKER)
            if market.joined:
                self._join(market, at, ts)
        if market.trailing:
            self._follow(market, end, ts)

    def _join(self, market: Market, price: float, ts: int) -> None:
        """Let the orders that came while the price stood at `price` meet it."""
        joined = market.joined
        while joined:
            working = joined.pop(0)
            self._arrivals += 1
            if self._arrivals > _MOST_ARRIVALS:
                raise OrderError(
                    f"{working.order.strategy} sent {_MOST_ARRIVALS:,} orders within one bar of "
                    f"{market.instrument.symbol} ({format_ns(ts)}). An order sent from every fill has no end: "
                    "send it from on_bar, or from one fill only."
                )
            number = working.order.id
            if number in market.working:
                self._arrive(market, working, price, ts)
                working.since = market.opened  # it has met this bar, and rests when the next one opens
            if market.trailing and number in market.trailing and working.follows(on_closes=False):
                self._trail(working, price, ts)

    def _arrive(self, market: Market, working: Working, price: float, ts: int) -> None:
        """Let an order meet the price at which it comes to the market."""
        if (price <= working.level) if working.falling else (price >= working.level):
            self._act(market, working, price, price, ts, _TAKER)
        if working.order.time_in_force in FLEETING and working.order.id in market.working:
            self.withdraw(working, ts, "could not trade at once")

    def _close_session(self, market: Market, close: float, ts: int) -> None:
        """Let orders for the close of the session trade, where this bar ends it; what is left of them ends."""
        for number, working in list(market.closing.items()):
            if number in market.blocked or number not in market.closing:
                continue
            if working.session_end == LONG_AGO:
                working.session_end = self._end_of_day(market, market.opened)
            if ts <= working.session_end:
                continue
            self._execute(market, working, self._slipped(working, close), _TAKER, ts)
            if number in market.working:
                self.withdraw(working, ts, "session_over")
            if market.joined:
                self._join(market, close, ts)
