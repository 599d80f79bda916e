"""What a venue closed of its own accord, and what that left to its insurance fund."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.model.times import format_ns

if TYPE_CHECKING:
    from cambist.model.portfolio import Position
    from cambist.portfolio.margin import MarginPortfolio

__all__ = ["Liquidation", "insured", "size_to_close"]

#: Money below this fraction of what was held is float noise.
_NOISE = 1e-9


@attrs.frozen(slots=True)
class Liquidation:
    """A position that the venue closed, whole or in part.

    Attributes
    ----------
    symbol, size
        What was closed, negative when short.
    ts
        When, ns, UTC.
    price, fee
        At which it was closed, and what that cost.
    left
        What was kept of the position, positive; 0 where all of it was closed.
    fund
        What the venue's insurance fund got, the fee included; negative where it paid. It takes the position over at
        `price` while the mark price stands elsewhere.
    mark
        The mark price at which it happened.
    """

    symbol: str
    size: float
    ts: int
    price: float
    fee: float
    left: float = 0.0
    fund: float = 0.0
    mark: float = nan

    def describe(self, currency: str) -> str:
        """Return a sentence for people."""
        side = "long" if self.size > 0.0 else "short"
        what = f"{abs(self.size):g} of " if self.left else ""
        whole = f"{abs(self.size) + self.left:g} {self.symbol}"
        paid = f" The insurance fund paid {-self.fund:,.8g} {currency}." if self.fund < 0.0 else ""
        return (
            f"liquidation: {what}the {side} position of {whole} was closed by the venue at "
            f"{self.price:g}, {format_ns(self.ts)}, for a fee of {self.fee:,.8g} {currency}: its margin was used up."
            f"{paid} Trade smaller, at less leverage, or with a stop."
        )


def size_to_close(portfolio: MarginPortfolio, position: Position, surplus: float, price: float, fill: float) -> float:
    """Return how much of a position must be closed for maintenance margin to be there again in a lower tier.

    Only as much as brings it to the top of the nearest lower tier in which it is: "an order of the difference between
    the current position value and the lower margin tier value which satisfies the margin requirement" in Bybit's
    "Liquidation Process (USDT Contract)"; Binance's "Liquidation Protocols" reduce a position likewise before the
    insurance fund takes it over.

    Parameters
    ----------
    surplus
        What backs the position at `price`, less the maintenance margin of everything else that it backs.
    price, fill
        The mark price, and the price that the closing gets.

    Returns
    -------
    float
        Positive; 0.0 where no lower tier is low enough.
    """
    instrument, table = position.instrument, portfolio.tables[position.instrument.symbol]
    held = abs(position.size)
    at = price if portfolio.terms.maintenance_on == "mark" else position.average_price
    unit = instrument.notional(1.0, at)
    side = 1.0 if position.size > 0.0 else -1.0
    for top in table.lower_tiers(held * unit):
        kept = instrument.round_size(top / unit)
        closed = instrument.size_grid.nearest(held - kept)
        if kept <= 0.0 or closed <= 0.0:
            continue
        lost = instrument.notional(closed, fill) * portfolio.terms.liquidation_fee
        lost -= instrument.profit(side * closed, price, fill)
        if surplus - lost > table.margin(kept * unit):
            return closed
    return 0.0


def insured(portfolio: MarginPortfolio) -> float:
    """Return what the insurance fund pays for an account that has nothing left but debt; 0.0 where it has more."""
    if portfolio.cash >= 0.0 or any(position.size != 0.0 for position in portfolio.legs.values()):
        return 0.0
    return -portfolio.cash if -portfolio.cash > _NOISE * portfolio.initial_cash else 0.0
