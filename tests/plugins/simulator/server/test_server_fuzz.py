"""What no sane client sends: the server answers or closes, forgets nobody, and goes on."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import struct

import aiohttp
import pytest
from echo_dialect import EchoDialect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist_simulator.server.server import Server
from cambist_simulator.server.wire import Limits

HANDSHAKE = (
    b"GET /s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def served(test, dialect=None):
    async def run():
        dialect_ = dialect or EchoDialect()
        server = Server({"/": dialect_})
        await server.start()
        try:
            await asyncio.wait_for(test(server), 60)
            assert await alive(server)
            assert server.counts["errors"] == 0
            await until(lambda: not server.connections)
            assert dialect_.sessions == []
        finally:
            await server.stop()

    asyncio.run(run())


async def until(true):
    while not true():  # noqa: ASYNC110 -- what it waits for is no event
        await asyncio.sleep(0.001)


async def alive(server):
    async with aiohttp.ClientSession() as http, http.get(f"{server.http}/x") as answer:
        return answer.status == 200


async def spoken(server, *pieces, wait=0.05):
    """Send bytes and return what comes back until the server closes, or a moment has passed."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    heard = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        while True:
            piece = await asyncio.wait_for(reader.read(65536), wait)
            if not piece:
                break
            heard += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return heard


MALFORMED = [
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /x HTTP/1.1\r\nno colon here\r\n\r\n",
    b"GET /x HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    b"GET /x HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET /x HTTP/1.1\r\nX: " + b"b" * 200_000 + b"\r\n\r\n",
    b"GET /x HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n",
    b"GET /\xff\xfe\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT nowhere:99999 HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x00" * 10_000,
]


@pytest.mark.parametrize("piece", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_requests_are_refused(piece):
    async def test(server):
        heard = await spoken(server, piece)
        assert not heard or heard.startswith(b"HTTP/1.")

    served(test)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_any_bytes_do_no_harm(pieces):
    async def test(server):
        await spoken(server, *pieces, wait=0.01)
        await spoken(server, HANDSHAKE, *pieces, wait=0.01)

    served(test)


def masked(opcode, payload, *, fin=True, rsv=0, mask=b"\x01\x02\x03\x04", length=None):
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    size = len(payload) if length is None else length
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


BAD_FRAMES = {
    "reserved opcode": masked(0x3, b"x"),
    "reserved bit": masked(0x1, b"x", rsv=0x40),
    "long control frame": masked(0x9, b"x" * 126),
    "control frame in parts": masked(0x9, b"x", fin=False),
    "continuation of nothing": masked(0x0, b"x"),
    "text within text": masked(0x1, b"x", fin=False) + masked(0x1, b"y"),
    "no UTF-8": masked(0x1, b"\xff\xfe"),
    "bad close code": masked(0x8, b"\x00\x01"),
    "close of one byte": masked(0x8, b"\x03"),
    "close with bad text": masked(0x8, b"\x03\xe8\xff"),
    "length of 2^63": masked(0x1, b"", length=1 << 63),
    "longer than allowed": masked(0x1, b"x" * 5_000),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frames_close_their_own_connection_alone(name):
    async def test(server):
        async with aiohttp.ClientSession(server.http) as http, http.ws_connect("/s") as good:
            await spoken(server, HANDSHAKE, BAD_FRAMES[name], wait=0.2)
            await until(lambda: len(server.connections) == 1)
            await good.send_str("still here")
            assert (await good.receive()).data == "still here"

    served(test, EchoDialect(Limits(max_message=4_000)))


def test_frames_in_crumbs_are_put_together():
    async def test(server):
        frame = masked(0x1, b"he", fin=False) + masked(0x9, b"!") + masked(0x0, b"llo")
        heard = await spoken(server, HANDSHAKE, *(bytes([byte]) for byte in frame), wait=0.2)
        assert b"\x8a\x01!" in heard
        assert heard.endswith(b"\x81\x05hello")

    served(test)


def test_bodies_that_are_too_large_are_refused():
    async def test(server):
        async with aiohttp.ClientSession(server.http) as http:
            async with http.post("/x", data=io.BytesIO(b"z" * (3 << 20))) as answer:
                assert answer.status == 200
            async with http.post("/x", data=io.BytesIO(b"z" * (5 << 20))) as answer:
                assert answer.status == 413

    served(test)


def test_handshakes_that_are_none():
    async def test(server):
        for old, new in (
            (b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
            (b"Version: 13", b"Version: 6"),
        ):
            heard = await spoken(server, HANDSHAKE.replace(old, new))
            assert heard.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), heard[:60]

    served(test)


def test_clients_that_vanish_leave_nothing_behind():
    async def test(server):
        for keep in (0, 1, 10, len(HANDSHAKE) - 1, len(HANDSHAKE)):
            for _ in range(20):
                _, writer = await asyncio.open_connection(server.host, server.port)
                writer.write(HANDSHAKE[:keep])
                writer.transport.abort()
        await until(lambda: not server._web.connections)

    served(test)


def test_thousands_of_connections():
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2_500 if os.environ.get("CI") is None else 1_000
    needed = 2 * wanted + 200
    if most != resource.RLIM_INFINITY and most < needed:
        pytest.skip(f"this needs {needed} open files, and the limit is {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, needed), most))

    async def test(server):
        streams = []
        for _ in range(wanted // 100):
            streams += await asyncio.gather(*(opened(server) for _ in range(100)))
        assert len(server.connections) == len(streams) == wanted
        for connection in server.connections.values():
            connection.send(b"to all", kind="trade")
        server.flush()
        for reader, _ in streams:
            assert await reader.readexactly(8) == b"\x81\x06to all"
        assert await alive(server)
        for _, writer in streams:
            writer.transport.abort()

    try:
        served(test)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))


async def opened(server):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(HANDSHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer
