"""The server: REST and WebSocket of several dialects on one port of the loopback interface."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from cambist.api import ParameterError
from cambist_simulator.clock import VenueClock
from cambist_simulator.server.connection import cut
from cambist_simulator.server.log import RequestLog
from cambist_simulator.server.rest import Rest
from cambist_simulator.server.sockets import Sockets
from cambist_simulator.server.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http import RawRequestMessage
    from aiohttp.streams import StreamReader
    from aiohttp.web_protocol import RequestHandler

    from cambist_simulator.server.connection import SocketConnection
    from cambist_simulator.server.tampering import Tampering
    from cambist_simulator.server.wire import Dialect

__all__ = ["Server"]

_log = logging.getLogger("cambist.simulator")
#: Seconds between looks at the clocks.
_TICK = 0.01
#: Bytes of a request's body.
_LARGEST = 4 << 20
#: Turns of the loop until what was accepted last is a connection that can be closed.
_TURNS = 5


class Server:
    """Serves dialects.

    Parameters
    ----------
    dialects
        By the prefix of their paths: ``{"/": one}``, or ``{"/binance": one, "/generic": another}``. A dialect sees
        paths without its prefix.
    clock
        The server's time decides about pings, ages and delays.
    log
        Where requests are kept.
    host, port
        Where it listens; port 0 takes a free one.

    Attributes
    ----------
    connections
        Open WebSockets by number.
    counts
        What became of connections: ``"opened"``, ``"closed"``, ``"kicked"``, ``"expired"``, ``"no_pong"``,
        ``"refused"``; and ``"errors"``, exceptions of a dialect, of which there should be none.
    tickers
        Called some times a second before the dialects' `on_timer`.
    tampering
        Who may do harm; None for nobody.
    """

    def __init__(
        self,
        dialects: Mapping[str, Dialect],
        clock: VenueClock | None = None,
        *,
        log: RequestLog | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.clock = clock or VenueClock()
        self.log = RequestLog() if log is None else log
        self.timers = Timers(self.clock.server)
        self.host, self.port = host, port
        self.connections: dict[int, SocketConnection] = {}
        self.counts: Counter[str] = Counter()
        self.tickers: list[Callable[[], None]] = []
        self.tampering: Tampering | None = None
        self.tampers_frames = False
        self.number = 0
        self._dialects: dict[str, Dialect] = {}
        self._root: Dialect | None = None
        self._dirty: list[SocketConnection] = []
        self._leaving: set[SocketConnection] = set()
        self._flushing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._web: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._swept_at = 0.0
        self._coming: asyncio.Task[None] | None = None
        self._rest, self._sockets = Rest(self), Sockets(self)
        for prefix, dialect in dialects.items():
            self.mount(prefix, dialect)

    def mount(self, prefix: str, dialect: Dialect) -> None:
        """Serve a dialect under a prefix; ``"/"`` takes what no other prefix does."""
        if prefix == "/":
            self._root = dialect
            return
        if not prefix.startswith("/") or "/" in prefix[1:]:
            raise ParameterError(
                f"a dialect cannot be mounted at {prefix!r}; give '/' or one name, such as '/binance'."
            )
        self._dialects[prefix[1:]] = dialect

    @property
    def dialects(self) -> list[Dialect]:
        """All that are mounted, that at ``"/"`` first."""
        return [*([self._root] if self._root else []), *self._dialects.values()]

    @property
    def http(self) -> str:
        """Base address of REST, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    @property
    def ws(self) -> str:
        """Base address of WebSockets."""
        return f"ws://{self.host}:{self.port}"

    def endpoints(self) -> dict[str, str]:
        """Return the base addresses that clients need; names begin with the dialect's where there are several."""
        found = {"": (self._root, "")} if self._root else {}
        found |= {name: (dialect, f"/{name}") for name, dialect in self._dialects.items() if not name.startswith("_")}
        return {
            (key if len(found) == 1 else f"{dialect.name} {key}"): address
            for dialect, prefix in found.values()
            for key, address in dialect.endpoints(self.http + prefix, self.ws + prefix).items()
        }

    async def start(self) -> None:
        """Listen, in the running loop.

        Raises
        ------
        ParameterError
            The port is taken, or the host is none of this machine.
        """
        self._loop = loop = asyncio.get_running_loop()
        self._web = web.Server(
            self._handle,
            request_factory=_request,
            handler_cancellation=True,
            access_log=None,
            logger=_log,
            max_line_size=64 << 10,
            max_field_size=64 << 10,
            keepalive_timeout=3600.0,
        )
        await self._listen()
        self._ticking = loop.call_later(_TICK, self._tick_again)

    async def _listen(self) -> None:
        assert self._web is not None
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._web, self.host, self.port, backlog=4096
            )
        except OSError as error:
            raise ParameterError(
                f"the server cannot listen on {self.host}:{self.port}: {error.strerror}. Port 0 takes a free one."
            ) from error
        self.port = self._listener.sockets[0].getsockname()[1]

    def go_away(self, down: int) -> None:
        """Cut all connections and listen to nobody for `down` ns of the server's clock."""
        if self._listener is None or self._web is None or self._loop is None:
            return
        listener, self._listener = self._listener, None
        self._cut_all()
        self._coming = self._loop.create_task(self._go(listener))
        self.timers.after(down, self._come_back)

    async def _go(self, listener: asyncio.Server) -> None:
        await _close_port(listener)
        self._cut_all()  # those that came meanwhile

    def _cut_all(self) -> None:
        assert self._web is not None
        for connection in list(self.connections.values()):
            connection.reset()
        for handler in self._web.connections:
            if handler.transport is not None:
                cut(handler.transport)

    def _come_back(self) -> None:
        assert self._loop is not None
        self._coming = self._loop.create_task(self._return(self._coming))

    async def _return(self, going: asyncio.Task[None] | None) -> None:
        if going is not None:
            await going
        await self._listen()

    async def stop(self) -> None:
        """Close all connections, and the port."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self._coming is not None:
            await asyncio.gather(self._coming, return_exceptions=True)
        if self._listener is not None:
            await _close_port(self._listener)
        for connection in list(self.connections.values()):
            connection.close(1001, "server shutdown")
            connection.finish()
        if self._web is not None:
            await self._web.shutdown(0.1)
        if self._listener is not None:
            await self._listener.wait_closed()
        self.log.close()

    # --- turns -----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due by the clocks; the server does it some times a second, others after they stepped a clock."""
        for ticker in self.tickers:
            ticker()
        self.timers.run()
        for dialect in self.dialects:
            dialect.on_timer()
        self.flush()

    def sweep(self) -> None:
        """Look after the WebSockets: pings, missing pongs, ages."""
        now = self.clock.server.now()
        for connection in [*self.connections.values(), *self._leaving]:
            connection.due(now)
        self.flush()

    def _tick_again(self) -> None:
        assert self._loop is not None
        try:
            self.tick()
            if self._loop.time() - self._swept_at >= 0.25:
                self._swept_at = self._loop.time()
                self.sweep()
                self.log.flush()
        except Exception:  # noqa: BLE001 -- the clock of the server must go on
            self.count("errors")
            _log.exception("what was due by the clock failed")
        self._ticking = self._loop.call_later(_TICK, self._tick_again)

    def flush_later(self, connection: SocketConnection) -> None:
        """Note that frames wait; they leave at the end of this turn of the loop."""
        self._dirty.append(connection)
        if not self._flushing and self._loop is not None:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Hand all frames that wait to their transports."""
        self._flushing = False
        if self._dirty:
            dirty, self._dirty = self._dirty, []
            for connection in dirty:
                connection.flush()

    def backlog(self) -> int:
        """Return how many bytes the slowest client has not taken yet."""
        return max((one.waiting for one in self.connections.values()), default=0)

    async def drained(self, below: int = 1 << 20) -> None:
        """Wait until every client has taken all but `below` bytes; one who stops reading is cut off by its limit."""
        self.flush()
        while self.backlog() > below:  # noqa: ASYNC110 -- a transport tells no event at a mark of one's choice
            await asyncio.sleep(0.001)

    async def wait(self, delay: int) -> None:
        """Wait for `delay` ns of the server's clock."""
        done = asyncio.get_running_loop().create_future()
        self.timers.after(delay, lambda: None if done.done() else done.set_result(None))
        await done

    def farewell(self, connection: SocketConnection) -> None:
        """Note that a connection waits for the close frame of its client."""
        self._leaving.add(connection)

    def gone(self, connection: SocketConnection) -> None:
        """Forget a connection."""
        self.connections.pop(connection.id, None)
        self._leaving.discard(connection)
        if self.tampering is not None:
            self.tampering.gone(connection)

    def count(self, what: str) -> None:
        """Count something; see `counts`."""
        self.counts[what] += 1

    def retamper(self) -> None:
        """Look again what the tampering wants to see."""
        self.tampers_frames = self.tampering is not None and self.tampering.on_frames

    def tampered(self, connection: SocketConnection, frame: bytes, kind: str, symbol: str) -> Iterable[bytes]:
        """Return what leaves instead of a frame."""
        if self.tampering is None or not self.tampering.on_frames:
            return (frame,)
        return self.tampering.frame(connection, frame, kind, symbol)

    # --- requests --------------------------------------------------------------------------------------------------

    def _route(self, path: str) -> tuple[Dialect | None, str]:
        if self._dialects:
            first, slash, rest = path[1:].partition("/")
            dialect = self._dialects.get(first)
            if dialect is not None:
                return dialect, slash + rest or "/"
        return self._root, path

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw_path, _, query = request.raw_path.partition("?")
        dialect, path = self._route(raw_path)
        if dialect is None:
            return web.Response(status=404, text="nothing is mounted here")
        self.number += 1
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._sockets.serve(request, dialect, path, query)
        return await self._rest.answer(request, dialect, path, query)


async def _close_port(listener: asyncio.Server) -> None:
    """Listen no more; whoever was accepted just now becomes a connection first, or nobody could ever close it."""
    for one in listener.sockets:
        asyncio.get_running_loop().remove_reader(one)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    listener.close()


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=_LARGEST
    )
