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

import attrs

if TYPE_CHECKING:
    from cambist.model.orders import Order

__all__ = ["Links"]


@attrs.define(eq=False, slots=True)
class Links:
    """The ties of the orders at work."""

    _groups: dict[int, list[int]] = attrs.field(factory=dict, init=False)
    _group_of: dict[int, int] = attrs.field(factory=dict, init=False)
    _over: set[int] = attrs.field(factory=set, init=False)
    _children: dict[int, list[int]] = attrs.field(factory=dict, init=False)
    _parent_of: dict[int, int] = attrs.field(factory=dict, init=False)
    _traded: dict[int, float] = attrs.field(factory=dict, init=False)

    def add(self, order: Order) -> None:
        """Take note of an order's ties."""
        group, parent = order.oco, order.parent
        if group and group not in self._over:
            members = self._groups.setdefault(group, [])
            for number in (group, order.id):  # the order that began the group did not know it
                if number not in members:
                    members.append(number)
                    self._group_of[number] = group
        if parent:
            self._children.setdefault(parent, []).append(order.id)
            self._parent_of[order.id] = parent

    def is_over(self, group: int) -> bool:
        """Tell whether something of a group has traded or ended."""
        return group in self._over

    def waits(self, order_id: int) -> bool:
        """Tell whether an order is a child, and nothing of its parent has traded yet."""
        parent = self._parent_of.get(order_id)
        return parent is not None and parent not in self._traded

    def allowed(self, order: Order) -> float:
        """Return how much of a child may have traded by now: as much as of its parent; without one, all of it."""
        parent = self._parent_of.get(order.id)
        return order.size if parent is None else min(order.size, self._traded.get(parent, 0.0))

    def after_fill(self, order_id: int, traded: float) -> tuple[list[int], list[int]]:
        """Answer what follows when `traded` of an order has traded so far.

        Returns
        -------
        tuple
            Ids of the orders that end because of it, and of the children that wake, oldest first.
        """
        woken: list[int] = []
        children = self._children.get(order_id)
        if children:
            woken = [] if order_id in self._traded else list(children)
            self._traded[order_id] = traded
        return self.dissolve(order_id), woken

    def after_end(self, order_id: int) -> tuple[list[int], list[int]]:
        """Answer what follows when an order works no longer.

        Returns
        -------
        tuple
            Ids of the orders that end because of it, and of the children that are bound by what it traded.
        """
        ended = self.dissolve(order_id)
        children = list(self._children.get(order_id, ()))
        self._leave_parent(order_id)
        if order_id in self._traded:
            return ended, children
        for child in children:
            ended += [number for number in (child, *self.dissolve(child)) if number not in ended]
        return ended, []

    def dissolve(self, order_id: int) -> list[int]:
        """End the group of an order, because it trades or ends; return its other members, which end with it."""
        group = self._group_of.get(order_id)
        if group is None:
            return []
        self._over.add(group)
        members = self._groups.pop(group)
        for member in members:
            del self._group_of[member]
        return [member for member in members if member != order_id]

    def _leave_parent(self, order_id: int) -> None:
        parent = self._parent_of.pop(order_id, None)
        if parent is None:
            return
        siblings = self._children[parent]
        siblings.remove(order_id)
        if not siblings:
            del self._children[parent]
            self._traded.pop(parent, None)
