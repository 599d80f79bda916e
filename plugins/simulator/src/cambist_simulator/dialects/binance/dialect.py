"""Binance: what comes in over HTTP and WebSockets, and where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist_simulator.dialects.binance.calls import Call, Route, Security, authenticate, check_open
from cambist_simulator.dialects.binance.errors import ApiError
from cambist_simulator.dialects.binance.faults import apply, failure
from cambist_simulator.dialects.binance.futures_routes import COINM_ROUTES, FUTURES_ROUTES
from cambist_simulator.dialects.binance.parameters import from_request
from cambist_simulator.dialects.binance.sessions import Sessions
from cambist_simulator.dialects.binance.spot_routes import SPOT_ROUTES, WALLET_ROUTES
from cambist_simulator.dialects.binance.venue import FUTURES_LIMITS, SPOT_LIMITS, Desk, Venue
from cambist_simulator.dialects.binance.ws_methods import LABELS as WS_LABELS
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.server.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.dialects.binance.limits import Limit
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.users import Users
    from cambist_simulator.market.data import MarketData
    from cambist_simulator.server.wire import Connection, Request, Session

__all__ = ["BinanceDialect"]

_encode = msgspec.json.Encoder().encode
_NOT_FOUND: Final = (
    b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body><h1>404 Not Found</h1></body>\r\n</html>"
)
#: Hosts of the venue; an address may name one as the first part of its path: a client's base address is then that of
#: the simulator with the venue's own host behind it.
_HOSTS: Final = ".binance.com", ".binance.vision", ".binancefuture.com"


class BinanceDialect:
    """Spot, USD-M and COIN-M over up to three exchanges.

    Parameters
    ----------
    exchanges
        At most one for each segment, with what gives the market data of its symbols.
    users
        Those of all the exchanges.
    clock
        Of the venue.
    seed
        What listen keys follow from.
    spot_limits, futures_limits
        What an address and an account may ask; see `cambist_simulator.dialects.binance.venue`.
    connection_limit
        WebSockets that an address may try to open in five minutes.
    enforced
        Whether limits hold; without, all is counted and nobody is refused.
    """

    name = "binance"
    gzip_from = 0

    def __init__(
        self,
        exchanges: Iterable[tuple[Exchange, Callable[[str], MarketData]]],
        users: Users,
        clock: VenueClock,
        *,
        seed: int = 0,
        spot_limits: tuple[Limit, ...] = SPOT_LIMITS,
        futures_limits: tuple[Limit, ...] = FUTURES_LIMITS,
        connection_limit: int = 300,
        enforced: bool = True,
    ) -> None:
        desks = [Desk(exchange, data) for exchange, data in exchanges]
        self.venue = Venue(
            desks,
            users,
            clock,
            seed=seed,
            spot_limits=spot_limits,
            futures_limits=futures_limits,
            enforced=enforced,
        )
        self.sessions = Sessions(self.venue, connection_limit)
        self._routes = self._table()

    def _table(self) -> dict[tuple[str, str], tuple[Desk | None, Route]]:
        table: dict[tuple[str, str], tuple[Desk | None, Route]] = {}
        desks = self.venue.desks
        if (spot := desks.get(Segment.SPOT)) is not None:
            table |= {(method, f"/api/v3/{path}"): (spot, route) for (method, path), route in SPOT_ROUTES.items()}
        for segment, prefix, routes in (
            (Segment.LINEAR, "/fapi/", FUTURES_ROUTES),
            (Segment.INVERSE, "/dapi/", COINM_ROUTES),
        ):
            if (desk := desks.get(segment)) is not None:
                table |= {(method, prefix + path): (desk, route) for (method, path), route in routes.items()}
        table |= {(method, f"/sapi/v1/{path}"): (None, route) for (method, path), route in WALLET_ROUTES.items()}
        return table

    # REST.

    def describe(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Return label and facts of a request without doing it."""
        found = self._routes.get((request.method, path_of(request.path)))
        if found is None:
            return "", {}
        desk, route = found
        try:
            params = from_request(request.query, request.body, spot=desk is None or desk.spot).values
        except ApiError:
            params = {}
        return route.label, _facts(self.venue, request.headers.get("x-mbx-apikey"), params)

    def handle(self, request: Request) -> Response:
        """Answer a REST request."""
        path = path_of(request.path)
        found = self._routes.get((request.method, path))
        if found is None:
            return Response(status=404, body=_NOT_FOUND, content_type="text/html")
        desk, route = found
        venue = self.venue
        now = venue.now()
        weights = venue.weights(desk)
        headers: dict[str, str] = {}
        facts: dict[str, Any] = {}
        status, body = 200, b""
        call: Call | None = None
        try:
            params = from_request(request.query, request.body, spot=desk is None or desk.spot)
            weight = route.weighs(params)
            used = weights.charge(request.ip, weight, now)
            call = Call(venue=venue, desk=desk, params=params, now=now, ip=request.ip)
            key = request.headers.get("x-mbx-apikey")
            authenticate(call, route, key, (request.query, request.body))
            check_open(venue, route)
            body = self.answer(call, route)
            if route.free:
                used = weights.refund(request.ip, weight, now)
            if call.counts is not None:
                self._count_headers(headers, call)
        except ApiError as error:
            status, body = error.status, error.body()
            if error.retry_after is not None:
                headers["Retry-After"] = str(error.retry_after)
            used = weights.used(request.ip, now)
        if desk is None:
            headers["x-sapi-used-ip-weight-1m"] = str(used)
        else:
            headers["x-mbx-used-weight"] = headers["x-mbx-used-weight-1m"] = str(used)
        if call is not None:
            facts = _facts_of(call)
        return Response(status=status, body=body, headers=headers, label=route.label, facts=facts)

    def answer(self, call: Call, route: Route) -> bytes:
        """Do what a checked request asks, and return the JSON of the answer."""
        if route.orders:
            assert call.desk is not None
            orders = route.places(call.params)
            call.counts = self.venue.orders(call.desk).charge(call.who.id, orders, call.now)
        body = _encode(route.handler(call))
        desk = call.desk
        if desk is not None and route.security is Security.TRADE:
            symbol = call.params.values.get("symbol")
            if symbol and desk.lists(symbol):
                desk.exchange.flush(symbol)
            self.sessions.users[desk.segment].flush()
        return body

    def _count_headers(self, headers: dict[str, str], call: Call) -> None:
        assert call.counts is not None
        for limit, count in zip(self.venue.orders(call.at).limits, call.counts, strict=True):
            headers[f"x-mbx-order-count-{limit.suffix}"] = str(count)

    def failure(self, status: int) -> Response:
        """Return what the venue says with an HTTP error."""
        return failure(self.venue, status)

    # WebSockets.

    def connect(self, connection: Connection) -> Session | Response:
        """Take a new WebSocket, or say why not."""
        return self.sessions.connect(connection, self)

    # The rest.

    def labels(self) -> Iterable[str]:
        """Return what faults may select requests by."""
        labels = {route.label for _, route in self._routes.values()} | WS_LABELS
        return sorted(labels)

    def endpoints(self, http: str, ws: str) -> dict[str, str]:
        """Return the base addresses that clients need."""
        return {
            "rest": http,
            "spot rest": f"{http}/api",
            "usdm rest": f"{http}/fapi",
            "coinm rest": f"{http}/dapi",
            "wallet rest": f"{http}/sapi",
            "spot streams": f"{ws}/stream.binance.com/ws",
            "usdm streams": f"{ws}/fstream.binance.com/ws",
            "coinm streams": f"{ws}/dstream.binance.com/ws",
            "spot ws-api": f"{ws}/ws-api/v3",
            "usdm ws-api": f"{ws}/ws-fapi/v1",
            "coinm ws-api": f"{ws}/ws-dapi/v1",
        }

    def on_timer(self) -> None:
        """Do what is due by the clocks."""
        for desk in self.venue.desks.values():
            desk.exchange.flush()
        self.sessions.on_timer()

    def apply(self, action: str, arguments: Mapping[str, Any]) -> bool:
        """Do a fault that only the venue itself can do."""
        return apply(self.venue, self.sessions, action, arguments)


def path_of(path: str) -> str:
    """Return a path without the host of the venue that it may begin with."""
    first, slash, rest = path[1:].partition("/")
    if "." in first and first.partition(":")[0].endswith(_HOSTS):
        return slash + rest
    return path


def _facts(venue: Venue, key: str | None, values: Mapping[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    found = venue.users.by_key(key) if key else None
    if found is not None:
        facts["user"] = found[0].id
    if symbol := values.get("symbol"):
        facts["symbol"] = symbol
    for name in ("newClientOrderId", "clientAlgoId", "origClientOrderId"):
        if client_id := values.get(name):
            facts["client_id"] = client_id
            break
    return facts


def _facts_of(call: Call) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if call.user is not None:
        facts["user"] = call.user.id
    values = call.params.values
    if symbol := values.get("symbol"):
        facts["symbol"] = symbol
    client_id = values.get("newClientOrderId") or values.get("clientAlgoId") or values.get("origClientOrderId")
    if client_id:
        facts["client_id"] = client_id
    return facts
