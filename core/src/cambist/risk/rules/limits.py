"""An order's size lies within what the instrument allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["SizeLimitsRule"]


class SizeLimitsRule:
    """Refuses a size below the instrument's minimum or above its maximum.

    Codes: ``size_below_minimum``, ``size_above_maximum``.
    """

    name = "size-limits"

    def concerns(self, instrument: Instrument) -> bool:
        """Instruments with a bound."""
        return instrument.min_size is not None or instrument.max_size is not None

    def review(self, order: Order, view: RiskView) -> Refusal | None:  # noqa: ARG002 - needs the order alone
        """Compare the size with the instrument's bounds."""
        instrument = order.instrument
        least, most = instrument.min_size, instrument.max_size
        if least is not None and order.size < float(least):
            return Refusal(
                "size_below_minimum",
                f"size {order.size} is below the minimum {least} of {instrument.symbol}; "
                "ask for more, or skip the order.",
            )
        if most is not None and order.size > float(most):
            return Refusal(
                "size_above_maximum",
                f"size {order.size} is above the maximum {most} of {instrument.symbol}; split the order.",
            )
        return None
