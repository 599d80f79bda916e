"""Market data that spot and futures have in common: books, trades, klines and tickers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist.model import Side
from cambist_simulator.dialects.binance.errors import ApiError, invalid_symbol
from cambist_simulator.dialects.binance.exchange_info import futures_info, selected, spot_info
from cambist_simulator.dialects.binance.formats import eight, percent, to_places
from cambist_simulator.dialects.binance.futures_encode import pair
from cambist_simulator.dialects.binance.words import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.dialects.binance.parameters import Parameters
    from cambist_simulator.dialects.binance.venue import Desk
    from cambist_simulator.market.candles import Candle
    from cambist_simulator.market.windows import Statistics

__all__ = [
    "aggregate_trades",
    "average",
    "average_price",
    "book_ticker",
    "depth",
    "depth_weight",
    "exchange_info",
    "klines",
    "listed_symbol",
    "ping",
    "price_ticker",
    "server_time",
    "ticker",
    "trades",
]

_MS = 1_000_000
_ZERO = Decimal(0)
_FUTURES_DEPTHS = frozenset({5, 10, 20, 50, 100, 500, 1000})


def listed_symbol(call: Call, name: str = "symbol") -> str:
    """Return the symbol of a request, which must be sent and listed."""
    symbol = call.params.symbol(name)
    if not call.at.lists(symbol):
        raise invalid_symbol()
    return symbol


def numbers(desk: Desk, symbol: str) -> tuple[Callable[[Decimal | None], str], Callable[[Decimal | None], str]]:
    """Return how a desk writes prices and sizes of a symbol."""
    if desk.spot:
        return eight, eight
    price, size = desk.price_digits(symbol), desk.size_digits(symbol)
    return lambda value: to_places(value, price), lambda value: to_places(value, size)


def market_now(call: Call) -> int:
    """Return the market's time, ns."""
    return call.venue.clock.market.now()


def ping(call: Call) -> dict[str, Any]:  # noqa: ARG001 -- a handler like the others
    """Answer that the venue is there."""
    return {}


def server_time(call: Call) -> dict[str, Any]:
    """Answer with the clock that signatures are judged by."""
    return {"serverTime": call.now}


def exchange_info(call: Call) -> dict[str, Any]:
    """Answer with limits and symbols."""
    desk, params = call.at, call.params
    wanted = params.symbols() if desk.spot else None
    listings = desk.exchange.listings
    if wanted is not None and any(one not in listings for one in wanted):
        raise invalid_symbol()
    rows = selected(listings, wanted)
    limits = call.venue.limits(desk)
    return spot_info(rows, limits, call.now) if desk.spot else futures_info(rows, limits, call.now, desk.segment)


def depth_weight(params: Parameters) -> int:
    """Return the weight of a request for a book."""
    text = params.text("limit", "100" if params.spot else "500")
    limit = int(text) if text.isdecimal() and len(text) < 10 else 100
    if params.spot:
        return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1_000 else 250
    return 2 if limit <= 50 else 5 if limit <= 100 else 10 if limit <= 500 else 20


def depth(call: Call) -> dict[str, Any]:
    """Answer with the book."""
    desk = call.at
    symbol = listed_symbol(call)
    if desk.spot:
        limit = call.params.limit(100, 5_000)
    else:
        limit = call.params.integer("limit") or 500
        if limit not in _FUTURES_DEPTHS:
            raise ApiError(-4021, f"{limit} is not valid depth limit.")
    book = desk.exchange.book(symbol).depth(limit)
    price, size = numbers(desk, symbol)
    answer: dict[str, Any] = {"lastUpdateId": book.update_id}
    if not desk.spot:
        answer["E"] = call.now
        answer["T"] = market_now(call) // _MS
    if desk.inverse:
        answer["symbol"], answer["pair"] = symbol, pair(symbol)
    answer["bids"] = [(price(at), size(shown)) for at, shown in book.bids]
    answer["asks"] = [(price(at), size(shown)) for at, shown in book.asks]
    return answer


