"""No sale leaves something behind that cannot be sold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["RemainderRule"]


class RemainderRule:
    """Refuses a sale that leaves less of a position than can be sold: below the least size, or the least value.

    It concerns what is paid in full, and what a fee left below a step counts as nothing: no order could ever sell it.

    Code: ``unsellable_remainder``.
    """

    name = "remainder"

    def concerns(self, instrument: Instrument) -> bool:
        """Instruments that are paid in full and have a least size or value."""
        return instrument.is_cash and (instrument.min_size is not None or instrument.min_notional is not None)

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Look at what would be left."""
        if order.is_buy:
            return None
        instrument, held = order.instrument, view.position(order.instrument).size
        rest = instrument.round_size(held - order.size)
        if rest <= 0.0:
            return None
        least, value = float(instrument.min_size or 0), float(instrument.min_notional or 0)
        worth = instrument.notional(rest, view.reference_price(order))
        if rest >= least and not worth < value:
            return None
        return Refusal(
            "unsellable_remainder",
            f"selling {order.size} of {held:g} {instrument.symbol} leaves {rest:g}, too little to be sold; sell "
            f"{instrument.round_size(held):g}, or at most what leaves enough.",
        )
