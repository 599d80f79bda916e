"""What storage costs: bars at rest, and how fast a database follows a journal.

Run with ``python -m benchmarks.storage [RECORDS] [FOLDER]``. Bars are written to new files and synced, and read with a
warm cache. PostgreSQL is measured where ``CAMBIST_BENCH_POSTGRES`` names an empty database.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.journal import show, story
from cambist import Bars, Instrument, Timeframe
from cambist.app.caching import open_cache
from cambist.data.cache import SeriesName
from cambist.engine.projection import Projection
from cambist.plugins.registry import Registry
from cambist.ports import BarKey
from cambist.storage.journal import Journal, JournalOptions
from cambist.storage.projector import Projector
from cambist_storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
DAY_NS = 86_400_000_000_000


def minutes(count: int) -> Bars:
    """Return a random walk of minute bars, with prices on a grid of cents as those of a market are."""
    rng = np.random.default_rng(1)
    ts = 1_577_836_800_000_000_000 + np.arange(count) * 60_000_000_000
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, count))) + 1.0, 2)
    open_ = np.concatenate([close[:1], close[:-1]])
    high = np.round(np.maximum(open_, close) + rng.random(count) * 0.1, 2)
    low = np.round(np.minimum(open_, close) - rng.random(count) * 0.1, 2)
    volume = np.round(rng.random(count) * 100.0, 3)
    return Bars(Instrument(symbol="BTC/USDT"), "1m", ts, open_, high, low, close, volume)


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def show_bars(folder: Path) -> None:
    """Print how long a million bars take to be written, and a day of them to be read."""
    bars = minutes(1_000_000)
    key, start = BarKey.of(bars), int(bars.ts[500_000])
    writes, days, wholes = [], [], []
    for number in range(ROUNDS):
        store = open_storage(f"parquet:///{folder / f'bars {number}'}").bars
        writes.append(seconds(lambda: store.write(bars)))  # noqa: B023
        days += [seconds(lambda: store.read(key, start, start + DAY_NS)) for _ in range(ROUNDS)]  # noqa: B023
        wholes.append(seconds(lambda: store.read(key)))  # noqa: B023
    show("1,000,000 bars to Parquet, synced", statistics.median(writes), 0.4, "s", at_least=False)
    size = sum(path.stat().st_size for path in (folder / "bars 0").rglob("*.parquet"))
    more = f"all of them in {statistics.median(wholes) * 1000:,.0f} ms; {size / 1e6:,.1f} MB"
    show("a day of them read", statistics.median(days) * 1000, 30.0, "ms", more, at_least=False)


class Told:
    """A source of bars that answers at once; see `cambist.api.HistoryFetcher`."""

    venue = origin = "bench"

    def __init__(self, bars: Bars) -> None:
        self.bars = bars

    def instruments(self) -> list[Instrument]:
        """Return the one instrument."""
        return [self.bars.instrument]

    def fetch(self, _symbol: str, _timeframe: Timeframe, start: int, end: int) -> Bars | None:
        """Return the bars of a span."""
        return self.bars.between(start, end)

    def close(self) -> None:
        """Do nothing."""


def show_cache(folder: Path) -> None:
    """Print how long the cache takes to keep a million bars that a source tells, and to read them by name."""
    bars, cache = minutes(1_000_000), open_cache(Registry.discover(), folder / "cache")
    start, end = int(bars.ts[0]), int(bars.ts[-1]) + 1
    kept = seconds(lambda: cache.get(Told(bars), "BTC/USDT", "1m", start, end))
    name = SeriesName.parse("bench:BTC/USDT:1m")
    bare = folder / "bare.parquet"
    parquet.write_table(pa.table({"ts": bars.ts, **bars.columns}), bare)
    reads, busy, beside = [], [], []
    for _ in range(2 * ROUNDS):
        before = time.process_time()
        reads.append(seconds(lambda: cache.open(name).load()))
        after = time.process_time()
        columns = [column.to_numpy() for column in parquet.read_table(bare).columns]
        beside.append(time.process_time() - after)
        busy.append(after - before)
    assert len(columns[0]) == len(bars)
    more = (
        f"of CPU time, all threads together, checksums and checks included; {min(reads):.3f} s by the clock. pyarrow "
        f"alone takes {min(beside):.3f} s to read one file of its own defaults into NumPy. Fetched, compared and kept "
        f"piece by piece in {kept:.1f} s"
    )
    show("1,000,000 bars from the cache, by name", min(busy), 0.15, "s", more, at_least=False)


def show_projection(folder: Path, url: str, name: str, count: int, goal: float) -> None:
    """Print how many rows a second a database takes of a journal, orders, fills and positions among them."""
    with Journal(folder / f"journal {name}", JournalOptions(pending_seconds=600.0)) as journal:
        for commit in story(count):
            if journal.last - journal.durable > 20_000:
                journal.wait()
            journal.append(commit)
        journal.wait()
        storage = open_storage(url)
        rows = 0
        write = storage.runs.write

        def counted(run_id: str, batch: list[object], sequence: int) -> bool:
            nonlocal rows
            rows += len(batch)
            return bool(write(run_id, batch, sequence))

        storage.runs.write = counted
        took = seconds(Projector(journal, storage.runs, lambda: Projection("live"), states=storage.state).catch_up)
        storage.close()
    show(f"rows a second into {name}", rows / took, goal, "rows/s", f"{count / took:,.0f} records/s")


def main() -> None:
    """Print every figure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        show_bars(folder)
        show_cache(folder)
        show_projection(folder, f"sqlite:///{folder / 'runs.db'}", "SQLite", count, 20_000)
        url = os.environ.get("CAMBIST_BENCH_POSTGRES")
        if url:
            show_projection(folder, url, "PostgreSQL", count, 10_000)
        else:
            print("  PostgreSQL is not measured: CAMBIST_BENCH_POSTGRES names no empty database")


if __name__ == "__main__":
    main()
