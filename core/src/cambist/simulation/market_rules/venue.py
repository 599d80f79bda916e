"""A venue that keeps the rules of stock markets."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.model.orders import Liquidity, Side
from cambist.simulation.venue import SimulatedVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.simulation.market_rules.state import RuledMarket, RuledMarkets
    from cambist.simulation.matching import VenueAccount
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market, Working

__all__ = ["RuledVenue"]

_BUY, _SELL = Side.BUY, Side.SELL
#: A price this near to a limit, as a fraction, is at it.
_NOISE = 1e-9


class RuledVenue(SimulatedVenue):
    """`SimulatedVenue` with lots, settlement, price limits and sessions.

    Parameters
    ----------
    instruments, account, deliver, clock, rules
        See `SimulatedVenue`.
    markets
        Rules and holdings by symbol.

    Notes
    -----
    The trading day of a bar is that of its open. An order that cannot trade at the price it would get, since that lies
    beyond the day's limits, or at the limit where the other side is missing, takes no further part in the bar, and
    waits for the next one; so does one whose own limit price a later day does not allow. A sale of what may not be sold
    that day ends with ``not_sellable_today``, of what is not held with ``short_not_allowed``; a child of an order that
    was filled waits for the day instead.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: VenueAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
        *,
        markets: RuledMarkets,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._ruled = markets
        self._edges = (nan, nan)

    def split(self, symbol: str, ratio: float, ts: int) -> None:
        """Give the working orders of an instrument, and what was bought of it, the terms in new shares."""
        super().split(symbol, ratio, ts)
        if symbol in self._ruled.markets:
            self._ruled.markets[symbol].split(ratio)

    # One bar.

    def match(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Work the orders of one instrument against one bar, if it lies in a session."""
        ruled = self._ruled.markets.get(symbol)
        if ruled is not None and not ruled.trades(opened, closed - opened):
            return
        self._edges = low, high
        self._ruled.at = opened
        super().match(symbol, opened, closed, open_, high, low, close, volume)
        self._ruled.at = None

    def mark_close(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Note a bar's close, at which orders may trade."""
        super().mark_close(symbol, opened, closed, open_, high, low, close, volume)
        self._edges = low, high

    def _trade_at_close(self, market: Market, working: Working) -> None:
        """Let a market order trade at the close of the bar at which it was sent, on the trading day of that bar."""
        self._ruled.at = market.last_open
        super()._trade_at_close(market, working)
        self._ruled.at = None

    # One order.

    def _execute(self, market: Market, working: Working, price: float, who: Liquidity, ts: int) -> None:
        """Trade what the rules of the market, and then volume, position and funds, allow at `price`."""
        ruled = self._ruled.markets.get(market.instrument.symbol)
        if ruled is not None:
            price = self._allowed(ruled, working.order, price)
            if price != price:  # noqa: PLR0124 - NaN: there is nobody to trade with
                market.blocked.add(working.order.id)
                return
            if working.order.side is _SELL and not self._may_sell(ruled, market, working, ts):
                return
        super()._execute(market, working, price, who, ts)

    def _allowed(self, ruled: RuledMarket, order: Order, price: float) -> float:
        """Return the price at which an order may trade, NaN where it may not."""
        low, high = ruled.limits(self._ruled.now())
        limit = order.limit_price
        if limit < low * (1.0 - _NOISE) or limit > high * (1.0 + _NOISE):
            return nan
        buys, (lowest, highest) = order.side is _BUY, self._edges
        edge, other = (high, low) if buys else (low, high)
        beyond, is_at = (
            (price < other, price >= edge * (1.0 - _NOISE))
            if buys
            else (
                price > other,
                price <= edge * (1.0 + _NOISE),
            )
        )
        if beyond:
            return nan
        if not is_at:
            return price
        locked = lowest >= edge * (1.0 - _NOISE) if buys else highest <= edge * (1.0 + _NOISE)
        return nan if locked or ruled.rules.at_limit == "never" else edge

    def _may_sell(self, ruled: RuledMarket, market: Market, working: Working, ts: int) -> bool:
        """Tell whether what an order would sell may be sold today; else end it, or let it wait."""
        order, held = working.order, max(0.0, ruled.position.size)
        size = working.remaining if self._ties is None else self._ties.bound(working, working.remaining)
        if order.reduce_only:
            size = min(size, held)
        reason = ""
        if size > held and not ruled.rules.short:
            reason = "short_not_allowed"
        elif min(size, held) > ruled.sellable(self._ruled.now()):
            reason = "not_sellable_today"
            if order.parent:
                market.blocked.add(order.id)
                return False
        if reason:
            self._refuse(working, ts, reason)
        return not reason

    def _cut(self, market: Market, order: Order, size: float, price: float) -> float:
        """Return how much of `size` the bar's volume lets trade, in whole lots."""
        cut = super()._cut(market, order, size, price)
        ruled = self._ruled.markets.get(order.instrument.symbol)
        if ruled is None or not ruled.rules.lot or not 0.0 < cut < size:
            return cut
        lots = order.instrument.size_grid.nearest(cut // ruled.rules.lot * ruled.rules.lot)
        if lots <= 0.0:
            market.blocked.add(order.id)
        return lots

    def _book(self, working: Working, size: float, price: float, fee: float, who: Liquidity, ts: int, at: int) -> None:
        """Take a fill into the books, and note the trading day of it."""
        order = working.order
        ruled = self._ruled.markets.get(order.instrument.symbol)
        if ruled is not None:
            ruled.note(order.side, size, price, fee, self._ruled.now())
        super()._book(working, size, price, fee, who, ts, at)

    def record(self, order: Order, price: float, fee: float | None, who: Liquidity, ts: int, at: int) -> None:
        """Book a fill that took place elsewhere, and note the trading day of it; see `RecordingVenue`."""
        charged = self._fee_of(order, order.size, price, who, ts) if fee is None else fee
        ruled = self._ruled.markets.get(order.instrument.symbol)
        if ruled is not None:
            ruled.note(order.side, order.size, price, charged, ts)
        super().record(order, price, charged, who, ts, at)
