"""Market data that only futures have: mark prices and funding."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance.errors import ApiError, invalid_symbol
from cambist_simulator.dialects.binance.formats import eight, plain, to_places
from cambist_simulator.dialects.binance.futures_encode import pair
from cambist_simulator.dialects.binance.market_rest import kline_interval, kline_rows, listed_symbol, market_now
from cambist_simulator.exchange.events import MarkChanged
from cambist_simulator.market.intervals import Interval

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.dialects.binance.venue import Desk

__all__ = [
    "funding_info",
    "funding_rates",
    "index_klines",
    "latest_mark",
    "mark_klines",
    "open_interest",
    "pair_klines",
    "premium_index",
]

_MS = 1_000_000
_ZERO = Decimal(0)


def latest_mark(desk: Desk, symbol: str, now: int) -> MarkChanged:
    """Return mark and index price; the last price where there is no mark yet, and zero before any trade."""
    latest = desk.data(symbol).marks.latest
    if latest is not None:
        return latest
    last = desk.data(symbol).last_price or _ZERO
    interval = desk.listing(symbol).funding_interval
    following = (now // interval + 1) * interval if interval else 0
    return MarkChanged(at=now, symbol=symbol, mark=last, index=last, funding_rate=_ZERO, next_funding=following)


def premium_index(call: Call) -> Any:
    """Answer with mark price, index price and funding."""
    desk, params = call.at, call.params
    listings = desk.exchange.listings
    if "symbol" in params:
        row = _premium(call, listed_symbol(call))
        return [row] if desk.inverse else row
    symbols = list(listings)
    if "pair" in params:
        symbols = [one for one in symbols if pair(one) == params.need("pair")]
        if not symbols:
            raise invalid_symbol()
    return [_premium(call, one) for one in symbols]


def _premium(call: Call, symbol: str) -> dict[str, Any]:
    desk = call.at
    mark = latest_mark(desk, symbol, market_now(call))
    row: dict[str, Any] = {"symbol": symbol}
    if desk.inverse:
        row["pair"] = pair(symbol)
    perpetual = bool(desk.listing(symbol).funding_interval)
    return row | {
        "markPrice": eight(mark.mark),
        "indexPrice": eight(mark.index),
        "estimatedSettlePrice": eight(mark.index),
        "lastFundingRate": eight(mark.funding_rate) if perpetual else "",
        "interestRate": "0.00010000" if perpetual else "",
        "nextFundingTime": mark.next_funding // _MS,
        "time": market_now(call) // _MS,
    }


def funding_rates(call: Call) -> list[dict[str, Any]]:
    """Answer with payments of funding, oldest first."""
    desk, params = call.at, call.params
    start, end = params.window()
    limit = params.limit(100, 1_000)
    symbols = [listed_symbol(call)] if "symbol" in params or desk.inverse else list(desk.exchange.listings)
    rows = [
        {
            "symbol": symbol,
            "fundingTime": one.at // _MS,
            "fundingRate": eight(one.rate),
            "markPrice": eight(one.mark),
        }
        for symbol in symbols
        for one in desk.data(symbol).marks.payments
        if (start is None or one.at // _MS >= start) and (end is None or one.at // _MS <= end)
    ]
    return rows[:limit] if start is not None else rows[-limit:]


def funding_info(call: Call) -> list[dict[str, Any]]:
    """Answer with the rules of funding where they are not the usual ones: nowhere."""
    return [
        {
            "symbol": one.symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": one.funding_interval // (3_600 * 1_000 * _MS),
            "disclaimer": False,
        }
        for one in call.at.exchange.listings.values()
        if one.funding_interval
    ]


def mark_klines(call: Call) -> list[list[Any]]:
    """Answer with candles of the mark price."""
    symbol = listed_symbol(call)
    marks = call.at.data(symbol).marks.marks(Interval(kline_interval(call.params)))
    return kline_rows(call, symbol, marks.rows)


def _symbol_of_pair(call: Call, *, perpetual: bool | None = None) -> str:
    """Return the first symbol of the pair that a request names."""
    name = call.params.symbol("pair")
    for symbol, listing in call.at.exchange.listings.items():
        if pair(symbol) == name and (perpetual is None or (not listing.delivers_at) is perpetual):
            return symbol
    raise invalid_symbol()


def pair_klines(call: Call) -> list[list[Any]]:
    """Answer with candles of the contract of a pair: the perpetual one, or the one that is delivered next."""
    kind = call.params.need("contractType")
    if kind not in {"PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER"}:
        raise ApiError(-4104, "Invalid contract type")
    symbol = _symbol_of_pair(call, perpetual=kind == "PERPETUAL")
    return kline_rows(call, symbol, call.at.data(symbol).candles(kline_interval(call.params)).rows)


def index_klines(call: Call) -> list[list[Any]]:
    """Answer with candles of the index price, which is a pair's."""
    symbol = _symbol_of_pair(call)
    indices = call.at.data(symbol).marks.indices(Interval(kline_interval(call.params)))
    return kline_rows(call, symbol, indices.rows)


def open_interest(call: Call) -> dict[str, Any]:
    """Answer with the contracts that users of the venue hold."""
    desk = call.at
    symbol = listed_symbol(call)
    held = sum(
        (
            max(one.size, _ZERO)
            for user in call.venue.users
            for one in desk.exchange.positions(user)
            if one.symbol == symbol
        ),
        _ZERO,
    )
    row: dict[str, Any] = {"symbol": symbol}
    if desk.inverse:
        row["pair"] = pair(symbol)
    row["openInterest"] = plain(held) if desk.inverse else to_places(held, desk.size_digits(symbol))
    if desk.inverse:
        row["contractType"] = "PERPETUAL"
    row["time"] = market_now(call) // _MS
    return row
