"""What follows for other orders when one of them trades or ends, by the rules of backtrader's broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cambist.model.orders import Order
    from cambist.simulation.working import Working

__all__ = ["OrderQueue", "QueueTies", "named_by"]


class OrderQueue(Protocol):
    """What `QueueTies` asks of a venue, and has it do."""

    def queued(self, order_id: int) -> Working | None:
        """Return an order that was accepted and works; None for any other."""
        ...

    def drop(self, working: Working, ts: int, reason: str) -> None:
        """Cancel an order, with which nothing else ends."""
        ...


class QueueTies:
    """Groups and families of orders; what `cambist.simulation.ties` is to the venue of the default rules.

    Parameters
    ----------
    queue
        Holds the orders.

    Notes
    -----
    **Groups**: one cancels the other. Whatever trades of a member, or ends it, cancels the members that are in the
    queue by then, and with that the group is gone. Who names a member of it later begins it anew, alone. The legs of
    a bracket are in no group: who names one of them is tied to that one.

    **Families**: a parent and its children, which sleep until the bar after the one in which the parent was filled
    to the last unit. A child that is filled cancels the others; where a member is canceled, expires or cannot be
    paid, the whole family ends. A member that its *group* cancels leaves its family alone: the children of such a
    parent sleep on. A child has no children.
    """

    def __init__(self, queue: OrderQueue) -> None:
        self._queue = queue
        self._leaders: dict[int, int] = {}
        self._groups: dict[int, list[int]] = {}
        self._parents: dict[int, int] = {}
        self._families: dict[int, list[int]] = {}
        self._asleep: set[int] = set()
        self._waking: list[int] = []

    # New orders.

    def join_group(self, order: Order, *, untouched: bool) -> None:
        """Put an order into the group of the one that it names.

        Parameters
        ----------
        untouched
            Whether the order it names works, and nothing of it has traded.
        """
        named = named_by(order)
        leader = self._leaders.get(named)
        if leader is None:
            leader = self._leaders[named] = named
            self._groups[leader] = [leader] if untouched else []
        self._leaders[order.id] = leader
        self._groups.setdefault(leader, []).append(order.id)

    def join_family(self, order: Order) -> None:
        """Put an order to sleep until its parent, which works, is filled."""
        parent = order.parent
        if parent not in self._parents:
            self._families.setdefault(parent, [parent]).append(order.id)
            self._parents[order.id] = parent
            self._asleep.add(order.id)

    def why_lost(self, order: Order) -> str:
        """Return why a child cannot be taken, because it has no family (any more); else ``""``."""
        if not order.parent or self._parents.get(order.id) in self._families:
            return ""
        return "parent_is_child" if order.parent in self._parents else "parent_ended"

    # The queue.

    def sleeps(self, order_id: int) -> bool:
        """Tell whether an order waits for its parent."""
        return order_id in self._asleep

    def wake(self) -> None:
        """Let the children of parents that have been filled since the last call take part."""
        self._asleep.difference_update(self._waking)
        self._waking.clear()

    def after_fill(self, order: Order, ts: int) -> None:
        """Do what follows where some of an order has traded."""
        self._end_group(order, ts)

    def after_completion(self, order: Order, ts: int) -> None:
        """Do what follows where the last of an order has traded."""
        parent = self._parents.get(order.id)
        if parent is not None:
            self._end_family(order, parent, ts)
        elif order.id in self._families:
            self._families[order.id].remove(order.id)
            self._waking += self._families[order.id]

    def after_end(self, order: Order, ts: int) -> None:
        """Do what follows where an order was canceled, has expired, or cannot be paid."""
        self._end_group(order, ts)
        self._end_family(order, self._parents.get(order.id, order.id), ts)

    def _end_group(self, order: Order, ts: int) -> None:
        leader = self._leaders.get(order.id)
        members = None if leader is None else self._groups.pop(leader, None)
        for number in reversed(members or ()):
            working = self._queue.queued(number)
            if working is not None and number != order.id:
                self._queue.drop(working, ts, "oco")

    def _end_family(self, cause: Order, parent: int, ts: int) -> None:
        for number in self._families.pop(parent, ()):
            working = self._queue.queued(number)
            if working is None or number == cause.id:
                continue
            reason = "child_ended" if number == parent else "parent_ended" if cause.id == parent else "oco"
            self._queue.drop(working, ts, reason)
            self._end_group(working.order, ts)


def named_by(order: Order) -> int:
    """Return the id of the order that one is tied to by name, which need not be the first of its group."""
    member = 0 if order.instructions is None else order.instructions.oco_member
    return member or order.oco
