"""A WebSocket that comes back: attempts with growing waits, a heartbeat, and a successor before it is too old."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from cambist.api import VenueError
from cambist_ccxt.backoff import Backoff
from cambist_ccxt.loading import FAMILIES
from cambist_ccxt.tls import tls_context

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

__all__ = ["Connection", "Link", "LinkHooks", "LinkSettings", "framed"]

_log = logging.getLogger("cambist.ccxt")
#: How long a connection that has a successor is kept for answers that are waited for, seconds.
_GRACE = 5.0
_FAILURES = (OSError, TimeoutError, WebSocketException, VenueError, msgspec.MsgspecError)


@attrs.frozen(kw_only=True)
class LinkSettings:
    """How connections behave; times in seconds.

    Attributes
    ----------
    open_timeout
        Until the handshake, and what is said first, is done.
    heartbeat
        Between pings; a peer that answers none for as long is gone. None where the venue wants none.
    lifetime
        After which a connection gets a successor; venues cut those of a day.
    first_wait, most_wait
        Between attempts to connect.
    proxy
        Address of an HTTP proxy; ``""`` for none.
    ip
        4 or 6 for that version of the Internet protocol alone, 0 for whichever answers.
    """

    open_timeout: float = 10.0
    heartbeat: float | None = 20.0
    lifetime: float = 23 * 3600.0
    first_wait: float = 0.1
    most_wait: float = 30.0
    max_frame: int = 16 * 2**20
    proxy: str = ""
    ip: int = 0


def framed(text: bytes) -> bytes:
    """Return a text, given as UTF-8, as the frame that a client sends, masked; connections have no extensions."""
    return Frame(Opcode.TEXT, text).serialize(mask=True)


@attrs.define(eq=False)
class Connection:
    """One WebSocket while it lasts.

    Attributes
    ----------
    ready
        Whether what is said first has been said and answered.
    pending
        How many answers are still waited for: a connection that gets a successor is kept for them.
    """

    socket: ClientConnection
    opened_at: float
    last_at: float
    ready: bool = False
    pending: int = 0
    reader: asyncio.Task[None] | None = None

    def write(self, frame: bytes) -> bool:
        """Write what `framed` made at once, unless it would have to wait; return whether it was written.

        It does without the turns that `send` takes for flow control, which an order need not wait for.
        """
        socket = self.socket
        if socket.protocol.state is not State.OPEN or socket.transport.get_write_buffer_size():
            return False
        socket.transport.write(frame)  # whole, between those of others
        return True

    async def send(self, text: bytes) -> None:
        """Send a text frame, given as UTF-8, when its turn has come.

        Raises
        ------
        ConnectionClosed
            It is gone.
        """
        await self.socket.send(text, text=True)


class LinkHooks(Protocol):
    """What somebody does with a `Link`."""

    async def address(self) -> str:
        """Return where to connect now."""

    async def opened(self, connection: Connection, /) -> None:
        """Say what is said first; frames come in meanwhile."""

    def frame(self, connection: Connection, data: bytes, /) -> None:
        """Take a frame; what it raises of msgspec or `VenueError` ends the connection, since something is lost."""

    def lost(self, connection: Connection, /) -> None:
        """Take that a connection is gone."""

    def state(self, state: str, text: str) -> None:
        """Take ``"up"`` or ``"down"`` of the link as a whole."""


class Link:
    """Keeps a WebSocket open.

    Parameters
    ----------
    name
        For messages.

    Attributes
    ----------
    connects, frames, bytes_in
        What happened so far.
    """

    def __init__(self, name: str, hooks: LinkHooks, settings: LinkSettings | None = None) -> None:
        self.name, self._hooks, self._settings = name, hooks, settings or LinkSettings()
        self._backoff = Backoff(self._settings.first_wait, self._settings.most_wait)
        self._renewal = asyncio.Event()
        self._current: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.connects = self.frames = self.bytes_in = 0

    def start(self) -> None:
        """Connect, and stay connected, in a task of its own."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"link {self.name}")

    @property
    def current(self) -> Connection | None:
        """The connection that is up; None while there is none."""
        connection = self._current
        return connection if connection is not None and connection.ready else None

    @property
    def silent_for(self) -> float:
        """Seconds since the last frame; 0 while it is down."""
        return 0.0 if self._current is None else asyncio.get_running_loop().time() - self._current.last_at

    def renew(self) -> None:
        """Replace the connection by a new one, without a gap between: the venue is about to cut it."""
        self._renewal.set()

    def drop(self, reason: str) -> None:
        """Give the connection up at once: it is of no use. A new one follows."""
        connection = self._current
        if connection is not None and connection.reader is not None:
            _log.warning("%s: the connection is given up: %s", self.name, reason)
            connection.reader.cancel(reason)

    async def close(self) -> None:
        """Close, for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)

    # The life of the link.

    async def _run(self) -> None:
        while True:
            try:
                connection = await self._begin()
            except _FAILURES as error:
                reason = _reason(error)
                self._hooks.state("down", reason)
                wait = max(self._backoff.next(), _retry_after(error))
                _log.info("%s: not connected (%s); again in %.1f s", self.name, reason, wait)
                await asyncio.sleep(wait)
                continue
            self._hooks.state("up", "")
            # A venue that takes connections only to cut them is not asked at full speed.
            began = connection.opened_at
            reason = await self._stay(connection)
            if asyncio.get_running_loop().time() - began > self._settings.most_wait:
                self._backoff.reset()
            self._hooks.state("down", reason)
            await asyncio.sleep(self._backoff.next())

    async def _stay(self, connection: Connection) -> str:
        """Read until the connection is gone, replacing it in time; return why it is gone."""
        lifetime = self._settings.lifetime
        loop = asyncio.get_running_loop()
        try:
            while True:
                assert connection.reader is not None
                renewal = loop.create_task(self._renewal.wait())
                try:
                    await asyncio.wait(
                        {connection.reader, renewal},
                        timeout=max(0.0, connection.opened_at + lifetime - loop.time()),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    renewal.cancel()
                if connection.reader.done():
                    return _end_of(connection.reader)
                self._renewal.clear()
                try:
                    successor = await self._begin()
                except _FAILURES as error:
                    _log.warning("%s: no successor for the connection yet: %s", self.name, _reason(error))
                    lifetime += 60.0
                    continue
                self._retire(connection)
                connection = successor
        finally:
            self._current = None
            self._retire(connection)

    async def _begin(self) -> Connection:
        """Connect and say what is said first."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(settings.open_timeout):
            address = await self._hooks.address()
            socket = await connect(
                address,
                compression=None,
                max_size=settings.max_frame,
                max_queue=1024,
                open_timeout=None,
                close_timeout=1.0,
                ping_interval=settings.heartbeat,
                ping_timeout=settings.heartbeat,
                proxy=settings.proxy or None,
                family=FAMILIES[settings.ip],
                ssl=tls_context() if address.startswith("wss:") else None,
            )
            connection = Connection(socket, loop.time(), loop.time())
            connection.reader = loop.create_task(self._read(connection), name=f"reader {self.name}")
            try:
                await self._first_words(connection)
            except BaseException:
                self._retire(connection)
                raise
        connection.ready = True
        self._current = connection
        self.connects += 1
        return connection

    async def _first_words(self, connection: Connection) -> None:
        """Say them; a connection that is cut meanwhile ends the wait."""
        assert connection.reader is not None
        opened = asyncio.get_running_loop().create_task(self._hooks.opened(connection))
        try:
            await asyncio.wait({opened, connection.reader}, return_when=asyncio.FIRST_COMPLETED)
            if not opened.done():
                raise VenueError(f"{self.name}: {_end_of(connection.reader)}")
            opened.result()
        finally:
            opened.cancel()

    async def _read(self, connection: Connection) -> None:
        socket, take = connection.socket, self._hooks.frame
        time = asyncio.get_running_loop().time
        while True:
            data = await socket.recv(decode=False)
            connection.last_at = time()
            self.frames += 1
            self.bytes_in += len(data)
            take(connection, data)

    def _retire(self, connection: Connection) -> None:
        """Close a connection beside whatever goes on."""
        reader = connection.reader
        if reader is None:
            return
        connection.reader = None
        connection.ready = False
        task = asyncio.get_running_loop().create_task(self._close(connection, reader))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, connection: Connection, reader: asyncio.Task[None]) -> None:
        end = asyncio.get_running_loop().time() + _GRACE
        # A look now and then costs less than an event that every answer sets.
        while connection.pending and not reader.done() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        with contextlib.suppress(*_FAILURES):
            await connection.socket.close()
        self._hooks.lost(connection)

    def metrics(self) -> dict[str, Any]:
        """Return what can be counted of it."""
        return {
            "name": self.name,
            "up": self.current is not None,
            "connects": self.connects,
            "frames": self.frames,
            "bytes": self.bytes_in,
            "silent_for": self.silent_for,
        }


def _end_of(reader: asyncio.Task[None]) -> str:
    if not reader.done():
        return "given up"
    if reader.cancelled():
        return "given up"
    error = reader.exception()
    if error is not None and not isinstance(error, _FAILURES):
        raise error
    return "closed" if error is None else _reason(error)


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionClosed):
        received = error.rcvd
        return "cut" if received is None else f"closed by the venue: {received.code} {received.reason}".rstrip()
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, msgspec.MsgspecError):
        return f"a frame that makes no sense: {error}"
    return str(error) or type(error).__name__


def _retry_after(error: BaseException) -> float:
    """Return the seconds that the venue wants to be left alone, 0 where it says nothing."""
    if isinstance(error, InvalidStatus) and error.response.status_code in {418, 429}:
        text = error.response.headers.get("Retry-After", "")
        return float(text) if text.replace(".", "", 1).isdigit() else 5.0
    return 0.0
