"""Orders that the run holds because the venue lacks them: what the emulator wants of them is done."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

from cambist.live.watched import OpenOrders
from cambist.model.events import OrderAccepted
from cambist.model.orders import TRIGGERED, OrderStatus, OrderType
from cambist.orders.actions import Report, Resize, Send
from cambist.orders.native import rests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.live.evidence import Evidence
    from cambist.live.groups import Groups
    from cambist.live.watched import Outlets, Watched
    from cambist.model.orders import Order
    from cambist.orders.actions import Action
    from cambist.orders.book import OrderBook
    from cambist.orders.emulator import Emulator

__all__ = ["HeldOrders", "begins_group"]

#: How an order stands that the emulator holds.
_HELD = frozenset({OrderStatus.ACCEPTED, OrderStatus.TRIGGERED})


def begins_group(order: Order, others: Iterable[Order]) -> bool:
    """Tell whether an order without ties of its own is one that others have joined."""
    return not order.parent and any(one.oco == order.id for one in others)


class HeldOrders(OpenOrders):
    """Lets an emulator work orders; see `cambist.orders.emulator`."""

    _book: OrderBook
    _out: Outlets
    _groups: Groups
    emulator: Emulator
    evidence: Evidence
    missed: Callable[[Order, int], bool]

    def _go(self, watched: Watched, kind: OrderType, size: float, limit: float, stop: float, now: int) -> None:
        """Send an order, which happens once in its life."""
        raise NotImplementedError

    def _change(self, watched: Watched, terms: tuple[float, float, float], now: int) -> None:
        """Give an order that was sent new terms, as its venue can."""
        raise NotImplementedError

    def _resume_tied(self, watched: Watched, now: int) -> bool:
        """Give an order back to the emulator; return whether it may have left."""
        order, emulator = watched.order, self.emulator
        self._tie(order)
        parent = self._book.find(order.parent) if order.parent else None
        left = order.triggered or (order.type is OrderType.MARKET_ON_CLOSE and self.missed(order, now))
        watched.perhaps_unsent = (parent is None or parent.filled > 0) and (emulator.native.works(order) or left)
        shares = begins_group(order, self._book.open.values())
        emulator.resume(order, sent=watched.perhaps_unsent, parent=parent, shares=shares)
        if parent is not None and watched.perhaps_unsent and rests(order):
            watched.sent_size = min(order.size, parent.filled)
        if not watched.perhaps_unsent and not order.accepted:
            self._out.deliver(OrderAccepted(now, order.id))
        return watched.perhaps_unsent

    def _tie(self, order: Order) -> None:
        """Have the emulator know what an order is tied to."""
        for number in (order.oco, order.parent):
            if number and number != order.id and number in self.register:
                self.emulator.watch(self._book.get(number))

    def _hold(self, orders: Sequence[Order], now: int) -> None:
        """Work orders from here that the venue does not work as one."""
        for order in orders:
            self._tie(order)
            parent = self._book.find(order.parent) if order.parent else None
            shares = begins_group(order, orders)
            self.emulator.resume(order, sent=False, parent=parent, shares=shares)
            if not order.accepted and not self.emulator.native.works(order, grouped=shares):
                self._out.deliver(OrderAccepted(now, order.id))
        for number in {order.parent: None for order in orders if order.parent not in self.register}:
            self.act(self.emulator.on_end(number, now), now)
        for order in orders:
            parent = self._book.find(order.parent) if order.parent else None
            if parent is None or parent.filled:
                self.act(self.emulator.not_sent(order.id, now), now)

    def _never_left(self, watched: Watched, now: int) -> bool:
        """Take word that the venue has no such order; return whether it is one that the emulator goes on with."""
        order = watched.order
        if not watched.perhaps_unsent or order.filled or order.status not in _HELD:
            return False
        watched.perhaps_unsent, watched.sent_at, watched.check_at, watched.absences = False, None, None, 0
        self.act(self.emulator.not_sent(order.id, now), now)
        return True

    def _passed(self, watched: Watched, reason: str, now: int) -> bool:
        """Take word that the market has passed the stop of an order; return whether it leaves as what it turns into.

        One that has just been sent by a strategy is refused, as in a backtest.
        """
        order = watched.order
        if order.status is not OrderStatus.ACCEPTED or order.type not in TRIGGERED:
            return False
        self.emulator.watch(order)
        self.register.renew(watched, order.filled)
        self._out.note(now, order.id, watched.number, watched.carried, reason)
        self.act(self.emulator.not_taken(order.id, now), now)
        return True

    def act(self, actions: Sequence[Action], now: int) -> None:
        """Do what the emulator wants."""
        for action in actions:
            if isinstance(action, Report):
                self._out.deliver(action.event)
                if not self._book.get(action.event.order_id).is_open:
                    self.register.drop(action.event.order_id)
                continue
            watched = self.register.get(action.order_id)
            if watched is None:
                continue
            if isinstance(action, Send):
                plain = OrderType.MARKET if isnan(action.limit_price) else OrderType.LIMIT
                kind, stop = (watched.order.type, watched.order.stop_price) if action.as_it_is else (plain, nan)
                self._go(watched, kind, action.size, action.limit_price, stop, now)
            elif isinstance(action, Resize):
                order = watched.order
                _, limit, stop = watched.wanted or (0.0, order.limit_price, order.stop_price)
                self._change(watched, (action.size, limit, stop), now)
                watched.sent_size = action.size
            elif not self._groups.cancel(watched.order, now):
                self.evidence.withdraw(watched, now)
