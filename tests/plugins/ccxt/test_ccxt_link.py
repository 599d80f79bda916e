"""Connections that come back, against real WebSockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from websockets.asyncio.server import serve

from cambist_ccxt.link import Link, LinkSettings

QUICK = LinkSettings(first_wait=0.01, most_wait=0.05, open_timeout=2.0)


class Ear:
    """Keeps what a link says."""

    def __init__(self, url, first=None):
        self.url, self.first = url, first
        self.frames, self.states, self.opened_count, self.lost_count = [], [], 0, 0
        self.said = asyncio.Event()

    async def address(self):
        return self.url

    async def opened(self, connection):
        self.opened_count += 1
        if self.first is not None:
            await connection.send(self.first)

    def frame(self, connection, data):
        msgspec.json.decode(data)
        self.frames.append((connection, bytes(data)))
        self.said.set()

    def lost(self, connection):
        self.lost_count += 1

    def state(self, state, text):
        self.states.append((state, text))
        self.said.set()

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                self.said.clear()
                await self.said.wait()


@contextlib.asynccontextmanager
async def listening(handler, settings=QUICK, **options):
    async with serve(handler, "127.0.0.1", 0, close_timeout=0.1, **options) as server:
        port = server.sockets[0].getsockname()[1]
        ear = Ear(f"ws://127.0.0.1:{port}/x", first=b'{"hello":1}')
        link = Link("test", ear, settings)
        link.start()
        try:
            yield link, ear
        finally:
            await link.close()


def test_it_says_its_first_words_on_each_connection_and_comes_back_when_it_is_cut():
    heard = []

    async def handler(socket):
        heard.append(await socket.recv())
        await socket.send('{"n":1}')
        if len(heard) < 3:
            socket.transport.abort()
        else:
            await socket.wait_closed()

    async def test():
        async with listening(handler) as (link, ear):
            await ear.until(lambda: len(ear.frames) == 3)
            assert heard == ['{"hello":1}'] * 3
            assert [state for state, _ in ear.states] == ["up", "down", "up", "down", "up"]
            assert link.current is not None
            assert link.metrics()["connects"] == 3
        assert link.current is None

    asyncio.run(test())


def test_a_frame_that_makes_no_sense_ends_the_connection_since_something_is_lost():
    async def handler(socket):
        await socket.send('{"n":')
        await socket.wait_closed()

    async def test():
        async with listening(handler) as (_, ear):
            await ear.until(lambda: any(state == "down" for state, _ in ear.states))
            assert "makes no sense" in next(text for state, text in ear.states if state == "down")

    asyncio.run(test())


def test_a_connection_gets_a_successor_before_its_time_without_being_down():
    async def handler(socket):
        with contextlib.suppress(Exception):
            async for _ in socket:
                for number in range(200):
                    await socket.send(f'{{"n":{number}}}')
                    await asyncio.sleep(0.01)

    async def test():
        settings = LinkSettings(first_wait=0.01, lifetime=0.3)
        async with listening(handler, settings) as (link, ear):
            await ear.until(lambda: ear.opened_count >= 3)
            assert [state for state, _ in ear.states] == ["up"]
            link.renew()
            await ear.until(lambda: ear.opened_count >= 4)
            assert [state for state, _ in ear.states] == ["up"]
            # The old one was read until the new one was ready.
            order = [connection for connection, _ in ear.frames]
            assert len({id(one) for one in order}) >= 3

    asyncio.run(test())


def test_a_silent_peer_is_found_out_by_its_missing_pongs():
    async def handler(socket):
        # Nothing is read any more, not even pings.
        socket.transport.pause_reading()
        await asyncio.sleep(5)

    async def test():
        settings = LinkSettings(first_wait=0.01, heartbeat=0.2)
        async with listening(handler, settings, ping_interval=None) as (_, ear):
            await ear.until(lambda: any(state == "down" for state, _ in ear.states))

    asyncio.run(test())


def test_nobody_there_is_told_and_tried_again():
    async def test():
        ear = Ear("ws://127.0.0.1:9/x")
        link = Link("test", ear, QUICK)
        link.start()
        try:
            await ear.until(lambda: len(ear.states) >= 3)
            assert {state for state, _ in ear.states} == {"down"}
            assert link.current is None
        finally:
            await link.close()

    asyncio.run(test())


def test_a_refused_handshake_is_not_repeated_before_the_venue_allows():
    times = []

    async def test():
        def refuse(connection, request):
            times.append(asyncio.get_running_loop().time())
            response = connection.respond(429, "too many\n")
            response.headers["Retry-After"] = "0.5"
            return response

        async with listening(lambda socket: socket.wait_closed(), process_request=refuse) as (_, ear):
            await ear.until(lambda: len(times) >= 2)

    asyncio.run(test())
    assert times[1] - times[0] >= 0.5
