"""The part of a simulated venue that books fills which took place elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from cambist.model.orders import Fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.orders import Liquidity, Order

__all__ = ["RecordingVenue"]


class RecordingVenue(ABC):
    """Books fills beside those it matches, numbered with them.

    The attributes are set by `cambist.simulation.matching.MatchingVenue`: what hears that an order is accepted and
    filled, what fees remember of a fill, and how many fills there were.
    """

    _accepted: Callable[[Order, int], object]
    _recorded: Callable[[Order, int, Fill], None]
    _fee_traded: Callable[[Fill], None] | None = None
    _fills: int

    @abstractmethod
    def _fee_of(self, order: Order, size: float, price: float, who: Liquidity, ts: int) -> float:
        """Return the fee of a fill of `order` at `ts`."""

    def record(self, order: Order, price: float, fee: float | None, who: Liquidity, ts: int, at: int) -> None:
        """Book a fill of a whole order, made at `ts` and known `at` (ns, UTC).

        Nothing is asked and no volume is taken; without a fee that of the rules is charged.
        """
        accepted, filled = self._accepted, self._recorded
        accepted(order, at)
        charged = self._fee_of(order, order.size, price, who, ts) if fee is None else fee
        self._fills += 1
        fill = Fill(self._fills, order.id, order.instrument, order.side, order.size, price, charged, who, ts)
        if self._fee_traded is not None:
            self._fee_traded(fill)
        filled(order, at, fill)
