"""The simulated venue: works orders against bars."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
)
from cambist.model.orders import Fill, Liquidity, OrderType, Side, TimeInForce
from cambist.model.times import DAY_NS
from cambist.simulation.rules import MarketFill, VenueRules
from cambist.simulation.working import FLEETING, Market, Working, set_level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.model.portfolio import Position

__all__ = ["MarketFill", "SimulatedVenue", "VenueAccount", "VenueRules"]

_MARKET, _LIMIT, _STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_DAY, _FOK, _GTC = TimeInForce.DAY, TimeInForce.FOK, TimeInForce.GTC
_SELL = Side.SELL


class VenueAccount(Protocol):
    """What the venue must know of the account that trades."""

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol."""
        ...

    def missing_funds(self, instrument: Instrument, signed: float, price: float, fee: float) -> float:
        """Return the money that would be missing after a fill, 0.0 where there is enough."""
        ...


class SimulatedVenue:
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
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: VenueAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
    ) -> None:
        self.rules = rules or VenueRules()
        self.markets = {instrument.symbol: Market(instrument) for instrument in instruments}
        self._account = account
        self._deliver = deliver
        self._clock = clock
        self._working: dict[int, Working] = {}
        self._fee = self.rules.fees.fee
        self._slip = self.rules.slippage.slip
        self._touch = self.rules.fill_on_touch
        self._volume_limit = self.rules.volume_limit
        self.trades_at_close = self.rules.market_fill is MarketFill.THIS_CLOSE
        self._fills = 0

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Accept an order."""
        order = approved.order
        now = order.updated_at  # it was submitted this very moment
        market = self.markets[order.instrument.symbol]
        tif = order.time_in_force
        expires = 0
        if tif is not _GTC:
            expires = -1 if tif is _DAY else order.expires_at
            market.timed += 1
        market.newest = now
        working = Working(order, market, order.size, now, inf, True, False, expires)
        if order.type is not _MARKET:
            set_level(working, fill_on_touch=self._touch)
        self._working[order.id] = market.working[order.id] = working
        if market.playing:
            market.joined.append(working)
        self._deliver(OrderAccepted(now, order.id))
        if self.trades_at_close and market.closed_at == now and order.type is _MARKET and order.id in market.working:
            if not market.playing:
                self._arrive(market, working, market.close, now)

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order."""
        working = self._working.get(order_id)
        if working is None:
            self._deliver(CancelRejected(self._clock(), order_id, "the order does not work any more"))
            return
        self._remove(working)
        self._deliver(OrderCanceled(working.order.updated_at, order_id))  # asked for this very moment

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give a working order new terms; it keeps its place in time."""
        now = self._clock()
        working = self._working.get(order_id)
        if working is None:
            self._deliver(AmendRejected(now, order_id, "the order does not work any more"))
            return
        order, market = working.order, working.market
        remaining = order.instrument.size_grid.nearest(size - (order.size - working.remaining))
        if remaining <= 0.0:
            reason = f"the new size {size} is not above what is filled already"
            self._deliver(AmendRejected(now, order_id, reason))
            return
        working.remaining = remaining
        self._deliver(OrderAmended(now, order_id, size, limit_price, stop_price))
        if order_id in self._working:
            set_level(working, fill_on_touch=self._touch)
            if market.playing and working not in market.joined:
                market.joined.append(working)

    def mark_close(self, symbol: str, opened: int, closed: int, close: float, volume: float) -> None:
        """Note a bar's close, for rules under which orders may trade at it."""
        market = self.markets[symbol]
        market.close, market.closed_at = close, closed
        if market.last_open != opened:  # nothing of ours was matched in it yet
            market.last_open = opened
            market.volume_left = inf if self._volume_limit is None else volume * self._volume_limit

    # One bar.

    def match(  # noqa: PLR0917 - a bar has seven numbers
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
        for working in market.working.values():
            if (low <= working.level) if working.falling else (high >= working.level):
                break
        else:
            if not market.timed:
                market.last_open = opened
                return
        market.volume_left = inf if self._volume_limit is None else volume * self._volume_limit
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
        for working in list(market.working.values()):
            if working.order.id in market.blocked or working.order.id not in market.working:
                continue
            if (price <= working.level) if working.falling else (price >= working.level):
                if working.order.type is _MARKET:  # most of all orders, and nothing to decide
                    self._execute(market, working, self._slipped(working, price), _TAKER, opened)
                else:
                    fresh = working.since > market.last_open
                    self._act(market, working, price, price, opened, _TAKER if fresh else _MAKER)
                if market.joined:
                    self._join(market, price, opened)
            if market.timed and working.order.time_in_force in FLEETING and working.order.id in market.working:
                self._remove(working)
                self._deliver(OrderCanceled(opened, working.order.id, "could not trade at once"))
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
            at = min(chosen.level, start) if falls else max(chosen.level, start)
            limit = chosen.order.limit_price
            self._act(market, chosen, at, at if limit != limit else limit, ts, _MAKER)  # noqa: PLR0124 - NaN
            start = at
            if market.joined:
                self._join(market, at, ts)

    def _join(self, market: Market, price: float, ts: int) -> None:
        """Let the orders that came while the price stood at `price` meet it."""
        while market.joined:
            working = market.joined.pop(0)
            if working.order.id in market.working:
                self._arrive(market, working, price, ts)

    def _arrive(self, market: Market, working: Working, price: float, ts: int) -> None:
        """Let an order meet the price at which it comes to the market."""
        if (price <= working.level) if working.falling else (price >= working.level):
            self._act(market, working, price, price, ts, _TAKER)
        if working.order.time_in_force in FLEETING and working.order.id in market.working:
            self._remove(working)
            self._deliver(OrderCanceled(ts, working.order.id, "could not trade at once"))

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
            set_level(working, fill_on_touch=self._touch)
            self._deliver(OrderTriggered(ts, order.id))
            if order.id not in market.working:
                return
            if kind is _STOP:
                self._execute(market, working, self._slipped(working, price), _TAKER, ts)
            elif (price <= working.level) if working.falling else (price >= working.level):
                self._execute(market, working, self._capped(working, price), _TAKER, ts)

    def _slipped(self, working: Working, price: float) -> float:
        """Slip an order that trades at any price."""
        order = working.order
        return self._slip(order.instrument, price, working.remaining, order.side is not _SELL)

    def _capped(self, working: Working, price: float) -> float:
        """Slip a limit order that takes liquidity, but never beyond its limit."""
        order = working.order
        slipped = self._slipped(working, price)
        return min(slipped, order.limit_price) if order.is_buy else max(slipped, order.limit_price)

    def _execute(self, market: Market, working: Working, price: float, who: Liquidity, ts: int) -> None:
        """Trade what volume, position and funds allow at `price`."""
        order = working.order
        instrument = market.instrument
        size = working.remaining
        clamped = False
        if order.reduce_only:
            held = self._account.positions[instrument.symbol].size
            reducible = -held if order.is_buy else held
            if reducible <= 0.0:
                self._remove(working)
                self._deliver(OrderCanceled(ts, order.id, "nothing_to_reduce"))
                return
            clamped = reducible < size
            size = min(size, reducible)
        if size > market.volume_left:
            if order.time_in_force is _FOK:
                return  # canceled by the caller, like everything fleeting that did not trade
            size = instrument.round_size(market.volume_left)
            if size <= 0.0:
                market.blocked.add(order.id)
                return
        fee = self._fee(instrument, size, price, who)
        signed = -size if order.side is _SELL else size
        if self._account.missing_funds(instrument, signed, price, fee) > 0.0:
            self._refuse(working, ts)
            return
        market.volume_left -= size
        if size == working.remaining:
            self._remove(working)
        else:
            working.remaining = instrument.size_grid.nearest(working.remaining - size)
            market.blocked.add(order.id)
        self._fills += 1
        fill = Fill(self._fills, order.id, instrument, order.side, size, price, fee, who, ts)
        self._deliver(OrderFilled(ts, order.id, fill))
        if clamped and order.id in self._working:
            self._remove(working)
            self._deliver(OrderCanceled(ts, order.id, "nothing_to_reduce"))

    def _refuse(self, working: Working, ts: int) -> None:
        """End an order that the account cannot pay for at the price it got; nothing else remembers it."""
        order = working.order
        self._remove(working)
        if working.remaining == order.size:
            self._deliver(OrderRejected(ts, order.id, "insufficient_funds"))
        else:
            self._deliver(OrderCanceled(ts, order.id, "insufficient_funds"))

    def _remove(self, working: Working) -> None:
        order = working.order
        del self._working[order.id], working.market.working[order.id]
        if order.time_in_force is not _GTC:
            working.market.timed -= 1

    def _expire(self, market: Market, opened: int) -> None:
        """End the orders whose time has passed when a bar opens."""
        for working in list(market.working.values()):
            if working.since > opened:
                continue
            if working.expires < 0:
                working.expires = (opened // DAY_NS + 1) * DAY_NS - 1
            elif 0 < working.expires < opened:
                self._remove(working)
                self._deliver(OrderExpired(opened, working.order.id))
