"""How long a restart takes from a journal of many records to the moment at which a run may trade."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.live.loops import run_live
from benchmarks.live.venue import InstantVenue
from cambist import Strategy
from cambist.live import LiveRun, LiveSettings
from cambist.model import Quote
from cambist.storage.journal import Journal

__all__ = ["measure_restart"]


class Alternates(Strategy):
    """Buys on one quote, sells on the next."""

    def on_quote(self, quote: Any) -> None:  # noqa: ARG002
        """Trade."""
        if self.position.size > 0.001:
            self.close()
        else:
            self.buy(0.01)


def _run(venue: InstantVenue, journal: Journal) -> LiveRun:
    settings = LiveSettings(on_stop="keep", step_timeout=0.01, audit_every=1e6, ready_within=600.0)
    return LiveRun([Alternates()], [("BTC/USDT", "quotes")], venue, journal, settings)


async def _trade(run: LiveRun, journal: Journal, venue: InstantVenue, records: int) -> None:
    task = asyncio.create_task(run.run())
    while run.phase != "run":  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    quote = Quote(venue.instruments()[0], 1, 59_999.0, 60_001.0, 1.0, 1.0)
    while journal.last < records:
        for _ in range(1):
            run.engine.market.quote(0, quote)
        while run.kernel.book.open:  # noqa: ASYNC110
            await asyncio.sleep(0)
    run.stop("enough")
    await task


async def _start(run: LiveRun) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    task = asyncio.create_task(run.run())
    while run.phase != "run":  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    run.stop("measured")
    await task
    return took, cpu


def measure_restart(records: int) -> None:
    """Print how long it takes, and how much of it is reading the journal."""
    with tempfile.TemporaryDirectory() as folder:
        venue = InstantVenue(["BTC"])
        with Journal(Path(folder) / "journal") as journal:
            run_live(_trade(_run(venue, journal), journal, venue, records))
        began = time.perf_counter()
        with Journal(Path(folder) / "journal") as journal:
            opened = time.perf_counter() - began
            count = journal.last
            took, cpu = run_live(_start(_run(venue, journal)))
    print(
        f"restart on {count:,} records          {opened + took:6.2f} s to trading-ready, {cpu:.2f} s of CPU time   "
        "(goal: 3 s)"
    )
