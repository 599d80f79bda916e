"""What a cached series is called: ``VENUE:SYMBOL:TIMEFRAME``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from cambist.errors import DataError, InputError, did_you_mean
from cambist.model.timeframe import Timeframe
from cambist.ports.bars import BarKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["REVISED", "SeriesName", "is_series_name", "nearest_key", "nearest_symbol"]

#: What stands behind a name whose bars are to be as the source tells them now.
REVISED = "revised"
_VENUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]+")


@attrs.frozen
class SeriesName:
    """The parts of a name.

    Attributes
    ----------
    venue, symbol, timeframe
        Of the series.
    revised
        Whether its bars are to be as the source tells them now, where it told something else before.

    Examples
    --------
    >>> SeriesName.parse("binance-usdm:BTC/USDT:USDT:1m")
    SeriesName(venue='binance-usdm', symbol='BTC/USDT:USDT', timeframe=Timeframe(ns=60000000000), revised=False)
    """

    venue: str
    symbol: str
    timeframe: Timeframe
    revised: bool = False

    @classmethod
    def parse(cls, text: str) -> SeriesName:
        """Read a name.

        Raises
        ------
        DataError
            It is none.
        """
        rest, colon, last = text.rpartition(":")
        revised = bool(colon) and last == REVISED
        if revised:
            rest, colon, last = rest.rpartition(":")
        venue, _, symbol = rest.partition(":")
        if not (colon and symbol and _VENUE.fullmatch(venue)):
            raise DataError(
                f"{text!r} names no cached series. Write VENUE:SYMBOL:TIMEFRAME, such as binance-spot:BTC/USDT:1m."
            )
        return cls(venue, symbol, Timeframe.parse(last), revised)

    @property
    def key(self) -> BarKey:
        """What the series is found by."""
        return BarKey(self.symbol, self.timeframe, self.venue)

    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol}:{self.timeframe}{f':{REVISED}' if self.revised else ''}"


def is_series_name(text: str) -> bool:
    """Tell whether a text reads ``VENUE:SYMBOL:TIMEFRAME``; whether there is such a series is another question."""
    try:
        SeriesName.parse(text)
    except InputError:
        return False
    return True


def _plain(symbol: str) -> str:
    return "".join(letter for letter in symbol if letter.isalnum()).upper()


def nearest_symbol(symbol: str, known: Sequence[str]) -> str | None:
    """Return the symbol that somebody means: as it is written, or the one that differs in case and separators alone.

    >>> nearest_symbol("btcusdt", ["ETH/USDT", "BTC/USDT"])
    'BTC/USDT'
    """
    if symbol in known:
        return symbol
    same = {one for one in known if _plain(one) == _plain(symbol)}
    return same.pop() if len(same) == 1 else None


def nearest_key(name: SeriesName, known: Iterable[BarKey], where: str) -> BarKey:
    """Return the cached series that a name means.

    A venue may be named by the beginning of its name up to a hyphen: ``binance`` for ``binance-spot``.

    Raises
    ------
    DataError
        There is none, or several could be meant; says which there are, and how to fetch one.
    """
    keys = list(known)
    venues = {key.venue for key in keys}
    of_venue = [
        key
        for key in keys
        if key.venue == name.venue or (name.venue not in venues and key.venue.startswith(f"{name.venue}-"))
    ]
    symbol = nearest_symbol(name.symbol, [key.symbol for key in of_venue])
    found = [key for key in of_venue if (key.symbol, key.timeframe) == (symbol, name.timeframe)]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{name} could be any of {', '.join(map(_text, found))}. Name the venue in full.")
    fetch = f"Fetch it: cambist data get {name.venue} {name.symbol} {name.timeframe} --from 2024-01-01"
    others = [str(key.timeframe) for key in of_venue if key.symbol == symbol]
    if others:
        raise DataError(f"{name}: the cache at {where} has it in {', '.join(others)} alone. {fetch}")
    hint = did_you_mean(str(name), [_text(key) for key in keys])
    raise DataError(f"{name} is not in the cache at {where}.{hint} {fetch}")


def _text(key: BarKey) -> str:
    return f"{key.venue}:{key.symbol}:{key.timeframe}"
