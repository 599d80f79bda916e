"""The book of a run's orders: makes them, finds them, and takes each event and each fill into them once."""

from __future__ import annotations

from bisect import bisect_left
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

from cambist.errors import OrderStateError
from cambist.model.events import OrderFilled
from cambist.orders import ids
from cambist.orders.machine import (
    HANDLERS,
    INPUTS,
    accept,
    cancel,
    reject,
    request_amend,
    request_cancel,
    submit,
    take_fill,
    trigger,
)
from cambist.orders.state import TERMINAL, OrderInput, illegal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order, OrderStatus, Side

__all__ = ["Anomaly", "OrderBook", "split_trails"]

_number = attrgetter("id")


@attrs.frozen(slots=True)
class Anomaly:
    """An input that the order machine refused; nothing was changed.

    Attributes
    ----------
    ts
        Engine time, ns, UTC.
    order_id
        The order it was for.
    status
        Where that order stood, or None where the book has no such order.
    input
        What was refused.
    message
        Of the error that was raised.
    """

    ts: int
    order_id: int
    status: OrderStatus | None
    input: OrderInput
    message: str


@attrs.define(eq=False, slots=True)
class OrderBook:
    """Every order of a run.

    Attributes
    ----------
    token
        Of the run, for client ids; ``""`` where no venue will see one.
    open
        By id, in creation order: every order from `add` until it ends.
    orders
        All of them, in creation order; ``id`` ascends.
    anomalies
        What the machine refused, in the order it came.
    resent
        By order id, of orders that were sent once more under another client id: how often, and what had traded before.
    entrusted
        By order id, of orders that are left to the venue: the oldest of those that hang together, and ``"waits"``,
        ``"sent"`` or ``"again"``; of others that the run itself is about to replace, ``"replacing"``.
    next_id
        Returns the id of the order that is about to be made; ids count from 1 and none is given twice.

    Notes
    -----
    A trade has two sides, and both may be ours: fills are kept apart by venue, symbol, side and fill id.
    """

    token: str = ""
    open: dict[int, Order] = attrs.field(factory=dict, init=False)
    orders: list[Order] = attrs.field(factory=list, init=False, repr=False)
    anomalies: list[Anomaly] = attrs.field(factory=list, init=False)
    resent: dict[int, tuple[int, float]] = attrs.field(factory=dict, init=False, repr=False)
    entrusted: dict[int, tuple[int, str]] = attrs.field(factory=dict, init=False, repr=False)
    next_id: Callable[[], int] = attrs.field(factory=lambda: count(1).__next__, init=False, repr=False)
    # By id alone, which is almost always enough; the few that share one are told apart in `_shared`.
    _applied: dict[int, Fill] = attrs.field(factory=dict, init=False, repr=False)
    _shared: dict[tuple[str, str, Side, int], Fill] = attrs.field(factory=dict, init=False, repr=False)

    @classmethod
    def restore(cls, token: str, orders: Iterable[Order], fills: Iterable[Fill], next_id: int = 1) -> OrderBook:
        """Return the book of a run that goes on after a restart.

        Parameters
        ----------
        token
            The run's, as it was before: the client ids of its orders are made of it.
        orders
            Read back from the journal, in any order.
        fills
            Those that were applied to them, so that none is applied twice.
        next_id
            The least id to give next; the book goes on above the orders it is given in any case.
        """
        book = cls(token)
        book.orders.extend(sorted(orders, key=_number))
        book.open.update((order.id, order) for order in book.orders if order.status not in TERMINAL)
        for fill in fills:
            if book._applied.setdefault(fill.id, fill) is not fill:
                book._shared[_identity(fill)] = fill
        book.next_id = count(max(next_id, book.orders[-1].id + 1) if book.orders else next_id).__next__
        return book

    def go_on_from(self, book: OrderBook) -> None:
        """Hold what another book holds, in place of nothing: others know this one already."""
        self.token = book.token
        self.orders.extend(book.orders)
        self.open.update(book.open)
        self.anomalies.extend(book.anomalies)
        self.resent.update(book.resent)
        self.entrusted.update(book.entrusted)
        self._applied.update(book._applied)
        self._shared.update(book._shared)
        self.next_id = count(self.orders[-1].id + 1 if self.orders else 1).__next__

    def add(self, order: Order) -> Order:
        """Keep a new order, whose id is the newest `next_id`, in `orders` and `open`; return it."""
        self.open[order.id] = order
        self.orders.append(order)
        return order

    def get(self, order_id: int) -> Order:
        """Return an order, open or not.

        Raises
        ------
        OrderStateError
            If the book never had it.
        """
        order = self.find(order_id)
        if order is None:
            raise OrderStateError(_unknown(order_id))
        return order

    def find(self, order_id: int) -> Order | None:
        """Return an order, open or not; None where the book never had it."""
        return self.open.get(order_id) or self._ended(order_id)

    def open_for(self, instrument: Instrument) -> list[Order]:
        """Return the open orders of `instrument`, oldest first, in a list that later events leave alone."""
        symbol, venue = instrument.symbol, instrument.venue
        return [
            order
            for order in self.open.values()
            if order.instrument.symbol == symbol and order.instrument.venue == venue
        ]

    def client_id(self, order: Order, *, alphabet: str = ids.ALPHABET, max_length: int = ids.MAX_LENGTH) -> str:
        """Return what the venue knows `order` by, the same until it is sent in another's place.

        See `cambist.orders.ids.client_id`.
        """
        again, _ = self.resent.get(order.id, (0, 0.0))
        return ids.client_id(self.token, order.id, again, alphabet=alphabet, max_length=max_length)

    def entrust(self, order_ids: Iterable[int], group: int, state: str) -> None:
        """Note who works orders, see `entrusted`; ``"held"`` for the run."""
        for number in order_ids:
            self.entrusted.pop(number, None)
            if state != "held":
                self.entrusted[number] = group, state

    def submit(self, order: Order, ts: int) -> None:
        """Note that `order` leaves for the venue at `ts` (ns, UTC); see `cambist.orders.machine.submit`."""
        try:
            submit(order, ts)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.SUBMIT, error)
            raise

    def reject(self, order: Order, ts: int, reason: str) -> None:
        """Refuse `order` before it leaves, as the risk gate does."""
        try:
            reject(order, ts, reason)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.REJECT, error)
            raise
        self.open.pop(order.id, None)

    def request_cancel(self, order: Order, ts: int) -> None:
        """Note that the venue is asked to withdraw `order`; legal again while the answer is out."""
        try:
            request_cancel(order, ts)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.CANCEL_REQUEST, error)
            raise

    def request_amend(self, order: Order, ts: int) -> None:
        """Note that the venue is asked for new terms of `order`; one at a time."""
        try:
            request_amend(order, ts)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.AMEND_REQUEST, error)
            raise

    def apply(self, event: OrderEvent) -> Order | None:
        """Take `event` into its order, open or ended.

        Returns
        -------
        Order or None
            The order, or None where the event said what is known, such as a fill that was applied before.

        Raises
        ------
        OrderStateError
            If the order machine refuses the event, the book has no such order, or a fill came before with other
            numbers. It is in `anomalies` by then. A refused fill counts as not applied and may come again.
        """
        order = self.order_of(event)
        if type(event) is OrderFilled:
            return order if self.fill(order, event.ts, event.fill) else None
        try:
            changed = HANDLERS[type(event)](order, event)
        except OrderStateError as error:
            self._record(event.ts, order, INPUTS[type(event)], error)
            raise
        if not changed:
            return None
        if order.status in TERMINAL:
            self.open.pop(order.id, None)
        elif order.id not in self.open:
            self._reopen(order)
        return order

    # The four things that happen to most orders, for callers that hold the order and make no event of it.

    def accept(self, order: Order, ts: int) -> bool:
        """`apply` for `OrderAccepted`; return whether it said something new."""
        try:
            return accept(order, ts)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.ACCEPT, error)
            raise

    def trigger(self, order: Order, ts: int) -> bool:
        """`apply` for `OrderTriggered`; return whether it said something new."""
        try:
            return trigger(order, ts)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.TRIGGER, error)
            raise

    def fill(self, order: Order, ts: int, fill: Fill) -> bool:
        """`apply` for `OrderFilled`; return whether the fill is new."""
        try:
            if fill.id in self._applied:
                changed = self._take_shared(order, ts, fill)
            else:
                changed = take_fill(order, ts, fill)
                # Not before: a fill that was refused is not applied.
                self._applied[fill.id] = fill
        except OrderStateError as error:
            self._record(ts, order, OrderInput.FILL, error)
            raise
        if order.status in TERMINAL:
            self.open.pop(order.id, None)
        return changed

    def knows(self, fill: Fill) -> bool:
        """Tell whether an execution was applied; see `Fill` for what tells two apart."""
        known = self._applied.get(fill.id)
        key = _identity(fill)
        return known is not None and (_identity(known) == key or key in self._shared)

    def cancel(self, order: Order, ts: int, reason: str = "") -> bool:
        """`apply` for `OrderCanceled`; return whether it said something new."""
        try:
            changed = cancel(order, ts, reason)
        except OrderStateError as error:
            self._record(ts, order, OrderInput.CANCEL, error)
            raise
        self.open.pop(order.id, None)
        return changed

    def retire(self, keep: int) -> set[int]:
        """Forget the oldest orders that have ended, and their fills, so that `keep` ended ones are left.

        What comes in for them later is an anomaly, like what comes in for an order the book never had.

        Returns
        -------
        set of int
            Ids of the orders that were forgotten.
        """
        surplus = len(self.orders) - len(self.open) - keep
        gone: set[int] = set()
        for order in self.orders:
            if len(gone) >= surplus:
                break
            if order.id not in self.open:
                gone.add(order.id)
        if gone:
            self.orders = [order for order in self.orders if order.id not in gone]
            self._applied = {one: fill for one, fill in self._applied.items() if fill.order_id not in gone}
            self._shared = {one: fill for one, fill in self._shared.items() if fill.order_id not in gone}
            self.resent = {one: said for one, said in self.resent.items() if one not in gone}
            self.entrusted = {one: said for one, said in self.entrusted.items() if one not in gone}
        return gone

    def _reopen(self, order: Order) -> None:
        """Put an order back into `open`, in its place and in the same dictionary."""
        restored = sorted([*self.open.items(), (order.id, order)])
        self.open.clear()
        self.open.update(restored)

    def _take_shared(self, order: Order, ts: int, fill: Fill) -> bool:
        """Take a fill whose id another fill has: most often it is that one again."""
        key = _identity(fill)
        known = self._applied[fill.id]
        if _identity(known) != key:
            shared = self._shared.get(key)
            if shared is None:
                take_fill(order, ts, fill)
                self._shared[key] = fill
                return True
            known = shared
        if known.order_id == fill.order_id and known.size == fill.size and known.price == fill.price:
            return False
        raise illegal(
            order,
            OrderInput.FILL,
            f"fill {fill.id} of {fill.size:g} at {fill.price:g} was applied to order {known.order_id} before, "
            f"as {known.size:g} at {known.price:g}",
        )

    def order_of(self, event: OrderEvent) -> Order:
        """Return the order that an event is for, open or ended; one that is not here is an anomaly."""
        order = self.find(event.order_id)
        if order is None:
            message = _unknown(event.order_id)
            self.anomalies.append(Anomaly(event.ts, event.order_id, None, INPUTS[type(event)], message))
            raise OrderStateError(message)
        return order

    def _ended(self, order_id: int) -> Order | None:
        orders = self.orders
        at = bisect_left(orders, order_id, key=_number)
        return orders[at] if at < len(orders) and orders[at].id == order_id else None

    def _record(self, ts: int, order: Order, kind: OrderInput, error: OrderStateError) -> None:
        self.anomalies.append(Anomaly(ts, order.id, order.status, kind, str(error)))


def split_trails(orders: Iterable[Order], symbol: str, ratio: float) -> None:
    """Let the trailing orders of `symbol`, each share of which has become `ratio`, keep their distance."""
    for order in orders:
        instructions, trail = order.instructions, order.trail
        if instructions is not None and trail is not None and order.instrument.symbol == symbol:
            split = attrs.evolve(trail, amount=trail.amount / ratio, limit_offset=trail.limit_offset / ratio)
            order.instructions = attrs.evolve(instructions, trail=split)


def _identity(fill: Fill) -> tuple[str, str, Side, int]:
    """Return what no two fills share. A trade has two sides, and both may be ours."""
    return fill.instrument.venue, fill.instrument.symbol, fill.side, fill.id


def _unknown(order_id: int) -> str:
    return f"this run has no order {order_id}. Read its client id to see whose it is, and reconcile with the venue."
