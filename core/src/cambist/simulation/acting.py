"""What one order does where the price stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.events import OrderExpired, OrderRejected, StopTrailed
from cambist.model.orders import AT_MARKET, Fill, Liquidity, OrderType, Side, TimeInForce
from cambist.model.trading_days import trading_days
from cambist.orders.machine import arrive
from cambist.orders.triggers import level, trailed
from cambist.simulation.modeled import ModeledVenue
from cambist.simulation.working import EVERY_BAR, LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.calendar import Calendar
    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.simulation.matching import VenueAccount
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market, Working

__all__ = ["ActingVenue"]

_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_TAKER = Liquidity.TAKER
_FOK = TimeInForce.FOK
_SELL = Side.SELL


@attrs.frozen(eq=False)
class Resumed:
    """An order that works on after a restart, in the place of an approved one."""

    order: Order


class ActingVenue(ModeledVenue):
    """Triggers an order, trades what of it volume, position and funds allow, and lets its stop follow the price.

    Its subclasses move the price.

    The parameters are those of `MatchingVenue`.

    Attributes
    ----------
    calendars
        Answers the calendar of an instrument, by whose sessions day orders end and orders for the close trade; None,
        which is what it answers until somebody says otherwise, stands for days of UTC. Asked once for each instrument
        that has such orders.
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
        self.calendars: Callable[[Instrument], Calendar | None] = _no_calendar

    def _end_of_day(self, market: Market, ts: int) -> int:
        """Return the last moment of the trading day of `ts`."""
        if market.days is None:
            market.days = trading_days(self.calendars(market.instrument))
        return market.days.end(ts)

    def _level(self, order: Order, triggered: bool) -> tuple[float, bool]:
        """Return the price at which an order acts, and whether it acts when the price falls to it."""
        return level(order, triggered, self._touch)

    def _act(self, market: Market, working: Working, price: float, limit_price: float, ts: int, who: Liquidity) -> None:
        """Do what an order does when the market stands at `price`; a resting limit trades at `limit_price`."""
        order = working.order
        kind = order.type
        if kind is _MARKET or (working.triggered and kind in AT_MARKET):
            self._execute(market, working, self._slipped(working, price), _TAKER, ts)
        elif kind is _LIMIT or working.triggered:
            if who is _TAKER:
                self._take(market, working, limit_price, ts)
            else:
                self._execute(market, working, limit_price, who, ts)
        else:
            market.reach = EVERY_BAR
            self._trigger(working, ts)
            if order.id not in market.working:
                return
            if kind in AT_MARKET:
                self._execute(market, working, self._slipped(working, price), _TAKER, ts)
            elif (price <= working.level) if working.falling else (price >= working.level):
                self._take(market, working, price, ts)

    def _trigger(self, working: Working, ts: int) -> None:
        """Have a stop become what it turns into, unless somebody withdraws it when told.

        At a spot market it locks what it trades. The others of its group have locked the same, and end, as in a spot
        exchange's own pairs.
        """
        order = working.order
        working.triggered = True
        working.level, working.falling = self._level(order, True)
        working.market.trailing.pop(order.id, None)
        triggered = self._triggered
        triggered(order, ts)
        if self._spot is not None and order.id in self._working:
            if self._ties is not None:
                self._ties.dissolve(order, ts)
            self._lock(working, ts)

    def _take(self, market: Market, working: Working, price: float, ts: int) -> None:
        """Let a limit order trade with what rests at `price`, unless it said that it would not."""
        order = working.order
        if order.instructions is not None and order.instructions.post_only:
            self._end(working, OrderRejected(ts, order.id, "post_only"))
        else:
            self._execute(market, working, self._capped(working, price), _TAKER, ts)

    def _cut(self, market: Market, order: Order, size: float, price: float) -> float:
        """Return how much of `size` the bar's volume lets trade; an order that gets nothing is done with this bar."""
        room = self._room(market, order, price)
        if size <= room:
            return size
        if order.time_in_force is _FOK:
            return 0.0  # canceled by the caller, like everything fleeting that did not trade
        cut = order.instrument.round_size(max(room, 0.0))
        if cut <= 0.0:
            market.blocked.add(order.id)
        return cut

    def _execute(self, market: Market, working: Working, price: float, who: Liquidity, ts: int) -> None:
        """Trade what volume, position and funds allow at `price`."""
        order = working.order
        instrument = market.instrument
        size = working.remaining
        clamped = False
        instructions = order.instructions
        if instructions is not None and instructions.parent and self._ties is not None:
            size = self._ties.bound(working, size)
            if size <= 0.0:
                market.blocked.add(order.id)
                return
        if order.reduce_only:
            reducible = self._reducible(working, ts)
            if reducible == 0.0:
                return
            if reducible < size:
                size = reducible
                clamped = self._spot is None
                self._lock(working, ts)
        if size > market.volume_left:
            cut = self._cut(market, order, size, price)
            if cut <= 0.0:
                return
            clamped = clamped and cut == size  # else some of what it may reduce is left for the next bar
            size = cut
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

    def _follow(self, market: Market, price: float, ts: int, *, is_close: bool = False) -> None:
        """Let trailing stops follow the price to where it stands."""
        for number, working in list(market.trailing.items()):
            if number not in market.blocked and working.follows(on_closes=is_close):
                self._trail(working, price, ts)

    def _trail(self, working: Working, price: float, ts: int) -> None:
        """Let the stop of a trailing order follow the price, which stands at `price`."""
        order = working.order
        moved = trailed(order, price)
        if moved is not None:
            self._deliver(StopTrailed(ts, order.id, *moved))
            working.level = order.stop_price

    def _expire(self, market: Market, opened: int) -> None:
        """End the orders whose time has passed when a bar opens."""
        for working in list(market.working.values()):
            # Word of one order's end may have made the strategy cancel the next.
            if working.since > opened or working.order.id not in market.working:
                continue
            if working.expires == LONG_AGO:
                working.expires = self._end_of_day(market, opened)
            elif working.expires < opened:
                self._end(working, OrderExpired(opened, working.order.id))

    def resume(self, order: Order, since: int) -> None:
        """Work on with an order that this venue had accepted before it was made anew, after a restart.

        Nothing is told of it, unless what it is tied to has ended meanwhile.

        Parameters
        ----------
        since
            When it came to the market, ns: it meets no bar that opened before.
        """
        arrive(order, since)
        self.submit(Resumed(order))  # type: ignore[arg-type]  # it passed the gate in its first life
        working = self._working.get(order.id)
        if working is None:
            return
        working.remaining = order.remaining
        if order.time_in_force is TimeInForce.DAY:
            working.expires = self._end_of_day(working.market, order.created_at)
        if order.triggered:
            market = working.market
            working.triggered = True
            working.level, working.falling = self._level(order, True)
            market.trailing.pop(order.id, None)
            market.reach = EVERY_BAR

    def count_fills_from(self, last: int) -> None:
        """Number fills behind `last`: those up to it were made before a restart."""
        self._fills = max(self._fills, last)

    def accept_own(self, order: Order, ts: int) -> None:
        """Tell of an order that the venue itself has sent, and that never comes to the market."""
        accepted = self._accepted
        accepted(order, ts)

    def fill_own(self, order: Order, price: float, fee: float, ts: int, who: Liquidity = _TAKER) -> None:
        """Take the fill of such an order into the books, whole."""
        self._fills += 1
        filled = self._filled
        fill = Fill(self._fills, order.id, order.instrument, order.side, order.size, price, fee, who, ts)
        filled(order, ts, fill)


def _no_calendar(_instrument: Instrument) -> None:
    """Answer for an instrument without a calendar."""
