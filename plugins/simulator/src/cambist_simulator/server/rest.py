"""REST: a request in, an answer out, and what may go wrong with either."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from cambist_simulator.server.connection import cut
from cambist_simulator.server.log import Entry
from cambist_simulator.server.tampering import Verdict
from cambist_simulator.server.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_simulator.server.server import Server
    from cambist_simulator.server.tampering import Tampering
    from cambist_simulator.server.wire import Dialect

__all__ = ["Rest", "http_answer", "send_part"]

_log = logging.getLogger("cambist.simulator")


class Rest:
    """Answers the REST requests of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def answer(self, request: web.BaseRequest, dialect: Dialect, path: str, query: str) -> web.StreamResponse:
        """Answer a request, by its dialect or by who tampers with it."""
        server = self._server
        received_at = server.clock.server.now()
        body = b""
        if request.body_exists:
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                return http_answer(dialect.failure(413), request, dialect)
        asked = Request(
            method=request.method,
            path=path,
            query=query,
            body=body,
            headers=request.headers,
            ip=request.remote or "",
            received_at=received_at,
            number=server.number,
        )
        tampering = server.tampering
        if tampering is not None and tampering.on_requests:
            return await self._tampered_answer(tampering, asked, dialect, request)
        response = self._ask(dialect, asked)
        self._note(dialect, asked, response, request, ())
        server.flush()
        return http_answer(response, request, dialect)

    def _ask(self, dialect: Dialect, asked: Request) -> Response:
        try:
            return dialect.handle(asked)
        except Exception:  # noqa: BLE001 -- a fault of a dialect must not end the server
            self._server.count("errors")
            _log.exception("%s failed at %s %s", dialect.name, asked.method, asked.path)
            return dialect.failure(500)

    def _note(
        self, dialect: Dialect, asked: Request, response: Response, request: web.BaseRequest, faults: Iterable[str]
    ) -> None:
        if dialect.name.startswith("_"):  # whoever runs the venue is no client of it
            return
        self._server.log.add(
            Entry(
                number=asked.number,
                kind="rest",
                dialect=dialect.name,
                at=asked.received_at,
                market_at=self._server.clock.market.now(),
                ip=asked.ip,
                method=asked.method,
                path=asked.path,
                query=asked.query,
                head=request.raw_headers,
                body=asked.body,
                status=response.status,
                answer=response.body,
                label=response.label,
                facts=response.facts,
                faults=list(faults),
            )
        )

    async def _tampered_answer(
        self, tampering: Tampering, asked: Request, dialect: Dialect, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Answer a request that somebody may want to spoil."""
        try:
            verdict = tampering.before(dialect, asked)
        except Exception:  # noqa: BLE001 -- a fault of a dialect must not end the server
            self._server.count("errors")
            _log.exception("what was to go wrong at %s %s failed itself", asked.method, asked.path)
            verdict = None
        if verdict is not None and (verdict.answer is not None or verdict.silent or verdict.reset):
            response = verdict.answer or Response(status=0)
        else:
            response = self._ask(dialect, asked)
            verdict = tampering.after(asked, response, verdict)
            if verdict is not None and verdict.answer is not None:
                response = verdict.answer
        verdict = verdict or Verdict()
        self._note(dialect, asked, response, request, verdict.faults)
        self._server.flush()
        if verdict.delay:
            await self._server.wait(verdict.delay)
        return await self._spoiled(request, dialect, response, verdict)

    async def _spoiled(
        self, request: web.BaseRequest, dialect: Dialect, response: Response, verdict: Verdict
    ) -> web.StreamResponse:
        """Send an answer as a verdict says."""
        transport = request.transport
        answer: web.StreamResponse = http_answer(response, request, dialect) if response.status else web.Response()
        if transport is None:
            return answer
        if verdict.silent:
            for call in verdict.then:
                call()
            await asyncio.Event().wait()  # until the client gives up: its end cancels us
        if verdict.reset:
            cut(transport)
        elif verdict.keep is not None:
            send_part(response, transport, keep=verdict.keep, announced=verdict.announced)
        else:
            with contextlib.suppress(ConnectionError):  # whoever asked has gone meanwhile
                await answer.prepare(request)
                await answer.write_eof()
        for call in verdict.then:
            call()
        self._server.flush()
        return answer


def http_answer(response: Response, request: web.BaseRequest, dialect: Dialect) -> web.Response:
    """Return an answer for aiohttp to send; compressed where the venue does and the client accepts it."""
    body = response.body
    headers = {"Content-Type": response.content_type, **response.headers}
    if dialect.gzip_from and len(body) >= dialect.gzip_from and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(status=response.status, body=body, headers=headers)


def send_part(response: Response, transport: asyncio.Transport, *, keep: float, announced: bool) -> None:
    """Send the first share of an answer and close the connection.

    Parameters
    ----------
    keep
        Share of the body, 0 to 1.
    announced
        Whether Content-Length tells of the whole body: a client notices that something is missing.
    """
    body = response.body[: int(len(response.body) * keep)]
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [
        f"HTTP/1.1 {response.status} {phrase}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body) if announced else len(body)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
        "Connection: close",
    ]
    transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    transport.close()
