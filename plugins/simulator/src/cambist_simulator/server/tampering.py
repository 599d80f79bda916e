"""What may stand between the server and its dialects, to do harm on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist_simulator.server.connection import SocketConnection
    from cambist_simulator.server.wire import Dialect, Request, Response

__all__ = ["Tampering", "Verdict"]


class Verdict(msgspec.Struct, kw_only=True):
    """What becomes of one REST request.

    Attributes
    ----------
    answer
        Sent instead of the venue's.
    delay
        ns (server clock) that the answer waits.
    silent
        Nothing is answered; the connection stays open.
    reset
        The connection is cut instead of an answer.
    keep
        Share of the body that leaves; the connection is closed after it where `announced`.
    announced
        Whether Content-Length tells of the whole body.
    then
        Called when the answer has left.
    faults
        Their names, for the log.
    """

    answer: Response | None = None
    delay: int = 0
    silent: bool = False
    reset: bool = False
    keep: float | None = None
    announced: bool = True
    then: list[Callable[[], None]] = []
    faults: list[str] = []


class Tampering(Protocol):
    """Who is asked before and after everything, while there is anything to ask for.

    Attributes
    ----------
    on_requests, on_messages, on_frames, on_openings
        Whether anybody wants to see those; the server does not ask otherwise.
    """

    on_requests: bool
    on_messages: bool
    on_frames: bool
    on_openings: bool

    def before(self, dialect: Dialect, request: Request) -> Verdict | None:
        """Look at a request that the venue has not seen; a verdict with an answer, silence or a reset keeps it so."""

    def after(self, request: Request, response: Response, verdict: Verdict | None) -> Verdict | None:
        """Look at what the venue answered; `verdict` is that of `before`."""

    def opening(self, dialect: Dialect, connection: SocketConnection) -> Response | None:
        """Look at a new WebSocket; a response refuses it."""

    def message(self, connection: SocketConnection, text: str, proceed: Callable[[str], None]) -> list[str]:
        """Look at a message of a client; it is the dialect's once `proceed` is called. Returns names of faults."""

    def gone(self, connection: SocketConnection) -> None:
        """Take note that a WebSocket has ended."""

    def frame(self, connection: SocketConnection, frame: bytes, kind: str, symbol: str) -> Iterable[bytes]:
        """Look at a frame for a client; what is returned leaves now."""
