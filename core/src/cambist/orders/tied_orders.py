"""Orders that hang together, in the emulator's hands: what ends, wakes and resizes with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.events import OrderAmended, OrderCanceled
from cambist.model.orders import AT_MARKET
from cambist.orders.actions import Report, Resize, Withdraw
from cambist.orders.links import Links
from cambist.orders.native import rests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.events import OrderEvent
    from cambist.model.orders import Order
    from cambist.orders.actions import Action

__all__ = ["Held", "TiedOrders"]


@attrs.define(eq=False, slots=True)
class Held:
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


class TiedOrders:
    """Knows the orders of an emulator, and how they hang together."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._links = Links()

    @property
    def orders(self) -> list[Order]:
        """Every order in its hands, oldest first: held, waiting for a parent, or sent and tied to others."""
        return [held.order for held in self._held.values()]

    def watch(self, order: Order) -> None:
        """Keep an eye on an order that went to the venue by itself, because others are about to be tied to it."""
        if order.id not in self._held:
            self._held[order.id] = Held(order, sent=order.size, traded=order.filled)

    def end(self, numbers: Sequence[int], reason: str, ts: int) -> list[Action]:
        """End orders that what they were tied to has left without a use; at the venue, where they were sent."""
        actions: list[Action] = []
        for number in numbers:
            held = self._held.get(number)
            if held is not None:
                canceled = OrderCanceled(ts, number, reason)
                actions += [Withdraw(number)] if held.sent else self._end(held, canceled, ts)
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

    def _enter(self, held: Held, ts: int, actions: list[Action]) -> None:
        """Let an order come to the market where it stands."""
        raise NotImplementedError

    def _is_resting(self, held: Held) -> bool:
        number = held.order.id
        return number in self._held and not held.sent and not self._links.waits(number)

    def _end(self, held: Held, event: OrderEvent, ts: int) -> list[Action]:
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

    def _shrink(self, held: Held, size: float, ts: int, actions: list[Action]) -> None:
        """Have a child be no larger than what its parent has traded, and withdraw the rest of that."""
        order = held.order
        if size < order.size:
            actions.append(Report(OrderAmended(ts, order.id, size, order.limit_price, order.stop_price)))
            if order.reduce_only:
                actions.append(Withdraw(order.parent))

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
