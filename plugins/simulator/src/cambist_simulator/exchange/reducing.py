"""Orders that may only make a position smaller, and what becomes of them as it does."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist.model import Side
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.orders import ExecutionType, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.simulation import BookOrder
    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.futures_ledger import FuturesLedger
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["Reducing"]

_ZERO, _BUY = Decimal(0), Side.BUY


class Reducing:
    """Keeps orders that may only reduce from doing more.

    Several of them may together be larger than the position. What one of them trades is taken off the others.

    Parameters
    ----------
    floor, ledger, matching
        Where orders and positions are, and who cuts and ends orders.
    """

    def __init__(self, floor: Floor, ledger: FuturesLedger, matching: Matching) -> None:
        self._floor, self._ledger, self._matching = floor, ledger, matching
        matching.before_match = self.expect

    def applies_to(self, order: VenueOrder) -> bool:
        """Tell whether an order may only reduce: it says so, or closes a side of a hedged account."""
        terms = order.terms
        if terms.position_side:
            return (terms.position_side == "long") != (terms.side is _BUY)
        return terms.reduce_only or terms.close_position

    def there(self, order: VenueOrder) -> Decimal:
        """Return the contracts that an order has to reduce."""
        held = self._held(order)
        return abs(held) if held and (held > 0) != (order.terms.side is _BUY) else _ZERO

    def _held(self, order: VenueOrder) -> Decimal:
        return self._ledger.holding(order.user, order.terms.symbol, order.terms.position_side).size

    def cut(self, market: Market, users: Iterable[str]) -> None:
        """Cut working orders of users to what is left to reduce, and end those with nothing left."""
        for user in users:
            for order in list(self._floor.store.open_in(user, market.listing.symbol)):
                if order.id in market.reducing.get(order.terms.side, ()):
                    self._bring_to(order, market, self.there(order))

    def _bring_to(self, order: VenueOrder, market: Market, most: Decimal) -> None:
        if not most:
            self._matching.withdraw(order, Status.EXPIRED, ExecutionType.EXPIRED, "reduce_only")
        elif order.left > most:
            self._matching.shrink(order, market, most)

    def expect(self, market: Market, new: BookOrder) -> None:
        """Cut what an arriving order would fill beyond the position it reduces.

        The book matches an order in one go, so what its trades will leave of the positions of those it meets is
        reckoned before: an order that comes too late in the line to reduce anything is cut, or ends.
        """
        book, held = market.book, dict[tuple[str, str], Decimal]()
        lots = new.size
        walls = book.walls(new.side, new.price)
        for resting in book.matcher.orders(new.side.opposite):
            while walls and book.is_better(new.side, walls[-1][0], resting.price):
                lots -= walls.pop()[1]
            if lots <= 0 or not book.reaches(new.side, new.price, resting.price):
                return
            own = resting.order.owner == new.owner and new.self_trade is not SelfTrade.ALLOW
            if own and new.self_trade is not SelfTrade.CANCEL_OLDEST:
                return
            order = self._floor.store.get(resting.order.id)
            if own or order is None:
                lots -= 0 if own else resting.remaining
                continue
            lots -= book.lots(self._expect_one(order, market, min(lots, resting.remaining) * book.step, held))

    def _expect_one(
        self, order: VenueOrder, market: Market, fills: Decimal, held: dict[tuple[str, str], Decimal]
    ) -> Decimal:
        """Return what an order will fill, cut if need be, and take note of what that makes of its position."""
        key = (order.user, order.terms.position_side)
        size = held.get(key)
        if size is None:
            size = self._held(order)
        buys = order.terms.side is _BUY
        if order.id in market.reducing.get(order.terms.side, ()):
            most = abs(size) if size and (size > 0) != buys else _ZERO
            if fills > most:
                self._bring_to(order, market, most)
                fills = most
        held[key] = size + fills if buys else size - fills
        return fills