def trades(call: Call) -> list[dict[str, Any]]:
    """Answer with recent trades, or those from an id on."""
    desk = call.at
    symbol = listed_symbol(call)
    price, size = numbers(desk, symbol)
    found = desk.data(symbol).tape.recent(call.params.limit(500, 1_000), call.params.integer("fromId"))
    rows = []
    contract = desk.listing(symbol).contract_size
    for one in found:
        row: dict[str, Any] = {"id": one.id, "price": price(one.price), "qty": size(one.size)}
        if desk.inverse:
            row["baseQty"] = eight(one.size * contract / one.price)
        else:
            row["quoteQty"] = eight(one.size * one.price) if desk.spot else to_places(one.size * one.price, 2)
        row["time"] = one.at // _MS
        row["isBuyerMaker"] = one.side is Side.SELL
        if desk.spot:
            row["isBestMatch"] = True
        rows.append(row)
    return rows


def aggregate_trades(call: Call) -> list[dict[str, Any]]:
    """Answer with trades joined by taker and price."""
    desk, params = call.at, call.params
    symbol = listed_symbol(call)
    price, size = numbers(desk, symbol)
    start, end = params.window()
    found = desk.data(symbol).tape.recent_aggregates(
        params.limit(500, 1_000),
        params.integer("fromId"),
        start=None if start is None else start * _MS,
        end=None if end is None else (end + 1) * _MS - 1,
    )
    rows: list[dict[str, Any]] = []
    for one in found:
        row = {
            "a": one.id,
            "p": price(one.price),
            "q": size(one.size),
            "f": one.first_id,
            "l": one.last_id,
            "T": one.at // _MS,
            "m": one.side is Side.SELL,
        }
        if desk.spot:
            row["M"] = True
        rows.append(row)
    return rows


def klines(call: Call) -> list[list[Any]]:
    """Answer with candles, oldest first."""
    desk, params = call.at, call.params
    symbol = listed_symbol(call, "symbol" if "symbol" in params or desk.spot else "pair")
    return kline_rows(call, symbol, desk.data(symbol).candles(kline_interval(params)).rows)


def kline_interval(params: Parameters) -> str:
    """Return the interval that a request names."""
    interval = params.need("interval")
    if interval not in INTERVALS or (interval == "1s" and not params.spot):
        raise ApiError(-1120, "Invalid interval.")
    return interval


def kline_rows(call: Call, symbol: str, source: Callable[..., Iterable[Candle]]) -> list[list[Any]]:
    """Return candles of a request's window as the venue writes them."""
    start, end = call.params.window()
    desk = call.at
    if desk.inverse and start is not None and end is not None and end - start > 200 * 86_400_000:
        raise ApiError(-4088, "Invalid startTime or endTime: the span must be within 200 days.")
    rows = source(
        start=None if start is None else start * _MS,
        end=None if end is None else end * _MS,
        limit=call.params.limit(500, 1_000 if desk.spot else 1_500),
    )
    price, size = numbers(desk, symbol)
    # What the other side of the trades sums up to: money on linear markets, coin on inverse ones.
    money = eight if desk.spot or desk.inverse else lambda value: to_places(value, 5)
    return [
        [
            one.opens // _MS,
            price(one.open),
            price(one.high),
            price(one.low),
            price(one.close),
            size(one.volume),
            one.closes // _MS - 1,
            money(one.quote_volume),
            one.trades,
            size(one.buy_volume),
            money(one.buy_quote_volume),
            "0",
        ]
        for one in rows
    ]


