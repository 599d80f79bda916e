"""Closes a position whose margin is used up, whatever showed that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.model.orders import Side
from cambist.simulation.matching import VenueAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.orders import Order
    from cambist.simulation.acting import ActingVenue
    from cambist.simulation.working import Market

__all__ = ["LIQUIDATION", "Adopt", "Liquidator", "MarginAccount"]

#: Tag of the order that closes a position, reason of the orders canceled for it and of the trade it ends.
LIQUIDATION = "liquidation"

if TYPE_CHECKING:
    #: ``(instrument, side, size, tag, ts) -> order``: makes an order that the venue itself sends.
    Adopt = Callable[[Instrument, Side, float, str, int], Order]


class MarginAccount(VenueAccount, Protocol):
    """What a venue that liquidates must know of the account; see `cambist.portfolio.margin.MarginPortfolio`."""

    @property
    def terms(self) -> Margin:
        """How it trades on margin."""
        ...

    def liquidation_price(self, symbol: str, marks: Mapping[str, float] = ...) -> float:
        """Return the mark price at which a position is liquidated, or NaN."""
        ...

    def bankruptcy_price(self, symbol: str, marks: Mapping[str, float] = ...) -> float:
        """Return the price at which nothing is left of what backs a position, or NaN."""
        ...

    def left(self, symbol: str, price: float, marks: Mapping[str, float] = ...) -> float:
        """Return what is left of that at a mark price."""
        ...

    def note_liquidation(self, symbol: str, ts: int, price: float, fee: float) -> None:
        """Learn that the next fill liquidates the position in `symbol`."""
        ...

    def worst_deficient(self, marks: Mapping[str, float]) -> str | None:
        """Return the position to close first where the account's equity is no more than maintenance margin."""
        ...


class Liquidator:
    """Cancels the orders of an instrument and closes its position, by one order of the venue's.

    Parameters
    ----------
    venue
        Where the orders work.
    margin
        The account.
    adopt
        See `Adopt`.
    """

    def __init__(self, venue: ActingVenue, margin: MarginAccount, adopt: Adopt) -> None:
        self._venue = venue
        self._margin = margin
        self._adopt = adopt

    def close(self, market: Market, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Liquidate a position at `ts`, the price having reached `reached`; `marks` are newer than the account's."""
        instrument, margin, venue = market.instrument, self._margin, self._venue
        symbol = instrument.symbol
        for working in list(market.working.values()):
            if working.order.id in market.working:
                venue.withdraw(working, ts, LIQUIDATION)
        held = margin.positions[symbol].size
        size, side = abs(held), Side.SELL if held > 0.0 else Side.BUY
        price = self._price(instrument, side, reached, margin.bankruptcy_price(symbol, marks))
        fee = instrument.notional(size, price) * margin.terms.liquidation_fee
        fee = min(fee, max(0.0, margin.left(symbol, price, marks)))
        order = self._adopt(instrument, side, size, LIQUIDATION, ts)
        venue.accept_own(order, ts)
        margin.note_liquidation(symbol, ts, price, fee)
        venue.fill_own(order, price, fee, ts)

    def _price(self, instrument: Instrument, side: Side, reached: float, bankrupt: float) -> float:
        """Return the price of the fill: on the tick, and no worse than the bankruptcy price."""
        sells = side is Side.SELL
        grid = instrument.price_grid
        if grid is not None:
            reached = grid.below(reached) if sells else grid.above(reached)
        if bankrupt != bankrupt:  # noqa: PLR0124 - NaN: there is no price at which nothing would be left
            return reached
        if grid is not None:
            bankrupt = grid.above(bankrupt) if sells else grid.below(bankrupt)
        if self._margin.terms.liquidate_at == "bankruptcy":
            return bankrupt
        return max(reached, bankrupt) if sells else min(reached, bankrupt)
