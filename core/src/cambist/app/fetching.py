"""From the name of a venue to what fetches its history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cambist.config.problems import path_text
from cambist.config.settings import check_settings
from cambist.errors import ConfigError, VenueError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import SessionSpec, Spec
    from cambist.ports.fetching import HistoryFetcher
    from cambist.ports.venue import VenueSession

__all__ = ["SessionFetcher", "open_fetcher"]

#: Settings of a session that say whose market it is; bars of two are never put into one series.
_WHERE = ("url", "urls", "environment", "sandbox")
_ATTEMPTS = 5
_LONGEST_WAIT = 60.0
_SECOND_NS = 1_000_000_000
#: What another attempt does not change.
_FINAL = frozenset({"no_bars", "timeframe", "unknown_symbol", "symbol_halted", "no_api_key"})


class SessionFetcher:
    """History of a venue's session; a `cambist.api.HistoryFetcher`.

    Parameters
    ----------
    session
        Not yet open; it needs no key.
    where
        Of its settings, those that say whose market it is.
    sleep
        Waits, seconds.

    Raises
    ------
    VenueError
        The venue cannot be reached.
    """

    def __init__(
        self,
        session: VenueSession,
        where: Mapping[str, Any],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session, self._sleep = session, sleep
        said = " ".join(f"{name}={value}" for name, value in sorted(where.items()))
        self.origin = f"{session.name} ({said})" if said else session.name
        self._runner = asyncio.Runner()
        try:
            self._runner.run(session.open())
        except BaseException:
            self._runner.close()
            raise
        self._instruments = {one.symbol: one for one in session.instruments()}

    @property
    def venue(self) -> str:
        """The session's name."""
        return self._session.name

    def instruments(self) -> Sequence[Instrument]:
        """Return what the venue trades."""
        return list(self._instruments.values())

    def fetch(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``.

        Raises
        ------
        VenueError
            There are none (code ``"no_bars"``), or the venue refuses, or does not answer several times in a row.
        """
        return self._runner.run(self._fetched(self._instruments[symbol], timeframe, start, end))

    async def _fetched(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._session.history(instrument, timeframe, start, end)
            except VenueError as error:
                # What a venue refused with a reason of its own it will refuse again.
                if attempt == _ATTEMPTS or error.code in _FINAL or hasattr(error, "reason"):
                    raise
                asked: float = getattr(error, "retry_after", 0) / _SECOND_NS
                await self._sleep(min(_LONGEST_WAIT, max(asked, 2.0 ** (attempt - 1))))
        raise AssertionError

    def close(self) -> None:
        """Close the session."""
        try:
            self._runner.run(self._session.close())
        finally:
            self._runner.close()


def open_fetcher(venue: str, symbol: str, registry: Registry, settings: Mapping[str, Any]) -> HistoryFetcher:
    """Open what fetches the history of a venue.

    Parameters
    ----------
    venue
        A feed that fetches, a session, the beginning of a session's name up to a hyphen (``binance`` for
        ``binance-spot``), or an exchange that a session for any exchange knows.
    symbol
        What will be fetched; it tells a spot market from one of contracts, whose symbols have a colon.
    settings
        Of the feed or the session.

    Raises
    ------
    ConfigError
        A setting cannot be used, or it is not plain which market is meant.
    PluginError
        Nobody offers such a venue, or the plugin that does is broken.
    VenueError
        It cannot be reached.
    """
    feed = registry.feeds().get(venue)
    if feed is not None and "fetch" in feed.capabilities:
        maker: Any = feed.load()
        fetcher: HistoryFetcher = maker.fetcher(**_checked(feed, settings, maker.fetcher, 0))
        return fetcher
    spec, given = _session(venue, symbol, registry, settings)
    factory: Any = spec.load()
    where = {name: given[name] for name in _WHERE if name in given}
    return SessionFetcher(factory(**_checked(spec, given, factory, 0)), where)


def _session(
    venue: str, symbol: str, registry: Registry, settings: Mapping[str, Any]
) -> tuple[SessionSpec, dict[str, Any]]:
    """Return the session that a venue's name means, and its settings."""
    able = {name: one for name, one in registry.sessions().items() if "history" in one.capabilities}
    if venue in able:
        return able[venue], dict(settings)
    markets = {name: one for name, one in able.items() if name.startswith(f"{venue}-")}
    if len(markets) > 1:
        kind = "margin" if ":" in symbol else "spot"
        markets = {name: one for name, one in markets.items() if kind in one.capabilities}
        if len(markets) != 1:
            names = sorted(name for name in able if name.startswith(f"{venue}-"))
            raise ConfigError(f"{venue} has several markets, and {symbol} could be of any: name {' or '.join(names)}.")
    if markets:
        return next(iter(markets.values())), dict(settings)
    offered = registry.sessions().get(venue)
    if offered is not None:
        raise ConfigError(f"the session {venue!r} has no history to fetch. What has: {', '.join(sorted(able))}.")
    anyone = next((one for one in able.values() if "any-exchange" in one.capabilities), None)
    if anyone is not None:
        return anyone, {"exchange": venue, **settings}
    return registry.get("session", venue), dict(settings)


def _checked(spec: Spec, settings: Mapping[str, Any], factory: Any, given: int) -> dict[str, Any]:
    """Check settings by the class, or the keywords, that say what may be set."""
    made, problems = check_settings(dict(settings), spec.load_config(), factory, given, ())
    if problems:
        told = "\n".join(f"  {path_text(one.where)}: {one.message}" for one in problems)
        raise ConfigError(f"{spec} cannot be opened with these settings:\n{told}")
    return made
