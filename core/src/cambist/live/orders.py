"""The order manager: between what the kernel wants of orders and a venue.

It does no I/O and knows no clock: requests go out by a callable, everything else is told to it together with the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.live.answers import Answers, Successors
from cambist.live.evidence import Evidence
from cambist.live.fills import same_size
from cambist.live.group_keeping import GroupKeeping
from cambist.live.groups import Groups, Native
from cambist.live.held_orders import HeldOrders, begins_group
from cambist.live.reducing import Reducing
from cambist.live.replacing import Replacing, amends
from cambist.live.requests import Amend, Submit
from cambist.live.resending import RESENDS, Resending
from cambist.live.watched import Register
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAmended,
    OrderCanceled,
    OrderRejected,
)
from cambist.model.orders import OrderStatus, OrderType
from cambist.orders.emulator import Emulator
from cambist.orders.state import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cambist.live.resending import Resend
    from cambist.live.watched import Outlets, Watched
    from cambist.model.effects import AmendOrder
    from cambist.model.orders import Order
    from cambist.orders.book import OrderBook
    from cambist.orders.families import Family
    from cambist.orders.native import NativeOrders
    from cambist.ports.venue import VenueTerms

__all__ = ["LiveOrders"]


def left_alone(orders: Sequence[Order], book: OrderBook) -> list[int]:
    """Return the ids of open orders that have no use any more, since another one of their group has traded or ended."""
    # One that was refused may have been so by the gate, and then was never tied to the others.
    ended = {status for status in TERMINAL if status is not OrderStatus.REJECTED}
    over = {one.oco or one.id for one in book.orders if one.filled or one.status in ended}
    return [order.id for order in orders if (order.oco or order.id) in over and not order.filled]


def may_be_held(order: Order, others: Iterable[Order], native: NativeOrders) -> bool:
    """Tell whether an order that works may be held here: alone it would not be, but others may have joined it."""
    return native.lacks(order) or (begins_group(order, others) and not native.works(order, grouped=True))


def _never(_order: Order, _now: int) -> bool:
    return False


def _worthless(_asset: str, _amount: float) -> float:
    return 0.0


class LiveOrders(HeldOrders):
    """Manages the orders of a run at one venue.

    Parameters
    ----------
    book
        Of the run.
    terms
        Of the venue.
    out
        Where events, requests and alarms go.
    value_of
        Answers what an amount of a third asset that paid a fee is worth, in the settlement asset.
    resend
        Whether an order that certainly did not arrive is sent again, by kind; see `Resend`.
    unprotected
        How long a stop that is being replaced may be away before somebody is told, ns.
    reducible
        See `Reducing`.
    native
        What is left to the venue beyond what it works in any case; nothing by default.

    Attributes
    ----------
    register, emulator
        The orders that are not done with, and what holds those that wait.
    answers, evidence
        What is told what the venue answers, and what it reports by itself.
    replacing
        Gives new terms where the venue cannot.
    missed
        Answers whether the session of an order is over by a time, ns.
    """

    def __init__(
        self,
        book: OrderBook,
        terms: VenueTerms,
        out: Outlets,
        value_of: Callable[[str, float], float] = _worthless,
        *,
        resend: Mapping[str, Resend] = RESENDS,
        unprotected: int = 2_000_000_000,
        reducible: Callable[[Order], float] | None = None,
        native: Native | None = None,
    ) -> None:
        self._book, self._out = book, out
        super().__init__(Register(book, terms), terms)
        self.emulator = Emulator(terms.native, ties=terms.ties)
        self.missed: Callable[[Order, int], bool] = _never
        self._reducing = Reducing(None if terms.ties else reducible)  # which knows what is held when they trade
        self.replacing = Replacing(self.register, book, terms, out, self._reducing, unprotected)
        keeping = GroupKeeping(self.register, book, terms, out, self._reducing, self._hold)
        self._groups = Groups(self.register, terms, out, native or Native(), keeping, self.submit)
        self.evidence = Evidence(
            self.register,
            terms,
            out,
            filled=self._after_fill,
            ended=self._after_end,
            value_of=value_of,
            replacing=self.replacing,
            groups=self._groups,
        )
        self.answers = Answers(
            self.register,
            terms,
            out,
            self.evidence,
            self.replacing,
            Resending(resend),
            Successors(never_left=self._never_left, passed=self._passed, refit=self._grow),
        )

    # What the kernel wants.

    def submit(self, order: Order, now: int) -> None:
        """Send an order, or keep it until it is due."""
        watched = self.register.add(order)
        if self._groups.take_trail(order, now):
            return
        if self.emulator.native.lacks(order):
            self._tie(order)
            self.act(self.emulator.submit(order, now), now)
        else:
            self._go(watched, order.type, order.size, order.limit_price, order.stop_price, now)

    def submit_family(self, family: Family, now: int) -> bool:
        """Send orders as one that hang together; return False where each has to be sent by itself."""
        return self._groups.take(family, now)

    def cancel(self, order_id: int, now: int) -> None:
        """Ask the venue to withdraw an order, or drop one that is held."""
        if order_id in self.register:
            self.act(self.emulator.cancel(order_id, now), now)
        else:
            self._out.deliver(CancelRejected(now, order_id, "ended"))

    def amend(self, wanted: AmendOrder, now: int) -> None:
        """Ask the venue for new terms, or give them to an order that is held."""
        watched = self.register.get(wanted.order_id)
        if watched is None:
            self._out.deliver(AmendRejected(now, wanted.order_id, "ended"))
            return
        terms = wanted.size, wanted.limit_price, wanted.stop_price
        if self._groups.amend(watched.order, terms, now):
            return
        actions = self.emulator.amend(wanted.order_id, *terms, now)
        if actions:
            self.act(actions, now)
        else:
            self._change(watched, terms, now)

    # What the market does, for orders that are held here.

    def on_price(self, symbol: str, price: float, now: int) -> None:
        """Take a price at which the market of an instrument stands."""
        self.act(self.emulator.on_price(symbol, price, now), now)

    def on_quote(self, symbol: str, bid: float, ask: float, now: int) -> None:
        """Take best bid and ask: a buy goes by the ask, a sale by the bid."""
        self.act(self.emulator.on_quote(symbol, bid, ask, now), now)

    def on_close(self, symbol: str, close: float, now: int) -> None:
        """Take the close of a bar."""
        self.act(self.emulator.on_close(symbol, close, now), now)

    def on_time(self, now: int) -> None:
        """End what is held and out of time, and ask about every order that has kept silent for too long."""
        self.act(self.emulator.on_time(now), now)
        self.evidence.check(now)

    # After a restart, or a gap in the private stream.

    def resume(self, orders: Iterable[Order], now: int) -> None:
        """Take the open orders of a run that goes on, oldest first.

        What the emulator held is held again, tied as it was, and the venue is asked about what may have left.
        """
        going_on = list(orders)
        entrusted = self._groups.keeping.resume(going_on)
        for order in going_on:
            watched = self.register.add(order)
            if order.id in entrusted:
                if entrusted[order.id]:  # what waited for another was sent nobody knows when
                    watched.sent_at = now if watched.number or order.parent else order.created_at
                    watched.in_doubt = True
                    self.evidence.find(watched)
            elif not may_be_held(order, going_on, self.emulator.native) or self._resume_tied(watched, now):
                # Nobody knows when what took another's place was sent: the venue gets the time to see it once more.
                watched.sent_at = now if watched.number else order.created_at
                asked = order.status is OrderStatus.PENDING_REPLACE and not amends(self._terms.amends, watched)
                if watched.number or asked or self.replacing.is_marked(order):
                    self.replacing.resume(watched)
                watched.in_doubt = True
                self.evidence.find(watched)
        for number in {order.parent: None for order in going_on if order.parent not in self.register}:
            self.act(self.emulator.on_end(number, now), now)
        self.act(self.emulator.end(left_alone(going_on, self._book), "oco", now), now)
        self._groups.go_on(now)

    def ask_all(self) -> None:
        """Ask the venue about every order that has left."""
        for watched in self.doubt_all():
            self.evidence.find(watched)

    # Within.

    def _go(self, watched: Watched, kind: OrderType, size: float, limit: float, stop: float, now: int) -> None:
        """Send an order, which happens once in its life."""
        order = watched.order
        allowed = self._reducing.allowed(order, size)
        if allowed <= 0.0:
            ends = OrderCanceled if order.accepted or order.filled else OrderRejected
            self._out.deliver(ends(now, order.id, "nothing_to_reduce"))
            self.evidence.forget(watched, now)
            return
        if allowed < size:
            size = allowed
            self._out.deliver(OrderAmended(now, order.id, size, order.limit_price, order.stop_price))
        watched.sent_at = now
        watched.check_at = now + self._terms.settling + self._terms.confirm_within
        grows = order.parent and kind is not OrderType.MARKET and not self._terms.ties
        watched.sent_size = size if grows else None
        terms = watched.request(kind, size, limit, stop)
        watched.submit = Submit(order_id=order.id, key=watched.key, terms=terms, reduces=order.reduce_only)
        self._out.send(watched.submit)

    def _change(self, watched: Watched, terms: tuple[float, float, float], now: int) -> None:
        """Give an order that was sent new terms, as its venue can."""
        if not amends(self._terms.amends, watched, terms):
            self.replacing.begin(watched, terms, now)
            return
        watched.wanted, watched.overtaken = terms, True
        watched.check_at = now + self._terms.confirm_within
        request = watched.request(watched.order.type, *terms)
        self._out.send(Amend(order_id=watched.order.id, key=watched.key, terms=request))

    def _grow(self, watched: Watched, size: float, now: int) -> bool:
        """Ask for the size that a child should have at the venue by now, where it has less; return whether it does."""
        order, due = watched.order, watched.sent_size
        if due is None or size >= due:
            return False
        due = order.instrument.size_grid.nearest(order.filled + self._reducing.allowed(order, due - order.filled))
        grows = size < due and not same_size(order, size, due)
        if grows:
            self._change(watched, (due, order.limit_price, order.stop_price), now)
        else:  # it was cut to what is left to reduce, before this run knew of it
            watched.sent_size = None
            self._out.deliver(OrderAmended(now, order.id, size, order.limit_price, order.stop_price))
        return grows

    def _after_fill(self, order: Order, now: int) -> None:
        self.act(self.emulator.on_fill(order.id, order.filled, now), now)
        self.cut(now, order)

    def cut(self, now: int, after: Order | None = None) -> None:
        """Cut what only reduces to what is left to reduce, after an order has traded, or since it is all known now."""
        for watched, left in self._reducing.too_large(self.register, after):
            one, watched.sent_size = watched.order, None
            if self._groups.shrink(watched, left, now):
                continue
            if left <= 0.0:
                self.evidence.withdraw(watched, now)
            else:
                self._change(watched, (one.filled + left, one.limit_price, one.stop_price), now)

    def _after_end(self, order: Order, now: int) -> None:
        self.act(self.emulator.on_end(order.id, now), now)
        self._groups.over(order, now)
