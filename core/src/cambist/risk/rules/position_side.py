"""An order names a side of a position only where a position has two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["OneWayRule"]


class OneWayRule:
    """Refuses an order that names one of two positions where there is one.

    Code: ``position_side_unknown``.
    """

    name = "one-way"

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - no instrument has two
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:  # noqa: ARG002 - needs the order alone
        """Look at the order's instructions; plain orders have none."""
        if order.position_side is None:
            return None
        return Refusal(
            "position_side_unknown",
            f"this account nets what is bought and sold of {order.instrument.symbol}, and the order is for its "
            f"{order.position_side} position; leave position_side out, or run with Margin(position_mode='hedge').",
        )
