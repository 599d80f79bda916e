"""What orders a venue works by itself."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from cambist.model.orders import TRIGGERED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model.orders import Order, OrderType

__all__ = ["NativeOrders", "rests"]


class NativeOrders:
    """Tells which orders need no help.

    Parameters
    ----------
    types
        The types that the venue works by itself.
    ties
        Whether it also works orders that hang together.
    """

    def __init__(self, types: Iterable[OrderType], *, ties: bool) -> None:
        self._types, self._ties = frozenset(types), ties

    def lacks(self, order: Order) -> bool:
        """Tell whether an order cannot be left to the venue, because it lacks the type or the ties."""
        return not self.works(order) or (not self._ties and bool(order.oco or order.parent))

    def works(self, order: Order, *, grouped: bool = False) -> bool:
        """Tell whether the venue works an order of that type.

        Parameters
        ----------
        grouped
            Whether others have joined it in a group: the first of it does not say so.

        Notes
        -----
        A stop that shares a position with another order of its group does not go there where orders are paid in full:
        each of the two would lock the whole of it, and the second be refused.
        """
        if order.type not in self._types:
            return False
        if self._ties:
            return True
        shares = grouped or order.oco or (order.parent and order.reduce_only)
        return not (shares and order.type in TRIGGERED and order.instrument.is_cash)


def rests(order: Order) -> bool:
    """Tell whether an order that was sent rests at the venue: it has a limit, or a stop that is not reached."""
    return not isnan(order.limit_price) or (order.type in TRIGGERED and not order.triggered)
