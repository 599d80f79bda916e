"""What prices set off: stops that become orders, and what follows until nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.orders import ExecutionType, PriceSource, Status

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.lists import Lists
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["Conditional"]


class Conditional:
    """Fires waiting orders.

    Parameters
    ----------
    floor, matching, lists
        Where orders are, who works them, and who keeps lists in step.
    """

    def __init__(self, floor: Floor, matching: Matching, lists: Lists) -> None:
        self._floor, self._matching, self._lists = floor, matching, lists

    def settle(self) -> None:
        """Fire what the trades since the last call set off, until nothing moves, and tell the balances."""
        floor = self._floor
        while floor.moved:
            symbol = next(iter(floor.moved))
            market = floor.moved.pop(symbol)
            moves, market.moves = market.moves, []
            for price in moves:
                self._fire_due(market, PriceSource.LAST, price)
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
