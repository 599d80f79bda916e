"""No single order is worth too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import ParameterError
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["MaxOrderValueRule"]


class MaxOrderValueRule:
    """Refuses an order worth more than `limit` at the price it is expected to get.

    Code: ``order_value_above_limit``.

    Parameters
    ----------
    limit
        In the settlement asset.
    """

    name = "max-order-value"

    def __init__(self, limit: float) -> None:
        if not limit > 0:
            raise ParameterError(f"{self.name}: limit is {limit!r}; it must be a positive amount of money.")
        self.limit = limit

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - every order has a value
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Value the order; one that only reduces is let through."""
        if order.reduce_only:
            return None
        value = order.instrument.notional(order.size, view.reference_price(order))
        if value > self.limit:
            return Refusal(
                "order_value_above_limit",
                f"{order.size} {order.instrument.symbol} is worth {value:.8g} {order.instrument.settle}, "
                f"above the limit {self.limit:.8g} for one order.",
            )
        return None
