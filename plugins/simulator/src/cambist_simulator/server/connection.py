"""A WebSocket of a client: frames go straight to the transport, many in one write."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from cambist_simulator.server.wire import Limits, text_frame

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from cambist_simulator.server.server import Server
    from cambist_simulator.server.wire import Dialect, Session

__all__ = ["SocketConnection", "control_frame", "cut"]

#: Bytes that are collected before they are written even though the turn of the loop is not over.
_BLOCK = 1 << 18
_CLOSE, _PING, _PONG = 0x8, 0x9, 0xA
#: ns that a client has to answer a close frame; then the connection is cut.
_FAREWELL = 2_000_000_000


class SocketConnection:
    """See `cambist_simulator.server.wire.Connection`; the rest is for the server and for faults.

    Attributes
    ----------
    mute
        Whether nothing leaves, not even a pong.
    deaf
        Whether nothing that comes is looked at.
    quiet
        Kinds of frames that no longer leave; with ``"*"`` all but answers and control frames.
    captured
        Where answers are put instead of into the line; None for the line.
    frames, bytes_out, messages
        Counted since it was opened.
    """

    def __init__(
        self,
        server: Server,
        transport: asyncio.Transport,
        dialect: Dialect,
        *,
        id: int,  # noqa: A002 -- as the protocol has it
        ip: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
    ) -> None:
        self._server = server
        self._transport = transport
        self.dialect = dialect
        self.id, self.ip, self.path, self.query, self.headers = id, ip, path, query, headers
        self.opened_at = server.clock.server.now()
        self.limits = Limits()
        self.user, self.label = "", ""
        self.session: Session | None = None
        self.mute = self.deaf = self.closing = False
        self.quiet: frozenset[str] = frozenset()
        self.captured: list[bytes] | None = None
        self.frames = self.bytes_out = self.messages = 0
        self.pinged_at, self.ponged_at, self.closing_at = self.opened_at, self.opened_at, 0
        self._pending: list[bytes] = []
        self._size = 0
        #: The handshake has not been answered yet.
        self._early = True

    def opened(self) -> None:
        """Let go what was said before the handshake was answered."""
        self._early = False
        self.flush()

    def send(self, data: bytes, *, kind: str = "", symbol: str = "") -> None:
        """Send a text frame around `data`."""
        self.send_frame(text_frame(data), kind=kind, symbol=symbol)

    def send_frame(self, frame: bytes, *, kind: str = "", symbol: str = "") -> None:
        """Send a whole frame, unless somebody has other plans with it."""
        if self._server.tampers_frames or self.quiet or self.captured is not None:
            if self.captured is not None and kind == "answer":
                self.captured.append(frame)
                return
            if self.quiet and (kind in self.quiet or ("*" in self.quiet and kind not in {"answer", "control", ""})):
                return
            for one in self._server.tampered(self, frame, kind, symbol):
                self.write(one)
            return
        self.write(frame)

    def write(self, frame: bytes) -> None:
        """Put bytes in the line; they leave at the end of the server's turn, at the latest."""
        if self.closing or self.mute:
            return
        pending = self._pending
        if not pending:
            self._server.flush_later(self)
        pending.append(frame)
        self.frames += 1
        self._size += len(frame)
        if self._size > _BLOCK:
            self.flush()

    def write_all(self, frames: Iterable[bytes]) -> None:
        """Put several in the line."""
        for frame in frames:
            self.write(frame)

    def flush(self) -> None:
        """Hand what is in the line to the transport; one who reads too slowly is cut off."""
        pending = self._pending
        if not pending or self._early:
            return
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        self._size = 0
        self.bytes_out += len(data)
        self._transport.write(data)
        if self.waiting > self.limits.write_buffer:
            self.kick()

    @property
    def waiting(self) -> int:
        """Bytes that the client has not taken."""
        return self._size + self._transport.get_write_buffer_size()

    def kick(self) -> None:
        """Cut off one who reads too slowly."""
        self._server.count("kicked")
        self.reset()

    def ping(self) -> None:
        """Ask whether the client is still there; what it should say back is the time in ms, as venues do."""
        now = self._server.clock.server.now()
        self.pinged_at = now
        self.write(control_frame(_PING, str(now // 1_000_000).encode()))

    def pong(self, data: bytes) -> None:
        """Answer a ping."""
        self.write(control_frame(_PONG, data))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it after what was sent; a client that does not answer is cut off later."""
        if self.closing:
            return
        payload = struct.pack("!H", code) + reason.encode()[:123] if code else b""
        self.write(control_frame(_CLOSE, payload))
        self.flush()
        self.closing, self.closing_at = True, self._server.clock.server.now()
        self._server.farewell(self)

    def finish(self) -> None:
        """Close the transport after what was written."""
        self.flush()
        self.closing = True
        self._transport.close()

    def reset(self) -> None:
        """Cut it without a word; what is in the line is lost."""
        self._pending.clear()
        self._size = 0
        self.closing = True
        cut(self._transport)

    def break_off(self, frame: bytes, keep: int) -> None:
        """Send the first `keep` bytes of a frame, then cut the connection."""
        self.write(frame[:keep])
        self.flush()
        # An abort would throw away what has just been written.
        self.finish()

    def due(self, now: int) -> None:
        """Do what the limits ask for: pings, missing pongs, age."""
        limits = self.limits
        if self.closing:
            if now - self.closing_at >= _FAREWELL:
                self.reset()
            return
        if limits.lifetime and now - self.opened_at >= limits.lifetime:
            self._server.count("expired")
            self.close(1001, "connection lifetime")
            return
        if not limits.ping_interval or self.mute:
            return
        if limits.pong_timeout and self.pinged_at > self.ponged_at and now - self.ponged_at >= limits.pong_timeout:
            self._server.count("no_pong")
            self.close(1008, "Pong timeout")
        elif now - self.pinged_at >= limits.ping_interval:
            self.ping()

    def as_dict(self) -> dict[str, Any]:
        """Return what there is to know of it, for people and for JSON."""
        return {
            "id": self.id,
            "dialect": self.dialect.name,
            "ip": self.ip,
            "path": self.path,
            "query": self.query,
            "user": self.user,
            "label": self.label,
            "opened_at": self.opened_at,
            "frames": self.frames,
            "bytes": self.bytes_out,
            "messages": self.messages,
            "waiting": self.waiting,
            "mute": self.mute,
            "deaf": self.deaf,
        }


def control_frame(opcode: int, payload: bytes) -> bytes:
    """Return an unmasked control frame; its payload is at most 125 bytes."""
    payload = payload[:125]
    return bytes((0x80 | opcode, len(payload))) + payload


def cut(transport: asyncio.Transport) -> None:
    """Reset a connection: the other side sees an error, not an end."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        with contextlib.suppress(OSError):  # it has been closed meanwhile
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
