"""Which of several new orders hang together, in shapes that a venue may work by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cambist.model.orders import Order

__all__ = ["Family", "families"]

_PAIR = 2


@attrs.frozen(eq=False)
class Family:
    """An order and those that wait for it, or two orders of which one cancels the other, or both.

    Attributes
    ----------
    entry
        For which the others wait; None where they wait for none.
    legs
        The one or two others, in the order in which they were made.
    """

    entry: Order | None
    legs: tuple[Order, ...]

    @property
    def orders(self) -> tuple[Order, ...]:
        """All of them, oldest first."""
        return self.legs if self.entry is None else (self.entry, *self.legs)


def families(orders: Sequence[Order]) -> list[Family]:
    """Return the families among orders that were made in one moment; those that hang together otherwise are in none.

    An order of a family is tied to nothing outside of it, and all are of one instrument.
    """
    by_id = {order.id: order for order in orders}
    tied: dict[int, list[Order]] = {}
    for order in orders:
        tied.setdefault(_root(order, by_id), []).append(order)
    found = (_family(members) for members in tied.values() if len(members) > 1)
    return [one for one in found if one is not None]


def _root(order: Order, known: dict[int, Order]) -> int:
    """Return the id of the oldest order that one hangs together with; of one that is not known where it leads there."""
    number = order.id
    while order.parent or (order.oco and order.oco != order.id):
        number = order.parent or order.oco
        if number not in known:
            return number
        order = known[number]
    return number


def _family(members: Sequence[Order]) -> Family | None:
    first, others = members[0], tuple(members[1:])
    entry = first if all(one.parent == first.id for one in others) else None
    legs = tuple(members) if entry is None else others
    if len(legs) > _PAIR or first.parent or any(one.instrument is not first.instrument for one in members):
        return None
    if entry is not None and _is_grouped([entry]):
        return None
    if len(legs) == _PAIR and legs[1].oco != legs[0].id:
        return None
    if entry is None and legs[1].parent:
        return None
    return None if len(legs) == 1 and _is_grouped(legs) else Family(entry, legs)


def _is_grouped(orders: Iterable[Order]) -> bool:
    return any(one.oco for one in orders)
