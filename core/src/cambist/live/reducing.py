"""Orders that only reduce, at venues that have no such orders: what is paid in full is sold, and nobody asks why.

Before such an order leaves, and again after every execution, it is cut to what is left to reduce beside the other
orders at work. A venue that trades two of them in the same moment can still be faster than a cancel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.live.fills import same_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cambist.live.watched import Watched
    from cambist.model.orders import Order

__all__ = ["Reducing"]


class Reducing:
    """Answers how much of an order may still trade.

    Parameters
    ----------
    reducible
        Answers how much an order may trade and only make its position smaller, beside the others; None where that is
        not known, and nothing is cut.
    """

    def __init__(self, reducible: Callable[[Order], float] | None) -> None:
        self._reducible = reducible

    def concerns(self, order: Order) -> bool:
        """Tell whether the venue does not do this by itself."""
        return self._reducible is not None and order.reduce_only and order.instrument.is_cash

    def allowed(self, order: Order, size: float) -> float:
        """Return how much of `size` may trade."""
        if self._reducible is None or not self.concerns(order):
            return size
        return min(size, order.instrument.round_size(self._reducible(order)))

    def too_large(self, watched: Iterable[Watched], after: Order | None) -> Iterator[tuple[Watched, float]]:
        """Yield the orders that could do more than reduce, with what is left to reduce.

        Parameters
        ----------
        after
            The order that has traded just now; None to look at all.
        """
        for one in watched:
            order = one.order
            if one.replacement is not None or one.wanted is not None:
                continue  # its size is changing already
            if one.group is not None and (one.group.again or one.group.sleeps(order)):
                continue
            if after is not None and (order.instrument.symbol != after.instrument.symbol or order.id == after.id):
                continue
            if one.sent_at is None or one.ended is not None or not self.concerns(order):
                continue
            left = self.allowed(order, order.remaining)
            if left < order.remaining and not same_size(order, left, order.remaining):
                yield one, left
