"""WebSockets: which path leads to which kind of session, and what all sessions share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import msgspec

from cambist_simulator.dialects.binance.market_session import MarketSession
from cambist_simulator.dialects.binance.market_streams import MarketStreams
from cambist_simulator.dialects.binance.user_streams import UserStreams
from cambist_simulator.dialects.binance.ws_api import WsApiSession
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.server.wire import Limits, Response

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.dialect import BinanceDialect
    from cambist_simulator.dialects.binance.venue import Venue
    from cambist_simulator.server.wire import Connection, Session

__all__ = ["Sessions"]

_S: Final = 1_000_000_000
_DAY: Final = 24 * 3_600 * _S
_SPOT_SOCKETS: Final = Limits(ping_interval=20 * _S, pong_timeout=60 * _S, lifetime=_DAY)
_FUTURES_SOCKETS: Final = Limits(ping_interval=180 * _S, pong_timeout=600 * _S, lifetime=_DAY)
_WINDOW: Final = 300_000
_WS_API: Final = {
    "/ws-api/v3": Segment.SPOT,
    "/ws-fapi/v1": Segment.LINEAR,
    "/ws-dapi/v1": Segment.INVERSE,
}
#: By the first label of the venue's host, which may stand before the path or in the header.
_HOSTS: Final = {
    "stream": Segment.SPOT,
    "data-stream": Segment.SPOT,
    "demo-stream": Segment.SPOT,
    "fstream": Segment.LINEAR,
    "demo-fstream": Segment.LINEAR,
    "dstream": Segment.INVERSE,
    "demo-dstream": Segment.INVERSE,
}
_CATEGORIES: Final = frozenset({"public", "market", "private"})


class Sessions:
    """All sessions of the venue.

    Parameters
    ----------
    venue
        What they share with requests.
    connection_limit
        Attempts of an address in five minutes.
    """

    def __init__(self, venue: Venue, connection_limit: int = 300) -> None:
        self.venue = venue
        self.connection_limit = connection_limit
        self.market = {segment: MarketStreams(desk) for segment, desk in venue.desks.items()}
        self.users = {segment: UserStreams(desk) for segment, desk in venue.desks.items()}
        if venue.spot is not None:
            venue.on_rejected = self.users[Segment.SPOT].rejected
        self.streams: dict[MarketSession, None] = {}
        self.apis: dict[WsApiSession, None] = {}
        self._attempts: dict[str, tuple[int, int]] = {}

    def connect(self, connection: Connection, dialect: BinanceDialect) -> Session | Response:
        """Take a WebSocket, or say why not."""
        if (refused := self._refused(connection)) is not None:
            return refused
        host, path = _split_host(connection)
        segment = _WS_API.get(path.rstrip("/"))
        if segment is not None:
            if segment not in self.venue.desks:
                return Response(status=404)
            connection.limits = _SPOT_SOCKETS if segment is Segment.SPOT else _FUTURES_SOCKETS
            connection.label = "ws-api"
            api = WsApiSession(connection, self, dialect, segment)
            self.apis[api] = None
            return api
        return self._stream(connection, host, path)

    def _stream(self, connection: Connection, host: str, path: str) -> Session | Response:
        parts = path.strip("/").split("/")
        segment = _HOSTS.get(host)
        category = ""
        if parts[0] in _CATEGORIES:
            category, segment = parts[0], Segment.LINEAR
            parts = parts[1:]
        segment = Segment.SPOT if segment is None else segment
        if segment not in self.venue.desks or not parts or parts[0] not in {"ws", "stream"}:
            return Response(status=404)
        spot = segment is Segment.SPOT
        connection.limits = _SPOT_SOCKETS if spot else _FUTURES_SOCKETS
        connection.label = "private" if category == "private" else "streams"
        combined = parts[0] == "stream"
        query = dict(parse_qsl(connection.query))
        names = [one for one in query.get("streams", "").split("/") if one] if combined else parts[1:]
        session = MarketSession(connection, self, segment, category=category, combined=combined)
        if "listenKey" in query:
            names.append(query["listenKey"])
            session.only = frozenset(one for one in query.get("events", "").split("/") if one)
        self.streams[session] = None
        session.subscribe(names)
        return session

    def _refused(self, connection: Connection) -> Response | None:
        now = self.venue.now()
        window = now // _WINDOW
        began, attempts = self._attempts.get(connection.ip, (window, 0))
        attempts = attempts + 1 if began == window else 1
        self._attempts[connection.ip] = window, attempts
        if attempts > self.connection_limit and self.venue.enforced:
            wait = ((window + 1) * _WINDOW - now) // 1_000 + 1
            return Response(status=429, headers={"Retry-After": str(wait)})
        return None

    def on_timer(self) -> None:
        """Send what is due, and end what is over."""
        market_now = self.venue.clock.market.now()
        for streams in self.market.values():
            streams.on_timer(market_now)
        for users in self.users.values():
            users.flush()
        for key, segment, user in self.venue.listen_keys.expired(self.venue.now()):
            event = {"e": "listenKeyExpired", "E": self.venue.now(), "listenKey": key}
            self.users[segment].end(user, key, msgspec.json.encode(event))

    def shut_down(self) -> None:
        """Tell all clients that the servers are about to go."""
        event = msgspec.json.encode({"e": "serverShutdown", "E": self.venue.now()})
        for session in tuple(self.streams):
            session.tell("!serverShutdown", event)
        for api in tuple(self.apis):
            api.connection.send(event, kind="control")


def _split_host(connection: Connection) -> tuple[str, str]:
    """Return the first label of the venue's host, as far as one is named, and the path behind it."""
    first, slash, rest = connection.path[1:].partition("/")
    if ".binance" in first:
        return first.partition(".")[0], slash + rest
    host = connection.headers.get("host", "")
    return (host.partition(".")[0] if ".binance" in host else ""), connection.path
