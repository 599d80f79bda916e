"""A reduce-only order has something to reduce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["ReduceOnlyRule"]


class ReduceOnlyRule:
    """Refuses a reduce-only order where no opposite position is held; a larger one is cut at the venue.

    Code: ``nothing_to_reduce``.
    """

    name = "reduce-only"

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - any order may be reduce-only
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Compare the order's side with the position's; one that waits for a parent finds its position later."""
        instructions = order.instructions
        if not order.reduce_only or (instructions is not None and instructions.parent):
            return None
        held = view.position(order.instrument).size
        if held == 0.0 or (held > 0.0) == order.is_buy:
            return Refusal(
                "nothing_to_reduce",
                f"a reduce-only {order.side} of {order.instrument.symbol} has nothing to reduce: {held} is held.",
            )
        return None
