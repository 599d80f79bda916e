"""Not too many orders work at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import ParameterError
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["MaxOpenOrdersRule"]


class MaxOpenOrdersRule:
    """Refuses an order where `limit` orders of the instrument work already.

    Code: ``too_many_open_orders``.

    Parameters
    ----------
    limit
        Orders of one instrument that may work at once.
    """

    name = "max-open-orders"

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ParameterError(f"{self.name}: limit is {limit!r}; it must be at least 1.")
        self.limit = limit

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - orders can pile up anywhere
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Count what works already."""
        working = view.open_orders(order.instrument)
        if working >= self.limit:
            return Refusal(
                "too_many_open_orders",
                f"{working} orders of {order.instrument.symbol} work already, the limit is {self.limit}; "
                "cancel one first.",
            )
        return None
