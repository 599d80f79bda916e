"""The generic protocol as a dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.generic.auth import Auth
from cambist_simulator.dialects.generic.errors import failed
from cambist_simulator.dialects.generic.floor import TradingFloor
from cambist_simulator.dialects.generic.rest import LABELS, Rest
from cambist_simulator.dialects.generic.streams import OPERATIONS, GenericSession, Hub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.users import Users
    from cambist_simulator.market.markets import Markets
    from cambist_simulator.server.wire import Connection, Request, Response

__all__ = ["GenericDialect"]

_STREAM = "/v1/stream"


class GenericDialect:
    """A small protocol of our own; ``docs/reference/generic-protocol.md`` describes it.

    Parameters
    ----------
    exchanges
        By name.
    users
        Whose keys count.
    markets
        What is kept of each symbol.
    clock
        Of the venue.
    """

    name = "generic"
    gzip_from = 0

    def __init__(self, exchanges: Mapping[str, Exchange], users: Users, markets: Markets, clock: VenueClock) -> None:
        floor = TradingFloor(exchanges, markets, clock)
        self._auth = Auth(users, clock.server)
        self._rest = Rest(floor, self._auth)
        self._hub = Hub(floor)

    def describe(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """See `Dialect.describe`."""
        return self._rest.describe(request)

    def failure(self, status: int) -> Response:
        """See `Dialect.failure`."""
        return failed(status)

    def handle(self, request: Request) -> Response:
        """See `Dialect.handle`."""
        return self._rest.handle(request)

    def connect(self, connection: Connection) -> GenericSession | Response:
        """See `Dialect.connect`."""
        if connection.path != _STREAM:
            return failed(404)
        connection.label = "stream"
        return GenericSession(self._hub, self._auth, connection)

    def labels(self) -> Iterable[str]:
        """See `Dialect.labels`."""
        return dict.fromkeys((*LABELS, *OPERATIONS.values()))

    def endpoints(self, http: str, ws: str) -> dict[str, str]:
        """See `Dialect.endpoints`."""
        return {"rest": http, "stream": ws + _STREAM}

    def on_timer(self) -> None:
        """See `Dialect.on_timer`."""
        self._hub.on_timer()

    def apply(self, action: str, arguments: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """See `Dialect.apply`; there is nothing that only this venue could do."""
        return False
