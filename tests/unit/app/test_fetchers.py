"""From a venue's name to what fetches its history, and from the name of a series to the cache."""

from __future__ import annotations

import types

import pytest

from cambist.api import FeedSpec, SessionSpec, VenueError, hookimpl
from cambist.app.fetching import SessionFetcher, open_fetcher
from cambist.app.plan import SeriesPlan
from cambist.app.sources import default_symbol, feed_of_name, open_series
from cambist.errors import ConfigError, DataError, UnknownComponentError
from cambist.model import Instrument, Timeframe
from cambist.plugins.registry import Registry

MINUTE = Timeframe.parse("1m")


class Archive:
    """Fetches; both a fetcher and the feed that makes it."""

    def __init__(self, depth):
        self.depth = depth

    @classmethod
    def fetcher(cls, depth=1):
        return cls(depth)


class Session:
    """A session of which history alone is used; it raises what it is given, then answers."""

    name = "acme-spot"

    def __init__(self, errors=(), **settings):
        self.errors, self.settings, self.calls = list(errors), settings, []

    async def open(self):
        self.calls.append("open")

    async def close(self):
        self.calls.append("close")

    def instruments(self):
        return [Instrument(symbol="BTC/USDT")]

    async def history(self, instrument, timeframe, start, end):
        self.calls.append("history")
        if self.errors:
            raise self.errors.pop(0)
        return (instrument.symbol, timeframe, start, end)


def busy(seconds):
    error = VenueError("busy.", code="rate_limit")
    error.retry_after = seconds * 1_000_000_000
    return error


def refused():
    error = VenueError("no.", code="-1")
    error.reason = "rejected"
    return error


@pytest.fixture
def registry():
    module = types.ModuleType("acme_venues")

    @hookimpl
    def cambist_feeds():
        return [
            FeedSpec(name="archive", factory=Archive, capabilities=["fetch"]),
            FeedSpec(name="tide", factory=Archive, capabilities=["history"]),
        ]

    @hookimpl
    def cambist_sessions():
        def session(name, *capabilities):
            return SessionSpec(name=name, factory=Session, capabilities=capabilities)

        return [
            session("acme-spot", "history", "spot"),
            session("acme-usdm", "history", "margin"),
            session("lone-spot", "history", "spot"),
            session("mute", "orders"),
            session("many", "history", "any-exchange"),
        ]

    module.cambist_feeds, module.cambist_sessions = cambist_feeds, cambist_sessions
    return Registry.of([module], core=True)


def opened(registry, venue, symbol="BTC/USDT", **settings):
    fetcher = open_fetcher(venue, symbol, registry, settings)
    if isinstance(fetcher, SessionFetcher):
        fetcher.close()
    return fetcher


def test_a_feed_that_fetches_makes_its_fetcher_of_checked_settings(registry):
    assert opened(registry, "archive", depth=3).depth == 3
    with pytest.raises(ConfigError, match=r"dept: .*Did you mean 'depth'"):
        opened(registry, "archive", dept=3)


@pytest.mark.parametrize(
    ("venue", "symbol", "settings"),
    [
        ("acme-usdm", "BTC/USDT", {}),
        ("acme", "BTC/USDT", {}),
        ("acme", "BTC/USDT:USDT", {}),
        ("lone", "BTC/USDT:USDT", {}),
        ("elsewhere", "BTC/USDT", {"exchange": "elsewhere"}),
        ("many", "BTC/USDT", {}),
    ],
)
def test_a_venue_is_a_session_the_beginning_of_one_or_an_exchange_of_many(registry, venue, symbol, settings):
    fetcher = opened(registry, venue, symbol)
    assert fetcher._session.settings == settings


def test_a_session_without_history_is_told_from_those_with(registry):
    with pytest.raises(ConfigError, match=r"'mute' has no history to fetch. What has: acme-spot, acme-usdm, lone-spot"):
        opened(registry, "mute")
    with pytest.raises(UnknownComponentError, match="no plugin offers the session 'nowhere'"):
        opened(Registry.of([], core=True), "nowhere")


def test_where_a_session_asks_is_part_of_its_origin(registry):
    assert opened(registry, "acme").origin == "acme-spot"
    assert opened(registry, "acme", url="http://here", depth=1).origin == "acme-spot (url=http://here)"


@pytest.mark.parametrize(
    ("errors", "waits"),
    [
        ([], []),
        ([VenueError("cut."), VenueError("cut.")], [1.0, 2.0]),
        ([busy(7), VenueError("cut."), busy(1_000)], [7.0, 2.0, 60.0]),
    ],
)
def test_what_may_be_answered_the_next_time_is_asked_again_after_a_while(errors, waits):
    naps = []

    async def nap(seconds):
        naps.append(seconds)

    session = Session(errors)
    fetcher = SessionFetcher(session, {}, sleep=nap)
    assert fetcher.fetch("BTC/USDT", MINUTE, 1, 2) == ("BTC/USDT", MINUTE, 1, 2)
    fetcher.close()
    assert naps == waits
    assert session.calls == ["open", *["history"] * (len(errors) + 1), "close"]


@pytest.mark.parametrize(
    ("errors", "calls"),
    [([VenueError("none.", code="no_bars")], 1), ([refused()], 1), ([VenueError("cut.")] * 9, 5)],
)
def test_what_stays_as_it_is_is_not_asked_for_ever(errors, calls):
    async def nap(_seconds):
        pass

    session = Session(errors)
    fetcher = SessionFetcher(session, {}, sleep=nap)
    with pytest.raises(VenueError):
        fetcher.fetch("BTC/USDT", MINUTE, 1, 2)
    fetcher.close()
    assert session.calls.count("history") == calls


@pytest.mark.parametrize(
    ("source", "feed", "symbol"),
    [
        ("acme-spot:BTC/USDT:1m", "cache", "BTC/USDT"),
        ("acme:BTC/USDT:USDT:1m:revised", "cache", "BTC/USDT:USDT"),
        ("archive:AAPL:1d", "cache", "AAPL"),
        ("cache:tide:low:1d", "cache", "low"),
        ("tide:low:1d", "tide", "low"),
        ("tide:low", "tide", "low"),
        ("nobody:low", "nobody", "low"),
    ],
)
def test_which_feed_opens_a_name(registry, source, feed, symbol):
    assert feed_of_name(source, None, registry) == feed
    assert default_symbol(source) == symbol


def test_a_series_that_is_not_there_says_how_to_fetch_it(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMBIST_CACHE", str(tmp_path))
    pytest.importorskip("cambist_storage", reason="the cache keeps its bars with cambist-storage")
    with pytest.raises(DataError, match=r"Fetch it: cambist data get acme BTC/USDT 1m --from"):
        open_series([SeriesPlan(source="acme:BTC/USDT:1m")], registry)
    with pytest.raises(ConfigError, match=r"takes|names"):
        open_series([SeriesPlan(source="tide:low", symbol="X")], registry)
