"""An account does not trade with itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import LIMITED, TRIGGERED
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["SelfCrossRule"]


class SelfCrossRule:
    """Refuses an order that could trade with a limit order of the same account.

    Stops count once they have been triggered. Venues call it wash trading, whoever meant it or not.

    Code: ``self_cross``.
    """

    name = "self-cross"

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - anybody can meet himself
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Compare the order's price with those of the other side's limit orders."""
        if order.type in TRIGGERED and not order.triggered:
            return None
        instructions = order.instructions
        if instructions is not None and (instructions.parent or instructions.post_only):
            return None  # it comes to the market later, or never takes what rests there
        price = order.limit_price if order.type in LIMITED else None
        for other in view.working_orders(order.instrument):
            resting = other.type in LIMITED and (other.triggered or other.type not in TRIGGERED)
            if other.side is order.side or not resting:
                continue
            if price is None or (price >= other.limit_price if order.is_buy else price <= other.limit_price):
                return Refusal(
                    "self_cross",
                    f"this {order.side} of {order.instrument.symbol} could trade with order {other.id}, which "
                    f"{other.side}s at {other.limit_price:g}; cancel that first.",
                )
        return None
