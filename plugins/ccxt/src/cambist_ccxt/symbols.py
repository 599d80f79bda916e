"""What instruments are called here, and at the venue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.api import VenueError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model import Instrument

__all__ = ["Symbols"]


class Symbols:
    """Two names for each instrument: its symbol, and the venue's.

    Symbols are those of ccxt, the same at all venues: ``"BTC/USDT"`` on spot, ``"BTC/USDT:USDT"`` for a perpetual
    settled in USDT, ``"BTC/USD:BTC-260327"`` for a dated contract settled in the coin.

    Parameters
    ----------
    pairs
        The venue's name and the instrument.
    closed
        Venue's names of what cannot be traded now, with what the venue says of them.
    """

    def __init__(
        self, pairs: Iterable[tuple[str, Instrument]] = (), closed: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        self.by_venue: dict[str, Instrument] = dict(pairs)
        self._venue_names = {one.symbol: name for name, one in self.by_venue.items()}
        self._ours = {name: one.symbol for name, one in self.by_venue.items()}
        self._closed: dict[str, str] = {}
        for name, symbol, status in closed:
            self._ours[name] = symbol
            self._venue_names[symbol] = name
            self._closed[symbol] = status

    def become(self, other: Symbols) -> None:
        """Say from now on what another says: everybody who asks holds this one."""
        self.by_venue, self._venue_names = other.by_venue, other._venue_names
        self._ours, self._closed = {**self._ours, **other._ours}, other._closed

    @property
    def instruments(self) -> list[Instrument]:
        """What can be traded."""
        return list(self.by_venue.values())

    def ours(self, venue_name: str) -> str:
        """Return the symbol of a venue's name; the name itself where nobody knows it."""
        return self._ours.get(venue_name, venue_name)

    def theirs(self, symbol: str) -> str:
        """Return the venue's name of a symbol, or of the venue's name itself.

        Raises
        ------
        VenueError
            It has none of that name; the nearest is suggested. Code ``"unknown_symbol"``.
        """
        name = self._venue_names.get(symbol)
        if name is not None:
            return name
        if symbol in self._ours:
            return symbol
        raise VenueError(
            f"the venue trades no {symbol!r}.{did_you_mean(symbol, self._venue_names)[:400]}", code="unknown_symbol"
        )

    def instrument(self, symbol: str) -> Instrument:
        """Return an instrument by its symbol or the venue's name.

        Raises
        ------
        VenueError
            There is none, or it cannot be traded now.
        """
        name = self.theirs(symbol)
        found = self.by_venue.get(name)
        if found is None:
            status = self._closed.get(self.ours(name), "")
            raise VenueError(f"{symbol} cannot be traded now: the venue says {status}.", code="symbol_halted")
        return found
