"""A bar's volume, spread evenly over its prices."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import check_amount, is_number

if TYPE_CHECKING:
    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar

__all__ = ["RangeFiller"]

#: A range this near to a whole number of steps, in steps, is that number.
_NOISE = 1e-6


@attrs.frozen
class RangeFiller:
    """Each price from low to high has the same part of the bar's volume; fills at one price take a share of its part.

    Parameters
    ----------
    share
        Of what is at one price: 0.1 is a tenth.
    step
        From one price to the next, in quote currency; None for the instrument's tick. Without either, the whole bar is
        one price.

    Notes
    -----
    A price that slipped out of the bar has as much as one in it.
    """

    share: float = 1.0
    step: float | None = None

    def __attrs_post_init__(self) -> None:
        if not is_number(self.share) or not 0.0 < float(self.share) <= 1.0:
            raise ParameterError(f"RangeFiller: share is {self.share!r}; it is a fraction: 0.1 is a tenth.")
        if self.step is not None:
            check_amount("RangeFiller", "step", self.step, "a positive price difference, or None", least=1e-300)

    def room(self, order: Order, price: float, bar: MatchedBar) -> float:
        """Return what is left at `price`."""
        step = self._step(order)
        parts = 1 if not step else floor((bar.high - bar.low) / step + _NOISE) + 1
        return bar.volume / parts * self.share - bar.taken.get(price, 0.0)

    def compatible_room(self, order: Order, price: float, bar: MatchedBar) -> float:  # noqa: ARG002
        """Return a price's share in whole units for each order, as backtrader's BarPointPerc does."""
        step = self._step(order)
        # With the rounding of floats, which there decides about a whole part.
        parts = 1.0 if not step else (bar.high - bar.low + step) // step
        return bar.volume / parts * round(self.share * 100.0, 9) // 100.0

    def _step(self, order: Order) -> float:
        return float(order.instrument.tick_size or 0.0) if self.step is None else self.step
