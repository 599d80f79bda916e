"""An order is worth at least what the instrument demands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["MinNotionalRule"]


class MinNotionalRule:
    """Refuses an order whose value is below the instrument's minimum; one that only reduces is let through.

    Code: ``notional_below_minimum``.
    """

    name = "min-notional"

    def concerns(self, instrument: Instrument) -> bool:
        """Instruments with a minimum."""
        return instrument.min_notional is not None

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Value the order at its own price, or at the last close; without either price it passes."""
        instrument = order.instrument
        least = instrument.min_notional
        if least is None or order.reduce_only:
            return None
        value = instrument.notional(order.size, view.reference_price(order))
        if value < float(least):
            return Refusal(
                "notional_below_minimum",
                f"{order.size} {instrument.symbol} is worth {value:.8g} {instrument.settle}, "
                f"below the minimum {least}; ask for more, or skip the order.",
            )
        return None
