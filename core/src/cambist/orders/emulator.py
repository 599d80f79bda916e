"""Gives a venue that knows market and limit orders alone the other kinds: stops, trails, touches, groups, brackets.

The emulator holds what the venue cannot work and watches the price. It does no I/O: each call returns what is to be
done, in order, and whoever drives it sends and reports. The rules are those of the simulated venue (`triggers`,
`links`), asked at each price instead of along the path through a bar.
"""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

from cambist.model.events import (
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderTriggered,
    StopTrailed,
)
from cambist.model.orders import AT_MARKET, TRAILING, OrderType, TimeInForce
from cambist.orders.actions import Report, Send, Withdraw
from cambist.orders.native import NativeOrders
from cambist.orders.tied_orders import Held, TiedOrders
from cambist.orders.times import last_moment
from cambist.orders.triggers import is_reached, level, trailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model.orders import Order
    from cambist.orders.actions import Action

__all__ = ["Emulator"]


class Emulator(TiedOrders):
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

    A stop that is reached is sent at once, as a market or a limit order. A market order cancels the others of its group
    as it leaves, so that they do not trade with it, and so does a limit order of what is paid in full. A child that
    leaves as a market order before its parent has traded in full shrinks to what the parent has traded, and where it
    only reduces, the rest of the parent is withdrawn; what rests at the venue, a limit or a stop that the venue works
    itself, grows with its parent.

    What the price passes between two calls is not seen, and a held order is as safe as the process that holds it:
    where a venue has stops of its own they are the better ones.
    """

    def __init__(
        self, native: Iterable[OrderType] = (OrderType.MARKET, OrderType.LIMIT), *, ties: bool = False
    ) -> None:
        super().__init__()
        self.native = NativeOrders(native, ties=ties)
        #: By symbol: what buyers pay, and what sellers get.
        self._prices: dict[str, tuple[float, float]] = {}

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
        held = self._held[order.id] = Held(order, traded=order.filled, shares=shares)
        self._links.add(order)
        if parent is not None and not parent.is_open:
            self.watch(parent)
        if parent is not None and parent.filled:
            self._links.after_fill(parent.id, parent.filled)
        if sent:
            held.sent = self._links.allowed(order)

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

    def submit(self, order: Order, ts: int) -> list[Action]:
        """Take an order; it is sent at once where nothing keeps it. What it is tied to must be watched by then."""
        first, parent = self._held.get(order.oco), self._held.get(order.parent)
        if order.oco and order.oco != order.id and (first is None or first.traded or self._links.is_over(order.oco)):
            return [Report(OrderRejected(ts, order.id, "oco"))]
        if order.parent and parent is None:
            return [Report(OrderRejected(ts, order.id, "parent_ended"))]
        held = self._held[order.id] = Held(order)
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

    # One order.

    def _resting(self, symbol: str) -> list[Held]:
        return [
            held for held in self._held.values() if held.order.instrument.symbol == symbol and self._is_resting(held)
        ]

    def _enter(self, held: Held, ts: int, actions: list[Action]) -> None:
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

    def _meet(self, held: Held, price: float, ts: int, actions: list[Action]) -> None:
        """Send an order whose stop the market has reached."""
        order = held.order
        if is_reached(price, *level(order, False)):  # never at NaN
            actions.append(Report(OrderTriggered(ts, order.id)))
            self._act(held, ts, actions)

    def _act(self, held: Held, ts: int, actions: list[Action]) -> None:
        """Send an order that has triggered.

        A limit shares what it trades with the others of its group until one of them trades. Where orders are paid in
        full each would lock the whole of it, and it be refused: there the others end as in a spot exchange's own pairs.
        """
        if held.order.type in AT_MARKET or held.order.instrument.is_cash:
            self._stop(self._links.dissolve(held.order.id), held.order, ts, actions)
        self._send(held, ts, actions)

    def _send(self, held: Held, ts: int, actions: list[Action], *, as_it_is: bool = False) -> None:
        order = held.order
        at_market = order.type in AT_MARKET or order.type is OrderType.MARKET_ON_CLOSE
        held.sent = size = self._links.allowed(order)
        if at_market and not (as_it_is and order.type is not OrderType.MARKET):
            self._shrink(held, size, ts, actions)
        actions.append(Send(order.id, size, nan if at_market else order.limit_price, as_it_is))

    def _follow(self, held: Held, price: float, ts: int, actions: list[Action], *, on_closes: bool) -> None:
        trail = held.order.trail
        if trail is not None and trail.on_closes is on_closes and self._is_resting(held):
            self._move(held, price, ts, actions)

    def _move(self, held: Held, price: float, ts: int, actions: list[Action]) -> None:
        moved = None if isnan(price) else trailed(held.order, price)
        if moved is not None:
            actions.append(Report(StopTrailed(ts, held.order.id, *moved)))
