"""From a frame to the order that it leads to: how long until the request is written, journalled before.

The exchange is a process of its own, and the loop is the one that ``cambist live`` runs on. The way is told in parts,
each from the end of the one before, so that what is ours, what is the disk's and what is the system's (waking a thread,
and then the loop) stand side by side.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from unittest.mock import patch

import attrs
from aiohttp.http_writer import StreamWriter

from benchmarks.live.loops import run_live
from cambist import Strategy
from cambist.live import LiveRun, LiveSettings
from cambist.storage.journal import Files, Journal
from cambist.storage.journal.writer import Writer
from cambist_binance.session import open_spot
from cambist_binance.streams import Shard
from cambist_binance.ws_api import WsApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist_binance.ws_api import Composed
    from cambist_ccxt.link import Connection

__all__ = ["measure_orders"]

#: Orders that count, behind some that warm up; at a pace below what the venue allows, so that nothing waits for a turn.
_ORDERS, _WARM, _APART = 200, 20, 0.11
#: The parts of the way, each by the mark at its end.
_PARTS = {
    "decided": "session, queue, engine, strategy, risk",
    "taken": "its records, made and handed over",
    "begun": "the journal's thread wakes",
    "handed": "the journal's thread gets to the disk",
    "synced": "the records written and synced",
    "told": "the loop wakes",
    "written": "order manager, signature, socket",
}
_BEFORE = dict(zip(_PARTS, ("frame", *_PARTS), strict=False))
#: What is ours alone of them: neither the disk nor the system's wake-ups.
_OURS = ("decided", "taken", "handed", "written")


def _simulate(told: Any) -> None:
    """Run an exchange whose market moves fast."""
    from cambist_simulator import ExchangeSimulator

    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, limits=False, speed=20, cash=10_000_000) as made:
        key = made.credentials()
        told.put((made.url, key.key, key.secret))
        time.sleep(600)


class _Way:
    """The way of the order that is under way: the wall clock and the thread's CPU time at each mark."""

    def __init__(self) -> None:
        self.frame = (0.0, 0.0)
        self.decided = 0.0
        self._marks: dict[str, tuple[float, float]] = {}
        self.done: list[dict[str, tuple[float, float]]] = []

    def came(self) -> None:
        """Note that a frame came."""
        self.frame = time.perf_counter(), time.thread_time()

    def begin(self) -> None:
        """Note that the newest frame has led to an order."""
        self._marks = {"frame": self.frame}
        self.mark("decided")
        self.decided = self._marks["decided"][0]

    def mark(self, name: str) -> None:
        """Note that the order has got so far: the first time, and where it has been at the mark before."""
        if _BEFORE[name] in self._marks and name not in self._marks:
            self._marks[name] = time.perf_counter(), time.thread_time()

    def end(self) -> None:
        """Note that the request is written."""
        if self._marks:
            self._marks["written"] = time.perf_counter(), time.thread_time()
            self.done.append(self._marks)
            self._marks = {}


class InAndOut(Strategy):
    """Sends an order on a quote, once the one before is done with: buys, sells, buys ..."""

    way: ClassVar[_Way]

    def on_quote(self, quote: Any) -> None:  # noqa: ARG002
        """Trade, nine times a second at most."""
        if self.open_orders or time.perf_counter() - self.way.decided < _APART:
            return
        if self.position.size > 0.001:
            self.close()
        else:
            self.buy(0.01)
        self.way.begin()


