"""No position grows too large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import ParameterError
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["MaxPositionRule"]


class MaxPositionRule:
    """Refuses an order that could grow a position beyond `limit`, open orders of the same side included.

    Code: ``position_above_limit``.

    Parameters
    ----------
    limit
        Largest size, long or short, in units of the instrument.
    """

    name = "max-position"

    def __init__(self, limit: float) -> None:
        if not limit > 0:
            raise ParameterError(f"{self.name}: limit is {limit!r}; it must be a positive size.")
        self.limit = limit

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - any position can grow
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Add the order and its like to what is held."""
        if order.reduce_only:
            return None
        held = view.position(order.instrument).size
        sign = 1 if order.is_buy else -1
        after = held * sign + view.open_size(order.instrument, order.side) + order.size
        if after > self.limit:
            return Refusal(
                "position_above_limit",
                f"{order.side} {order.size} {order.instrument.symbol} could bring the position to {after:.8g}, "
                f"above the limit {self.limit:.8g}.",
            )
        return None
