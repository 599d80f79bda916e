"""What prices set off: stops that become orders, and what follows until nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.model import OrderType
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.orders import ExecutionType, PriceSource, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.intake import Intake
    from cambist_simulator.exchange.lists import Lists
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["Conditional"]


class Conditional:
    """Fires waiting orders.

    Parameters
    ----------
    floor, matching, lists, intake
        Where orders are, who works them, who keeps lists in step, and who takes new ones.
    """

    def __init__(self, floor: Floor, matching: Matching, lists: Lists, intake: Intake) -> None:
        self._floor, self._matching, self._lists, self._intake = floor, matching, lists, intake
        #: Looks at the margin of those who traded, on futures.
        self.after_trades: Callable[[], None] = _nothing

    def settle(self) -> None:
        """Fire what the trades since the last call set off, until nothing moves, and tell the balances."""
        floor = self._floor
        while True:
            while floor.moved:
                symbol = next(iter(floor.moved))
                market = floor.moved.pop(symbol)
                moves, market.moves = market.moves, []
                for price in moves:
                    self._fire_due(market, PriceSource.LAST, price)
            self.after_trades()
            if not floor.moved:
                break
        floor.accounts.report()

    def on_mark(self, market: Market) -> None:
        """Fire what a new mark price sets off."""
        if market.mark is not None:
            self._fire_due(market, PriceSource.MARK, market.mark)

    def _fire_due(self, market: Market, source: PriceSource, price: Decimal) -> None:
        listing = market.listing
        for order_id in self._floor.triggers.due(listing.symbol, source, price, listing.tick_size):
            order = self._floor.store.get(order_id)
            if order is not None and order.open:
                self._fire(order, market)

    def _fire(self, order: VenueOrder, market: Market) -> None:
        """Let an order work whose price was reached."""
        if order.conditional:
            self._send_child(order)
            return
        floor, terms = self._floor, order.terms
        if order.list_id >= 0:
            self._lists.before_trigger(order)
        order.triggered = True
        order.updated_at = floor.at
        floor.tell(order, ExecutionType.TRIGGERED)
        floor.announce(terms)
        ticks = None if order.price is None else market.book.ticks(order.price)
        if terms.post_only and ticks is not None and market.book.crosses(terms.side, ticks):
            self._matching.end(order, Status.EXPIRED, ExecutionType.EXPIRED, "post_only")
            return
        try:
            cap = floor.accounts.admit(order, market)
        except RefusedError as refused:
            self._matching.end(order, Status.EXPIRED, ExecutionType.EXPIRED, str(refused.why))
            return
        self._matching.work(order, market, cap)

    def _send_child(self, order: VenueOrder) -> None:
        """Send the order that works in place of a conditional one."""
        floor, terms = self._floor, order.terms
        order.triggered, order.status, order.updated_at = True, Status.TRIGGERED, floor.at
        order.child_id = floor.store.next_id
        floor.store.end(order)
        floor.tell(order, ExecutionType.TRIGGERED)
        size = terms.size
        if terms.close_position:
            size = floor.accounts.closable(order)
        child = msgspec.structs.replace(
            terms,
            type=OrderType.MARKET if order.price is None else OrderType.LIMIT,
            size=size,
            stop_price=None,
            trail=None,
            close_position=False,
            reduce_only=terms.reduce_only or (terms.close_position and not terms.position_side),
            client_id="",
        )
        refused = "" if size else str(Why.REDUCE_ONLY)
        if not refused:
            floor.announce(child)
            try:
                self._intake.place(order.user, child, parent_id=order.id)
            except RefusedError as error:
                refused = str(error.why)
        if refused:
            if floor.store.next_id == order.child_id:
                floor.store.new_id()  # it was told, and must not become another's
            order.child_id, order.status, order.reason = 0, Status.REJECTED, refused
            floor.tell(order, ExecutionType.REJECTED, reason=refused)


def _nothing() -> None:
    """Do nothing: there is no margin on spot."""
