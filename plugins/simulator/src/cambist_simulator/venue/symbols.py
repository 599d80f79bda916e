"""Which symbols a venue lists, and where their prices begin when nobody recorded any."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np

from cambist.api import ParameterError
from cambist_simulator.exchange.listing import Listing, Segment

__all__ = ["first_price", "made_listing", "parse_symbol"]

_QUOTES = ("USDT", "USDC", "FDUSD", "USD", "EUR", "BTC", "ETH")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,30}")
#: Round prices of 2025, in dollars.
_DOLLARS = {
    "BTC": Decimal(60_000),
    "ETH": Decimal(2_500),
    "BNB": Decimal(600),
    "SOL": Decimal(150),
    "XRP": Decimal("0.6"),
    "LTC": Decimal(80),
    "ADA": Decimal("0.4"),
    "DOGE": Decimal("0.1"),
}


def parse_symbol(text: str) -> tuple[str, Segment]:
    """Return symbol and segment of ``"BTCUSDT"`` (spot) or ``"BTCUSDT:linear"``.

    Raises
    ------
    ParameterError
        It reads like no symbol, or there is no such segment.
    """
    symbol, colon, segment = text.strip().partition(":")
    if not _SYMBOL.fullmatch(symbol):
        raise ParameterError(f"{text!r} is no symbol; write such as BTCUSDT, or BTCUSDT:linear for futures.")
    try:
        return symbol, Segment(segment) if colon else Segment.SPOT
    except ValueError:
        known = ", ".join(str(one) for one in Segment)
        raise ParameterError(f"{text!r} names the segment {segment!r}; there are {known}.") from None


def split_symbol(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol; what ends in no known quote is quoted in USD."""
    plain = re.sub(r"[_-]?PERP$", "", symbol).replace("-", "").replace("_", "")
    for quote in _QUOTES:
        if plain.endswith(quote) and len(plain) > len(quote):
            return plain[: -len(quote)], quote
    return plain, "USD"


def first_price(listing: Listing) -> Decimal:
    """Return where the price of a symbol begins: what it was in 2025, or 100; on its tick."""
    quote = _DOLLARS.get(listing.quote, Decimal(1))
    price = _DOLLARS.get(listing.base, Decimal(100)) / quote
    return max(price // listing.tick_size * listing.tick_size, listing.tick_size * 1_000)


def made_listing(symbol: str, segment: Segment, prices: np.ndarray | None = None) -> Listing:
    """Return a listing of a symbol that the venue does not know.

    Parameters
    ----------
    prices
        Recorded ones: the tick is the coarsest power of ten that they all are multiples of, 1e-8 at least. None for
        0.01.
    """
    base, quote = split_symbol(symbol)
    tick = Decimal("0.01") if prices is None else _tick(prices)
    # Products of tick and step stay exact, see `cambist_simulator.exchange.exchange`.
    step = Decimal("0.0001") if tick >= Decimal("0.00000001") else Decimal(1)
    futures = segment is not Segment.SPOT
    return Listing(
        symbol=symbol,
        base=base,
        quote=quote,
        settle=base if segment is Segment.INVERSE else quote,
        tick_size=tick,
        step_size=step if segment is not Segment.INVERSE else Decimal(1),
        min_size=step,
        maker_fee=Decimal("0.0002") if futures else Decimal("0.001"),
        taker_fee=Decimal("0.0005") if futures else Decimal("0.001"),
    )


def _tick(prices: np.ndarray) -> Decimal:
    for digits in range(8):
        scaled = prices * 10.0**digits
        if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6 * np.maximum(1.0, np.abs(scaled) * 1e-6)):
            return Decimal(1).scaleb(-digits)
    return Decimal("0.00000001")
