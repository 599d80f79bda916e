"""A size for each bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import check_amount

if TYPE_CHECKING:
    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar

__all__ = ["FixedFiller"]


@attrs.frozen
class FixedFiller:
    """All fills in a bar take at most a size, and no more than the bar's volume.

    Parameters
    ----------
    size
        In the instrument's units.
    """

    size: float

    def __attrs_post_init__(self) -> None:
        check_amount("FixedFiller", "size", self.size, "a positive size for each bar", least=0.0)
        if not self.size:
            raise ParameterError("FixedFiller: size is 0; nothing would ever trade. Give a positive size for each bar.")

    def budget(self, bar: MatchedBar) -> float:
        """Return the size or the bar's volume, whichever is less."""
        return min(self.size, bar.volume)

    def room(self, order: Order, price: float, bar: MatchedBar) -> float:  # noqa: ARG002
        """Return what is left of the budget."""
        return self.budget(bar) - bar.taken_in_all

    def compatible_room(self, order: Order, price: float, bar: MatchedBar) -> float:  # noqa: ARG002
        """Return the budget for each order, as backtrader's FixedSize does."""
        return self.budget(bar)
