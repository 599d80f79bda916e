"""Gives a venue that knows market and limit orders alone the other kinds: stops, trails, touches, groups, brackets.

The emulator holds what the venue cannot work and watches the price. It does no I/O: each call returns what is to be
done, in order, and whoever drives it sends and reports. The rules are those of the simulated venue (`triggers`,
`links`), asked at each price instead of along the path through a bar.
"""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import attrs

from cambist.model.events import (
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderRejected,
    OrderTriggered,
    StopTrailed,
)
from cambist.model.orders import AT_MARKET, TRAILING, OrderType, TimeInForce
from cambist.orders.links import Links
from cambist.orders.native import NativeOrders, rests
from cambist.orders.times import last_moment
from cambist.orders.triggers import is_reached, level, trailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cambist.model.orders import Order

__all__ = ["Action", "Emulator", "Report", "Resize", "Send", "Withdraw"]


@attrs.frozen
class Send:
    """Send an order to the venue, under its own client id.

    Attributes
    ----------
    order_id
        Which.
    size
        How much of it.
    limit_price
        Its limit; NaN for a market order.
    as_it_is
        Whether the venue works its type, and waits for its stop; else it goes as a market or a limit order.
    """

    order_id: int
    size: float
    limit_price: float = nan
    as_it_is: bool = False


@attrs.frozen
class Withdraw:
    """Ask the venue to cancel an order that was sent."""

    order_id: int


@attrs.frozen
class Resize:
    """Ask the venue for a new size, in total, of an order that was sent."""

    order_id: int
    size: float


@attrs.frozen
class Report:
    """Tell the engine what happened to an order that the venue does not know."""

    event: OrderEvent


Action = Send | Withdraw | Resize | Report


@attrs.define(eq=False, slots=True)
class _Held:
    """One order in the emulator's hands.

    Attributes
    ----------
    sent
        How much of it was sent to the venue, 0 while it is held.
    traded
        How much of it has traded.
    shares
        Whether it shares what it would trade with an order that joined its group later.
    """

    order: Order
    sent: float = 0.0
    traded: float = 0.0
    shares: bool = False


