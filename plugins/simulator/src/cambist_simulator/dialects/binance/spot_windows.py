"""Spot tickers over other stretches of time than the last 24 hours."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cambist_simulator.dialects.binance.errors import ApiError, invalid_symbol, one_of
from cambist_simulator.dialects.binance.formats import eight, percent, to_places
from cambist_simulator.dialects.binance.market_rest import market_now
from cambist_simulator.market.candles import merged

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call

__all__ = ["day_ticker", "window_ticker"]

_MS: Final = 1_000_000
_MINUTE: Final = 60_000 * _MS
_DAY: Final = 1_440 * _MINUTE
_WINDOW: Final = r"^(([\d]{1,2}[m])|([\d]{1,2}[h])|([\d]{1,2}[d]))$"
_is_window = re.compile(_WINDOW, re.ASCII).match
_UNITS: Final = {"m": (_MINUTE, 59), "h": (60 * _MINUTE, 23), "d": (_DAY, 7)}
_ZERO = Decimal(0)


def window_ticker(call: Call) -> Any:
    """Answer with the sums of the last so many minutes, hours or days, by whole minutes."""
    text = call.params.text("windowSize", "1d")
    if not _is_window(text):
        raise ApiError(-1100, f"Illegal characters found in parameter 'windowSize'; legal range is '{_WINDOW}'.")
    unit, most = _UNITS[text[-1]]
    number = int(text[:-1])
    if not 1 <= number <= most:
        raise ApiError(-1130, "Data sent for parameter 'windowSize' is not valid.")
    now = market_now(call)
    opens = (now - number * unit) // _MINUTE * _MINUTE + _MINUTE
    return _answer(call, max(opens, 0), now)


def day_ticker(call: Call) -> Any:
    """Answer with the sums of the UTC day."""
    now = market_now(call)
    opens = now // _DAY * _DAY
    return _answer(call, opens, opens + _DAY - _MS)


def _answer(call: Call, opens: int, closes: int) -> Any:
    symbols = call.params.symbols()
    if symbols is None:
        raise one_of("symbol", "symbols")
    if any(not call.at.lists(one) for one in symbols):
        raise invalid_symbol()
    if call.params.text("type", "FULL") not in {"FULL", "MINI"}:
        raise ApiError(-1139, "Invalid ticker type.")
    rows = [_row(call, one, opens, closes) for one in symbols]
    return rows[0] if "symbol" in call.params else rows


def _row(call: Call, symbol: str, opens: int, closes: int) -> dict[str, Any]:
    data = call.at.data(symbol)
    # Minutes reach back over a day and some hours; what is older is known by the hour.
    interval = "1m" if closes - opens <= _DAY + 60 * _MINUTE else "1h"
    whole = merged(data.candles(interval).rows(start=opens, end=closes, limit=10_000), opens, closes)
    last = data.last_price or _ZERO
    first = last if whole is None else whole.open
    row: dict[str, Any] = {"symbol": symbol}
    if call.params.text("type") != "MINI":
        volume = _ZERO if whole is None else whole.volume
        row |= {
            "priceChange": eight(last - first),
            "priceChangePercent": to_places(percent(last - first, first), 3),
            "weightedAvgPrice": eight(whole.quote_volume / volume if whole is not None and volume else last),
        }
    return row | {
        "openPrice": eight(first),
        "highPrice": eight(last if whole is None else whole.high),
        "lowPrice": eight(last if whole is None else whole.low),
        "lastPrice": eight(last),
        "volume": eight(None if whole is None else whole.volume),
        "quoteVolume": eight(None if whole is None else whole.quote_volume),
        "openTime": opens // _MS,
        "closeTime": closes // _MS,
        "firstId": -1 if whole is None else whole.first_id,
        "lastId": -1 if whole is None else whole.last_id,
        "count": 0 if whole is None else whole.trades,
    }
