"""What a live run listens to: bars, trades, quotes and books of the instruments that it names."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import attrs

from cambist.errors import CambistError, ConfigError, did_you_mean
from cambist.model.timeframe import Timeframe
from cambist.ports.venue import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cambist.model.instrument import Instrument
    from cambist.ports.venue import VenueSession

__all__ = ["KINDS", "Listening", "Named", "resolve"]

#: What there is beside bars.
KINDS = ("ticks", "quotes", "book")

#: A symbol, and what is wanted of it: a timeframe (``"1m"``) for bars, or one of `KINDS`.
Named = tuple[str, Timeframe | str]


@attrs.frozen
class Listening:
    """What a run listens to, in declared order.

    Attributes
    ----------
    bars
        Instrument and timeframe of each series of bars.
    streams
        Kind and instrument of each series of trades, quotes or a book.
    """

    bars: tuple[tuple[Instrument, Timeframe], ...]
    streams: tuple[tuple[str, Instrument], ...] = ()

    @property
    def instruments(self) -> list[Instrument]:
        """The instruments, each once."""
        named = [*(one for one, _ in self.bars), *(one for _, one in self.streams)]
        return list(dict.fromkeys(named))

    @property
    def subscriptions(self) -> list[Subscription]:
        """What a session is asked for: bars, then what is finer."""
        bars = [Subscription(instrument, "bars", timeframe) for instrument, timeframe in self.bars]
        return [*bars, *(Subscription(instrument, kind) for kind, instrument in self.streams)]


def resolve(session: VenueSession, named: Sequence[Named]) -> Listening:
    """Return what is wanted, with the instruments as the venue has them today.

    Raises
    ------
    ConfigError
        If the venue does not trade one of them, or there is no such data, or the same is named twice.
    """
    known = {one.symbol: one for one in session.instruments()}
    bars: list[tuple[Instrument, Timeframe]] = []
    streams: list[tuple[str, Instrument]] = []
    for symbol, what in named:
        if symbol not in known:
            raise ConfigError(
                f"{session.name} does not trade {symbol!r}: it never did, or not at the moment.{_near(symbol, known)}",
                code="unknown_symbol",
            )
        instrument = known[symbol]
        if isinstance(what, str) and what in KINDS:
            if (what, instrument) in streams:
                raise ConfigError(f"{what} of {symbol} are named twice; name them once.")
            streams.append((what, instrument))
        else:
            series = instrument, _timeframe(symbol, what)
            if series in bars:
                raise ConfigError(f"bars of {symbol} {series[1]} are named twice; name them once.")
            bars.append(series)
    if not bars and not streams:
        raise ConfigError("a live run listens to something: name a symbol, and a timeframe, ticks, quotes or book.")
    return Listening(tuple(bars), tuple(streams))


def _timeframe(symbol: str, what: Timeframe | str) -> Timeframe:
    try:
        return Timeframe.parse(what)
    except CambistError:
        raise ConfigError(
            f"{symbol}: there is no data called {what!r}.{did_you_mean(str(what), KINDS)} "
            "Name a timeframe such as '1m' for bars, or ticks, quotes or book."
        ) from None


def _near(symbol: str, known: Iterable[str]) -> str:
    """Return what was probably meant: the same symbol in other words, else what has the same first letters."""
    plain = {"".join(filter(str.isalnum, one)).upper(): one for one in known}
    same = plain.get("".join(filter(str.isalnum, symbol)).upper())
    if same is not None:
        return f" Did you mean {same!r}?"
    near = get_close_matches(symbol, plain.values(), n=3) or sorted(
        one for one in plain.values() if one[:3] == symbol[:3]
    )
    return f" There are {', '.join(near[:5])}." if near else ""
