"""From a frame to the order that it leads to: how long until the request is written, journalled before."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cambist import Strategy
from cambist.live import LiveRun, LiveSettings
from cambist.storage.journal import Journal
from cambist_binance.session import open_spot
from cambist_binance.streams import Shard
from cambist_ccxt.link import Connection

__all__ = ["measure_orders"]

#: At a pace below what the venue allows, so that nothing waits for its turn.
_ORDERS = 150


def _simulate(told: Any) -> None:
    """Run an exchange whose market moves fast."""
    from cambist_simulator import ExchangeSimulator

    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, limits=False, speed=20, cash=10_000_000) as made:
        key = made.credentials()
        told.put((made.url, key.key, key.secret))
        time.sleep(600)


class InAndOut(Strategy):
    """Sends an order on a quote, once the one before is done with: buys, sells, buys ..."""

    def on_quote(self, quote: Any) -> None:  # noqa: ARG002
        """Trade, nine times a second at most."""
        now = time.perf_counter()
        if self.open_orders or now - _ORDER.decided < 0.11:
            return
        if self.position.size > 0.001:
            self.close()
        else:
            self.buy(0.01)
        _ORDER.decide(now)


class _Order:
    """The order under way: when its frame came, by the wall and by this thread's CPU time, and when it was made."""

    def __init__(self) -> None:
        self.frame = self.frame_cpu = self.decided = 0.0
        self.began: tuple[float, float] | None = None
        self.whole: list[float] = []
        self.cpu: list[float] = []
        self.deciding: list[float] = []

    def came(self) -> None:
        self.frame, self.frame_cpu = time.perf_counter(), time.thread_time()

    def decide(self, now: float) -> None:
        self.decided, self.began = now, (self.frame, self.frame_cpu)

    def written(self) -> None:
        if self.began is not None:
            wall, cpu = self.began
            self.whole.append(time.perf_counter() - wall)
            self.cpu.append(time.thread_time() - cpu)
            self.deciding.append(self.decided - wall)
            self.began = None


_ORDER = _Order()


def measure_orders() -> None:
    """Print the times of frames that led to an order."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    other = context.Process(target=_simulate, args=(told,), daemon=True)
    other.start()
    url, key, secret = told.get(timeout=60)
    synced: list[float] = []
    sync, send, frame = os.fdatasync, Connection.send, Shard.frame

    def timed_sync(descriptor: int) -> None:
        began = time.perf_counter()
        sync(descriptor)
        synced.append(time.perf_counter() - began)

    async def timed_send(self: Connection, text: str | bytes) -> None:
        await send(self, text)
        if b"order.place" in (text if isinstance(text, bytes) else text.encode()):
            _ORDER.written()

    def timed_frame(self: Shard, connection: Connection, data: bytes) -> None:
        _ORDER.came()
        frame(self, connection, data)

    async def run(folder: str) -> None:
        with Journal(Path(folder) / "journal") as journal:
            session = open_spot(url=url, key=key, secret=secret)
            run = LiveRun([InAndOut()], [("BTC/USDT", "quotes")], session, journal, LiveSettings(audit_every=1e6))
            task = asyncio.create_task(run.run())
            while len(_ORDER.whole) < _ORDERS and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            run.stop("measured")
            await task

    os.fdatasync, Connection.send, Shard.frame = timed_sync, timed_send, timed_frame  # type: ignore[assignment,method-assign]
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(folder))
    finally:
        os.fdatasync, Connection.send, Shard.frame = sync, send, frame  # type: ignore[method-assign]
        other.terminate()
        other.join()
    print(f"frame to its order's request          {_told(_ORDER.whole)}   (goal: p50 below 1,000 us)")
    print(f"  of it until the order is decided    {_told(_ORDER.deciding)}")
    print(f"  of it CPU time of the loop's thread {_told(_ORDER.cpu)}   (goal: 300 us)")
    print(f"  fdatasync beside it                 {_told(synced)}")


def _told(times: list[float]) -> str:
    """Return median and 99th percentile in microseconds."""
    ordered = sorted(times)
    return f"p50 {statistics.median(ordered) * 1e6:7.0f} us   p99 {ordered[int(len(ordered) * 0.99)] * 1e6:7.0f} us"
