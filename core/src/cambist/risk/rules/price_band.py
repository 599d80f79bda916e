"""No order is priced far away from the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import ParameterError
from cambist.model.orders import LIMITED
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["PriceBandRule"]


class PriceBandRule:
    """Refuses a limit that is further from the market than a fraction of its price, on either side.

    A price that lost a digit on its way is caught here. Without a market price the order passes.

    Code: ``price_outside_band``.

    Parameters
    ----------
    share
        Of the market's price: 0.1 is 10 %.
    """

    name = "price-band"

    def __init__(self, share: float) -> None:
        if not share > 0.0:
            raise ParameterError(f"{self.name}: share is {share!r}; it must be a fraction above 0, such as 0.1.")
        self.share = share

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - any price can be wrong
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Compare the limit with the market."""
        if order.type not in LIMITED:
            return None
        market, limit = view.market_price(order.instrument), order.limit_price
        if abs(limit - market) > self.share * market:  # never where either is NaN
            return Refusal(
                "price_outside_band",
                f"the limit {limit:g} is {abs(limit / market - 1):.1%} away from the market at {market:g}, and "
                f"{self.share:.1%} is allowed; look at the price.",
            )
        return None
