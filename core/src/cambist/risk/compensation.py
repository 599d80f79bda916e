"""What changes a position can be valued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["CompensationRule"]


class CompensationRule:
    """Refuses an order that would change the position of another instrument before that has a price.

    Code: ``no_price_yet``.

    Parameters
    ----------
    held_as
        By symbol, the instrument whose position its orders change.
    """

    name = "compensation"

    def __init__(self, held_as: Mapping[str, Instrument]) -> None:
        self._held_as = held_as

    def concerns(self, instrument: Instrument) -> bool:
        """Instruments that are held as others."""
        return instrument.symbol in self._held_as

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Ask for the price of what would be held."""
        held = self._held_as[order.instrument.symbol]
        price = view.market_price(held)
        if price == price:  # noqa: PLR0124 - NaN before the first bar closes
            return None
        return Refusal(
            "no_price_yet",
            f"orders of {order.instrument.symbol} change the position of {held.symbol}, no bar of which has closed; "
            "wait for its first.",
        )
