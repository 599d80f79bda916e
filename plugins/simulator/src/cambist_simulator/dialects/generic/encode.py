"""The exchange's records as the generic protocol writes them: numbers as text, times in ms, plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.model import Side
from cambist_simulator.dialects.generic.terms import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from cambist_simulator.exchange.book_view import Depth
    from cambist_simulator.exchange.events import BookChanged, MarkChanged, PositionChanged, Traded
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.futures_margin import FuturesWallet
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.orders import Execution, VenueOrder
    from cambist_simulator.exchange.positions import Position
    from cambist_simulator.market.candles import Candle

__all__ = [
    "book",
    "candle",
    "depth",
    "execution",
    "instrument",
    "levels",
    "mark",
    "number",
    "order",
    "position",
    "position_event",
    "side",
    "trade",
    "wallet",
]

_MS = 1_000_000
_TYPE_NAMES = {kind: name for name, kind in TYPES.items()}


def number(value: Decimal | None) -> str | None:
    """Return a number as text, without an exponent."""
    return None if value is None else format(value, "f")


def side(value: Side) -> str:
    """Return ``"buy"`` or ``"sell"``."""
    return "buy" if value is Side.BUY else "sell"


def instrument(exchange: Exchange, one: Listing) -> dict[str, Any]:
    """Return a symbol with its rules."""
    return {
        "symbol": one.symbol,
        "segment": str(exchange.segment),
        "status": str(one.status),
        "base": one.base,
        "quote": one.quote,
        "settle": one.settle,
        "contract_size": number(one.contract_size),
        "tick_size": number(one.tick_size),
        "step_size": number(one.step_size),
        "min_size": number(one.min_size),
        "max_size": number(one.max_size),
        "min_notional": number(one.min_notional),
        "maker_fee": number(one.maker_fee),
        "taker_fee": number(one.taker_fee),
    }


def order(one: VenueOrder) -> dict[str, Any]:
    """Return an order."""
    terms = one.terms
    return {
        "id": one.id,
        "client_id": one.client_id,
        "symbol": terms.symbol,
        "side": side(terms.side),
        "type": _TYPE_NAMES.get(terms.type, str(terms.type)),
        "time_in_force": terms.time_in_force.name.lower(),
        "size": number(one.size),
        "price": number(one.price),
        "stop_price": number(one.stop_price),
        "post_only": terms.post_only,
        "reduce_only": terms.reduce_only,
        "position_side": terms.position_side,
        "status": str(one.status),
        "reason": one.reason,
        "filled": number(one.filled),
        "filled_quote": number(one.quote_filled),
        "average_price": number(one.average_price) if one.filled else None,
        "created": one.created_at // _MS,
        "updated": one.updated_at // _MS,
    }


def execution(one: Execution) -> dict[str, Any]:
    """Return a fill."""
    return {
        "trade_id": one.trade_id,
        "order_id": one.order_id,
        "symbol": one.symbol,
        "side": side(one.side),
        "size": number(one.size),
        "price": number(one.price),
        "quote": number(one.quote),
        "fee": number(one.fee),
        "fee_asset": one.fee_asset,
        "maker": one.maker,
        "profit": number(one.profit),
        "time": one.at // _MS,
    }


def trade(one: Traded) -> dict[str, Any]:
    """Return a trade of the public market."""
    return {
        "id": one.id,
        "price": number(one.price),
        "size": number(one.size),
        "side": side(one.side),
        "time": one.at // _MS,
    }


def levels(rows: Iterable[tuple[Decimal, Decimal]]) -> list[tuple[str, str]]:
    """Return levels of a book as (price, size)."""
    return [(format(price, "f"), format(size, "f")) for price, size in rows]


def depth(one: Depth) -> dict[str, Any]:
    """Return a book."""
    return {"id": one.update_id, "bids": levels(one.bids), "asks": levels(one.asks)}


def book(one: BookChanged) -> dict[str, Any]:
    """Return changes of a book."""
    return {
        "first": one.first_id,
        "last": one.last_id,
        "bids": levels(one.bids),
        "asks": levels(one.asks),
        "time": one.at // _MS,
    }


def candle(one: Candle, *, final: bool) -> dict[str, Any]:
    """Return a candle; `final` where nothing can be added to it."""
    return {
        "open_time": one.opens // _MS,
        "close_time": one.closes // _MS,
        "open": number(one.open),
        "high": number(one.high),
        "low": number(one.low),
        "close": number(one.close),
        "volume": number(one.volume),
        "quote_volume": number(one.quote_volume),
        "trades": one.trades,
        "final": final,
    }


def mark(one: MarkChanged) -> dict[str, Any]:
    """Return mark and index price."""
    return {
        "mark": number(one.mark),
        "index": number(one.index),
        "funding_rate": number(one.funding_rate),
        "next_funding": one.next_funding // _MS,
        "time": one.at // _MS,
    }


def wallet(one: FuturesWallet) -> dict[str, Any]:
    """Return an asset of a futures account."""
    return {
        "wallet": number(one.wallet),
        "available": number(one.available),
        "unrealized": number(one.unrealized),
        "position_margin": number(one.position_margin),
        "order_margin": number(one.order_margin),
        "maintenance_margin": number(one.maintenance),
    }


def position(one: Position) -> dict[str, Any]:
    """Return a position."""
    return {
        "symbol": one.symbol,
        "position_side": one.position_side,
        "size": number(one.size),
        "entry_price": number(one.entry_price),
        "mark_price": number(one.mark),
        "unrealized": number(one.unrealized),
        "realized": number(one.realized),
        "liquidation_price": number(one.liquidation_price) if one.liquidation_price else None,
        "leverage": one.leverage,
        "isolated": one.isolated,
        "maintenance_margin": number(one.maintenance),
    }


def position_event(one: PositionChanged) -> dict[str, Any]:
    """Return a position that has changed."""
    return {
        "symbol": one.symbol,
        "position_side": one.position_side,
        "size": number(one.size),
        "entry_price": number(one.entry_price),
        "unrealized": number(one.unrealized),
        "realized": number(one.realized),
        "isolated": one.isolated,
        "reason": one.reason,
    }
