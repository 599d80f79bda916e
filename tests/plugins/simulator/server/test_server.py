"""The server with clients that nobody here wrote: aiohttp and websockets."""

from __future__ import annotations

import asyncio
import gc
import warnings

import aiohttp
import pytest
import websockets
from echo_dialect import EchoDialect

from cambist.api import ParameterError
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.server.log import RequestLog
from cambist_simulator.server.server import Server
from cambist_simulator.server.wire import Limits

SECOND = 1_000_000_000


def served(test, dialects=None, **options):
    """Run ``test(server, http)`` against a server, and see that no dialect failed unseen."""

    async def run():
        server = Server(dialects or {"/": EchoDialect()}, **options)
        await server.start()
        try:
            async with aiohttp.ClientSession(server.http) as http:
                return await asyncio.wait_for(test(server, http), 30)
        finally:
            await server.stop()

    return asyncio.run(run())


def test_a_request_reaches_the_dialect_as_it_was_sent():
    async def test(server, http):
        async with http.post("/a/b%20c?x=1%2F2&y=é", data="z=ü", headers={"X-Key": "k"}) as answer:
            assert answer.headers["X-Number"] == "1"
            told = await answer.json()
        assert told == {"method": "POST", "path": "/a/b%20c", "query": "x=1/2&y=%C3%A9", "body": "z=ü", "key": "k"}
        (entry,) = server.log
        assert entry.raw.startswith(b"POST /a/b%20c?x=1/2&y=%C3%A9 HTTP/1.1\r\n")
        assert entry.raw.endswith("\r\n\r\nz=ü".encode())
        assert b"\r\nX-Key: k\r\n" in entry.raw
        assert (entry.status, entry.label, entry.ip) == (200, "a.b%20c", "127.0.0.1")

    served(test)


def test_a_connection_is_kept():
    async def test(server, http):
        for _ in range(3):
            async with http.get("/x") as answer:
                await answer.read()
        assert len(server._web.connections) == 1

    served(test)


def test_dialects_are_told_apart_by_prefix():
    one, two = EchoDialect(), EchoDialect()
    one.name, two.name = "one", "two"

    async def test(server, http):
        for path, inner in (("/two/x", "/x"), ("/two", "/"), ("/twofold", "/twofold"), ("/x/two", "/x/two")):
            async with http.get(path) as answer:
                assert (await answer.json())["path"] == inner
        assert [entry.dialect for entry in server.log] == ["two", "two", "one", "one"]
        assert server.endpoints()["two rest"] == f"{server.http}/two"

    served(test, {"/": one, "/two": two})


def test_without_a_root_a_foreign_path_is_not_found():
    async def test(server, http):
        async with http.get("/elsewhere") as answer:
            assert answer.status == 404

    served(test, {"/echo": EchoDialect()})


def test_long_answers_are_compressed_where_the_venue_does():
    dialect = EchoDialect()
    dialect.gzip_from = 50

    async def test(server, http):
        async with http.get("/x") as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert (await answer.json())["path"] == "/x"
        async with http.get("/x", headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert (await answer.json())["path"] == "/x"

    served(test, {"/": dialect})


def test_a_failing_dialect_answers_and_the_server_goes_on():
    async def test(server, http):
        async with http.get("/fail") as answer:
            assert answer.status == 500
            assert await answer.json() == {"failure": 500}
        async with http.get("/x") as answer:
            assert answer.status == 200
        async with http.ws_connect("/s") as ws:
            await ws.send_str("fail")
            assert (await ws.receive()).data == 1011
        assert server.counts["errors"] == 2

    served(test)


def test_messages_and_frames_of_a_websocket():
    async def test(server, http):
        async with websockets.connect(f"{server.ws}/greet?a=1", compression=None) as ws:
            assert await ws.recv() == "hello"
            for text in ("", "x" * 125, "y" * 126, "z" * 65535, "ü" * 70_000):
                await ws.send(text)
                assert await ws.recv() == text
            await ws.send("burst 1000")
            assert [await ws.recv() for _ in range(1000)] == [str(number) for number in range(1000)]
            await (await ws.ping(b"there?"))
            (connection,) = server.connections.values()
            assert (connection.path, connection.query, connection.messages) == ("/greet", "a=1", 6)
        assert [entry.kind for entry in server.log] == ["open"] + ["message"] * 6
        assert server.log.entries(kind="message")[1].raw == b"x" * 125
        await until(lambda: not server.connections)
        assert server.counts == {"opened": 1, "closed": 1}

    served(test)


async def until(true):
    while not true():  # noqa: ASYNC110 -- what it waits for is no event
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("away", [False, True], ids=["stops", "goes away"])
def test_whoever_came_at_the_last_moment_is_closed_too(away, recwarn):
    async def test(turns):
        server = Server({"/": EchoDialect()})
        await server.start()

        async def come():
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()

        coming = [asyncio.create_task(come()) for _ in range(2)]
        for _ in range(turns):  # where the loop is with what was accepted when the port is closed
            await asyncio.sleep(0)
        if away:
            server.go_away(SECOND)
        await server.stop()
        await asyncio.gather(*coming, return_exceptions=True)

    warnings.simplefilter("always", ResourceWarning)
    for turns in range(7):
        asyncio.run(test(turns))
    gc.collect()
    assert [str(one.message) for one in recwarn] == []


def test_a_refused_websocket_gets_the_answer_of_the_venue():
    async def test(server, http):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"{server.ws}/closed")
        assert refused.value.response.status_code == 403
        assert refused.value.response.body == b"no"
        assert server.counts["refused"] == 1

    served(test)


