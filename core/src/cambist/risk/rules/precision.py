"""An order's numbers are numbers, and lie on the instrument's grid."""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING

from cambist.model.orders import LIMITED, TRAILING, TRIGGERED, OrderType
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["PrecisionRule"]

_MARKET = OrderType.MARKET
#: Whether a type has a limit price, a stop price, and whether it may get them later.
_PRICES = {kind: (kind in LIMITED, kind in TRIGGERED, kind in TRAILING) for kind in OrderType}


class PrecisionRule:
    """Refuses a size or price that is no positive number or off the grid.

    The engine rounds what a strategy asks for before the gate sees it, so a refusal here means that the size
    was below one step, or that an order came another way.

    Codes: ``size_not_positive``, ``size_off_grid``, ``price_not_positive``, ``price_off_grid``.
    """

    name = "precision"

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - every instrument has a grid
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:  # noqa: ARG002 - needs the order alone
        """Look at size, limit price and stop price."""
        instrument = order.instrument
        size = order.size
        if not 0.0 < size < inf:
            return Refusal(
                "size_not_positive",
                f"size {size} is no positive multiple of the step {instrument.step_size} of {instrument.symbol}; "
                "ask for at least one step.",
            )
        if not instrument.size_grid.holds(size):
            return Refusal(
                "size_off_grid",
                f"size {size} is off the step {instrument.step_size} of {instrument.symbol}; "
                f"the nearest below is {instrument.round_size(size)}.",
            )
        kind = order.type
        if kind is _MARKET:
            return None
        grid = instrument.price_grid
        limited, triggered, trailing = _PRICES[kind]
        if trailing and order.parent and isnan(order.stop_price):
            return None  # it begins to follow the price when its parent trades
        if limited:
            price = order.limit_price
            if not 0.0 < price < inf or (grid is not None and not grid.holds(price)):
                return _refuse("limit price", price, instrument)
        if triggered:
            price = order.stop_price
            if not 0.0 < price < inf or (grid is not None and not grid.holds(price)):
                return _refuse("stop price", price, instrument)
        return None


def _refuse(name: str, price: float, instrument: Instrument) -> Refusal:
    if not 0.0 < price < inf:
        return Refusal("price_not_positive", f"the {name} {price} is no positive number.")
    return Refusal(
        "price_off_grid",
        f"the {name} {price} is off the tick {instrument.tick_size} of {instrument.symbol}; "
        f"the nearest is {instrument.round_price(price)}.",
    )
