"""Market streams: subscriptions spread over connections, each watched for silence."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist.api import ParameterError
from cambist_binance.books import LocalBook
from cambist_binance.feeds import BarFeed, BookFeed, MarkFeed, QuoteFeed, TickFeed
from cambist_binance.hosts import Market
from cambist_binance.wire.market import decode_envelope, interval_of
from cambist_ccxt.channel import Channel
from cambist_ccxt.errors import NoAnswerError, RefusedError
from cambist_ccxt.link import Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.api import Subscription
    from cambist_binance.feeds import Feed, Item
    from cambist_binance.queries import Queries
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.link import Connection, LinkSettings
    from cambist_ccxt.symbols import Symbols

__all__ = ["MarketStreams", "Shard"]

_log = logging.getLogger("cambist.binance")
_encode = msgspec.json.Encoder().encode
#: Streams on one connection; the venue allows more on spot.
_MOST: Final = {Market.SPOT: 400, Market.USDM: 200, Market.COINM: 200}
#: Names in one message; seconds between messages: below the 5 a second of spot and the 10 of futures, pings included.
_AT_ONCE: Final = 50
_PAUSE: Final = {Market.SPOT: 0.3, Market.USDM: 0.15, Market.COINM: 0.15}
#: How much may wait for a slow reader.
_WAITING: Final = 20_000
#: On USD-M books and quotes have a path of their own.
_PUBLIC: Final = frozenset({"quotes", "book"})


class Shard:
    """One connection with some of the subscriptions.

    Parameters
    ----------
    address
        Where to connect.
    pause
        Seconds between messages to the venue.
    """

    def __init__(self, name: str, address: str, feeds: Sequence[Feed], settings: LinkSettings, pause: float) -> None:
        self._address, self._pause = address, pause
        self.feeds = {feed.stream: feed for feed in feeds}
        self.link = Link(name, self, settings)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._number = 0
        self._stale: dict[str, int] = {}
        self._saying = asyncio.Lock()
        self._renewing: set[asyncio.Task[None]] = set()
        self._time = asyncio.get_running_loop().time
        self._up = False

    async def address(self) -> str:
        """Return where to connect."""
        return self._address

    async def opened(self, connection: Connection) -> None:
        """Subscribe to everything, as fast as the venue takes it."""
        names = list(self.feeds)
        for start in range(0, len(names), _AT_ONCE):
            if start:
                await asyncio.sleep(self._pause)
            await self._say(connection, "SUBSCRIBE", names[start : start + _AT_ONCE])

    def frame(self, connection: Connection, data: bytes) -> None:
        """Hand a frame to its feed."""
        envelope = decode_envelope(data)
        feed = self.feeds.get(envelope.stream)
        if feed is not None:
            feed.last_at = connection.last_at
            feed.take(envelope.data)
        elif envelope.id is not None:
            self._answered(envelope)
        elif envelope.e == "serverShutdown" or envelope.stream == "!serverShutdown":
            self.link.renew()

    def lost(self, _connection: Connection) -> None:
        """Nothing hangs on a single connection: its successor may be up."""

    def state(self, state: str, text: str) -> None:
        """Tell for each subscription how the connection does."""
        if (state == "up") == self._up:
            return
        self._up = state == "up"
        self._stale.clear()
        for feed in self.feeds.values():
            if state == "down":
                feed.lost()
            feed.last_at = self._time()
            feed.tell(state, text)

    def watch(self, quiet_after: float) -> None:
        """Look for subscriptions that are silent: tell, subscribe again, and in the end connect again."""
        connection = self.link.current
        if connection is None:
            return
        now = self._time()
        silent: list[str] = []
        for feed in self.feeds.values():
            periods = int((now - feed.last_at) / quiet_after)
            known = self._stale.get(feed.stream, 0)
            if periods < 1:
                if known:
                    del self._stale[feed.stream]
                    feed.tell("up", "it speaks again")
            elif periods > known:
                self._stale[feed.stream] = periods
                if not known:
                    feed.tell("stale", f"nothing came for {now - feed.last_at:.0f} s")
                    silent.append(feed.stream)
        if silent:
            task = asyncio.get_running_loop().create_task(self._again(connection, silent))
            self._renewing.add(task)
            task.add_done_callback(self._renewing.discard)
            task.add_done_callback(_note)
        if len(self._stale) == len(self.feeds) and all(periods > 1 for periods in self._stale.values()):
            self._stale.clear()
            self.link.drop("every subscription is silent")

    async def _again(self, connection: Connection, names: Sequence[str]) -> None:
        """Subscribe anew, one message after the other: whatever else is silent waits for its turn."""
        async with self._saying:
            for start in range(0, len(names), _AT_ONCE):
                for method in ("UNSUBSCRIBE", "SUBSCRIBE"):
                    await self._say(connection, method, list(names[start : start + _AT_ONCE]))
                    await asyncio.sleep(self._pause)

    async def _say(self, connection: Connection, method: str, names: list[str]) -> None:
        self._number += 1
        number = self._number
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(10.0):
                await connection.send(_encode({"method": method, "params": names, "id": number}))
                await self._waiting[number]
        except TimeoutError:
            raise NoAnswerError(f"the venue does not answer {method} of {names[0]}") from None
        finally:
            del self._waiting[number]

    def _answered(self, envelope: Any) -> None:
        waiting = self._waiting.get(envelope.id)
        if waiting is None or waiting.done():
            return
        if envelope.error is None and envelope.code is None:
            waiting.set_result(None)
            return
        text = envelope.msg or str(envelope.error)
        waiting.set_exception(RefusedError("subscription", text, code=str(envelope.code or "")))


def _note(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("a silent subscription could not be renewed: %s", error)


class MarketStreams:
    """All market data of a session.

    Parameters
    ----------
    base
        Address of the streams.
    quiet_after
        After which a silent subscription counts as stale, seconds.
    """

    def __init__(
        self,
        market: Market,
        base: str,
        queries: Queries,
        symbols: Symbols,
        clock: VenueClock,
        settings: LinkSettings,
        quiet_after: float,
    ) -> None:
        self._market, self._base, self._queries, self._symbols = market, base, queries, symbols
        self._clock, self._settings, self._quiet_after = clock, settings, quiet_after
        self.shards: list[Shard] = []
        self._channels: list[Channel[Item]] = []
        self._watch: asyncio.Task[None] | None = None

    def open(self, subscriptions: Sequence[Subscription]) -> Channel[Item]:
        """Listen to some more; return what is said.

        Raises
        ------
        ParameterError
            The venue has no such stream.
        """
        out: Channel[Item] = Channel(_WAITING)
        self._channels.append(out)
        groups: dict[str, list[Feed]] = {}
        for one in dict.fromkeys(subscriptions):
            feed = self._feed(one, out)
            feed.subscription = one
            groups.setdefault(self._path(one.kind), []).append(feed)
        most = _MOST[self._market]
        for path, feeds in groups.items():
            for start in range(0, len(feeds), most):
                name = f"market {len(self.shards) + 1}"
                address = f"{self._base}{path}/stream"
                shard = Shard(name, address, feeds[start : start + most], self._settings, _PAUSE[self._market])
                self.shards.append(shard)
                shard.link.start()
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._look(), name="silent streams")
        return out

    async def close(self) -> None:
        """Close all connections, and end what is iterated over."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for shard in self.shards:
            for feed in shard.feeds.values():
                feed.close()
        await asyncio.gather(*(shard.link.close() for shard in self.shards))
        for channel in self._channels:
            channel.close()

    def metrics(self) -> list[dict[str, Any]]:
        """Return what can be counted of the connections."""
        return [shard.link.metrics() | {"subscriptions": len(shard.feeds)} for shard in self.shards]

    def queues(self) -> list[dict[str, int]]:
        """Return what waits for those who listen, and what was replaced or dropped because they were too slow."""
        return [channel.metrics() for channel in self._channels]

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._quiet_after / 4))
            for shard in self.shards:
                shard.watch(self._quiet_after)

    def _path(self, kind: str) -> str:
        if self._market is not Market.USDM:
            return ""
        return "/public" if kind in _PUBLIC else "/market"

    def _feed(self, one: Subscription, out: Channel[Item]) -> Feed:
        instrument = one.instrument
        name = self._symbols.theirs(instrument.symbol).lower()
        if one.kind == "bars":
            interval = None if one.timeframe is None else interval_of(one.timeframe)
            if one.timeframe is None or interval is None:
                raise ParameterError(f"Binance has no bars of {one.timeframe} for {instrument.symbol}.")
            return BarFeed(f"{name}@kline_{interval}", out, instrument, one.timeframe, self._queries.history)
        if one.kind == "ticks":
            trades = "trade" if self._market is Market.SPOT else "aggTrade"
            return TickFeed(f"{name}@{trades}", out, instrument)
        if one.kind == "quotes":
            return QuoteFeed(f"{name}@bookTicker", out, instrument, self._clock.now)
        if one.kind == "marks" and self._market.futures:
            return MarkFeed(f"{name}@markPrice", out, instrument)  # every three seconds
        if one.kind == "book":
            book = LocalBook(instrument, futures=self._market.futures)
            return BookFeed(f"{name}@depth@100ms", out, book, self._queries.depth, self._clock.now)
        raise ParameterError(f"there is no subscription to {one.kind!r}; choose bars, ticks, quotes or book.")
