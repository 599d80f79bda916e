"""A venue that keeps its orders in one queue and walks through it once a bar."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from cambist.model.events import CancelRejected, StopTrailed
from cambist.orders.triggers import first_stop, limit_behind
from cambist.simulation.backtrader_ties import QueueTies, named_by
from cambist.simulation.matching import MatchingVenue, VenueAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Working

__all__ = ["QueueVenue"]


class QueueVenue(MatchingVenue):
    """Takes new orders into the queue with the next bar, and requests that come during the walk after it.

    The parameters are those of `MatchingVenue`; see `cambist.simulation.backtrader_ties.QueueTies` for tied orders.
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
        self._queue_ties: QueueTies | None = None  # made for the first order that is tied to another
        self._new: dict[int, Working] = {}
        self._walking = False
        self._waiting: list[Callable[[], None]] = []
        # Trailing orders that begin where the market stood when they were sent, and have not begun yet.
        self._unset: set[int] = set()

    # Requests.

    def _enqueue(self, order: Order) -> None:
        """Keep a new order until the next bar; its `level` holds where the market stands now."""
        working = self._keep(order)
        market = working.market
        market.working[order.id] = working
        now_closed = market.closed_at == order.updated_at
        working.level = market.close if now_closed else self._account.positions[order.instrument.symbol].price_source()
        self._new[order.id] = working
        if order.instructions is not None:
            if order.trail is not None and order.trail.from_market:
                self._unset.add(order.id)
            self._tie(order)

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order, unless it was sent at this very close: backtrader misses that."""
        if self._walking:
            self._waiting.append(lambda: self.cancel(order_id))
        elif order_id in self._new:
            self._deliver(CancelRejected(self._clock(), order_id, "the order was sent at this very close"))
        else:
            super().cancel(order_id)

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give a working order new terms, which are not checked for funds; it keeps its place."""
        if self._walking:
            self._waiting.append(lambda: self.amend(order_id, size, limit_price, stop_price))
        else:
            super().amend(order_id, size, limit_price, stop_price)

    def _reprice(self, working: Working) -> None:
        if not isnan(working.order.stop_price):
            self._unset.discard(working.order.id)

    def _first_stop(self, working: Working, ts: int) -> StopTrailed | None:
        """Return where a new trailing order begins; None where that was said, or nobody knows yet."""
        order = working.order
        trail, stood_at = order.trail, working.level
        if order.id not in self._unset or trail is None or isnan(stood_at):
            return None
        self._unset.remove(order.id)
        stop = first_stop(order.side, trail, order.instrument, stood_at)
        return StopTrailed(ts, order.id, stop, limit_behind(order.side, trail, order.instrument, stop))

    def _end_walk(self) -> None:
        """Take up what was asked for during the walk."""
        self._walking = False
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            request()

    # Ties.

    def _tie(self, order: Order) -> None:
        """Take note of what a new order is tied to."""
        if not (order.oco or order.parent):
            return
        if self._queue_ties is None:
            self._queue_ties = QueueTies(self)
        if order.parent in self._working:
            self._queue_ties.join_family(order)
        if not order.oco or self._is_bracket(order):
            return
        if self._walking:  # after which the order that it names may have traded
            self._waiting.append(lambda: self._join_group(order))
        else:
            self._join_group(order)

    def _join_group(self, order: Order) -> None:
        named = self._working.get(named_by(order))
        if self._queue_ties is not None:
            self._queue_ties.join_group(order, untouched=named is not None and named.remaining == named.order.size)

    def _is_bracket(self, order: Order) -> bool:
        """Tell whether an order is tied to its sibling as the legs of a bracket are.

        The family does what is to be done there: a leg that has traded in part leaves the other alone.
        """
        named = self._working.get(named_by(order))
        if named is None or not order.parent:
            return False
        return named.order.parent == order.parent and named.order.reduce_only and order.reduce_only

    def queued(self, order_id: int) -> Working | None:
        """Return an order that was accepted and works; None for any other."""
        return None if order_id in self._new else self._working.get(order_id)

    def drop(self, working: Working, ts: int, reason: str) -> None:
        """Cancel an order, with which nothing else ends."""
        self._remove(working)
        canceled = self._canceled
        canceled(working.order, ts, reason)

    def withdraw(self, working: Working, ts: int, reason: str) -> None:
        """Cancel what remains of an order, and do what follows for others."""
        super().withdraw(working, ts, reason)
        if self._queue_ties is not None:
            self._queue_ties.after_end(working.order, ts)

    def _end(self, working: Working, event: OrderEvent) -> None:
        super()._end(working, event)
        if self._queue_ties is not None:
            self._queue_ties.after_end(working.order, event.ts)
