"""A share of each bar's volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import is_number

if TYPE_CHECKING:
    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar

__all__ = ["PercentFiller"]


@attrs.frozen
class PercentFiller:
    """All fills in a bar take at most a share of its volume.

    Parameters
    ----------
    share
        0.1 is a tenth.
    """

    share: float

    def __attrs_post_init__(self) -> None:
        if not is_number(self.share) or not 0.0 < float(self.share) <= 1.0:
            raise ParameterError(
                f"volume_limit is {self.share!r}; it is a fraction of each bar's volume: 0.1 is a tenth."
            )

    def budget(self, bar: MatchedBar) -> float:
        """Return ``volume * share``."""
        return bar.volume * self.share

    def room(self, order: Order, price: float, bar: MatchedBar) -> float:  # noqa: ARG002
        """Return what is left of the budget."""
        return bar.volume * self.share - bar.taken_in_all

    def compatible_room(self, order: Order, price: float, bar: MatchedBar) -> float:  # noqa: ARG002
        """Return the share in whole units for each order, as backtrader's FixedBarPerc does."""
        # In percent, without the noise that 0.29 * 100 has: it would cost a whole unit.
        return bar.volume * round(self.share * 100.0, 9) // 100.0
