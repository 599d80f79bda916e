"""Knows which orders a venue works as one, sends them so once that is journalled, and takes them back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from cambist.live.fills import same_size
from cambist.live.replacing import REPLACING
from cambist.live.requests import Submit, SubmitGroup
from cambist.model.events import OrderAmended, OrderCanceled, OrderRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cambist.live.evidence import Evidence
    from cambist.live.reducing import Reducing
    from cambist.live.watched import Outlets, Register
    from cambist.model.orders import Order
    from cambist.orders.book import OrderBook
    from cambist.ports.venue import VenueTerms

__all__ = ["Group", "GroupKeeping"]

_log = logging.getLogger("cambist.live")


@attrs.define(eq=False)
class Group:
    """Orders that hang together at the venue, or one that it works in a way of its own.

    Attributes
    ----------
    entry
        For which the others wait, and None where they wait for none.
    legs
        The others.
    listed
        Those that the venue has, or is to have, as one; none while the legs wait.
    again
        Whether the legs are being canceled so that they can be sent with other terms.
    resumed
        Whether the run was cut off meanwhile.
    asked
        Whether the run asked for the end of one of them.
    wanted
        By order, size, limit and stop that were asked for.
    gone
        Legs that the venue is proven to work no longer, although they go on.
    """

    entry: Order | None
    legs: tuple[Order, ...]
    listed: tuple[Order, ...] = ()
    again: bool = False
    resumed: bool = False
    asked: bool = False
    wanted: dict[int, tuple[float, float, float]] = attrs.field(factory=dict)
    gone: set[int] = attrs.field(factory=set)

    @property
    def orders(self) -> tuple[Order, ...]:
        """All of them, oldest first."""
        return self.legs if self.entry is None else (self.entry, *self.legs)

    @property
    def open_legs(self) -> list[Order]:
        """The legs that have not ended."""
        return [leg for leg in self.legs if leg.is_open]

    def sleeps(self, order: Order) -> bool:
        """Tell whether an order waits at the venue for another."""
        entry = self.entry
        return order in self.legs and entry is not None and entry.is_open and entry in self.listed


class GroupKeeping:
    """Gives orders of a group their sizes and names, notes who works them, sends them, and ends them.

    Parameters
    ----------
    register, book, terms, out
        See `Evidence`.
    reducing
        Answers how much may trade.
    hold
        Works orders from here.

    Attributes
    ----------
    evidence
        Is told when an order is done with.
    """

    def __init__(
        self,
        register: Register,
        book: OrderBook,
        terms: VenueTerms,
        out: Outlets,
        reducing: Reducing,
        hold: Callable[[Sequence[Order], int], None],
    ) -> None:
        self._register, self._book, self._terms, self._out = register, book, terms, out
        self._reducing, self._hold = reducing, hold
        self._of: dict[int, Group] = {}
        self._told: set[str] = set()
        self.evidence: Evidence

    def __iter__(self) -> Iterator[Group]:
        """Iterate over a list that changes leave alone."""
        return iter({id(one): one for one in self._of.values()}.values())

    def of(self, order: Order) -> Group | None:
        """Return the group of an order, None where it has none."""
        return self._of.get(order.id)

    def keep(self, group: Group) -> Group:
        """Know a group from now on."""
        self._of.update((order.id, group) for order in group.orders)
        return group

    def forget(self, group: Group) -> None:
        """Know it no longer."""
        for order in group.orders:
            if self._of.get(order.id) is group:
                del self._of[order.id]

    def resume(self, orders: Iterable[Order]) -> dict[int, bool]:
        """Take what was left to the venue before the run was cut off.

        Returns
        -------
        dict
            By id of each of these open orders that the run does not hold: whether it may have left.
        """
        going_on = {order.id: order for order in orders}
        members: dict[int, list[int]] = {}
        for number, (first, state) in self._book.entrusted.items():
            if state != REPLACING:
                members.setdefault(first, []).append(number)
        taken: dict[int, bool] = {}
        for numbers in members.values():
            found = [order for order in map(self._book.find, sorted(numbers)) if order is not None]
            if not any(order.id in going_on for order in found):
                continue
            states = {self._book.entrusted[order.id][1] for order in found}
            parent = self._book.find(found[-1].parent) if found[-1].parent else None
            group = Group(parent, tuple(order for order in found if order is not parent))
            group.again = group.resumed = "again" in states
            if "waits" not in states:
                group.listed = tuple(found)
            self.keep(group)
            for order in found:
                if order.id in going_on:
                    taken[order.id] = bool(group.listed)
        return taken

    def send(self, group: Group, orders: Sequence[Order], now: int) -> bool:
        """Send orders as one, once that is journalled; end the legs and return False where they have nothing to do."""
        legs = [order for order in orders if order is not group.entry]
        left = min(self._room(group, leg, orders) for leg in legs)
        if left <= 0.0:
            for leg in group.open_legs:
                self.end(leg, "nothing_to_reduce", now)
            return False
        group.listed, group.again, group.resumed = tuple(orders), False, False
        group.gone.clear()
        for leg in legs:
            if left < leg.remaining and not same_size(leg, left, leg.remaining):
                size = leg.instrument.size_grid.nearest(leg.filled + left)
                self._out.deliver(OrderAmended(now, leg.id, size, leg.limit_price, leg.stop_price))
        if group.entry is not None and group.entry not in orders and group.entry.id in self._book.entrusted:
            self.mark(group, [group.entry], "held", now)  # what follows is no list of it any more
        self.mark(group, orders, "sent", now)
        submits = tuple(self._prepare(group, order, now) for order in orders)
        first = submits[0]
        alone = len(submits) == 1
        self._out.send(first if alone else SubmitGroup(order_id=first.order_id, key=first.key, members=submits))
        return True

    def _room(self, group: Group, leg: Order, orders: Sequence[Order]) -> float:
        """Return how much a leg may trade yet."""
        entry = group.entry
        if entry is None:
            return self._reducing.allowed(leg, leg.remaining)
        if entry not in orders:
            return min(self._reducing.allowed(leg, leg.remaining), max(0.0, entry.filled - leg.filled))
        if not self._reducing.concerns(leg):
            return min(leg.size, entry.size)
        # A fee that is taken out of what was bought leaves less to sell, and the venue would send neither.
        instrument = entry.instrument
        bought = entry.size * (1.0 - max(0.0, instrument.maker_fee, instrument.taker_fee))
        return min(leg.size, instrument.round_size(bought))

    def _prepare(self, group: Group, order: Order, now: int) -> Submit:
        """Return the request for an order; from now on it is waited for."""
        watched = self._register.get(order.id) or self._register.add(order)
        watched.group, watched.sent_at, watched.sent_size = group, now, None
        watched.check_at = now + self._terms.settling + self._terms.confirm_within
        left = order.instrument.size_grid.nearest(order.size - order.filled)
        terms = watched.request(order.type, left, order.limit_price, order.stop_price)
        watched.submit = Submit(order_id=order.id, key=watched.key, terms=terms, reduces=order.reduce_only)
        return watched.submit

    def renew(self, legs: Iterable[Order], now: int, reason: str) -> None:
        """Have legs go out under other names: those that they had are used up."""
        for leg in legs:
            watched = self._register.get(leg.id)
            assert watched is not None
            self._register.renew(watched, leg.filled)
            self._out.note(now, leg.id, watched.number, watched.carried, reason)
            watched.told_at, watched.absences, watched.cancels, watched.confirmed = 0, 0, 0, False
            watched.asking, watched.overtaken, watched.ended = False, True, None

    def mark(self, group: Group, orders: Sequence[Order], state: str, now: int) -> None:
        """Journal who works orders from here on."""
        numbers, first = [order.id for order in orders], group.orders[0].id
        self._book.entrust(numbers, first, state)
        self._out.entrust(now, numbers, first, state)

    def give_back(self, group: Group, legs: Sequence[Order], now: int) -> None:
        """Have the run work what the venue does not."""
        self.mark(group, group.orders, "held", now)
        self.forget(group)
        for leg in legs:
            watched = self._register.get(leg.id)
            if watched is not None:
                watched.group = watched.submit = watched.sent_at = watched.check_at = None
                watched.absences = 0
        self._hold(legs, now)

    def end(self, order: Order, reason: str, now: int) -> None:
        """End an order that the venue has not, or no longer."""
        self._out.deliver(OrderCanceled(now, order.id, reason))
        self.be_done(order, now)

    def refuse(self, order: Order, reason: str, now: int) -> None:
        """End an order that the venue did not take."""
        ends = OrderCanceled if order.filled else OrderRejected
        self._out.deliver(ends(now, order.id, reason))
        self.be_done(order, now)

    def be_done(self, order: Order, now: int) -> None:
        """Watch an order no longer."""
        watched = self._register.get(order.id)
        if watched is not None:
            self.evidence.forget(watched, now)

    def tell(self, why: str) -> None:
        """Log once why orders are not left to the venue, or not all of them."""
        if why not in self._told:
            self._told.add(why)
            _log.warning("not left to the venue: %s", why)
