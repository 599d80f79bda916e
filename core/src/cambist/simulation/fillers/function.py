"""A function as a filler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.model.times import format_ns
from cambist.simulation.checks import is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar

__all__ = ["FunctionFiller"]


@attrs.frozen
class FunctionFiller:
    """What a function of the user's own says.

    Parameters
    ----------
    function
        ``(order, price, bar) -> size``; see `VolumeFiller.room`.
    """

    function: Callable[[Any, float, Any], float]

    def room(self, order: Order, price: float, bar: MatchedBar) -> float:
        """Return what the function says.

        Raises
        ------
        ParameterError
            If that is no number.
        """
        size = self.function(order, price, bar)
        if not is_number(size) or size != size:  # noqa: PLR0124 - NaN
            name = getattr(self.function, "__name__", repr(self.function))
            raise ParameterError(
                f"volume_limit: {name}() gave {size!r} for order {order.id} in the bar of {order.instrument.symbol} "
                f"that opened at {format_ns(bar.opened)}; it must give a size."
            )
        return float(size)
