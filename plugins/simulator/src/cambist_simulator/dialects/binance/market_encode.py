"""What market streams say, as bytes: spot with eight decimals, futures with those of the symbol."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.model import Side
from cambist_simulator.dialects.binance.formats import eight, percent, places, to_places
from cambist_simulator.dialects.binance.futures_encode import pair
from cambist_simulator.dialects.binance.market_rest import average

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from cambist_simulator.dialects.binance.venue import Desk
    from cambist_simulator.exchange.events import MarkChanged, Traded
    from cambist_simulator.market.candles import Candle
    from cambist_simulator.market.tape import AggregateTrade
    from cambist_simulator.market.windows import Statistics

__all__ = ["SymbolEncoder"]

_MS = 1_000_000
_encode = msgspec.json.Encoder().encode


class SymbolEncoder:
    """Encodes what happens in one symbol.

    Parameters
    ----------
    desk
        Whose symbol it is.
    symbol
        Which one.
    """

    def __init__(self, desk: Desk, symbol: str) -> None:
        self.symbol = symbol
        self._spot, self._inverse = desk.spot, desk.inverse
        self._average = partial(average, desk, symbol)
        listing = desk.listing(symbol)
        self._price = _writer(listing.tick_size, None if desk.spot else places(listing.tick_size))
        self._size = _writer(listing.step_size, None if desk.spot else places(listing.step_size))
        self._pair = pair(symbol)
        self._integrated = 2 if desk.inverse else 1

    def trade(self, event: Traded) -> bytes:
        """Return a trade."""
        at = event.at // _MS
        told: dict[str, Any] = {"e": "trade", "E": at}
        if not self._spot:
            told["T"] = at
        told |= {"s": self.symbol, "t": event.id, "p": self._price(event.price), "q": self._size(event.size)}
        if self._spot:
            told |= {"T": at, "m": event.side is Side.SELL, "M": True}
        else:
            told |= {"X": "MARKET", "m": event.side is Side.SELL}
        return _encode(told)

    def aggregate(self, trade: AggregateTrade) -> bytes:
        """Return trades of one taker at one price."""
        at = trade.at // _MS
        told: dict[str, Any] = {
            "e": "aggTrade",
            "E": at,
            "a": trade.id,
            "s": self.symbol,
            "p": self._price(trade.price),
            "q": self._size(trade.size),
        }
        if not self._spot and not self._inverse:
            told["nq"] = told["q"]
        told |= {"f": trade.first_id, "l": trade.last_id, "T": at, "m": trade.side is Side.SELL}
        if self._spot:
            told["M"] = True
        else:
            told["st"] = self._integrated
        return _encode(told)

    def kline(self, candle: Candle, interval: str, *, at: int, closed: bool) -> bytes:
        """Return a candle; `at` is the event's time in ns."""
        price, size = self._price, self._size
        return _encode(
            {
                "e": "kline",
                "E": at // _MS,
                "s": self.symbol,
                "k": {
                    "t": candle.opens // _MS,
                    "T": candle.closes // _MS - 1,
                    "s": self.symbol,
                    "i": interval,
                    "f": candle.first_id,
                    "L": candle.last_id,
                    "o": price(candle.open),
                    "c": price(candle.close),
                    "h": price(candle.high),
                    "l": price(candle.low),
                    "v": size(candle.volume),
                    "n": candle.trades,
                    "x": closed,
                    "q": self._money(candle.quote_volume),
                    "V": size(candle.buy_volume),
                    "Q": self._money(candle.buy_quote_volume),
                    "B": "0",
                },
            }
        )

    def _money(self, value: Decimal) -> str:
        return eight(value) if self._spot or self._inverse else to_places(value, 4)

    def depth(self, first: int, last: int, previous: int, bids: Any, asks: Any, at: int) -> bytes:
        """Return changed levels; `at` in ns."""
        price, size = self._price, self._size
        told: dict[str, Any] = {"e": "depthUpdate", "E": at // _MS}
        if not self._spot:
            told["T"] = at // _MS
        told["s"] = self.symbol
        if not self._spot:
            told |= {"ps": self._pair, "st": self._integrated}
        told |= {"U": first, "u": last}
        if not self._spot:
            told["pu"] = previous
        told["b"] = [(price(level), size(there)) for level, there in bids]
        told["a"] = [(price(level), size(there)) for level, there in asks]
        return _encode(told)

    def partial(self, first: int, last: int, previous: int, bids: Any, asks: Any, at: int) -> bytes:
        """Return the best levels."""
        if not self._spot:
            return self.depth(first, last, previous, bids, asks, at)
        price, size = self._price, self._size
        return _encode(
            {
                "lastUpdateId": last,
                "bids": [(price(level), size(there)) for level, there in bids],
                "asks": [(price(level), size(there)) for level, there in asks],
            }
        )

    def book_ticker(self, update_id: int, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal], at: int) -> bytes:
        """Return best prices and sizes."""
        told: dict[str, Any] = {} if self._spot else {"e": "bookTicker"}
        told["u"] = update_id
        if not self._spot:
            told |= {"E": at // _MS, "T": at // _MS}
        told |= {
            "s": self.symbol,
            "b": self._price(bid[0]),
            "B": self._size(bid[1]),
            "a": self._price(ask[0]),
            "A": self._size(ask[1]),
        }
        if not self._spot:
            told |= {"st": self._integrated, "ps": self._pair}
        return _encode(told)

    def mini_ticker(self, day: Statistics, at: int) -> dict[str, Any]:
        """Return the short form of the last day."""
        told: dict[str, Any] = {"e": "24hrMiniTicker", "E": at // _MS, "s": self.symbol}
        if self._inverse:
            told["ps"] = self._pair
        return told | {
            "c": self._price(day.last),
            "o": self._price(day.open),
            "h": self._price(day.high),
            "l": self._price(day.low),
            "v": self._size(day.volume),
            "q": self._money(day.quote_volume),
        }

    def ticker(
        self,
        day: Statistics,
        at: int,
        last_size: Decimal | None,
        bid: tuple[Decimal, Decimal],
        ask: tuple[Decimal, Decimal],
    ) -> dict[str, Any]:
        """Return the last day."""
        price, size = self._price, self._size
        told: dict[str, Any] = {"e": "24hrTicker", "E": at // _MS, "s": self.symbol}
        if self._inverse:
            told["ps"] = self._pair
        told |= {
            "p": price(day.change),
            "P": to_places(percent(day.change, day.open), 3),
            "w": price(self._average(day)),
        }
        if self._spot:
            told["x"] = price(day.previous)
        told |= {"c": price(day.last), "Q": size(last_size)}
        if self._spot:
            told |= {"b": price(bid[0]), "B": size(bid[1]), "a": price(ask[0]), "A": size(ask[1])}
        return told | {
            "o": price(day.open),
            "h": price(day.high),
            "l": price(day.low),
            "v": size(day.volume),
            "q": self._money(day.quote_volume),
            "O": day.opens // _MS,
            "C": day.closes // _MS,
            "F": day.first_id,
            "L": day.last_id,
            "n": day.trades,
        }

    def average(self, day: Statistics, at: int, last_at: int) -> bytes:
        """Return the average price of some minutes."""
        return _encode(
            {
                "e": "avgPrice",
                "E": at // _MS,
                "s": self.symbol,
                "i": "5m",
                "w": self._price(day.average),
                "T": last_at // _MS,
            }
        )

    def mark(self, mark: MarkChanged, at: int) -> dict[str, Any]:
        """Return mark price and funding."""
        told: dict[str, Any] = {
            "e": "markPriceUpdate",
            "E": at // _MS,
            "s": self.symbol,
            "p": eight(mark.mark),
            "P": eight(mark.index),
        }
        if not self._inverse:
            told["i"] = eight(mark.index)
        else:
            told |= {"i": eight(mark.index), "ps": self._pair}
        return told | {
            "r": eight(mark.funding_rate),
            "T": mark.next_funding // _MS,
            "st": self._integrated,
        }


def _writer(step: Decimal, decimals: int | None) -> Callable[[Decimal | None], str]:
    """Return what writes multiples of `step`: with `decimals` of them, eight for None.

    The numbers of a busy book are written by the hundred thousand: those whose digits are right already are only
    padded.
    """
    there = places(step)
    wanted = 8 if decimals is None else decimals
    if there > wanted:
        return lambda value: to_places(value, wanted)
    padding = "0" * (wanted - there) if there else ("." + "0" * wanted if wanted else "")
    point = -there - 1

    def write(value: Decimal | None) -> str:
        if value is None:
            return to_places(value, wanted)
        text = str(value)
        if "E" in text or (text[point : point + 1] != "." if there else "." in text):
            return to_places(value, wanted)
        return text + padding

    return write
