"""The part of a simulated venue that holds orders to what they may still reduce."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.simulation.matching import VenueAccount
    from cambist.simulation.spot import SpotFunds
    from cambist.simulation.working import Working

__all__ = ["ReducingVenue"]


class ReducingVenue(ABC):
    """Says how much of a reduce-only order may trade, and what a spot market locks for one.

    The attributes are set by `cambist.simulation.matching.MatchingVenue`: the account that trades, what it can pay at a
    spot market (None at any other), and the venue's orders by id.
    """

    _account: VenueAccount
    _spot: SpotFunds | None
    _working: dict[int, Working]

    @abstractmethod
    def withdraw(self, working: Working, ts: int, reason: str) -> None:
        """Cancel what remains of an order."""

    @abstractmethod
    def shrink(self, working: Working, size: float, ts: int) -> None:
        """Give an order a smaller size, that much of it traded already included."""

    def _reducible(self, working: Working, ts: int) -> float:
        """Return the most that a reduce-only order may trade; one that may trade nothing ends."""
        order = working.order
        held = self._account.positions[order.instrument.symbol].size
        reducible = -held if order.is_buy else held
        if self._spot is not None:
            reducible = self._spot.reducible(order.instrument, reducible)
            if reducible <= 0.0 and order.parent in self._working:  # of which more may come
                working.market.blocked.add(order.id)
                return 0.0
        if reducible <= 0.0:
            self._end_reduced(working, ts)
            return 0.0
        return reducible

    def _end_reduced(self, working: Working, ts: int) -> None:
        """End a reduce-only order that has nothing left to reduce."""
        self.withdraw(working, ts, "nothing_to_reduce")

    def _lock(self, working: Working, ts: int) -> None:
        """Have a spot market lock what an order trades: one that only reduces is cut to what there is.

        While its parent works, it is left as large as it is: it grows with what trades.
        """
        order = working.order
        if self._spot is not None and order.reduce_only and order.parent not in self._working:
            reducible = self._reducible(working, ts)
            if 0.0 < reducible < working.remaining:
                self.shrink(working, order.size - working.remaining + reducible, ts)
