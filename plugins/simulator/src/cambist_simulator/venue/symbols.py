"""Which symbols a venue lists, and where their prices begin when nobody recorded any."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np

from cambist.api import ParameterError
from cambist_simulator.exchange.listing import Bracket, Listing, Segment

__all__ = ["first_price", "made_listing", "parse_symbol", "worth"]

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

#: Up to so many dollars: most leverage, share that must be left.
_TIERS = (
    (Decimal(50_000), 50, "0.01"),
    (Decimal(250_000), 20, "0.025"),
    (Decimal(1_000_000), 10, "0.05"),
    (Decimal(5_000_000), 5, "0.1"),
    (Decimal(20_000_000), 2, "0.25"),
    (Decimal(100_000_000), 1, "0.5"),
)
_STEP = Decimal("0.0001")
_PLACES = Decimal("0.00000001")


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


def worth(dollars: Decimal, asset: str) -> Decimal:
    """Return how much of an asset so many dollars were in 2025."""
    return (dollars / _DOLLARS.get(asset, Decimal(1))).quantize(_PLACES)


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
    if segment is Segment.SPOT:
        return Listing(
            symbol=symbol, base=base, quote=quote, settle=quote, tick_size=tick, step_size=_STEP, min_size=_STEP
        )
    inverse = segment is Segment.INVERSE
    step = Decimal(1) if inverse else _STEP
    coin = _DOLLARS.get(base, Decimal(100))
    return Listing(
        symbol=symbol,
        base=base,
        quote=quote,
        settle=base if inverse else quote,
        # Dollars in a contract that is settled in coin.
        contract_size=Decimal(10) if inverse else Decimal(1),
        tick_size=tick,
        step_size=step,
        min_size=step,
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        liquidation_fee=Decimal("0.01"),
        brackets=_brackets(coin if inverse else Decimal(1)),
        funding_interval=8 * 3_600_000_000_000,
    )


def _brackets(unit: Decimal) -> tuple[Bracket, ...]:
    """Return tiers of positions, in units of so many dollars; margin has no jump from one to the next."""
    found: list[Bracket] = []
    floor, rate, cumulative = Decimal(0), Decimal(0), Decimal(0)
    for number, (dollars, leverage, share) in enumerate(_TIERS, start=1):
        cap = (dollars / unit).quantize(_PLACES)
        cumulative += floor * (Decimal(share) - rate) if found else Decimal(0)
        rate = Decimal(share)
        found.append(
            Bracket(
                bracket=number,
                max_leverage=leverage,
                floor=floor,
                cap=cap,
                maintenance_rate=rate,
                cumulative=cumulative,
            )
        )
        floor = cap
    return tuple(found)


def _tick(prices: np.ndarray) -> Decimal:
    for digits in range(8):
        scaled = prices * 10.0**digits
        if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6 * np.maximum(1.0, np.abs(scaled) * 1e-6)):
            return Decimal(1).scaleb(-digits)
    return Decimal("0.00000001")
