"""The control socket: takes requests of operators, answers them in order, and waits for nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import struct
from typing import TYPE_CHECKING, Any

from cambist.errors import CambistError, ControlError
from cambist.live.control.protocol import MAX_REQUEST, Answer, Request, decode_request, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

__all__ = ["ControlServer"]

_log = logging.getLogger("cambist.live.control")


class ControlServer:
    """Listens at a Unix socket that its owner alone may use.

    Parameters
    ----------
    path
        Of the socket.
    handle
        Does what a request says, and returns the result.
    clients
        How many may be connected at a time.
    idle
        After how long without a request a client is let go, s.
    write_within
        How long a client may take to read its answer, s.
    """

    def __init__(
        self,
        path: Path,
        handle: Callable[[Request], Awaitable[Any]],
        *,
        clients: int = 16,
        idle: float = 600.0,
        write_within: float = 5.0,
    ) -> None:
        self._path, self._handle = path, handle
        self._most, self._idle, self._write_within = clients, idle, write_within
        self._clients: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        ControlError
            If another process listens there, or it cannot be listened at.
        """
        try:
            await asyncio.to_thread(_clear_stale, self._path)
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_REQUEST)
            self._path.chmod(0o600)
        except OSError as error:
            raise ControlError(f"{self._path} cannot be listened at: {error}.", code="unsafe_place") from error

    async def close(self) -> None:
        """Let go of all clients, and of the socket."""
        self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if len(self._clients) > self._most:
                await self._write(writer, Answer(ok=False, code="busy", error="too many clients; try again."))
                return
            peer = _peer_of(writer)
            while await self._one(reader, writer, peer):
                pass
        except (OSError, TimeoutError):
            pass  # the client is gone, or does not read
        except asyncio.CancelledError:
            pass  # the run has ended; nobody waits for this task
        finally:
            self._clients.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> bool:
        """Answer one request; False where the client has no more."""
        try:
            async with asyncio.timeout(self._idle):
                line = await reader.readline()
        except ValueError:  # the line is too long; what follows makes no sense
            error = f"a request has at most {MAX_REQUEST} bytes."
            await self._write(writer, Answer(ok=False, code="bad_request", error=error))
            return False
        if not line.endswith(b"\n"):
            return False
        await self._write(writer, await self._answer(line, peer))
        return True

    async def _answer(self, line: bytes, peer: str) -> Answer:
        number = 0
        try:
            request = decode_request(line)
            number = request.id
            if not request.by:
                request = Request(do=request.do, arguments=request.arguments, by=peer, id=number)
            return Answer(id=number, result=await self._handle(request))
        except CambistError as error:
            return Answer(id=number, ok=False, code=getattr(error, "code", "") or "failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, other requests go on
            _log.exception("a request failed")
            return Answer(id=number, ok=False, code="failed", error=f"{type(error).__name__}: {error}")

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(encode(answer))
        async with asyncio.timeout(self._write_within):
            await writer.drain()


def _clear_stale(path: Path) -> None:
    """Remove a socket that nobody listens at any more."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ControlError(f"{path} is no socket. Remove it: the run listens there.", code="unsafe_place")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
        except TimeoutError:
            raise ControlError(f"another process listens at {path}, and does not answer.", code="in_use") from None
        else:
            raise ControlError(f"another process listens at {path}.", code="in_use")


def _peer_of(writer: asyncio.StreamWriter) -> str:
    """Return who is at the other end, for the journal."""
    peer = writer.get_extra_info("socket")
    option = getattr(socket, "SO_PEERCRED", None)
    if peer is None or option is None:
        return "control socket"
    pid, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return f"uid {uid}, process {pid}"
