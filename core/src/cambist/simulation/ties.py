"""What follows for other orders when one of them trades or ends, at a simulated venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.orders.links import Links

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
        #: Tells of an order, by its id, whether it rests until its parent trades.
        self.waits = self._links.waits

    def admit(self, order: Order, find: Callable[[int], Order | None]) -> str:
        """Take note of a new order; return why it comes too late, because what it is tied to has ended, else ``""``.

        A child of a parent that has traded and ended is in time: it closes what was traded. `find` answers orders that
        work no longer.
        """
        working, links, instructions = self._working, self._links, order.instructions
        if instructions is None:
            return ""
        group, number = instructions.oco, instructions.parent
        if group and group != order.id:
            first = working.get(group)
            if first is None or first.remaining != first.order.size or links.is_over(group):
                return "oco"
        parent = working.get(number) if number else None
        ended = find(number) if number and parent is None else None
        if number and parent is None and (ended is None or ended.filled == 0.0):
            return "parent_ended"
        links.add(order)
        if parent is not None and parent.remaining != parent.order.size:
            links.after_fill(number, _traded(parent))
        elif ended is not None:
            links.after_fill(number, ended.filled)
        return ""

    def fit(self, working: Working, ts: int) -> None:
        """Shrink a new child to what its parent traded, where the parent has ended."""
        order = working.order
        if order.parent not in self._working:
            allowed = self._links.allowed(order)
            if allowed < order.size:
                self._venue.shrink(working, allowed, ts)

    def bound(self, working: Working, size: float) -> float:
        """Return how much of `size` a child may trade now: no more than its parent has."""
        order = working.order
        allowed = self._links.allowed(order)
        if allowed == order.size:
            return size
        grid = order.instrument.size_grid
        return min(size, grid.nearest(max(0.0, allowed - _traded(working))))

    def note_fill(self, working: Working, *, complete: bool) -> tuple[Sequence[int], Sequence[int]] | None:
        """Take note of what an order has traded so far, before anybody hears of it; see `follow_fill`.

        Returns
        -------
        tuple or None
            What `follow_fill` is to be told; None where nothing follows, since the order is tied to no other.
        """
        order = working.order
        return self._links.after_fill(order.id, order.size if complete else _traded(working))

    def follow_fill(
        self, noted: tuple[Sequence[int], Sequence[int]], order: Order, price: float, ts: int, *, complete: bool
    ) -> None:
        """Do what follows from a fill at `price`, known at `ts`."""
        ended, woken = noted
        for number in woken:
            child = self._working.get(number)
            if child is not None:
                self._venue.wake(child, price, ts)
        if ended:
            self._end(ended, order, ts)
        if complete:
            self.after_end(order, ts)

    def dissolve(self, order: Order, ts: int) -> None:
        """End the others of an order's group before it trades."""
        self._end(self._links.dissolve(order.id), order, ts)

    def after_end(self, order: Order, ts: int) -> None:
        """Do what follows when an order works no longer."""
        ended, children, traded = self._links.after_end(order.id)
        if ended:
            self._end(ended, order, ts)
        for number in children:
            child = self._working.get(number)
            if child is not None and traded < child.order.size:
                self._venue.shrink(child, traded, ts)

    def _end(self, numbers: Sequence[int], cause: Order, ts: int) -> None:
        for number in numbers:
            working = self._working.get(number)
            if working is not None:
                self._venue.withdraw(working, ts, "parent_ended" if working.order.parent == cause.id else "oco")


def _traded(working: Working) -> float:
    """Return how much of an order has traded, on the size grid: it may become the size of another."""
    order = working.order
    return order.instrument.size_grid.nearest(order.size - working.remaining)
