"""Closes a position whose margin is used up, whatever showed that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.model.legs import side_in
from cambist.model.orders import Liquidity, Side
from cambist.simulation.matching import VenueAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.margin import Margin
    from cambist.model.orders import Order
    from cambist.model.portfolio import Position
    from cambist.simulation.acting import ActingVenue
    from cambist.simulation.working import Market

__all__ = ["DELEVERAGED", "LIQUIDATION", "Adopt", "Liquidator", "MarginAccount", "MarkPrices"]

#: Tag of the order that closes a position, reason of the orders canceled for it and of the trade it ends.
LIQUIDATION = "liquidation"
#: The same where a position in profit is closed to pay for somebody else's.
DELEVERAGED = "adl"

if TYPE_CHECKING:
    #: ``(instrument, side, size, tag, ts, position_side=None) -> order``: makes an order that the venue itself sends.
    Adopt = Callable[..., Order]


class MarginAccount(VenueAccount, Protocol):
    """What a venue that liquidates must know of the account; see `cambist.portfolio.margin.MarginPortfolio`."""

    @property
    def terms(self) -> Margin:
        """How it trades on margin."""
        ...

    @property
    def legs(self) -> Mapping[str, Position]:
        """Positions as they are kept apart, by key: the symbol, and in a hedged account the side."""
        ...

    def mark(self, position: Position) -> float:
        """Return the mark price of a position."""
        ...

    def liquidation_price(self, key: str, marks: Mapping[str, float] = ...) -> float:
        """Return the mark price at which a position is liquidated, or NaN."""
        ...

    def bankruptcy_price(self, key: str, marks: Mapping[str, float] = ...) -> float:
        """Return the price at which nothing is left of what backs a position, or NaN."""
        ...

    def left(self, key: str, price: float, marks: Mapping[str, float] = ...) -> float:
        """Return what is left of that at a mark price."""
        ...

    def size_to_close(self, key: str, price: float, fill: float, marks: Mapping[str, float] = ...) -> float:
        """Return how much of a position brings it into a tier where there is margin enough; 0.0 where none does."""
        ...

    def note_liquidation(self, key: str, size: float, ts: int, fill: float, fee: float, mark: float) -> None:
        """Learn that the next fill of a position liquidates `size` of it."""
        ...

    def note_closing(self, key: str, reason: str) -> None:
        """Learn that the next fill of a position is the venue's doing."""
        ...

    def worst_deficient(self, marks: Mapping[str, float]) -> str | None:
        """Return the position to close first where the account's equity is no more than maintenance margin."""
        ...


class MarkPrices(Protocol):
    """What a venue that liquidates must know of the mark price of an instrument; `PriceSeries` is one."""

    def at(self, ts: int) -> float:
        """Return the last one known at `ts`, ns."""
        ...

    def extremes(self, opened: int, closed: int) -> tuple[float, float, float]:
        """Return the first one known at `opened`, and the lowest and highest from there to `closed`."""
        ...


class Liquidator:
    """Cancels the orders of an instrument and closes positions, by orders of the venue's.

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
        self._by_tier = margin.terms.liquidation == "by_tier"

    def close(self, market: Market, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Cancel the orders of an instrument and close its position at `ts`, the price having reached `reached`.

        `marks` are newer than the account's.
        """
        self.clear(market, ts, LIQUIDATION)
        self.close_out(market.instrument.symbol, reached, ts, marks)

    def clear(self, market: Market, ts: int, reason: str) -> None:
        """Cancel every working order of an instrument."""
        for working in list(market.working.values()):
            if working.order.id in market.working:
                self._venue.withdraw(working, ts, reason)

    def close_out(self, key: str, reached: float, ts: int, marks: Mapping[str, float]) -> None:
        """Close a position, or as much of it as helps, the price having reached `reached`."""
        margin = self._margin
        position = margin.legs[key]
        bankrupt = margin.bankruptcy_price(key, marks)
        price = self._price(position, reached, bankrupt)
        size = margin.size_to_close(key, reached, price, marks) if self._by_tier else 0.0
        if not size:
            size = abs(position.size)
            if bankrupt == bankrupt and (self._by_tier or margin.terms.liquidate_at == "bankruptcy"):  # noqa: PLR0124
                price = self.on_tick(position, bankrupt, better=True)
        fee = position.instrument.notional(size, price) * margin.terms.liquidation_fee
        fee = min(fee, max(0.0, margin.left(key, price, marks)))
        margin.note_liquidation(key, size, ts, price, fee, reached)
        self.send(key, size, price, fee, Liquidity.TAKER, ts, LIQUIDATION)

    def send(self, key: str, size: float, price: float, fee: float, who: Liquidity, ts: int, tag: str) -> None:
        """Trade `size` of a position away by an order of the venue's own."""
        position, venue = self._margin.legs[key], self._venue
        instrument, side = position.instrument, Side.SELL if position.size > 0.0 else Side.BUY
        order = self._adopt(instrument, side, size, tag, ts, position_side=side_in(key, instrument.symbol))
        venue.accept_own(order, ts)
        venue.fill_own(order, price, fee, ts, who)

    def on_tick(self, position: Position, price: float, *, better: bool) -> float:
        """Return a price at which a position is closed on the tick, better or worse for its owner."""
        grid = position.instrument.price_grid
        if grid is None:
            return price
        return grid.above(price) if (position.size > 0.0) is better else grid.below(price)

    def _price(self, position: Position, reached: float, bankrupt: float) -> float:
        """Return the price of the fill: on the tick, and no worse than the bankruptcy price."""
        reached = self.on_tick(position, reached, better=False)
        if bankrupt != bankrupt:  # noqa: PLR0124 - NaN: there is no price at which nothing would be left
            return reached
        bankrupt = self.on_tick(position, bankrupt, better=True)
        return max(reached, bankrupt) if position.size > 0.0 else min(reached, bankrupt)
