"""How many frames a second a run with a strategy takes, and what the load of 500 symbols costs."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.live.loops import run_live
from benchmarks.live.server import serving
from benchmarks.live.venue import InstantVenue
from cambist import Strategy
from cambist.live import LiveRun, LiveSettings
from cambist.storage.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["measure_frames", "measure_symbols"]

_WARM = 5_000
#: Frames a second that are sent, and for how long, seconds.
_RATE, _SPAN = 25_000, 8.0
#: How often memory is looked at under the load of 500 symbols.
_LOOKS = 10


class Watches(Strategy):
    """Looks at every event, as a strategy would that waits for its moment."""

    def on_start(self) -> None:
        """Begin to count."""
        self.events = 0
        self.widest = 0.0

    def on_tick(self, tick: Any) -> None:
        """Look at a trade."""
        self.events += 1
        if tick.price > 1e9:
            self.buy(1)

    def on_quote(self, quote: Any) -> None:
        """Look at a quote."""
        self.events += 1
        if quote.ask - quote.bid > 1e9:
            self.buy(1)

    def on_book(self, book: Any) -> None:
        """Look at a book."""
        self.events += 1
        if book.ask - book.bid > 1e9:
            self.buy(1)


async def _heard(run: LiveRun, count: int) -> None:
    while run.phase != "run" or run.kernel.seats[0].strategy.events < count:  # type: ignore[attr-defined]  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def _running(run: LiveRun) -> AsyncIterator[None]:
    task = asyncio.create_task(run.run())
    try:
        yield
    finally:
        run.stop("measured")
        await task


def measure_frames() -> None:
    """Print frames a second through one session into a strategy, with the time that each costs."""

    async def measure(address: str, folder: str) -> tuple[float, float, int]:
        with Journal(Path(folder) / "journal") as journal:
            listens = [("BTC/USDT", kind) for kind in ("ticks", "quotes", "book")]
            venue = InstantVenue(["BTC"], address)
            run = LiveRun([Watches()], listens, venue, journal, LiveSettings())
            async with _running(run), asyncio.timeout(120):
                await _heard(run, _WARM)
                strategy = run.kernel.seats[0].strategy
                events = strategy.events  # type: ignore[attr-defined]
                wall, cpu = time.perf_counter(), time.process_time()
                await asyncio.sleep(_SPAN)
                heard = strategy.events - events  # type: ignore[attr-defined]
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                assert venue.streams is not None
                left_out = sum(one["replaced"] + one["dropped"] for one in venue.streams.queues())
                return heard / wall, cpu / heard, left_out

    with serving(("mixed", _RATE)) as address, tempfile.TemporaryDirectory() as folder:
        rate, each, left_out = run_live(measure(address, folder))
    print(f"trades, quotes, books into a strategy {rate:9,.0f} of {_RATE:,} a second, {left_out} left out", end="")
    print(f"   {each * 1e6:5.1f} us of CPU each: {1 / each:,.0f} a second of a core   (goal: 20,000 a second)")


def measure_symbols(seconds: float) -> None:
    """Print the share of a core, and how memory goes, under 2,000 frames a second of 500 symbols."""

    async def measure(address: str, folder: str) -> tuple[float, float, list[float]]:
        names = [f"S{number}" for number in range(500)]
        listens = [(f"{name}/USDT", what) for name in names for what in ("1m", "quotes")]
        with Journal(Path(folder) / "journal") as journal:
            run = LiveRun([Watches()], listens, InstantVenue(names, address), journal, LiveSettings(stale_after=1e9))
            async with _running(run):
                async with asyncio.timeout(120):
                    await _heard(run, 3_000)
                strategy = run.kernel.seats[0].strategy
                before, memory = strategy.events, [_memory()]  # type: ignore[attr-defined]
                wall, cpu = time.perf_counter(), time.process_time()
                for _ in range(_LOOKS):
                    await asyncio.sleep(seconds / _LOOKS)
                    memory.append(_memory())
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                frames = (strategy.events - before) * 4 / 3  # type: ignore[attr-defined]  # every fourth is a bar
                return frames / wall, cpu / wall, memory

    with serving(("symbols", 2_000)) as address, tempfile.TemporaryDirectory() as folder:
        rate, share, memory = run_live(measure(address, folder))
    print(
        f"500 symbols, {seconds:.0f} s               {rate:9,.0f} frames/s {share:7.1%} of a core, "
        f"{(memory[-1] - memory[0]) / 1e6:+.1f} MB   (goal: 2,000 frames/s below 60 %, flat)"
    )
    print(f"  memory in MB, every {seconds / _LOOKS:.0f} s: {' '.join(f'{one / 1e6:.1f}' for one in memory)}")


def _memory() -> float:
    """Return the memory that is resident now, bytes."""
    with open("/proc/self/statm") as told:  # noqa: PTH123 - a file of the kernel
        return int(told.read().split()[1]) * resource.getpagesize()
