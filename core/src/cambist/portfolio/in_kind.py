"""The account of a spot market where fees are taken out of what was bought."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.portfolio.portfolio import Portfolio
from cambist.portfolio.trades import SplitResult

if TYPE_CHECKING:
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Trade

__all__ = ["InKindPortfolio"]


class InKindPortfolio(Portfolio):
    """A portfolio in which a fee that the base asset pays makes the position smaller, and costs no cash.

    It is booked as what it is worth: the fee in the account's currency, and the sale of as much of the base at the
    price of the execution. So cash, position and profit are those of the venue. Other fees are booked as ever.
    """

    def apply(self, fill: Fill, order: Order, instant: int, key: str = "") -> Trade | None:
        """See `Portfolio.apply`."""
        closed = super().apply(fill, order, instant, key)
        if fill.fee_asset == fill.instrument.base and fill.instrument.is_cash:
            self._take_out(fill, instant)
        return closed

    def _take_out(self, fill: Fill, instant: int) -> None:
        """Sell of a position what pays the fee, at the price of the execution."""
        instrument, price = fill.instrument, fill.price
        position = self.positions[instrument.symbol]
        taken = min(fill.fee_paid, position.size)
        if taken <= 0.0:
            return
        kept = position.size - taken
        profit = instrument.profit(taken, position.average_price, price)
        self.cash += instrument.notional(taken, price)
        position.realized += profit
        position.size = kept
        if not kept:
            position.average_price = nan
        # For trades it is a split into as many, of which a fraction is paid out.
        self.trades.split(instrument.symbol, SplitResult(1.0, kept, taken, price, profit), fill.ts, instant)
        ledger = self.ledger
        ledger.cash_at.append(instant)
        ledger.cash.append(self.cash)
        held = ledger.held[instrument.symbol]
        held.at.append(instant)
        held.sizes.append(kept)
        held.average_prices.append(position.average_price)
