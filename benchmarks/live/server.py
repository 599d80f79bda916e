"""The other end: a process that sends frames of Binance's streams at a rate."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Frames", "mixed", "quotes_and_klines", "serving"]

#: Which frames, and how many a second.
Frames = tuple[str, int]

_TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":%d,"p":"60000.01","q":"0.01",'
    '"T":1672515782136,"m":true,"M":true}}'
)
_QUOTE = (
    '{"stream":"%s@bookTicker","data":{"u":%d,"s":"%s","b":"60000.01000000","B":"31.21000000","a":"60000.02000000",'
    '"A":"40.66000000"}}'
)
_BOOK = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1672515782136,"s":"BTCUSDT","U":%d,"u":%d,'
    '"b":[["59999.00","%d.5"],["59998.00","2.5"],["59990.00","0.5"]],"a":[["60001.00","%d.5"],["60003.00","1.5"]]}}'
)
_BAR = (
    '{"stream":"%s@kline_1m","data":{"e":"kline","E":%d,"s":"%s","k":{"t":1672515780000,"T":1672515839999,"s":"%s",'
    '"i":"1m","f":100,"L":200,"o":"60000.01","c":"60000.02","h":"60000.05","l":"59999.95","v":"1000","n":100,"x":false,'
    '"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}}'
)


def mixed(number: int) -> str:
    """Return a trade, a quote or a change of a book of five levels, in turn."""
    n = number // 3 + 2
    kind = number % 3
    if kind == 0:
        return _TRADE % n
    if kind == 1:
        return _QUOTE % ("btcusdt", n, "BTCUSDT")
    return _BOOK % (n, n, n % 7 + 1, n % 5 + 1)


def quotes_and_klines(number: int) -> str:
    """Return a quote of one of 500 symbols, and now and then a bar that goes on, as the venue mixes them."""
    symbol = f"S{number % 500}USDT"
    if number % 4 == 3:
        return _BAR % (symbol.lower(), number, symbol, symbol)
    return _QUOTE % (symbol.lower(), number + 1, symbol)


_MAKERS: dict[str, Callable[[int], str]] = {"mixed": mixed, "symbols": quotes_and_klines}


def _serve(frames: Frames, told: Any) -> None:
    kind, rate = frames
    make = _MAKERS[kind]
    ready = [make(number).encode() for number in range(300_000)] if kind == "mixed" else []

    async def talk(socket: Any) -> None:
        sending: asyncio.Task[None] | None = None
        async for text in socket:
            await socket.send(json.dumps({"result": None, "id": json.loads(text)["id"]}))
            if sending is None:
                sending = asyncio.create_task(send(socket))

    async def send(socket: Any) -> None:
        await asyncio.sleep(1.5)  # until everything is subscribed to
        began, number = time.perf_counter(), 0
        with contextlib.suppress(ConnectionClosed):
            while not ready or number < len(ready):
                while number < min((time.perf_counter() - began) * rate, len(ready) or number + 1):
                    await socket.send(ready[number] if ready else make(number).encode(), text=True)
                    number += 1
                await asyncio.sleep(0.01)

    async def run() -> None:
        async with serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            told.put(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def serving(frames: Frames) -> Iterator[str]:
    """Serve frames from a process of its own; yield the address."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    other = context.Process(target=_serve, args=(frames, told), daemon=True)
    other.start()
    try:
        yield f"ws://127.0.0.1:{told.get(timeout=60)}"
    finally:
        other.terminate()
        other.join()
