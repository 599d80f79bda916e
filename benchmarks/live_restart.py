"""What a live run costs that goes on: from opening its journal to being ready to trade, and what snapshots cost it.

Run with ``python -m benchmarks.live_restart [RECORDS]``. The venue answers at once, so that what is measured is ours.
Wall time; the event loop is watched while a snapshot is kept, for how long it does not get a turn.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.journal import show, story
from cambist import Strategy
from cambist.engine.rebuild import rebuild
from cambist.live import LiveRun, LiveSettings
from cambist.model import Instrument, Timeframe
from cambist.model.reports import AccountReport, BalanceReport
from cambist.ports.venue import Answered, StreamReport, VenueTerms
from cambist.storage.journal import Journal, JournalOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cambist.engine.fold import RunState

ROUNDS = 5


class Cross(Strategy):
    """Does nothing: it is who traded in the journal."""


class Ready:
    """A venue where everything is as the journal says."""

    name, terms = "ready", VenueTerms()

    def __init__(self, state: RunState) -> None:
        ledger = state.ledger
        self._balances = tuple(BalanceReport(ts=0, asset=one, total=ledger.balance(one)) for one in ("USDT", "BTC"))

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Let go."""

    def instruments(self) -> list[Instrument]:
        """Return what is traded."""
        return [Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.00001")]

    async def account(self) -> AccountReport:
        """Return what there is."""
        return AccountReport(ts=0, balances=self._balances)

    async def open_orders(self, *_asked: object) -> list[Any]:
        """Return nothing."""
        return []

    async def find_order(self, _key: object) -> Answered:
        """Find nothing."""
        return Answered(None)

    async def private(self) -> AsyncIterator[StreamReport]:
        """Be up, and silent."""
        yield StreamReport(stream="private", state="up")
        await asyncio.Event().wait()

    async def market(self, _wanted: object) -> AsyncIterator[StreamReport]:
        """Be up, and silent."""
        yield StreamReport(stream="market", state="up")
        await asyncio.Event().wait()


def write(folder: Path, count: int) -> RunState:
    """Write a journal of about `count` records, and return the state of its run."""
    with Journal(folder, JournalOptions(pending_seconds=600.0)) as journal:
        for commit in story(count, trades="Cross"):
            if journal.last - journal.durable > 20_000:
                journal.wait()
            journal.append(commit)
        journal.wait()
        return rebuild(journal, use_snapshot=False)


async def start(folder: Path, state: RunState) -> tuple[float, float, float]:
    """Let a run go on; return the seconds until it was ready, the longest turn the loop missed, and a snapshot's."""
    began = time.perf_counter()
    with Journal(folder) as journal:
        run = LiveRun([Cross()], [("BTC/USDT", Timeframe.parse("1m"))], Ready(state), journal, LiveSettings())
        task = asyncio.create_task(run.run())
        while run.phase != "run":
            await asyncio.sleep(0.001)
            if task.done():
                await task
        ready = time.perf_counter() - began
        missed, watching = [0.0], True

        async def watch() -> None:
            while watching:
                turn = time.perf_counter()
                await asyncio.sleep(0.001)
                missed.append(time.perf_counter() - turn - 0.001)

        watcher = asyncio.create_task(watch())
        turn = time.perf_counter()
        await run.shadow.snapshot()
        took, watching = time.perf_counter() - turn, False
        await watcher
        run.stop()
        await task
        return ready, max(missed), took


def main() -> None:
    """Print every figure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    ready, snapshots, missed = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            folder = Path(name, str(number))
            state = write(folder, count)
            ready.append(asyncio.run(start(folder, state))[0])
            again, longest, took = asyncio.run(start(folder, state))
            snapshots.append(again)
            missed.append((longest, took))
    show(f"ready to trade after {count:,} records", statistics.median(ready), 3.0, "s", at_least=False)
    show("from a snapshot", statistics.median(snapshots), 1.0, "s", at_least=False)
    longest, took = (1_000.0 * statistics.median(values) for values in zip(*missed, strict=True))
    show("the event loop waits, while a snapshot is kept", longest, 20.0, "ms", f"of {took:.0f} ms", at_least=False)


if __name__ == "__main__":
    main()
