"""What the server hands to a dialect and takes back: requests, answers and connections, nothing of any venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Connection", "Dialect", "Limits", "Request", "Response", "Session", "frame_text", "text_frame"]

_SECOND = 1_000_000_000


class Request(msgspec.Struct, kw_only=True):
    """A REST request as it came.

    Attributes
    ----------
    method, path
        Upper case; without the query.
    query, body
        Raw, since they are what is signed.
    headers
        By lower-case name.
    ip
        Of the client.
    received_at
        ns, server time.
    number
        Counts the requests of the server.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    ip: str
    received_at: int
    number: int = 0


class Response(msgspec.Struct, kw_only=True):
    """The answer to one.

    Attributes
    ----------
    label
        What faults and logs know the request by, such as ``"order.place"``; see `Dialect.labels`.
    facts
        What a fault may select by: ``symbol``, ``user``, ``client_id`` where the dialect knows them.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    content_type: str = "application/json"
    label: str = ""
    facts: dict[str, Any] = {}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue allows a WebSocket; times are ns by the server's clock, 0 is never.

    Attributes
    ----------
    ping_interval, pong_timeout
        The server pings so often, and closes a connection whose client has not answered for so long.
    lifetime
        The connection is closed at this age.
    write_buffer
        Bytes that may wait for the client; one who reads slower is cut off.
    max_message
        Bytes of a message of the client; a longer one closes the connection with 1009.
    """

    ping_interval: int = 20 * _SECOND
    pong_timeout: int = 60 * _SECOND
    lifetime: int = 24 * 3600 * _SECOND
    write_buffer: int = 8 << 20
    max_message: int = 1 << 20


class Connection(Protocol):
    """A WebSocket of a client, as the server gives it to a session.

    Attributes
    ----------
    limits
        A dialect may set its own in `Dialect.connect`.
    user, label
        A `User.id` and what the connection is for, as far as known; for faults and for people.
    """

    id: int
    ip: str
    path: str
    query: str
    headers: Mapping[str, str]
    opened_at: int
    limits: Limits
    user: str
    label: str

    def send(self, data: bytes, *, kind: str = "", symbol: str = "") -> None:
        """Send a text frame.

        Parameters
        ----------
        data
            UTF-8.
        kind
            What faults know it by: ``"answer"``, ``"depth"``, ``"trade"``, ``"kline"``, ``"ticker"``, ``"mark"``,
            ``"order"`` (user's order events), ``"fill"``, ``"balance"``, ``"position"``, ``"control"``.
        symbol
            Of the frame, or ``""``.
        """

    def send_frame(self, frame: bytes, *, kind: str = "", symbol: str = "") -> None:
        """Send bytes that are a whole frame already (see `text_frame`): made once for all who get the same."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it after what was sent."""

    def reset(self) -> None:
        """Cut it without a word."""


class Session(Protocol):
    """What a dialect does with one connection."""

    def received(self, text: str) -> None:
        """Take a message of the client; never raises for what one may send."""

    def describe(self, text: str) -> tuple[str, Mapping[str, Any]]:
        """Return label and facts of a message without doing it, as `Dialect.describe`."""

    def closed(self) -> None:
        """The connection is gone."""


class Dialect(Protocol):
    """A venue's protocol over exchanges.

    All of it is synchronous: a request is answered in one piece, and what it sets off is sent to the connections
    before the answer is.
    """

    name: str
    #: Answers of at least so many bytes are compressed for those who accept it; 0 for never.
    gzip_from: int

    def describe(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Return label and facts of a request without doing it, checking nothing.

        Faults that strike before the venue has seen a request select by it. Facts are those of `Response.facts`, as
        far as the text of the request tells; ``("", {})`` for a request that the venue does not know.
        """

    def failure(self, status: int) -> Response:
        """Return what the venue says with an HTTP error that no request is to blame for: 403, 418, 429, 503 ..."""

    def handle(self, request: Request) -> Response:
        """Answer a REST request; never raises for what a client may send."""

    def connect(self, connection: Connection) -> Session | Response:
        """Take a new WebSocket, or say why not."""

    def labels(self) -> Iterable[str]:
        """Return what faults may select requests by."""

    def endpoints(self, http: str, ws: str) -> dict[str, str]:
        """Return the base addresses that clients need, by name, given those of the server."""

    def on_timer(self) -> None:
        """Do what is due by the clocks; called some times a second, and after each step of a clock."""

    def apply(self, action: str, arguments: Mapping[str, Any]) -> bool:
        """Do a fault that only the venue itself can do (``"expire_listen_keys"``); False where it has no such thing."""


def text_frame(data: bytes) -> bytes:
    """Return an unmasked, final text frame of RFC 6455 around `data`."""
    size = len(data)
    if size < 126:
        return b"\x81" + bytes((size,)) + data
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data


def frame_text(frame: bytes) -> bytes:
    """Return what is in a frame that `text_frame` made."""
    short = frame[1]
    return frame[2:] if short < 126 else frame[4:] if short == 126 else frame[10:]
