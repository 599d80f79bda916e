"""How a venue asks slippage and fillers about the bar that it matches."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from cambist.errors import ParameterError
from cambist.model.orders import Side
from cambist.simulation.fillers import BudgetFiller
from cambist.simulation.matching import MatchingVenue, VenueAccount
from cambist.simulation.slippage import BacktraderSlippage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market, Working

__all__ = ["ModeledVenue"]

_SELL = Side.SELL


class ModeledVenue(MatchingVenue):
    """Keeps the bar being matched for models that look at it, slips prices, and knows what the volume still allows.

    Parameters are those of `MatchingVenue`. Where no model looks at bars, none are kept.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: VenueAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        if isinstance(self.rules.slippage, BacktraderSlippage):
            raise ParameterError(
                "BacktraderSlippage goes with rules='backtrader'. Use PercentSlippage or FixedSlippage."
            )
        filler = self.rules.volume_limit
        self._budget = filler.budget if isinstance(filler, BudgetFiller) else None
        self._sees_bars = filler is not None or self._slip_in is not None

    def _see(self, market: Market, bar: MatchedBar) -> None:
        """Keep a bar for the models that look at it."""
        market.bar = bar
        if self._filler is not None:
            market.volume_left = -inf if self._budget is None else self._budget(bar)

    def _room(self, market: Market, order: Order, price: float) -> float:
        """Return how much of an order the bar's volume lets trade at `price`."""
        if self._budget is not None or self._filler is None:
            return market.volume_left
        return self._filler.room(order, price, market.bar)

    def _slipped(self, working: Working, price: float) -> float:
        """Slip an order that trades at any price."""
        order, size = working.order, working.remaining
        if self._slip_in is None:
            return self._slip(order.instrument, price, size, order.side is not _SELL)
        size = max(0.0, min(size, self._room(working.market, order, price)))
        return self._slip_in(working.market.bar, order.instrument, price, size, order.side is not _SELL)

    def _capped(self, working: Working, price: float) -> float:
        """Slip a limit order that takes liquidity, but never beyond its limit."""
        order = working.order
        slipped = self._slipped(working, price)
        return min(slipped, order.limit_price) if order.is_buy else max(slipped, order.limit_price)
