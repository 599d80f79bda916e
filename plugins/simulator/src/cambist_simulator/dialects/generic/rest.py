"""REST of the generic protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.api import CambistError
from cambist_simulator.dialects.generic.errors import FailedError, error_body, refused
from cambist_simulator.dialects.generic.terms import AmendRequest, Lookup, OrderRequest, decoded, query_of, whole
from cambist_simulator.server.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.dialects.generic.auth import Auth
    from cambist_simulator.dialects.generic.floor import TradingFloor
    from cambist_simulator.exchange.users import ApiKey, User
    from cambist_simulator.server.wire import Request

__all__ = ["LABELS", "Rest"]

_MS = 1_000_000
_LOOKUP = ("symbol", "id", "client_id")
#: (method, path) -> label; those below `_PRIVATE` need a key.
_PUBLIC = {
    ("GET", "/v1/time"): "time",
    ("GET", "/v1/instruments"): "instruments",
    ("GET", "/v1/depth"): "depth",
    ("GET", "/v1/trades"): "trades",
    ("GET", "/v1/klines"): "klines",
    ("GET", "/v1/ticker"): "ticker",
}
_PRIVATE = {
    ("GET", "/v1/account"): "account",
    ("GET", "/v1/positions"): "positions",
    ("POST", "/v1/order"): "order.place",
    ("POST", "/v1/order/test"): "order.test",
    ("PATCH", "/v1/order"): "order.amend",
    ("DELETE", "/v1/order"): "order.cancel",
    ("GET", "/v1/order"): "order.query",
    ("GET", "/v1/orders"): "orders.list",
    ("DELETE", "/v1/orders"): "orders.cancel",
    ("GET", "/v1/fills"): "fills.list",
    ("POST", "/v1/leverage"): "leverage.set",
    ("POST", "/v1/margin"): "margin.set",
    ("POST", "/v1/position-mode"): "position_mode.set",
    ("POST", "/v1/dead-man"): "dead_man.set",
}
_LABELS = _PUBLIC | _PRIVATE
_PATHS = frozenset(path for _, path in _LABELS)
LABELS = tuple(_LABELS.values())


class _Switch(msgspec.Struct, forbid_unknown_fields=True):
    symbol: str
    after_ms: int


class _Leverage(msgspec.Struct, forbid_unknown_fields=True):
    symbol: str
    leverage: int


class _Margin(msgspec.Struct, forbid_unknown_fields=True):
    symbol: str
    isolated: bool


class _Mode(msgspec.Struct, forbid_unknown_fields=True):
    hedged: bool


class Rest:
    """Answers REST requests.

    Parameters
    ----------
    floor
        Does what is asked.
    auth
        Finds out who asks.
    """

    def __init__(self, floor: TradingFloor, auth: Auth) -> None:
        self._floor, self._auth = floor, auth
        self._public: dict[str, Callable[[Request], Any]] = {
            "time": lambda _: floor.time(),
            "instruments": lambda _: floor.instruments(),
            "depth": self._depth,
            "trades": self._trades,
            "klines": self._klines,
            "ticker": self._ticker,
        }
        self._private: dict[str, Callable[[User, ApiKey, Request], Any]] = {
            "account": lambda user, key, _: floor.account(user, key),
            "positions": lambda user, _, request: floor.positions(
                user, query_of(request.query, "symbol").get("symbol")
            ),
            "order.place": lambda user, key, request: floor.place(user, key, decoded(request.body, OrderRequest)),
            "order.test": lambda user, key, request: floor.place(
                user, key, decoded(request.body, OrderRequest), test=True
            ),
            "order.amend": lambda user, key, request: floor.amend(user, key, decoded(request.body, AmendRequest)),
            "order.cancel": lambda user, key, request: floor.cancel(user, key, _lookup(request)),
            "order.query": lambda user, _, request: floor.order(user, _lookup(request)),
            "orders.list": self._orders,
            "orders.cancel": lambda user, key, request: floor.cancel_all(
                user, key, query_of(request.query, "symbol").get("symbol")
            ),
            "fills.list": self._fills,
            "leverage.set": self._leverage,
            "margin.set": self._margin,
            "position_mode.set": lambda user, key, request: floor.set_hedged(
                user, key, hedged=decoded(request.body, _Mode).hedged
            ),
            "dead_man.set": self._dead_man,
        }

    def describe(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Return label and facts; see `Dialect.describe`."""
        label = _LABELS.get((request.method, request.path), "")
        facts: dict[str, Any] = {}
        try:
            facts = dict(query_of(request.query, *_FACTS)) if request.query else {}
        except FailedError:
            facts = {}
        facts |= _body_facts(request.body)
        if "id" in facts:
            facts["order_id"] = facts.pop("id")
        key = request.headers.get("x-key")
        if key:
            facts["user"] = self._auth.user_of(key)
        return label, facts

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        label = _LABELS.get((request.method, request.path), "")
        facts: dict[str, Any] = {}
        try:
            answer = self._answer(label, request, facts)
        except FailedError as error:
            status, body = error.status, error_body(error)
        except CambistError as error:
            told = refused(error)
            status, body = told.status, error_body(told)
        else:
            status, body = 200, answer
        return Response(status=status, body=msgspec.json.encode(body), label=label, facts=facts)

    def _answer(self, label: str, request: Request, facts: dict[str, Any]) -> dict[str, Any]:
        if not label:
            wrong = request.path in _PATHS
            raise FailedError(405, "bad_method", "This path has other methods.") if wrong else FailedError(404)
        public = self._public.get(label)
        if public is not None:
            found: dict[str, Any] = public(request)
            return found
        user, key = self._auth.of_request(request)
        if "read" not in key.permissions:
            raise FailedError(403, "no_permission", "The key does not permit reading.")
        facts["user"] = user.id
        answer: dict[str, Any] = self._private[label](user, key, request)
        for name, fact in (("symbol", "symbol"), ("client_id", "client_id"), ("id", "order_id")):
            if name in answer:
                facts[fact] = answer[name]
        return answer

    def _depth(self, request: Request) -> dict[str, Any]:
        query = query_of(request.query, "symbol", "levels")
        return self._floor.depth(_symbol(query), whole(query, "levels", 20, 5_000))

    def _trades(self, request: Request) -> dict[str, Any]:
        query = query_of(request.query, "symbol", "limit", "from_id")
        from_id = whole(query, "from_id", 0) if "from_id" in query else None
        return self._floor.trades(_symbol(query), whole(query, "limit", 100, 1_000), from_id)

    def _klines(self, request: Request) -> dict[str, Any]:
        query = query_of(request.query, "symbol", "interval", "start", "end", "limit")
        start, end = (whole(query, name, 0, 10**14) * _MS if name in query else None for name in ("start", "end"))
        interval = query.get("interval", "1m")
        return self._floor.klines(_symbol(query), interval, whole(query, "limit", 500, 1_500), start, end)

    def _ticker(self, request: Request) -> dict[str, Any]:
        return self._floor.ticker(_symbol(query_of(request.query, "symbol")))

    def _orders(self, user: User, _: ApiKey, request: Request) -> dict[str, Any]:
        query = query_of(request.query, "symbol", "open", "limit")
        open_only = query.get("open", "false") == "true"
        return self._floor.orders(
            user, query.get("symbol"), open_only=open_only, limit=whole(query, "limit", 500, 1_000)
        )

    def _fills(self, user: User, _: ApiKey, request: Request) -> dict[str, Any]:
        query = query_of(request.query, "symbol", "order_id", "from_id", "limit")
        order_id, from_id = (whole(query, name, 0) if name in query else None for name in ("order_id", "from_id"))
        return self._floor.fills(user, _symbol(query), whole(query, "limit", 500, 1_000), order_id, from_id)

    def _leverage(self, user: User, key: ApiKey, request: Request) -> dict[str, Any]:
        wanted = decoded(request.body, _Leverage)
        return self._floor.set_leverage(user, key, wanted.symbol, wanted.leverage)

    def _margin(self, user: User, key: ApiKey, request: Request) -> dict[str, Any]:
        wanted = decoded(request.body, _Margin)
        return self._floor.set_margin(user, key, wanted.symbol, isolated=wanted.isolated)

    def _dead_man(self, user: User, key: ApiKey, request: Request) -> dict[str, Any]:
        wanted = decoded(request.body, _Switch)
        if not 0 <= wanted.after_ms <= 86_400_000:
            raise FailedError(400, "bad_request", "after_ms is a time of up to a day in milliseconds; 0 stops it.")
        return self._floor.dead_man(user, key, wanted.symbol, wanted.after_ms)


_FACTS = ("symbol", "id", "client_id", "order_id", "levels", "limit", "from_id", "interval", "start", "end", "open")


def _body_facts(body: bytes) -> dict[str, Any]:
    """Return what a body tells of an order, if it can be read."""
    if not body:
        return {}
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {name: found[name] for name in ("symbol", "id", "client_id") if isinstance(found.get(name), str | int)}


def _symbol(query: dict[str, str]) -> str:
    if "symbol" not in query:
        raise FailedError(400, "bad_request", "Give the symbol.")
    return query["symbol"]


def _lookup(request: Request) -> Lookup:
    query = query_of(request.query, *_LOOKUP)
    number = whole(query, "id", 0) if "id" in query else None
    return Lookup(symbol=query.get("symbol", ""), id=number, client_id=query.get("client_id"))
