"""How orders hang together: one cancels the other, and children that wait for a parent.

`Links` is the index of both and answers what follows from a fill or an end; it touches no order. Whoever works
orders keeps one: the simulated venue, and the emulator that does it for a live venue.

* **One cancels the other.** What trades of one, or ends one, ends the others of its group. With that the group is over.
* **Parent and children.** A child rests until something of its parent has traded, and then may trade as much as its
  parent has. Where the parent ends, a child that is larger than what traded shrinks to it, and a child of a parent
  of which nothing traded ends with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.orders import Order

__all__ = ["Links"]


class _Tie(msgspec.Struct, eq=False):
    """How one order hangs together with others.

    Attributes
    ----------
    group
        Ids of its one-cancels-the-other group, a list that the members share; empty once the group is over, None for
        an order without one.
    parent
        Of a child.
    children
        Ids of those that are bound to it, oldest first; None for an order that never had one.
    traded
        How much of it had traded when word of that came last, None before that; kept for children alone.
    """

    group: list[int] | None = None
    parent: _Tie | None = None
    children: list[int] | None = None
    traded: float | None = None


#: What follows from the end of an order that is tied to no other.
_NOTHING: tuple[Sequence[int], Sequence[int], float] = ((), (), 0.0)


class Links:
    """The ties of the orders at work; orders without any leave no trace here."""

    __slots__ = ("_ties",)

    def __init__(self) -> None:
        self._ties: dict[int, _Tie] = {}

    def add(self, order: Order) -> None:
        """Take note of an order's ties."""
        instructions = order.instructions
        if instructions is None:
            return
        ties, number = self._ties, order.id
        group, parent = instructions.oco, instructions.parent
        if not (group or parent):
            return
        tie = ties[number] = _Tie()
        if group:
            first = ties.get(group)
            if first is None:  # the order that begins the group did not know it
                first = ties[group] = _Tie()
            members = first.group
            if members is None:
                members = first.group = [group]
            if members and number not in members:
                members.append(number)
                tie.group = members
        if parent:
            above = ties.get(parent)
            if above is None:
                above = ties[parent] = _Tie()
            tie.parent = above
            if above.children is None:
                above.children = [number]
            else:
                above.children.append(number)

    def is_over(self, group: int) -> bool:
        """Tell whether something of a group has traded or ended."""
        first = self._ties.get(group)
        return first is not None and first.group is not None and not first.group

    def waits(self, order_id: int) -> bool:
        """Tell whether an order is a child, and nothing of its parent has traded yet."""
        tie = self._ties.get(order_id)
        return tie is not None and tie.parent is not None and tie.parent.traded is None

    def allowed(self, order: Order) -> float:
        """Return how much of a child may have traded by now: as much as of its parent; without one, all of it."""
        tie = self._ties.get(order.id)
        if tie is None or tie.parent is None:
            return order.size
        return min(order.size, tie.parent.traded or 0.0)

    def after_fill(self, order_id: int, traded: float) -> tuple[Sequence[int], Sequence[int]] | None:
        """Answer what follows when `traded` of an order has traded so far.

        Returns
        -------
        tuple or None
            Ids of the orders that end because of it, and of the children that wake, oldest first. None for an order
            that is tied to no other.
        """
        tie = self._ties.get(order_id)
        if tie is None:
            return None
        woken: Sequence[int] = ()
        if tie.children:
            if tie.traded is None:
                woken = tuple(tie.children)
            tie.traded = traded
        return (_dissolve(tie, order_id) if tie.group else ()), woken

    def after_end(self, order_id: int) -> tuple[Sequence[int], Sequence[int], float]:
        """Answer what follows when an order works no longer.

        Returns
        -------
        tuple
            Ids of the orders that end because of it, ids of its children, and what they may trade at most.
        """
        tie = self._ties.pop(order_id, None)
        if tie is None:
            return _NOTHING
        ended: Sequence[int] = _dissolve(tie, order_id) if tie.group else ()
        if tie.parent is not None and tie.parent.children is not None:
            tie.parent.children.remove(order_id)
        if not tie.children:
            return ended, (), 0.0
        if tie.traded is not None:
            return ended, tuple(tie.children), tie.traded
        ended = list(ended)
        for child in tie.children:
            ended += [number for number in (child, *self.dissolve(child)) if number not in ended]
        return ended, (), 0.0

    def dissolve(self, order_id: int) -> Sequence[int]:
        """End the group of an order, because it trades or ends; return its other members, which end with it."""
        tie = self._ties.get(order_id)
        return () if tie is None or not tie.group else _dissolve(tie, order_id)


def _dissolve(tie: _Tie, order_id: int) -> Sequence[int]:
    members = tie.group or []
    others = [member for member in members if member != order_id]
    members.clear()
    return others
