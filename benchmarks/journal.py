"""What the journal costs: durable appends beside a bare loop of write and fdatasync, throughput, fold and start.

Run with ``python -m benchmarks.journal [RECORDS] [FOLDER]``. Appends are measured in wall time, since the disk is what
they wait for: the two ways take turns in one run, on files in one folder, and the figure is the median of the ratios
of neighbors. The fold is measured in CPU time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from cambist import Instrument
from cambist.engine import records
from cambist.engine.codec import CODEC
from cambist.engine.conversions import instrument_record
from cambist.engine.document import encode_run
from cambist.engine.rebuild import rebuild, take_snapshot
from cambist.storage.journal import Journal, JournalOptions
from cambist.storage.journal.frames import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports import Draft

ROUNDS = 15
GROUPS = {1: 40, 10: 40, 100: 20}
BODY = CODEC.encode(
    "order_submitted",
    0,
    records.OrderTerms(
        1, "BTC/USDT", "buy", "limit", Decimal("0.001"), "gtc", "Cross", 1_700_000_000_000_000_000, Decimal("64000.1")
    ),
)


def bare(folder: Path, group: int, times: int) -> float:
    """Write and sync `times` times what `group` records come to; return the seconds."""
    block, _, _ = encode([[BODY]] * group, 1, bytes(16))
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    began = time.perf_counter()
    for _ in range(times):
        os.write(descriptor, block)
        os.fdatasync(descriptor)
    took = time.perf_counter() - began
    os.close(descriptor)
    return took


def journalled(journal: Journal, group: int, times: int) -> float:
    """Append `group` records and wait until they are safe, `times` times; return the seconds."""
    began = time.perf_counter()
    for _ in range(times):
        journal.wait(journal.append([BODY] * group))
    return time.perf_counter() - began


def show_appends(folder: Path) -> None:
    """Print the ratio for each size of a group."""
    with Journal(folder / "appends", JournalOptions(compress=None)) as journal:
        for group, times in GROUPS.items():
            bare(folder, group, times)
            pairs = [(bare(folder, group, times), journalled(journal, group, times)) for _ in range(ROUNDS)]
            ratio = statistics.median(floor / ours for floor, ours in pairs)
            rate = group * times / statistics.median(ours for _, ours in pairs)
            show(f"durable appends, {group:>3} a write, of a bare loop", ratio * 100, 60, "%", f"{rate:,.0f} records/s")


def show_throughput(folder: Path) -> None:
    """Print how many records a second become durable when nobody waits for each."""
    rates = []
    for number in range(5):
        with Journal(folder / f"throughput {number}") as journal:
            began = time.perf_counter()
            for _ in range(50_000):
                journal.append([BODY])
            journal.wait()
            rates.append(50_000 / (time.perf_counter() - began))
    show("durable records a second, one a commit", statistics.median(rates), 20_000, "records/s")


def story(count: int, trades: str = "") -> Iterator[list[Draft]]:
    """Yield the commits of a run that buys and sells, about `count` records; `trades` names its strategy."""
    instrument = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.00001")
    strategies = [records.StrategyRun(trades, trades, {})] if trades else []
    yield [
        CODEC.encode("instrument_defined", 0, instrument_record(instrument)),
        CODEC.encode("account_opened", 0, records.AccountOpened("USDT", Decimal(1_000_000))),
        CODEC.encode("run_started", 0, records.RunBegan("token", 0, strategies)),
    ]
    size, price = Decimal("0.00130"), Decimal("64000.10")
    for number in range(1, count // 3 + 1):
        side = "buy" if number % 2 else "sell"
        terms = records.OrderTerms(number, "BTC/USDT", side, "limit", size, "gtc", "Cross", number, price)
        fill = records.FillEntry(number, number, size, price + number % 50, Decimal("0.0832"), "taker", number, number)
        yield [CODEC.encode("order_submitted", number, terms)]
        yield [CODEC.encode("order_accepted", number, records.OrderNote(number))]
        yield [CODEC.encode("order_filled", number, fill)]


def show_fold(folder: Path, count: int) -> None:
    """Print how long it takes to make the state of a long journal, from its beginning and from a snapshot."""
    with Journal(folder / "fold", JournalOptions(pending_seconds=600.0)) as journal:
        for commit in story(count):
            if journal.last - journal.durable > 20_000:
                journal.wait()
            journal.append(commit)
        journal.wait()
        began = time.process_time()
        state = rebuild(journal, use_snapshot=False)
        took = time.process_time() - began
        show(f"fold of {state.sequence:,} records", took, 12.0 * count / 1_000_000, "s", at_least=False)
        take_snapshot(journal, state)
    began = time.process_time()
    with Journal(folder / "fold") as journal:
        again = rebuild(journal)
        took = time.process_time() - began
    assert encode_run(again) == encode_run(state)
    show("start from its snapshot", took, 0.5, "s", at_least=False)


def show(what: str, figure: float, goal: float, unit: str, more: str = "", *, at_least: bool = True) -> None:
    """Print a figure beside its goal."""
    met = figure >= goal if at_least else figure <= goal
    number = f"{figure:,.2f}" if figure < 10 else f"{figure:,.0f}"
    promised = f"{'at least' if at_least else 'at most'} {goal:,.4g} {unit}"
    print(f"  {what:<52}{number:>10} {unit:<10} {promised:<24} {'met' if met else 'MISSED':<8}{more}", flush=True)


def main() -> None:
    """Print every figure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        show_appends(folder)
        show_throughput(folder)
        show_fold(folder, count)


if __name__ == "__main__":
    main()