class Emulator:
    """Holds orders until they act, and ends, wakes and resizes those that hang together.

    Parameters
    ----------
    native
        The types that the venue works by itself.
    ties
        Whether it also works orders that hang together.

    Attributes
    ----------
    native
        Tells which orders go to the venue as they are.

    Notes
    -----
    What is reported must be taken into the order before the next call: a trailing stop moves on from where it is.

    A stop that is reached is sent at once, as a market or a limit order, and a market order cancels the others of its
    group as it leaves, so that they do not trade with it. A child that leaves as a market order before its parent has
    traded in full shrinks to what the parent has traded, and where it only reduces, the rest of the parent is
    withdrawn; what rests at the venue, a limit or a stop that the venue works itself, grows with its parent.

    What the price passes between two calls is not seen, and a held order is as safe as the process that holds it:
    where a venue has stops of its own they are the better ones.
    """

    def __init__(
        self, native: Iterable[OrderType] = (OrderType.MARKET, OrderType.LIMIT), *, ties: bool = False
    ) -> None:
        self.native = NativeOrders(native, ties=ties)
        self._held: dict[int, _Held] = {}
        self._links = Links()
        #: By symbol: what buyers pay, and what sellers get.
        self._prices: dict[str, tuple[float, float]] = {}

    @property
    def orders(self) -> list[Order]:
        """Every order in its hands, oldest first: held, waiting for a parent, or sent and tied to others."""
        return [held.order for held in self._held.values()]

    # After a restart.

    def resume(self, order: Order, *, sent: bool, parent: Order | None, shares: bool = False) -> None:
        """Take an order of a run that goes on, oldest first; what it is tied to and works must be watched by then.

        Parameters
        ----------
        sent
            Whether it may have been sent, see `not_sent`; else it is held again.
        parent
            The order that must trade before this one works, as it stands; None for none. Of one that has ended
            `on_end` has to be told once all are taken.
        """
        held = self._held[order.id] = _Held(order, traded=order.filled, shares=shares)
        self._links.add(order)
        if parent is not None and not parent.is_open:
            self.watch(parent)
        if parent is not None and parent.filled:
            self._links.after_fill(parent.id, parent.filled)
        if sent:
            held.sent = self._links.allowed(order)

    def end(self, numbers: Sequence[int], reason: str, ts: int) -> list[Action]:
        """End orders that what they were tied to has left without a use; at the venue, where they were sent."""
        actions: list[Action] = []
        for number in numbers:
            held = self._held.get(number)
            if held is not None:
                canceled = OrderCanceled(ts, number, reason)
                actions += [Withdraw(number)] if held.sent else self._end(held, canceled, ts)
        return actions

    def not_sent(self, order_id: int, ts: int) -> list[Action]:
        """Take word that an order which `resume` took as sent never left: it is held again, or leaves now."""
        held = self._held.get(order_id)
        if held is None:
            return []
        held.sent = 0.0
        actions: list[Action] = []
        if held.order.triggered:
            self._act(held, ts, actions)
        else:
            self._enter(held, ts, actions)
        return actions

    def not_taken(self, order_id: int, ts: int) -> list[Action]:
        """Take word that the venue did not take a stop, since the market has passed it: it has triggered.

        Whoever sends what comes of it gives it another client id.
        """
        held = self._held.get(order_id)
        if held is None:
            return []
        actions: list[Action] = [Report(OrderTriggered(ts, order_id))]
        self._act(held, ts, actions)
        return actions

    # Requests.

    def watch(self, order: Order) -> None:
        """Keep an eye on an order that went to the venue by itself, because others are about to be tied to it."""
        if order.id not in self._held:
            self._held[order.id] = _Held(order, sent=order.size, traded=order.filled)

    def submit(self, order: Order, ts: int) -> list[Action]:
        """Take an order; it is sent at once where nothing keeps it. What it is tied to must be watched by then."""
        first, parent = self._held.get(order.oco), self._held.get(order.parent)
        if order.oco and order.oco != order.id and (first is None or first.traded or self._links.is_over(order.oco)):
            return [Report(OrderRejected(ts, order.id, "oco"))]
        if order.parent and parent is None:
            return [Report(OrderRejected(ts, order.id, "parent_ended"))]
        held = self._held[order.id] = _Held(order)
        self._links.add(order)
        if parent is not None and parent.traded:
            self._links.after_fill(order.parent, parent.traded)
        waits = self._links.waits(order.id)
        actions: list[Action] = []
        if waits or not self.native.works(order):
            actions.append(Report(OrderAccepted(ts, order.id)))
        if not waits:
            self._enter(held, ts, actions)
        return actions

    def cancel(self, order_id: int, ts: int) -> list[Action]:
        """Withdraw an order: at the venue where it was sent, else here."""
        held = self._held.get(order_id)
        return [Withdraw(order_id)] if held is None or held.sent else self._end(held, OrderCanceled(ts, order_id), ts)

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float, ts: int) -> list[Action]:
        """Give a held order new terms; of one that was sent, nothing comes of it: ask the venue."""
        held = self._held.get(order_id)
        if held is None or held.sent:
            return []
        return [Report(OrderAmended(ts, order_id, size, limit_price, stop_price))]

    # What happens.

    def on_price(self, symbol: str, price: float, ts: int) -> list[Action]:
        """Take a price at which the market of an instrument stands; orders act oldest first."""
        return self.on_quote(symbol, price, price, ts)

    def on_quote(self, symbol: str, bid: float, ask: float, ts: int) -> list[Action]:
        """Take best bid and ask: a buy goes by the ask, a sale by the bid."""
        self._prices[symbol] = ask, bid
        actions: list[Action] = []
        if not self._held:
            return actions
        for held in self._resting(symbol):
            if self._is_resting(held):  # still: one before it may have ended it
                self._meet(held, ask if held.order.is_buy else bid, ts, actions)
        for held in self._resting(symbol):
            self._follow(held, ask if held.order.is_buy else bid, ts, actions, on_closes=False)
        return actions

    def on_close(self, symbol: str, close: float, ts: int) -> list[Action]:
        """Take the close of a bar, for stops that follow closes alone."""
        actions: list[Action] = []
        for held in self._resting(symbol):
            self._follow(held, close, ts, actions, on_closes=True)
        return actions

    def on_session_end(self, symbol: str, ts: int) -> list[Action]:
        """Send the orders for the close of a session, and end the day orders that are held."""
        actions: list[Action] = []
        for held in [one for one in self._held.values() if one.order.instrument.symbol == symbol]:
            if held.order.type is OrderType.MARKET_ON_CLOSE and self._is_resting(held):
                self._send(held, ts, actions)
            elif held.order.time_in_force is TimeInForce.DAY:  # children that wait among them
                actions += self.expire(held.order.id, ts)
        return actions

    def expire(self, order_id: int, ts: int) -> list[Action]:
        """End an order whose time is over, if it is held; of one that was sent nothing comes of it: ask the venue."""
        held = self._held.get(order_id)
        return [] if held is None or held.sent else self._end(held, OrderExpired(ts, order_id), ts)

    def on_time(self, ts: int) -> list[Action]:
        """End the held orders whose time has passed."""
        actions: list[Action] = []
        for held in list(self._held.values()):
            end = last_moment(held.order)
            if end is not None and end < ts:
                actions += self.expire(held.order.id, ts)
        return actions

    def on_fill(self, order_id: int, traded: float, ts: int) -> list[Action]:
        """Take word that `traded` of an order has traded so far, in all."""
        held = self._held.get(order_id)
        if held is None:
            return []
        held.traded = traded
        ended, woken = self._links.after_fill(order_id, traded) or ((), ())
        actions: list[Action] = []
        self._stop(ended, held.order, ts, actions)
        size = held.order.size
        if held.order.parent and held.order.type in AT_MARKET:  # a stop that the venue has worked
            size = self._links.allowed(held.order)
            self._shrink(held, size, ts, actions)
        if traded >= size:
            actions += self.on_end(order_id, ts)
        else:
            self._fit_children(order_id, ts, actions)
        for number in woken:
            if number in self._held:
                self._enter(self._held[number], ts, actions)
        return actions

    def on_end(self, order_id: int, ts: int) -> list[Action]:
        """Take word that an order works no longer."""
        held = self._held.pop(order_id, None)
        if held is None:
            return []
        ended, children, _ = self._links.after_end(order_id)
        actions: list[Action] = []
        self._stop(ended, held.order, ts, actions)
        for number in children:
            self._fit(number, ts, actions, grows=False)
        return actions

    # One order.

    def _resting(self, symbol: str) -> list[_Held]:
        return [
            held for held in self._held.values() if held.order.instrument.symbol == symbol and self._is_resting(held)
        ]

    def _is_resting(self, held: _Held) -> bool:
        number = held.order.id
        return number in self._held and not held.sent and not self._links.waits(number)

    def _enter(self, held: _Held, ts: int, actions: list[Action]) -> None:
        """Let an order come to the market where it stands."""
        order = held.order
        if self.native.works(order, grouped=held.shares):
            self._send(held, ts, actions, as_it_is=True)
            return
        for_buyers, for_sellers = self._prices.get(order.instrument.symbol, (nan, nan))
        price = for_buyers if order.is_buy else for_sellers
        if isnan(order.stop_price) and order.type in TRAILING:
            self._move(held, price, ts, actions)
            return
        self._meet(held, price, ts, actions)
        if self._is_resting(held):
            self._follow(held, price, ts, actions, on_closes=False)

    def _meet(self, held: _Held, price: float, ts: int, actions: list[Action]) -> None:
        """Send an order whose stop the market has reached."""
        order = held.order
        if is_reached(price, *level(order, False)):  # never at NaN
            actions.append(Report(OrderTriggered(ts, order.id)))
            self._act(held, ts, actions)

    def _act(self, held: _Held, ts: int, actions: list[Action]) -> None:
        """Send an order that has triggered."""
        if held.order.type in AT_MARKET:
            self._stop(self._links.dissolve(held.order.id), held.order, ts, actions)
        self._send(held, ts, actions)

    def _send(self, held: _Held, ts: int, actions: list[Action], *, as_it_is: bool = False) -> None:
        order = held.order
        at_market = order.type in AT_MARKET or order.type is OrderType.MARKET_ON_CLOSE
        held.sent = size = self._links.allowed(order)
        if at_market and not (as_it_is and order.type is not OrderType.MARKET):
            self._shrink(held, size, ts, actions)
        actions.append(Send(order.id, size, nan if at_market else order.limit_price, as_it_is))

    def _shrink(self, held: _Held, size: float, ts: int, actions: list[Action]) -> None:
        """Have a child be no larger than what its parent has traded, and withdraw the rest of that."""
        order = held.order
        if size < order.size:
            actions.append(Report(OrderAmended(ts, order.id, size, order.limit_price, order.stop_price)))
            if order.reduce_only:
                actions.append(Withdraw(order.parent))

    def _follow(self, held: _Held, price: float, ts: int, actions: list[Action], *, on_closes: bool) -> None:
        trail = held.order.trail
        if trail is not None and trail.on_closes is on_closes and self._is_resting(held):
            self._move(held, price, ts, actions)

    def _move(self, held: _Held, price: float, ts: int, actions: list[Action]) -> None:
        moved = None if isnan(price) else trailed(held.order, price)
        if moved is not None:
            actions.append(Report(StopTrailed(ts, held.order.id, *moved)))

    # Others.

    def _end(self, held: _Held, event: OrderEvent, ts: int) -> list[Action]:
        return [Report(event), *self.on_end(held.order.id, ts)]

    def _stop(self, numbers: Sequence[int], cause: Order, ts: int, actions: list[Action]) -> None:
        """End the orders that end because of another."""
        for number in numbers:
            held = self._held.get(number)
            if held is None:
                continue
            if held.sent:
                actions.append(Withdraw(number))
            else:
                reason = "parent_ended" if held.order.parent == cause.id else "oco"
                actions += self._end(held, OrderCanceled(ts, number, reason), ts)

    def _fit_children(self, parent: int, ts: int, actions: list[Action]) -> None:
        """Let the children that rest at the venue grow with what their parent has traded."""
        for held in list(self._held.values()):
            if held.order.parent == parent and held.sent:
                self._fit(held.order.id, ts, actions, grows=True)

    def _fit(self, order_id: int, ts: int, actions: list[Action], *, grows: bool) -> None:
        """Bring an order's size to what it may trade: at the venue where it was sent, and in its own terms at last."""
        held = self._held.get(order_id)
        if held is None:
            return
        order = held.order
        size = self._links.allowed(order)
        if held.sent and size != held.sent and rests(order):
            held.sent = size
            actions.append(Resize(order_id, size))
        elif not grows and not held.sent and size < order.size:
            actions.append(Report(OrderAmended(ts, order_id, size, order.limit_price, order.stop_price)))