@contextmanager
def _watching(way: _Way) -> Iterator[None]:
    """Mark the parts of the way where they end."""
    frame, append, write_batch, keep = Shard.frame, Writer.append, Writer._write, Files.write_safely
    ask, rest, told = WsApi.request_now, StreamWriter._writelines, LiveRun._durable

    def timed_frame(self: Shard, connection: Connection, data: bytes) -> None:
        way.came()
        frame(self, connection, data)

    def timed_append(self: Writer, drafts: Sequence[Any]) -> int:
        last = append(self, drafts)
        way.mark("taken")
        return last

    def timed_batch(self: Writer, batch: Any) -> None:
        way.mark("begun")
        write_batch(self, batch)

    def timed_keep(self: Files, descriptor: int, data: bytes, offset: int) -> int:
        way.mark("handed")
        written = keep(self, descriptor, data, offset)
        way.mark("synced")
        return written

    def timed_told(self: LiveRun, sequence: int) -> None:
        way.mark("told")
        told(self, sequence)

    def timed_ask(self: WsApi, request: Composed, within: float) -> Any:
        asked = ask(self, request, within)
        if asked is not None and request.method == "order.place":
            way.end()
        return asked

    def timed_rest(self: StreamWriter, chunks: Sequence[bytes]) -> None:
        rest(self, chunks)
        if chunks[0].startswith(b"POST /api/v3/order"):
            way.end()

    with (
        patch.object(Shard, "frame", timed_frame),
        patch.object(Writer, "append", timed_append),
        patch.object(Writer, "_write", timed_batch),
        patch.object(Files, "write_safely", timed_keep),
        patch.object(LiveRun, "_durable", timed_told),
        patch.object(WsApi, "request_now", timed_ask),
        patch.object(StreamWriter, "_writelines", timed_rest),
    ):
        yield


def _orders(transport: Literal["websocket", "rest"], settings: LiveSettings) -> list[dict[str, tuple[float, float]]]:
    """Return the marks of orders that went out by one of the venue's two ways."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    other = context.Process(target=_simulate, args=(told,), daemon=True)
    other.start()
    url, key, secret = told.get(timeout=60)
    way = InAndOut.way = _Way()

    async def run(folder: str) -> None:
        with Journal(Path(folder) / "journal") as journal:
            session = open_spot(url=url, key=key, secret=secret, transport=transport)
            run = LiveRun([InAndOut()], [("BTC/USDT", "quotes")], session, journal, settings)
            task = asyncio.create_task(run.run())
            async with asyncio.timeout(120):
                while len(way.done) < _WARM + _ORDERS and not task.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            run.stop("measured")
            await task

    try:
        with tempfile.TemporaryDirectory() as folder, _watching(way):
            run_live(run(folder))
    finally:
        other.terminate()
        other.join()
    return way.done[_WARM:]


def measure_orders() -> None:
    """Print the times of frames that led to an order, part by part, and the whole of those that went by REST."""
    settings = LiveSettings(audit_every=1e6)
    _show("frame to its order's request", _orders("websocket", settings))
    _show("the same without practice", _orders("websocket", attrs.evolve(settings, practice_every=0.0)))
    rest = [marks["written"][0] - marks["frame"][0] for marks in _orders("rest", settings)]
    print(f"the same by ccxt's REST                    {_told(rest)}")


def _show(title: str, marked: list[dict[str, tuple[float, float]]]) -> None:
    """Print the times of orders that went by the WebSocket API, part by part."""
    done = [marks for marks in marked if all(part in marks for part in _PARTS)]
    whole = [marks["written"][0] - marks["frame"][0] for marks in done]
    loop = [marks["written"][1] - marks["frame"][1] for marks in done]
    parts: dict[str, list[float]] = defaultdict(list)
    for marks in done:
        for part, before in _BEFORE.items():
            parts[part].append(marks[part][0] - marks[before][0])
    ours = [sum(parts[part][number] for part in _OURS) for number in range(len(done))]
    print(f"{title:42s} {_told(whole)}   (goal: p50 below 1,000 us)")
    for part, text in _PARTS.items():
        print(f"  {text:40s} {_told(parts[part])}")
    print(f"  of it our own code                       {_told(ours)}   (goal: p50 below 300 us)")
    print(f"  CPU time of the loop's thread            {_told(loop)}   (what came meanwhile included)")


def _told(times: list[float]) -> str:
    """Return least tenth, median and 99th percentile in microseconds."""
    ordered = sorted(times)
    tenth, last = ordered[len(ordered) // 10], ordered[int(len(ordered) * 0.99)]
    return f"p10 {tenth * 1e6:6.0f}  p50 {statistics.median(ordered) * 1e6:6.0f}  p99 {last * 1e6:6.0f} us"
