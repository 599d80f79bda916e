"""Market frames a second, and how long an order takes, over real sockets on loopback.

The other end runs in a process of its own. Frames are trades, quotes and bars in equal parts, as the venue sends them.
An order's own time is from the call until its request is with the socket; its round trip ends with the answer, and has
the simulator's work in it. Both are told as median and 99th percentile.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import multiprocessing
import statistics
import time
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import serve

from cambist.api import OrderRequest, StreamReport, Subscription
from cambist.model import Instrument, Order, OrderType, Side, Timeframe, TimeInForce
from cambist_binance.hosts import Market
from cambist_binance.session import open_spot
from cambist_binance.streams import MarketStreams
from cambist_ccxt.clock import VenueClock
from cambist_ccxt.link import Connection, LinkSettings
from cambist_ccxt.symbols import Symbols

if TYPE_CHECKING:
    from multiprocessing import Queue

__all__ = ["main"]

FRAMES = 60_000
#: Fewer than the venue takes in its windows, so that nothing waits for its turn.
ORDERS = 80
WARM = 1_000


def frames() -> list[str]:
    """Return what a venue would send."""
    trade = '{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":%d,"p":"60000.01","q":"0.01","T":1672515782136,"m":true}'
    quote = '{"u":%d,"s":"BTCUSDT","b":"60000.01000000","B":"31.21000000","a":"60000.02000000","A":"40.66000000"}'
    bar = (
        '{"e":"kline","E":%d,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"1m","f":100,'
        '"L":200,"o":"60000.01","c":"60000.02","h":"60000.05","l":"59999.95","v":"1000","n":100,"x":false,"q":"1.0000",'
        '"V":"500","Q":"0.500","B":"123456"}}'
    )
    kinds = (("trade", trade), ("bookTicker", quote), ("kline_1m", bar))
    return [
        '{"stream":"btcusdt@%s","data":%s}' % (name, text % (number // 3 + 1))  # noqa: UP031 - JSON is full of braces
        for number in range(FRAMES)
        for name, text in (kinds[number % 3],)
    ]


def send_frames(told: Queue[int]) -> None:
    """Serve the frames to whoever subscribes."""

    async def talk(socket: Any) -> None:
        async for text in socket:
            await socket.send(json.dumps({"result": None, "id": json.loads(text)["id"]}))
            for frame in frames():
                await socket.send(frame)

    async def run() -> None:
        async with serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            told.put(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    asyncio.run(run())


async def hear_frames(port: int) -> tuple[float, float]:
    """Return frames a second and CPU microseconds a frame, of one session."""
    instrument = Instrument(symbol="BTC/USDT", tick_size="0.01")
    unasked: Any = type("Nobody", (), {"history": None, "depth": None})
    streams = MarketStreams(
        Market.SPOT,
        f"ws://127.0.0.1:{port}",
        unasked,
        Symbols([("BTCUSDT", instrument)]),
        VenueClock(),
        LinkSettings(),
        60.0,
    )
    kinds = [Subscription(instrument, "ticks"), Subscription(instrument, "quotes")]
    out = streams.open([*kinds, Subscription(instrument, "bars", Timeframe.parse("1m"))])
    count, wall, cpu = 0, 0.0, 0.0
    async for one in out:
        if isinstance(one, StreamReport):
            continue
        count += 1
        if count == WARM:
            wall, cpu = time.perf_counter(), time.process_time()
        elif count == FRAMES - WARM:
            break
    heard = FRAMES - 2 * WARM
    rate, each = heard / (time.perf_counter() - wall), (time.process_time() - cpu) / heard
    await streams.close()
    return rate, each * 1e6


def simulate(told: Queue[tuple[str, str, str, float]]) -> None:
    """Run an exchange whose market stands still."""
    from cambist_simulator import ExchangeSimulator

    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, limits=False, speed=0) as simulator:
        key = simulator.credentials()
        told.put((simulator.url, key.key, key.secret, float(simulator.price("BTCUSDT")["bid"])))
        time.sleep(600)


async def send_orders(url: str, key: str, secret: str, bid: float, transport: Any) -> tuple[list[float], list[float]]:
    """Return own times (over the WebSocket API alone) and round trips of orders, seconds, ascending."""
    session = open_spot(url=url, key=key, secret=secret, transport=transport)
    await session.open()
    async for one in session.private():
        if isinstance(one, StreamReport):
            break
    bitcoin = next(one for one in session.instruments() if one.symbol == "BTC/USDT")
    price = bitcoin.round_price(bid * 0.97)
    written: list[float] = []
    write = Connection.write

    def noted(self: Connection, text: bytes) -> bool:
        done = write(self, text)
        written.append(time.perf_counter())
        return done

    Connection.write = noted  # type: ignore[method-assign]
    own, trips = [], []
    try:
        for number in range(ORDERS):
            order = Order(
                1, bitcoin, Side.BUY, OrderType.LIMIT, 0.001, price, math.nan, TimeInForce.GTC, 0, False, "", "", 0
            )
            request = OrderRequest(
                order=order,
                client_id=f"{transport[0]}{number}",
                type=OrderType.LIMIT,
                size=bitcoin.size_to_decimal(0.001),
                limit_price=bitcoin.price_to_decimal(price),
            )
            written.clear()
            began = time.perf_counter()
            await session.submit(request)
            trips.append(time.perf_counter() - began)
            own += [at - began for at in written[:1]]
    finally:
        Connection.write = write  # type: ignore[method-assign]
        await session.cancel_all("BTC/USDT")
        await session.close()
    return sorted(own), sorted(trips)


def told(times: list[float]) -> str:
    """Return median and 99th percentile in microseconds."""
    return f"p50 {statistics.median(times) * 1e6:7.0f} us   p99 {times[int(len(times) * 0.99)] * 1e6:7.0f} us"


def main() -> int:
    """Measure and print."""
    logging.disable(logging.WARNING)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    other = context.Process(target=send_frames, args=(queue,), daemon=True)
    other.start()
    rate, each = asyncio.run(hear_frames(queue.get()))
    other.terminate()
    print(f"frames through one session   {rate:9,.0f} a second   {each:.1f} us of CPU each   (goal: 20,000 a second)")
    for transport in ("websocket", "rest"):
        other = context.Process(target=simulate, args=(queue,), daemon=True)
        other.start()
        own, trips = asyncio.run(send_orders(*queue.get(), transport))
        other.terminate()
        if own:
            print(f"order to the socket          {told(own)}   (goal: 300 us)")
        print(f"order to its answer          {told(trips)}   over {transport}, the simulator's work included")
    return 0
