"""What follows for other orders when one of them trades or ends, at a simulated venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.orders.links import Links

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.orders import Order
    from cambist.simulation.working import Working

__all__ = ["Ties", "TyingVenue"]


class TyingVenue(Protocol):
    """What `Ties` has a venue do."""

    def withdraw(self, working: Working, ts: int, reason: str) -> None:
        """End an order."""
        ...

    def wake(self, working: Working, price: float, ts: int) -> None:
        """Let a resting child come to the market, which stands at `price`."""
        ...

    def shrink(self, working: Working, size: float, ts: int) -> None:
        """Give an order a smaller size, that much of it traded already included; 0 ends it."""
        ...


class Ties:
    """Ends, wakes and shrinks the orders that are tied to one that trades or ends; see `cambist.orders.links`.

    Parameters
    ----------
    venue
        What works the orders.
    working
        The venue's orders by id, resting children included.
    """

    def __init__(self, venue: TyingVenue, working: Mapping[int, Working]) -> None:
        self._venue = venue
        self._working = working
        self._links = Links()

    def admit(self, order: Order, find: Callable[[int], Order | None]) -> str:
        """Take note of a new order; return why it comes too late, because what it is tied to has ended, else ``""``.

        A child of a parent that has traded and ended is in time: it closes what was traded. `find` answers orders that
        work no longer.
        """
        if order.oco and order.oco != order.id:
            first = self._working.get(order.oco)
            if first is None or first.remaining != first.order.size or self._links.is_over(order.oco):
                return "oco"
        parent = self._working.get(order.parent) if order.parent else None
        ended = find(order.parent) if order.parent and parent is None else None
        if order.parent and parent is None and (ended is None or ended.filled == 0.0):
            return "parent_ended"
        self._links.add(order)
        if parent is not None and parent.remaining != parent.order.size:
            self._links.after_fill(order.parent, _traded(parent))
        elif ended is not None:
            self._links.after_fill(order.parent, ended.filled)
        return ""

    def fit(self, working: Working, ts: int) -> None:
        """Shrink a new child to what its parent traded, where the parent has ended."""
        order = working.order
        if order.parent and order.parent not in self._working:
            allowed = self._links.allowed(order)
            if allowed < order.size:
                self._venue.shrink(working, allowed, ts)

    def waits(self, order: Order) -> bool:
        """Tell whether an order rests until its parent trades."""
        return self._links.waits(order.id)

    def bound(self, working: Working, size: float) -> float:
        """Return how much of `size` an order may trade now: a child no more than its parent has."""
        order = working.order
        if not order.parent:
            return size
        grid = order.instrument.size_grid
        return min(size, grid.nearest(max(0.0, self._links.allowed(order) - _traded(working))))

    def note_fill(self, working: Working, *, complete: bool) -> tuple[list[int], list[int]]:
        """Take note of what an order has traded so far, before anybody hears of it; see `follow_fill`."""
        order = working.order
        return self._links.after_fill(order.id, order.size if complete else _traded(working))

    def follow_fill(
        self, noted: tuple[list[int], list[int]], order: Order, price: float, ts: int, *, complete: bool
    ) -> None:
        """Do what follows from a fill at `price`, known at `ts`."""
        ended, woken = noted
        for number in woken:
            child = self._working.get(number)
            if child is not None:
                self._venue.wake(child, price, ts)
        self._end(ended, order, ts)
        if complete:
            self.after_end(order, ts)

    def after_end(self, order: Order, ts: int) -> None:
        """Do what follows when an order works no longer."""
        ended, children = self._links.after_end(order.id)
        self._end(ended, order, ts)
        for number in children:
            child = self._working.get(number)
            if child is not None:
                allowed = self._links.allowed(child.order)
                if allowed < child.order.size:
                    self._venue.shrink(child, allowed, ts)

    def _end(self, numbers: list[int], cause: Order, ts: int) -> None:
        for number in numbers:
            working = self._working.get(number)
            if working is not None:
                self._venue.withdraw(working, ts, "parent_ended" if working.order.parent == cause.id else "oco")


def _traded(working: Working) -> float:
    """Return how much of an order has traded, on the size grid: it may become the size of another."""
    order = working.order
    return order.instrument.size_grid.nearest(order.size - working.remaining)
