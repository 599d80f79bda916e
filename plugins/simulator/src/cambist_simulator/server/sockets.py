"""WebSockets: the handshake, the messages of clients, the end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from cambist_simulator.server.connection import SocketConnection
from cambist_simulator.server.log import Entry
from cambist_simulator.server.rest import http_answer
from cambist_simulator.server.wire import Response

if TYPE_CHECKING:
    from cambist_simulator.server.server import Server
    from cambist_simulator.server.wire import Dialect, Session

__all__ = ["Sockets"]

_log = logging.getLogger("cambist.simulator")


class Sockets:
    """Serves the WebSockets of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._opened = 0

    async def serve(self, request: web.BaseRequest, dialect: Dialect, path: str, query: str) -> web.StreamResponse:
        """Answer a handshake, and talk until the end."""
        server = self._server
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._opened += 1
        connection = SocketConnection(
            server,
            transport,
            dialect,
            id=self._opened,
            ip=request.remote or "",
            path=path,
            query=query,
            headers=request.headers,
        )
        refused, session = self._open(connection)
        self._note_opening(connection, request, 101 if refused is None else refused.status)
        if refused is not None or session is None:
            self._server.count("refused")
            return http_answer(refused or dialect.failure(500), request, dialect)
        connection.session = session
        socket = web.WebSocketResponse(
            autoclose=False, autoping=False, compress=False, max_msg_size=connection.limits.max_message
        )
        if not socket.can_prepare(request).ok:
            session.closed()
            return http_answer(dialect.failure(400), request, dialect)
        self._server.connections[connection.id] = connection
        self._server.count("opened")
        try:
            await socket.prepare(request)
            # What the session said at once comes after the answer to the handshake.
            connection.opened()
            await self._converse(socket, connection, session)
        finally:
            connection.closing = True
            server.gone(connection)
            self._server.count("closed")
            session.closed()
        return socket

    def _open(self, connection: SocketConnection) -> tuple[Response | None, Session | None]:
        """Let the dialect take a connection; returns why not, or the session."""
        dialect = connection.dialect
        tampering = self._server.tampering
        if tampering is not None and tampering.on_openings:
            refused = tampering.opening(dialect, connection)
            if refused is not None:
                return refused, None
        try:
            session = dialect.connect(connection)
        except Exception:  # noqa: BLE001 -- a fault of a dialect must not end the server
            self._server.count("errors")
            _log.exception("%s failed at a new connection to %s", dialect.name, connection.path)
            return dialect.failure(500), None
        return (session, None) if isinstance(session, Response) else (None, session)

    def _note_opening(self, connection: SocketConnection, request: web.BaseRequest, status: int) -> None:
        self._server.log.add(
            Entry(
                number=self._server.number,
                kind="open",
                dialect=connection.dialect.name,
                at=connection.opened_at,
                market_at=self._server.clock.market.now(),
                ip=connection.ip,
                method=request.method,
                path=connection.path,
                query=connection.query,
                head=request.raw_headers,
                connection=connection.id,
                status=status,
            )
        )

    async def _converse(self, socket: web.WebSocketResponse, connection: SocketConnection, session: Session) -> None:
        """Hand what a client sends to its session, until one of the two leaves."""
        while True:
            message = await socket.receive()
            kind = message.type
            if connection.deaf:
                if kind in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR}:
                    await asyncio.Event().wait()  # until the client is gone: that cancels us
                continue
            if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
                self._message(connection, session, message.data)
            elif kind is WSMsgType.PING:
                connection.pong(message.data)
            elif kind is WSMsgType.PONG:
                connection.ponged_at = self._server.clock.server.now()
            elif kind is WSMsgType.CLOSE:
                connection.close(message.data or 1000)
                connection.finish()
                return
            else:  # a frame that is none, or the end
                connection.finish()
                return

    def _message(self, connection: SocketConnection, session: Session, data: str | bytes) -> None:
        connection.messages += 1
        self._server.number += 1
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        entry = Entry(
            number=self._server.number,
            kind="message",
            dialect=connection.dialect.name,
            at=self._server.clock.server.now(),
            market_at=self._server.clock.market.now(),
            ip=connection.ip,
            path=connection.path,
            body=text.encode("utf-8", "surrogatepass"),
            connection=connection.id,
        )
        if not connection.closing:
            self._guarded(connection, session, text, entry)
        self._server.log.add(entry)
        self._server.flush()

    def _guarded(self, connection: SocketConnection, session: Session, text: str, entry: Entry) -> None:
        """Hand a message to whoever tampers with it, or to its session; one that fails ends the connection."""
        tampering = self._server.tampering
        try:
            if tampering is not None and tampering.on_messages:
                entry.faults = tampering.message(connection, text, session.received)
            else:
                session.received(text)
        except Exception:  # noqa: BLE001 -- a fault of a dialect must not end the server
            self._server.count("errors")
            _log.exception("%s failed at a message of connection %d", connection.dialect.name, connection.id)
            connection.close(1011, "internal error")
