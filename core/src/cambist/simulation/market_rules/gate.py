"""What the risk gate knows of market rules before an order leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.instrument import Grid
from cambist.model.orders import LIMITED, TRIGGERED, Side
from cambist.model.times import format_ns
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView
    from cambist.simulation.market_rules.state import RuledMarket, RuledMarkets

__all__ = ["MarketRulesRule"]


class MarketRulesRule:
    """Refuses an order that the market would not take at this moment.

    It looks at this order alone: that two together sell more than there is, the venue finds out. A child that waits for
    its parent is judged when it trades. Codes: ``outside_session``, ``short_not_allowed``, ``not_sellable_today``,
    ``lot_size``, ``price_off_tick``, ``price_limit``.

    Parameters
    ----------
    markets
        Rules and holdings by symbol.
    """

    name = "market-rules"

    def __init__(self, markets: RuledMarkets) -> None:
        self._markets = markets
        self._grids: dict[str, Grid] = {}

    def concerns(self, instrument: Instrument) -> bool:
        """Instruments that have rules."""
        return instrument.symbol in self._markets.markets

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Look at the time, what is held, the size and the prices."""
        market, now = self._markets.markets[order.instrument.symbol], self._markets.now()
        if not market.is_open(now):
            return Refusal(
                "outside_session",
                f"{order.instrument.symbol} does not trade at {format_ns(now)}; send it in a session, or have orders "
                'wait for one: sessions="hold".',
            )
        refusal = self._review_ticks(order, market)
        if refusal is not None or order.parent:
            return refusal
        return _review_size(order, market, view.position(order.instrument).size, now) or _review_limit(
            order, market, now
        )

    def _review_ticks(self, order: Order, market: RuledMarket) -> Refusal | None:
        rules, symbol = market.rules, order.instrument.symbol
        for what, price in _prices(order) if rules.ticks else ():
            tick = rules.tick(price, None)
            if tick is not None and not self._grids.setdefault(str(tick), Grid(tick)).holds(price):
                return Refusal(
                    "price_off_tick",
                    f"the {what} {price} of {symbol} is no multiple of {tick}, its tick size there; round it.",
                )
        return None


def _review_limit(order: Order, market: RuledMarket, now: int) -> Refusal | None:
    limit, symbol = order.limit_price, order.instrument.symbol
    if limit != limit:  # noqa: PLR0124 - NaN: it has none
        return None
    low, high = market.limits(now)
    if low <= limit <= high:
        return None
    return Refusal(
        "price_limit",
        f"the limit price {limit} of {symbol} lies outside of the day's limits {low} .. {high}; stay within them.",
    )


def _prices(order: Order) -> Iterator[tuple[str, float]]:
    """Yield the prices of an order and what they are; those of a trailing order follow the market."""
    if order.trail is None:
        if order.type in LIMITED:
            yield "limit price", order.limit_price
        if order.type in TRIGGERED:
            yield "stop price", order.stop_price


def _review_size(order: Order, market: RuledMarket, held: float, now: int) -> Refusal | None:
    rules, size, symbol = market.rules, order.size, order.instrument.symbol
    # An order whose terms change is seen without what it has traded by now.
    sellable = max(0.0, market.sellable(now) + (held - market.position.size))
    if order.side is Side.SELL:
        owned = max(0.0, held)
        if order.reduce_only:
            size = min(size, owned)
        if size > owned and not rules.short:
            return Refusal(
                "short_not_allowed",
                f"{size:g} {symbol} were to be sold and {owned:g} are held; sell no more than that.",
            )
        if min(size, owned) > sellable:
            return Refusal(
                "not_sellable_today",
                f"of {owned:g} {symbol} only {sellable:g} may be sold today, and {size:g} were to be: what was bought "
                f"may be sold {rules.sell_after} trading day(s) later. Sell self.sellable(), or wait.",
            )
    elif order.reduce_only:
        size = min(size, max(0.0, -held))
    if rules.has_lots and not market.may_trade(order.side, size, held, sellable):
        return Refusal("lot_size", _lot_message(order, market, held, sellable, size))
    return None


def _lot_message(order: Order, market: RuledMarket, held: float, sellable: float, size: float) -> str:
    rules, symbol = market.rules, order.instrument.symbol
    lots = f"{rules.least:g} shares or more" + (f" in lots of {rules.lot:g}" if rules.lot not in (0.0, 1.0) else "")
    if order.side is Side.SELL and held > 0.0:
        rest = "; what is less must be sold in one order" if rules.odd_lots == "rest" else ""
        return (
            f"{size:g} {symbol} cannot be sold in one order of {sellable:g}: orders are for {lots}{rest}. "
            f"{rules.sell_size(size, sellable):g} could be."
        )
    return (
        f"{size:g} {symbol} cannot be ordered: orders are for {lots}. {rules.buy_size(size):g} is the nearest "
        "number below."
    )
