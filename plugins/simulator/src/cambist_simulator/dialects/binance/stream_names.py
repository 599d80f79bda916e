"""Names of market streams: what each carries, how often, and on which path USD-M serves it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from cambist_simulator.dialects.binance.words import INTERVALS
from cambist_simulator.exchange.listing import Segment

__all__ = ["StreamName", "parse"]

_MS: Final = 1_000_000
_DEPTH = re.compile(r"depth(5|10|20)?(?:@(\d+)ms)?$", re.ASCII).match
#: What goes over ``/public``; all else goes over ``/market``.
_PUBLIC: Final = frozenset({"depth", "partial", "bookTicker", "trade"})


class StreamName(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's name, taken apart.

    Attributes
    ----------
    kind
        ``trade``, ``aggTrade``, ``kline``, ``depth``, ``partial``, ``bookTicker``, ``ticker``, ``miniTicker``,
        ``avgPrice``, ``markPrice`` or ``forceOrder``.
    symbol
        Upper case; ``""`` for that of all symbols.
    argument
        Interval of klines, levels of a partial book.
    every
        ns between messages; 0 for at once.
    """

    name: str
    kind: str
    symbol: str
    argument: str = ""
    every: int = 0

    @property
    def category(self) -> str:
        """Path of USD-M that serves it: ``public`` or ``market``."""
        return "public" if self.kind in _PUBLIC else "market"


def parse(name: str, segment: Segment) -> StreamName | None:
    """Take a stream's name apart; None for one that carries nothing here."""
    spot = segment is Segment.SPOT
    if name.startswith("!"):
        return _of_all(name, spot=spot)
    symbol, _, rest = name.partition("@")
    if not symbol or not rest or symbol != symbol.lower():
        return None
    symbol = symbol.upper()
    if rest.startswith("depth"):
        return _depth(name, symbol, rest, spot=spot)
    if rest.startswith("kline_"):
        interval = rest[6:].partition("@")[0]
        if interval not in INTERVALS or (interval == "1s" and not spot):
            return None
        every = 1_000 if interval == "1s" else 2_000 if spot else 250
        return StreamName(name=name, kind="kline", symbol=symbol, argument=interval, every=every * _MS)
    if rest in {"trade", "aggTrade", "bookTicker"}:
        return StreamName(name=name, kind=rest, symbol=symbol)
    if rest in {"ticker", "miniTicker"}:
        return StreamName(name=name, kind=rest, symbol=symbol, every=(1_000 if spot else 2_000) * _MS)
    if spot:
        return StreamName(name=name, kind=rest, symbol=symbol, every=1_000 * _MS) if rest == "avgPrice" else None
    if rest in {"markPrice", "markPrice@1s"}:
        every = 1_000 if rest.endswith("@1s") else 3_000
        return StreamName(name=name, kind="markPrice", symbol=symbol, every=every * _MS)
    return StreamName(name=name, kind=rest, symbol=symbol) if rest == "forceOrder" else None


def _of_all(name: str, *, spot: bool) -> StreamName | None:
    if name in {"!ticker@arr", "!miniTicker@arr"}:
        return StreamName(name=name, kind=name[1:].partition("@")[0], symbol="", every=1_000 * _MS)
    if spot:
        return None
    if name in {"!markPrice@arr", "!markPrice@arr@1s"}:
        return StreamName(
            name=name, kind="markPrice", symbol="", every=(1_000 if name.endswith("@1s") else 3_000) * _MS
        )
    if name in {"!bookTicker", "!forceOrder@arr"}:
        return StreamName(name=name, kind=name[1:].partition("@")[0], symbol="")
    return None


def _depth(name: str, symbol: str, rest: str, *, spot: bool) -> StreamName | None:
    found = _DEPTH(rest)
    if found is None:
        return None
    levels, speed = found.groups()
    allowed = {100, 1_000} if spot else {0, 100, 250, 500}
    every = int(speed) if speed is not None else (1_000 if spot else 250)
    if every not in allowed:
        return None
    return StreamName(
        name=name, kind="partial" if levels else "depth", symbol=symbol, argument=levels or "", every=every * _MS
    )
