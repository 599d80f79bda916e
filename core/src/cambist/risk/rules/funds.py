"""The account can pay for an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["FundsRule"]


class FundsRule:
    """Refuses an order that the account could not pay for, fee included, at the price it is expected to get.

    The check looks at this order alone, at the last close for market orders; the venue checks again at the
    price of the fill. Before the first close there is no price and the order passes on to that check.

    Code: ``insufficient_funds``.
    """

    name = "funds"

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - everything costs money
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Ask the account what would be missing."""
        missing = view.missing_funds(order)
        if missing > 0.0:
            instrument = order.instrument
            return Refusal(
                "insufficient_funds",
                f"{order.side} {order.size} {instrument.symbol} at {view.reference_price(order):.8g} "
                f"lacks {missing:.8g} {instrument.settle}; ask for less, or close something first.",
            )
        return None
