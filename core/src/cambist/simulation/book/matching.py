"""Price-time matching of orders of several owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.errors import ParameterError
from cambist.model.orders import Side, TimeInForce
from cambist.simulation.book.records import (
    BookAmended,
    BookCanceled,
    BookDepth,
    BookEvent,
    BookOrder,
    BookReduced,
    BookRefreshed,
    BookRejected,
    BookRested,
    BookTrade,
    RestingOrder,
    SelfTrade,
)
from cambist.simulation.book.side import BookSide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.simulation.book.side import PriceLevel

__all__ = ["LimitOrderBook"]

_FOK = TimeInForce.FOK
_ALLOW, _NEWEST, _OLDEST = SelfTrade.ALLOW, SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_OLDEST
_DECREMENT = SelfTrade.DECREMENT


class LimitOrderBook:
    """Matches the orders of one instrument: better prices first, at one price who came first.

    It does no I/O and knows no time: every request is answered at once with what happened, oldest first. Prices
    count ticks and sizes count lots, as whole numbers; `BookUnits` converts from and to decimals.

    Parameters
    ----------
    remembers
        Whether it knows every id again that it ever saw, and refuses an order of the same; else only those of orders
        that rest. A book that lives for days under somebody who counts ids himself need not keep them all.

    Notes
    -----
    * A trade takes place at the resting order's price.
    * An order that displays a part of its size queues with that part. When it is used up the next slice joins the end
      of the line at its price; hidden lots are reached before any worse price.
    * Making an order smaller at the same price keeps its place and takes from its hidden size first; more size or
      another price brings it anew, as a taker if it now crosses.
    * A FOK order looks at everything it may reach, hidden lots included, and at `SelfTrade`: where it would not fill
      whole, nothing happens to it but its end, and nothing at all to others.
    """

    def __init__(self, *, remembers: bool = True) -> None:
        self._bids = BookSide(Side.BUY)
        self._asks = BookSide(Side.SELL)
        self._resting: dict[int, RestingOrder] = {}
        self._remembers = remembers
        self._seen: set[int] = set()

    # What it holds.

    @property
    def best_bid(self) -> int | None:
        """Highest price somebody waits to buy at, ticks."""
        level = self._bids.best
        return None if level is None else level.price

    @property
    def best_ask(self) -> int | None:
        """Lowest price somebody waits to sell at, ticks."""
        level = self._asks.best
        return None if level is None else level.price

    def get(self, order_id: int) -> RestingOrder | None:
        """Return a resting order; None when it does not (or no longer) rest."""
        return self._resting.get(order_id)

    def depth(self, levels: int | None = None) -> BookDepth:
        """Return displayed size by price (L2), the best `levels` of each side or all of them.

        Raises
        ------
        ParameterError
            If `levels` is below 1.
        """
        if levels is not None and levels < 1:
            raise ParameterError(f"levels is {levels}; ask for at least 1, or leave it out for all of them.")
        return BookDepth(self._bids.depth(levels), self._asks.depth(levels))

    def displayed_at(self, side: Side, price: int) -> int:
        """Return the lots that one side displays at a price, 0 where nothing rests."""
        level = self._side(side).level(price)
        return 0 if level is None else level.displayed

    def orders(self, side: Side) -> list[RestingOrder]:
        """Return the resting orders of one side (L3), in the order in which they would trade."""
        return list(self.walk(side))

    def walk(self, side: Side) -> Iterator[RestingOrder]:
        """Yield the resting orders of one side in the order in which they would trade; it must not change meanwhile."""
        return (resting for level in self._side(side).levels() for resting in level.queue.values())

    def size_ahead(self, order_id: int) -> int:
        """Return the displayed lots that stand before an order at its price.

        Raises
        ------
        ParameterError
            If no such order rests.
        """
        resting = self._resting.get(order_id)
        if resting is None:
            raise ParameterError(f"order {order_id} does not rest in this book, so nothing is ahead of it.")
        ahead = 0
        for other in self._level_of(resting).queue.values():
            if other is resting:
                break
            ahead += other.displayed
        return ahead

    # Requests.

    def submit(self, order: BookOrder) -> list[BookEvent]:
        """Take a new order; return what happened."""
        if order.id in (self._seen if self._remembers else self._resting):
            return [BookRejected(order.id, order.owner, "submit", "duplicate_id")]
        if self._remembers:
            self._seen.add(order.id)
        if order.post_only and self._crosses(order):
            return [BookRejected(order.id, order.owner, "submit", "would_take")]
        if order.time_in_force is _FOK and self._fillable(order) < order.size:
            return [BookCanceled(order.id, order.owner, order.size, "unfilled")]
        events: list[BookEvent] = []
        self._arrive(order, order.size, events)
        return events

    def cancel(self, order_id: int) -> list[BookEvent]:
        """Withdraw what remains of an order; return what happened."""
        resting = self._resting.get(order_id)
        if resting is None:
            return [BookRejected(order_id, "", "cancel", "unknown_order")]
        return [self._withdraw(resting, "canceled")]

    def amend(self, order_id: int, *, size: int | None = None, price: int | None = None) -> list[BookEvent]:
        """Give a resting order a new size (in total, what is filled included) or a new price.

        Raises
        ------
        OrderError
            For numbers that no order can have; see `BookOrder`.
        """
        resting = self._resting.get(order_id)
        if resting is None:
            return [BookRejected(order_id, "", "amend", "unknown_order")]
        order = resting.order
        new_size = order.size if size is None else size
        new_price = resting.price if price is None else price
        display = order.display if order.display is None else min(order.display, new_size)
        amended = msgspec.structs.replace(order, size=new_size, price=new_price, display=display)
        remaining = resting.remaining + amended.size - order.size
        if remaining <= 0:
            return [BookRejected(order_id, order.owner, "amend", "size_filled")]
        if new_price == resting.price and new_size <= order.size:
            level = self._level_of(resting)
            cut = resting.remaining - remaining
            level.shrink(resting, cut, max(0, resting.displayed - remaining))
            resting.order = amended
            return [BookAmended(order_id, order.owner, new_price, new_size, True)]
        if order.post_only and self._crosses(amended):
            return [BookRejected(order_id, order.owner, "amend", "would_take")]
        self._drop(resting)
        events: list[BookEvent] = [BookAmended(order_id, order.owner, new_price, new_size, False)]
        self._arrive(amended, remaining, events)
        return events

    # Matching.

    def _side(self, side: Side) -> BookSide:
        return self._bids if side is Side.BUY else self._asks

    def _level_of(self, resting: RestingOrder) -> PriceLevel:
        level = self._side(resting.order.side).level(resting.price)
        assert level is not None
        return level

    def _crosses(self, order: BookOrder) -> bool:
        """Tell whether an order would trade on arrival."""
        facing = self._side(order.side.opposite)
        best = facing.best
        return best is not None and facing.reaches(order.price, best.price)

    def _fillable(self, order: BookOrder) -> int:
        """Return how much of `order` would trade now, up to its size, before it met one of its owner's own."""
        facing = self._side(order.side.opposite)
        skips = order.self_trade is _OLDEST
        ends = not skips and order.self_trade is not _ALLOW
        found = 0
        for level in facing.levels():
            if found >= order.size or not facing.reaches(order.price, level.price):
                break
            own = [one for one in level.queue.values() if one.order.owner == order.owner]
            if ends and own:
                for resting in level.queue.values():
                    if resting is own[0]:
                        return found
                    found += resting.displayed  # what is hidden would queue behind the own order
            found += level.remaining - (sum(one.remaining for one in own) if skips else 0)
        return min(found, order.size)

    def _arrive(self, order: BookOrder, remaining: int, events: list[BookEvent]) -> None:
        """Let an order trade with what faces it, and rest or end."""
        remaining = self._take(order, remaining, events)
        if remaining == 0:
            return
        if not order.may_rest:
            events.append(BookCanceled(order.id, order.owner, remaining, "unfilled"))
            return
        assert order.price is not None
        displayed = remaining if order.display is None else min(order.display, remaining)
        resting = RestingOrder(order, order.price, remaining, displayed)
        self._resting[order.id] = resting
        self._side(order.side).add(resting)
        events.append(BookRested(order.id, order.owner, order.side, order.price, remaining, displayed))

    def _take(self, order: BookOrder, remaining: int, events: list[BookEvent]) -> int:
        """Trade with what faces an order; return the lots that may still rest."""
        facing = self._side(order.side.opposite)
        guarded = order.self_trade is not _ALLOW
        while remaining:
            level = facing.best
            if level is None or not facing.reaches(order.price, level.price):
                break
            maker = level.first()
            if guarded and maker.order.owner == order.owner:
                remaining = self._avoid(order, remaining, maker, events)
                continue
            size = min(remaining, maker.displayed)
            remaining -= size
            who = maker.order
            events.append(BookTrade(order.id, order.owner, who.id, who.owner, order.side, level.price, size))
            level.shrink(maker, size, size)
            if maker.remaining == 0:
                self._drop(maker)
            elif maker.displayed == 0:
                level.refresh(maker)
                events.append(BookRefreshed(who.id, who.owner, maker.displayed))
        return remaining

    def _avoid(self, order: BookOrder, remaining: int, maker: RestingOrder, events: list[BookEvent]) -> int:
        """Keep an order from trading with its owner's own; return the lots that go on."""
        mode = order.self_trade
        if mode is _DECREMENT:
            return self._decrement(order, remaining, maker, events)
        if mode is not _NEWEST:
            events.append(self._withdraw(maker, "self_trade"))
        if mode is _OLDEST:
            return remaining
        events.append(BookCanceled(order.id, order.owner, remaining, "self_trade"))
        return 0

    def _decrement(self, order: BookOrder, remaining: int, maker: RestingOrder, events: list[BookEvent]) -> int:
        size = min(remaining, maker.remaining)
        if size == maker.remaining:
            events.append(self._withdraw(maker, "self_trade"))
        else:
            left = maker.remaining - size
            self._level_of(maker).shrink(maker, size, max(0, maker.displayed - left))
            events.append(BookReduced(maker.order.id, maker.order.owner, size, left))
        if size == remaining:
            events.append(BookCanceled(order.id, order.owner, size, "self_trade"))
        else:
            events.append(BookReduced(order.id, order.owner, size, remaining - size))
        return remaining - size

    def _withdraw(self, resting: RestingOrder, reason: str) -> BookCanceled:
        self._drop(resting)
        return BookCanceled(resting.order.id, resting.order.owner, resting.remaining, reason)

    def _drop(self, resting: RestingOrder) -> None:
        del self._resting[resting.order.id]
        self._side(resting.order.side).remove(resting)
