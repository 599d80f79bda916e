"""One side of an order book: levels by price, and the queue of each."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from typing import TYPE_CHECKING

from cambist.model.orders import Side
from cambist.simulation.book.records import BookLevel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.simulation.book.records import RestingOrder

__all__ = ["BookSide", "PriceLevel"]


class PriceLevel:
    """The queue at one price.

    Attributes
    ----------
    price
        Ticks.
    queue
        Resting orders by id, first in line first. An ordered dictionary is a linked list underneath: taking from the
        front of a plain one again and again looks at every place that was emptied before.
    remaining, displayed
        Lots of all of them.
    """

    __slots__ = ("displayed", "price", "queue", "remaining")

    def __init__(self, price: int) -> None:
        self.price = price
        self.queue: OrderedDict[int, RestingOrder] = OrderedDict()
        self.remaining = 0
        self.displayed = 0

    def first(self) -> RestingOrder:
        """Return who is first in line."""
        return next(iter(self.queue.values()))

    def shrink(self, resting: RestingOrder, size: int, displayed: int) -> None:
        """Take `size` lots off an order, `displayed` of them from what it shows."""
        resting.remaining -= size
        resting.displayed -= displayed
        self.remaining -= size
        self.displayed -= displayed

    def refresh(self, resting: RestingOrder) -> None:
        """Show the next slice of an order whose displayed size is used up, at the end of the line."""
        assert resting.order.display is not None
        resting.displayed = min(resting.order.display, resting.remaining)
        self.displayed += resting.displayed
        self.queue.move_to_end(resting.order.id)


class BookSide:
    """The bids or the asks.

    Parameters
    ----------
    side
        Of the orders that rest here.
    """

    __slots__ = ("_keys", "_levels", "_sign", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        # Keys ascend toward the best price, so that best levels come and go at the end of the list.
        self._sign = 1 if side is Side.BUY else -1
        self._keys: list[int] = []
        self._levels: dict[int, PriceLevel] = {}

    @property
    def best(self) -> PriceLevel | None:
        """The level of the best price; None when nothing rests here."""
        return self._levels[self._keys[-1]] if self._keys else None

    def reaches(self, price: int | None, limit: int) -> bool:
        """Tell whether an arriving order with limit `price` (None: market) trades with one that rests at `limit`."""
        return price is None or limit * self._sign >= price * self._sign

    def add(self, resting: RestingOrder) -> None:
        """Put an order at the end of the line at its price."""
        key = resting.price * self._sign
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = PriceLevel(resting.price)
            insort(self._keys, key)
        level.queue[resting.order.id] = resting
        level.remaining += resting.remaining
        level.displayed += resting.displayed

    def remove(self, resting: RestingOrder) -> None:
        """Take an order out, and its level when it was the last."""
        key = resting.price * self._sign
        level = self._levels[key]
        del level.queue[resting.order.id]
        level.remaining -= resting.remaining
        level.displayed -= resting.displayed
        if not level.queue:
            del self._levels[key]
            del self._keys[bisect_left(self._keys, key)]

    def level(self, price: int) -> PriceLevel | None:
        """Return the level at `price`, or None."""
        return self._levels.get(price * self._sign)

    def levels(self) -> Iterator[PriceLevel]:
        """Yield the levels, best first."""
        return (self._levels[key] for key in reversed(self._keys))

    def depth(self, most: int | None) -> tuple[BookLevel, ...]:
        """Return the best `most` levels (None: all) as values."""
        keys = reversed(self._keys if most is None else self._keys[max(0, len(self._keys) - most) :])
        found = (self._levels[key] for key in keys)
        return tuple(BookLevel(level.price, level.displayed, len(level.queue)) for level in found)
