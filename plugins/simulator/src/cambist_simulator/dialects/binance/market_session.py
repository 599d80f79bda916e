"""A connection to streams: subscriptions, and what clients may say about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist_simulator.dialects.binance.stream_names import StreamName, parse
from cambist_simulator.exchange.listing import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist_simulator.dialects.binance.sessions import Sessions
    from cambist_simulator.server.wire import Connection

__all__ = ["MarketSession"]

_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class MarketSession:
    """One connection to market streams, and to the user data that its listen keys open.

    Parameters
    ----------
    category
        ``public``, ``market`` or ``private`` on USD-M; streams of another path are accepted and carry nothing.
    combined
        Whether each message names its stream.

    Attributes
    ----------
    only
        Events that a private connection wants; empty for all.
    """

    def __init__(
        self, connection: Connection, sessions: Sessions, segment: Segment, *, category: str, combined: bool
    ) -> None:
        self.connection = connection
        self.combined = combined
        self.only: frozenset[str] = frozenset()
        self._sessions, self._segment, self._category = sessions, segment, category
        spot = segment is Segment.SPOT
        self._most_streams = 1_024 if spot else 200
        self._most_messages = 5 if spot else 10
        self._names: dict[str, StreamName | None] = {}
        self._second, self._messages = 0, 0

    # Subscriptions.

    def subscribe(self, names: Iterable[str]) -> None:
        """Send streams from now on; names that carry nothing are remembered all the same."""
        for name in names:
            if name in self._names:
                continue
            owner = self._sessions.venue.listen_keys.owner(name, self._sessions.venue.now())
            if owner is not None and owner[0] is self._segment and self._category in {"", "private"}:
                self._names[name] = None
                self.connection.user = owner[1]
                self._sessions.users[self._segment].join(owner[1], self, name)
                continue
            stream = parse(name, self._segment)
            if stream is not None and self._category and stream.category != self._category:
                stream = None
            self._names[name] = stream
            if stream is not None:
                self._sessions.market[self._segment].subscribe(stream, self)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Send streams no more."""
        for name in names:
            if name not in self._names:
                continue
            stream = self._names.pop(name)
            if stream is not None:
                self._sessions.market[self._segment].unsubscribe(stream, self)
            else:
                self._sessions.users[self._segment].leave_key(self, name)

    def tell(self, stream: str, event: bytes, *, kind: str = "control", symbol: str = "") -> None:
        """Send an event that belongs to `stream`."""
        if self.combined:
            event = b'{"stream":"' + stream.encode() + b'","data":' + event + b"}"
        self.connection.send(event, kind=kind, symbol=symbol)

    def user_event(self, key: str, name: str, event: bytes, *, kind: str, symbol: str = "") -> None:
        """Send an event of user data, if the client wants those."""
        if not self.only or name in self.only:
            self.tell(key, event, kind=kind, symbol=symbol)

    # What the client says.

    def describe(self, text: str) -> tuple[str, Mapping[str, Any]]:
        """Return label and facts of a message without doing it."""
        try:
            message = _decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return "", {}
        method = message.get("method") if isinstance(message, dict) else None
        return (f"stream.{str(method).lower()}", {}) if method in _METHODS else ("", {})

    def received(self, text: str) -> None:
        """Take a message of the client."""
        second = self._sessions.venue.now() // 1_000
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        if self._messages > self._most_messages and self._sessions.venue.enforced:
            self.connection.close(1008, "Too many requests")
            return
        try:
            message = _decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            self._complain(3, f"Invalid JSON: {error}")
            return
        if not isinstance(message, dict):
            self._complain(2, "Invalid request: request must be an object")
            return
        self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if not isinstance(method, str):
            self._complain(2, "Invalid request: missing field `method` at line 1 column 1")
            return
        if method not in _METHODS:
            known = ", ".join(f"`{one}`" for one in _METHODS)
            self._complain(2, f"Invalid request: unknown variant `{method[:64]}`, expected one of {known}")
            return
        if not _is_number(number):
            self._complain(2, "Invalid request: request ID must be an unsigned integer, a string or null")
            return
        if method == "LIST_SUBSCRIPTIONS":
            self._tell({"result": list(self._names), "id": number})
            return
        params = message.get("params")
        if method in {"SET_PROPERTY", "GET_PROPERTY"}:
            self._property(method, params, number)
            return
        if not isinstance(params, list) or not params or not all(isinstance(one, str) for one in params):
            self._complain(2, "Invalid request: `params` must be an array of stream names")
            return
        if method == "UNSUBSCRIBE":
            self.unsubscribe(params)
        elif len(self._names.keys() | set(params)) > self._most_streams:
            self._complain(2, f"Invalid request: a connection can listen to at most {self._most_streams} streams")
            return
        # The acknowledgement goes before the first message.
        self._tell({"result": None, "id": number})
        if method == "SUBSCRIBE":
            self.subscribe(params)

    def _property(self, method: str, params: Any, number: Any) -> None:
        if not isinstance(params, list) or not params or params[0] != "combined":
            self._complain(0, "Unknown property")
            return
        if method == "GET_PROPERTY":
            self._tell({"result": self.combined, "id": number})
            return
        if len(params) != 2 or not isinstance(params[1], bool):
            self._complain(1, "Invalid value type: expected Boolean")
            return
        self.combined = params[1]
        for stream in self._names.values():
            if stream is not None:
                self._sessions.market[self._segment].subscribe(stream, self)
        self._tell({"result": None, "id": number})

    def _tell(self, answer: dict[str, Any]) -> None:
        self.connection.send(_encode(answer), kind="answer")

    def _complain(self, code: int, text: str) -> None:
        self._tell({"code": code, "msg": text})

    def closed(self) -> None:
        """The connection is gone."""
        self.unsubscribe(tuple(self._names))
        self._sessions.streams.pop(self, None)


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return len(value) <= 36
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64
