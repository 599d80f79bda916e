"""A stream and those who listen to it: each message is put into a frame once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cambist_simulator.server.wire import text_frame

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.stream_names import StreamName
    from cambist_simulator.server.wire import Connection

__all__ = ["Channel", "Listener"]

#: What faults know its frames by.
_KINDS: Final = {
    "trade": "trade",
    "aggTrade": "trade",
    "kline": "kline",
    "depth": "depth",
    "partial": "depth",
    "bookTicker": "ticker",
    "ticker": "ticker",
    "miniTicker": "ticker",
    "avgPrice": "ticker",
    "markPrice": "mark",
    "forceOrder": "trade",
}


class Listener(Protocol):
    """A connection that streams may be sent to."""

    connection: Connection
    #: Whether it wants the name of the stream around each message.
    combined: bool


class Channel:
    """One stream.

    Parameters
    ----------
    name
        Which one.

    Attributes
    ----------
    window
        Number of the interval that what is pending belongs to; messages of a stream with a speed go out at its end.
    """

    def __init__(self, name: StreamName) -> None:
        self.name = name
        self.kind = _KINDS[name.kind]
        self.every = name.every
        self.window = -1
        self._head = f'{{"stream":"{name.name}","data":'.encode()
        self._raw: dict[Listener, None] = {}
        self._combined: dict[Listener, None] = {}

    def __bool__(self) -> bool:
        return bool(self._raw or self._combined)

    def join(self, listener: Listener) -> None:
        """Send to a connection from now on, in the form that it wants now."""
        self.leave(listener)
        (self._combined if listener.combined else self._raw)[listener] = None

    def leave(self, listener: Listener) -> None:
        """Send to it no more."""
        self._raw.pop(listener, None)
        self._combined.pop(listener, None)

    def publish(self, data: bytes) -> None:
        """Send a message to all."""
        kind, symbol = self.kind, self.name.symbol
        if self._raw:
            frame = text_frame(data)
            for listener in tuple(self._raw):
                listener.connection.send_frame(frame, kind=kind, symbol=symbol)
        if self._combined:
            frame = text_frame(self._head + data + b"}")
            for listener in tuple(self._combined):
                listener.connection.send_frame(frame, kind=kind, symbol=symbol)

    def over(self, at: int) -> bool:
        """Whether `at` (ns) is in a later interval than what is pending; what is pending belongs to that one then."""
        if not self.every:
            return True
        window = at // self.every
        if window == self.window:
            return False
        self.window = window
        return True