def average_price(call: Call) -> dict[str, Any]:
    """Answer with the average price of the last five minutes."""
    symbol = listed_symbol(call)
    found = call.at.data(symbol).five_minutes(market_now(call))
    return {"mins": 5, "price": eight(found.average), "closeTime": found.closes // _MS}


def _wanted(call: Call) -> tuple[list[str], bool]:
    """Return the symbols of a ticker request, and whether the answer is a list."""
    desk, params = call.at, call.params
    listings = desk.exchange.listings
    if desk.spot:
        wanted = params.symbols()
        single = "symbol" in params
    else:
        wanted = [params.symbol()] if "symbol" in params else None
        if wanted is None and desk.inverse and "pair" in params:
            wanted = [one for one in listings if pair(one) == params.need("pair")]
        single = "symbol" in params and not desk.inverse
    if wanted is None:
        return list(listings), True
    if any(one not in listings for one in wanted):
        raise invalid_symbol()
    return wanted, not single


def _each(call: Call, row: Callable[[Call, str], dict[str, Any]]) -> Any:
    symbols, listed = _wanted(call)
    rows = [row(call, one) for one in symbols]
    return rows if listed else rows[0]


def ticker(call: Call) -> Any:
    """Answer with the sums of the last 24 hours."""
    if call.params.text("type", "FULL") not in {"FULL", "MINI"}:
        raise ApiError(-1139, "Invalid ticker type.")
    return _each(call, _ticker_row)


def _ticker_row(call: Call, symbol: str) -> dict[str, Any]:
    desk = call.at
    data = desk.data(symbol)
    day = data.day(market_now(call))
    price, size = numbers(desk, symbol)
    mini = call.params.text("type") == "MINI"
    row: dict[str, Any] = {"symbol": symbol}
    if desk.inverse:
        row["pair"] = pair(symbol)
    if not mini:
        row["priceChange"] = price(day.change)
        row["priceChangePercent"] = to_places(percent(day.change, day.open), 3)
        row["weightedAvgPrice"] = price(average(desk, symbol, day))
        if desk.spot:
            row["prevClosePrice"] = price(day.previous)
    last = data.tape.trades[-1].size if data.tape.trades else None
    row["lastPrice"] = price(day.last)
    if not mini:
        row["lastQty"] = size(last)
        if desk.spot:
            row |= _best(desk, symbol)
    row |= {
        "openPrice": price(day.open),
        "highPrice": price(day.high),
        "lowPrice": price(day.low),
        "volume": size(day.volume),
        "baseVolume" if desk.inverse else "quoteVolume": eight(day.quote_volume),
        "openTime": day.opens // _MS,
        "closeTime": day.closes // _MS,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }
    return row


def average(desk: Desk, symbol: str, day: Statistics) -> Decimal:
    """Return the average price; an inverse market sums up contracts and coin."""
    if not desk.inverse:
        return day.average
    contracts = day.volume * desk.listing(symbol).contract_size
    return contracts / day.quote_volume if day.quote_volume else day.last


def _best(desk: Desk, symbol: str) -> dict[str, Any]:
    price, size = numbers(desk, symbol)
    book = desk.exchange.book(symbol)
    bid, ask = book.top(Side.BUY) or (_ZERO, _ZERO), book.top(Side.SELL) or (_ZERO, _ZERO)
    return {
        "bidPrice": price(bid[0]),
        "bidQty": size(bid[1]),
        "askPrice": price(ask[0]),
        "askQty": size(ask[1]),
    }


def book_ticker(call: Call) -> Any:
    """Answer with best prices."""
    return _each(call, _book_row)


def _book_row(call: Call, symbol: str) -> dict[str, Any]:
    desk = call.at
    row: dict[str, Any] = {"symbol": symbol}
    if desk.inverse:
        row["pair"] = pair(symbol)
    row |= _best(desk, symbol)
    if not desk.spot:
        row["time"] = market_now(call) // _MS
        row["lastUpdateId"] = desk.exchange.book(symbol).update_id
    return row


def price_ticker(call: Call) -> Any:
    """Answer with last prices."""
    return _each(call, _price_row)


def _price_row(call: Call, symbol: str) -> dict[str, Any]:
    desk = call.at
    price, _ = numbers(desk, symbol)
    row: dict[str, Any] = {"symbol": symbol}
    if desk.inverse:
        row["ps"] = pair(symbol)
    row["price"] = price(desk.data(symbol).last_price)
    if not desk.spot:
        row["time"] = market_now(call) // _MS
    return row
