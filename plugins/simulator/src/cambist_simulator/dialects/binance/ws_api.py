"""A connection to a WebSocket API: requests and answers, a log-on, and on spot the user data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist_simulator.dialects.binance.calls import Call, Route, Security, authenticate, check_open
from cambist_simulator.dialects.binance.errors import ApiError, missing
from cambist_simulator.dialects.binance.parameters import from_json
from cambist_simulator.dialects.binance.ws_methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.dialects.binance.dialect import BinanceDialect
    from cambist_simulator.dialects.binance.sessions import Sessions
    from cambist_simulator.exchange.listing import Segment
    from cambist_simulator.exchange.users import ApiKey, User
    from cambist_simulator.server.wire import Connection

__all__ = ["WsApiSession"]

_decode = msgspec.json.Decoder(float_hook=str).decode
_encode = msgspec.json.Encoder().encode
_SESSION: Final = {
    "session.logon": "session.logon",
    "session.status": "session.status",
    "session.logout": "session.logout",
    "userDataStream.subscribe": "user_stream.subscribe",
    "userDataStream.subscribe.signature": "user_stream.subscribe",
    "userDataStream.unsubscribe": "user_stream.unsubscribe",
    "session.subscriptions": "session.status",
}


class WsApiSession:
    """One connection to a WebSocket API.

    Parameters
    ----------
    segment
        Whose API it is.
    """

    def __init__(self, connection: Connection, sessions: Sessions, dialect: BinanceDialect, segment: Segment) -> None:
        self.connection = connection
        self._sessions, self._dialect, self._segment = sessions, dialect, segment
        self._venue = sessions.venue
        self._desk = self._venue.desks[segment]
        self._methods = METHODS[segment]
        self._since = self._venue.now()
        self._tell_limits = "returnratelimits=false" not in connection.query.lower()
        self._user: User | None = None
        self._key: ApiKey | None = None
        self._logged_on_at = 0
        self._subscriptions: dict[int, str] = {}
        self._next_subscription = 0
        self._own: dict[str, Callable[[Call, dict[str, Any]], Any]] = {
            "session.logon": self._log_on,
            "session.status": self._status,
            "session.logout": self._log_out,
        }
        if self._desk.spot:
            self._own |= {
                "userDataStream.subscribe": self._subscribe,
                "userDataStream.subscribe.signature": self._subscribe_signed,
                "userDataStream.unsubscribe": self._unsubscribe,
                "session.subscriptions": self._list_subscriptions,
            }

    # What the client says.

    def describe(self, text: str) -> tuple[str, Mapping[str, Any]]:
        """Return label and facts of a message without doing it."""
        try:
            message = _decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return "", {}
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return "", {}
        method = _unversioned(message["method"])
        route = self._methods.get(message["method"]) or self._methods.get(method)
        label = route.label if route is not None else _SESSION.get(method, "")
        params = message.get("params")
        facts: dict[str, Any] = {}
        if isinstance(params, dict):
            for name, fact in (("symbol", "symbol"), ("newClientOrderId", "client_id"), ("clientAlgoId", "client_id")):
                if isinstance(params.get(name), str):
                    facts[fact] = params[name]
        key = params.get("apiKey") if isinstance(params, dict) else None
        found = self._venue.users.by_key(key) if isinstance(key, str) else None
        user = self._user if found is None else found[0]
        if user is not None:
            facts["user"] = user.id
        return label, facts

    def received(self, text: str) -> None:
        """Take a request."""
        number: Any = None
        try:
            message = _object(text)
            number = _number(message)
            self._request(number, message)
        except ApiError as error:
            self._fail(number, error, None, limits=self._tell_limits)

    def _request(self, number: Any, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if params is None:
            params = {}
        if not isinstance(method, str) or not method:
            raise missing("method")
        if not isinstance(params, dict):
            raise ApiError(-1135, "Invalid JSON Request")
        limits = self._tell_limits
        if isinstance(params.get("returnRateLimits"), bool):
            limits = params["returnRateLimits"]
        call = Call(
            venue=self._venue,
            desk=self._desk,
            params=from_json(params, spot=self._desk.spot),
            now=self._venue.now(),
            ip=self.connection.ip,
        )
        own = self._own.get(_unversioned(method))
        route = self._methods.get(method) or self._methods.get(_unversioned(method))
        if own is None and route is None:
            raise ApiError(-1100, f"Unknown method '{method[:64]}'.")
        try:
            if own is not None:
                self._charge(call, 2)
                result = _encode(own(call, params))
            else:
                assert route is not None
                result = self._perform(call, route, params)
            self._succeed(number, result, call, limits=limits)
        except ApiError as error:
            self._fail(number, error, call, limits=limits)

    def _charge(self, call: Call, weight: int) -> None:
        self._venue.weights(self._desk).charge(self.connection.ip, weight, call.now)

    def _perform(self, call: Call, route: Route, params: dict[str, Any]) -> bytes:
        self._charge(call, weight := route.weighs(call.params))
        call.params.values.pop("returnRateLimits", None)
        self._authenticate(call, route, params)
        check_open(self._venue, route)
        call.params.values.pop("apiKey", None)
        body = self._dialect.answer(call, route)
        if route.free:
            self._venue.weights(self._desk).refund(self.connection.ip, weight, call.now)
        return body

    def _authenticate(self, call: Call, route: Route, params: dict[str, Any]) -> None:
        """Check a request; after a log-on neither key nor signature need be sent."""
        named = params.get("apiKey")
        if route.security < Security.KEY or isinstance(named, str) or self._user is None:
            authenticate(call, route, named if isinstance(named, str) else None, params)
            return
        if self._key is None or not self._key.enabled or not self._key.allows(call.ip):
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
        call.user, call.key = self._user, self._key
        authenticate(call, route, None, params if "signature" in params else None)

    # Session.

    def _log_on(self, call: Call, params: dict[str, Any]) -> dict[str, Any]:
        key = params.get("apiKey")
        route = Route(label="session.logon", handler=self._log_on, security=Security.READ)  # type: ignore[arg-type]
        authenticate(call, route, key if isinstance(key, str) else None, params)
        assert call.key is not None
        if call.key.kind != "ed25519":
            raise (
                ApiError(-4056, "Invalid api key type.")
                if not self._desk.spot
                else ApiError(-1099, "Not authenticated: only Ed25519 keys are supported for this feature.")
            )
        self._user, self._key, self._logged_on_at = call.user, call.key, call.now
        self.connection.user = call.who.id
        return self._state(call)

    def _status(self, call: Call, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return self._state(call)

    def _log_out(self, call: Call, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        self._user = self._key = None
        return self._state(call)

    def _state(self, call: Call) -> dict[str, Any]:
        state: dict[str, Any] = {
            "apiKey": None if self._key is None else self._key.key,
            "authorizedSince": None if self._key is None else self._logged_on_at,
            "connectedSince": self._since,
            "returnRateLimits": self._tell_limits,
            "serverTime": call.now,
        }
        if self._desk.spot:
            state["userDataStream"] = bool(self._subscriptions)
        return state

    # User data on spot.

    def _subscribe(self, call: Call, params: dict[str, Any]) -> dict[str, int]:  # noqa: ARG002
        if self._user is None:
            raise ApiError(-1099, "Not authenticated.", status=401)
        return self._join(self._user.id)

    def _subscribe_signed(self, call: Call, params: dict[str, Any]) -> dict[str, int]:
        key = params.get("apiKey")
        route = Route(label="user_stream.subscribe", handler=self._log_on, security=Security.READ)  # type: ignore[arg-type]
        authenticate(call, route, key if isinstance(key, str) else None, params)
        return self._join(call.who.id)

    def _join(self, user: str) -> dict[str, int]:
        if user in self._subscriptions.values():
            raise ApiError(-2035, "User Data Stream subscription already active.")
        number = self._next_subscription
        self._next_subscription += 1
        self._subscriptions[number] = user
        self.connection.user = user
        self._sessions.users[self._segment].join(user, self, str(number))
        return {"subscriptionId": number}

    def _unsubscribe(self, call: Call, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        wanted = call.params.integer("subscriptionId")
        if wanted is not None and wanted not in self._subscriptions:
            raise ApiError(-2036, "User Data Stream subscription is not active.")
        for number in tuple(self._subscriptions):
            if wanted is None or wanted == number:
                self._leave(number)
        return {}

    def _leave(self, number: int) -> None:
        self._subscriptions.pop(number, None)
        self._sessions.users[self._segment].leave_key(self, str(number))

    def _list_subscriptions(self, call: Call, params: dict[str, Any]) -> list[dict[str, int]]:  # noqa: ARG002
        return [{"subscriptionId": number} for number in self._subscriptions]

    def user_event(self, key: str, name: str, event: bytes, *, kind: str, symbol: str = "") -> None:  # noqa: ARG002
        """Send an event of user data."""
        whole = b'{"subscriptionId":' + key.encode() + b',"event":' + event + b"}"
        self.connection.send(whole, kind=kind, symbol=symbol)

    def terminate(self, user: str | None = None) -> None:
        """End the subscriptions to user data, or those to one user's."""
        for number, owner in tuple(self._subscriptions.items()):
            if user is None or owner == user:
                event = _encode({"e": "eventStreamTerminated", "E": self._venue.now()})
                self.user_event(str(number), "eventStreamTerminated", event, kind="control")
                self._leave(number)

    # Answers.

    def _succeed(self, number: Any, result: bytes, call: Call, *, limits: bool) -> None:
        head = b'{"id":' + _encode(number) + b',"status":200,"result":' + result
        self.connection.send(head + self._limits(call, limits=limits) + b"}", kind="answer", symbol=_symbol(call))

    def _fail(self, number: Any, error: ApiError, call: Call | None, *, limits: bool) -> None:
        head = (
            b'{"id":'
            + _encode(number)
            + b',"status":'
            + str(error.status).encode()
            + b',"error":'
            + error.body(socket=True)
        )
        shown = self._limits(call, limits=limits)
        self.connection.send(head + shown + b"}", kind="answer", symbol="" if call is None else _symbol(call))

    def _limits(self, call: Call | None, *, limits: bool) -> bytes:
        if not limits:
            return b""
        rows: list[dict[str, Any]] = []
        if call is not None and call.counts is not None:
            rows = self._venue.orders(self._desk).described(call.who.id, call.now)
        weights = self._venue.weights(self._desk)
        rows.append(weights.limit.described(weights.used(self.connection.ip, self._venue.now())))
        return b',"rateLimits":' + _encode(rows)

    def closed(self) -> None:
        """The connection is gone."""
        for number in tuple(self._subscriptions):
            self._leave(number)
        self._sessions.apis.pop(self, None)


def _unversioned(method: str) -> str:
    return method[3:] if method.startswith(("v1/", "v2/", "v3/")) else method


def _object(text: str) -> dict[str, Any]:
    try:
        message = _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise ApiError(-1135, "Invalid JSON Request") from None
    if not isinstance(message, dict):
        raise ApiError(-1135, "Invalid JSON Request")
    return message


def _number(message: dict[str, Any]) -> Any:
    number = message.get("id")
    if not _is_id(number):
        raise ApiError(-1100, "Illegal characters found in parameter 'id'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.")
    return number


def _is_id(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return len(value) <= 36
    return isinstance(value, int) and not isinstance(value, bool)


def _symbol(call: Call) -> str:
    return call.params.values.get("symbol", "")
