"""What a second thread brings a sweep, beside what this machine lets one bring at best.

Two threads say something by the wall alone, which others that use the machine spoil. So turns alternate, and those
count during which others used little of it (`/proc/stat`, where there is one). At best: the loop by hand of `ours`,
half of the combinations in each of two threads that do nothing else and wait for nobody.
"""

from __future__ import annotations

import gc
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.sweeps import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["measure"]

_STAT = Path("/proc/stat")
#: What others may use of a core during a turn that counts, of its time, and seconds that clocks are too coarse for.
_SHARE, _COARSE = 0.1, 0.02


def pairs_of(count: int) -> list[tuple[int, int]]:
    """Return combinations: 20 fast averages, and slow ones from 30 bars on."""
    step = 5 if count <= 400 else 1
    return [(fast, slow) for fast in range(5, 25) for slow in range(30, 30 + step * (count // 20), step)]


def measure(size: int, seconds: float) -> None:
    """Take turns for some time and print them."""
    turns: dict[tuple[str, int], Callable[[], object]] = {}
    averages = ours.Averages(size, pairs_of(400))
    turns["lock-free loop", 1] = lambda: averages.loop(pairs_of(400))
    turns["lock-free loop", 2] = lambda: _halves(averages, pairs_of(400))
    for count in (400, 1_600):
        for jobs in (1, 2):
            turns[f"sweep of {count:,}", jobs] = lambda count=count, jobs=jobs: ours.compiled(
                size, pairs_of(count), jobs
            )
    for turn in turns.values():
        turn()
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in turns}
    played, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, turn in turns.items():
            wall = _quiet(turn)
            played += 1
            if wall is not None:
                taken[key].append(wall)
    kept = sum(map(len, taken.values()))
    print(f"Two threads, {size:,} bars; {kept} of {played} turns were quiet; load {os.getloadavg()[0]:.1f}")
    print(f"  {'':<20}{'turns':>8}{'one, ms':>10}{'best':>8}{'two, ms':>10}{'best':>8}{'gain':>8}{'of bests':>10}")
    for name in dict.fromkeys(name for name, _ in turns):
        one, two = taken[name, 1], taken[name, 2]
        if not one or not two:
            print(f"  {name:<20}no quiet turn")
            continue
        figures = [median(one), min(one), median(two), min(two)]
        said = "".join(f"{value * 1e3:>{width}.1f}" for value, width in zip(figures, (10, 8, 10, 8), strict=True))
        gains = f"{figures[0] / figures[2]:>8.2f}{figures[1] / figures[3]:>10.2f}"
        print(f"  {name:<20}{len(two):>8}{said}{gains}")


def _halves(averages: ours.Averages, pairs: Sequence[tuple[int, int]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(averages.loop, (pairs[::2], pairs[1::2])))


def _quiet(turn: Callable[[], object]) -> float | None:
    """Play a turn, and return how long it took; None where others used too much of the machine meanwhile."""
    gc.collect()
    busy, own, began = _busy(), time.process_time(), time.perf_counter()
    turn()
    wall = time.perf_counter() - began
    others = _busy() - busy - (time.process_time() - own)
    return wall if not _STAT.exists() or others < _COARSE + _SHARE * wall else None


def _busy() -> float:
    """Return what all processes have used of the machine since it started, seconds; 0 where nobody says."""
    if not _STAT.exists():
        return 0.0
    user, nice, system, _, _, *rest = map(int, _STAT.read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")
