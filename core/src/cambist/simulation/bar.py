"""The bar that orders meet, as models see it."""

from __future__ import annotations

from math import nan

import msgspec

from cambist.simulation.working import LONG_AGO

__all__ = ["NO_BAR", "MatchedBar"]


class MatchedBar(msgspec.Struct, eq=False):
    """One bar of one instrument while it is matched.

    Attributes
    ----------
    opened, closed
        Open and close time, ns, UTC.
    open, high, low, close, volume
        The bar.
    taken
        What our fills in it took so far, by price; kept where a filler asks for it at each fill.
    """

    opened: int
    closed: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    taken: dict[float, float] = msgspec.field(default_factory=dict)

    @property
    def taken_in_all(self) -> float:
        """What our fills took at all prices together."""
        return sum(self.taken.values())

    def take(self, price: float, size: float) -> None:
        """Note a fill."""
        self.taken[price] = self.taken.get(price, 0.0) + size


#: Before the first.
NO_BAR = MatchedBar(LONG_AGO, LONG_AGO, nan, nan, nan, nan, 0.0)