def test_the_session_ends_with_its_client():
    dialect = EchoDialect()

    async def test(server, http):
        polite = await http.ws_connect("/s")
        rude = await http.ws_connect("/s")
        assert len(dialect.sessions) == 2
        await polite.close(code=4001)
        assert polite.close_code == 4001
        rude._conn.transport.abort()
        await until(lambda: not dialect.sessions)

    served(test, {"/": dialect})


def test_the_server_closes_resets_and_breaks_off():
    async def test(server, http):
        async with websockets.connect(f"{server.ws}/s") as ws:
            next(iter(server.connections.values())).close(1012, "restart")
            with pytest.raises(websockets.ConnectionClosedError) as end:
                await ws.recv()
            assert (end.value.rcvd.code, end.value.rcvd.reason) == (1012, "restart")
        await until(lambda: not server.connections)
        for harm in (lambda one: one.reset(), lambda one: one.break_off(b"\x81\x05hello", 4)):
            async with websockets.connect(f"{server.ws}/s") as ws:
                harm(next(iter(server.connections.values())))
                with pytest.raises(websockets.ConnectionClosedError) as end:
                    await ws.recv()
                assert end.value.rcvd is None
            await until(lambda: not server.connections)

    served(test)


def test_pings_go_out_and_a_client_that_does_not_answer_is_closed():
    clock = Clock(1_700_000_000 * SECOND, 0.0)
    limits = Limits(ping_interval=20 * SECOND, pong_timeout=60 * SECOND, lifetime=3600 * SECOND)

    async def test(server, http):
        silent = await http.ws_connect("/s", autoping=False)
        async with http.ws_connect("/s") as polite:
            receiving = asyncio.ensure_future(polite.receive())
            clock.shift(20 * SECOND)
            server.sweep()
            ping = await silent.receive()
            assert (ping.type, ping.data) == (aiohttp.WSMsgType.PING, b"1700000020000")
            await until(lambda: sum(one.ponged_at > one.opened_at for one in server.connections.values()) == 1)
            clock.shift(39 * SECOND)
            server.sweep()
            assert (await silent.receive()).type is aiohttp.WSMsgType.PING
            assert server.counts["no_pong"] == 0
            clock.shift(1 * SECOND)
            server.sweep()
            closed = await silent.receive()
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1008)
            assert server.counts["no_pong"] == 1
            assert not receiving.done()
            clock.shift(3540 * SECOND)
            server.sweep()
            assert (await receiving).data == 1001
            assert server.counts["expired"] == 1

    served(test, {"/": EchoDialect(limits)}, clock=VenueClock(clock))


def test_one_who_reads_too_slowly_is_cut_off_and_the_others_are_not():
    limits = Limits(write_buffer=1 << 20)

    async def test(server, http):
        reader, writer = await asyncio.open_connection(server.host, server.port, limit=1 << 16)
        writer.write(
            b"GET /s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        async with http.ws_connect("/s") as fast:
            slow, quick = server.connections.values()
            for _ in range(100):
                for connection in (slow, quick):
                    connection.send(b"x" * 200_000, kind="depth")
                server.flush()
                assert (await fast.receive()).data == "x" * 200_000
            assert server.counts["kicked"] == 1
            await until(lambda: list(server.connections.values()) == [quick])
        writer.close()

    served(test, {"/": EchoDialect(limits)})


def test_waiting_for_slow_clients_ends_when_they_read():
    async def test(server, http):
        async with http.ws_connect("/s", max_msg_size=0) as ws:
            (connection,) = server.connections.values()
            connection.send(b"x" * 6_000_000)
            waiting = asyncio.ensure_future(server.drained(1 << 16))
            await asyncio.sleep(0)
            assert server.backlog() > 1 << 16
            assert not waiting.done()
            assert len((await ws.receive()).data) == 6_000_000
            await waiting
            assert server.backlog() <= 1 << 16

    served(test)


def test_the_log_keeps_the_latest_and_stays_within_its_memory(tmp_path):
    log = RequestLog(entries=10, answer_bytes=20, path=tmp_path / "requests.jsonl")

    async def test(server, http):
        for number in range(25):
            async with http.get(f"/x{number}") as answer:
                await answer.read()

    served(test, log=log)
    assert [entry.path for entry in log] == [f"/x{number}" for number in range(15, 25)]
    assert {len(entry.answer) for entry in log} == {20}
    assert log.counts["rest"] == 25
    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    assert len(lines) == 25

    small = RequestLog(memory=5_000)

    async def large(server, http):
        for _ in range(20):
            async with http.post("/x", data=b"y" * 2_000) as answer:
                await answer.read()

    served(large, log=small)
    assert 1 <= len(small) <= 2


def test_a_log_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ParameterError, match="cannot be written"):
        RequestLog(path=tmp_path / "no folder" / "x.jsonl")


def test_a_port_that_is_taken_is_told():
    async def test(server, http):
        with pytest.raises(ParameterError, match="cannot listen on"):
            await Server({"/": EchoDialect()}, port=server.port).start()

    served(test)


def test_a_mount_that_cannot_be_is_told():
    with pytest.raises(ParameterError, match="give '/' or one name"):
        Server({"binance": EchoDialect()})
