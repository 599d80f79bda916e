"""``python -m benchmarks.sweeps [quick]``: each engine in a process of its own, and what is promised beside it.

``python -m benchmarks.sweeps threads [seconds]`` says what a second thread brings, in turns.

Slow engines try an evenly spread part of the combinations. Every engine is warm: it has played a small sweep before.
Rates are combinations a second of CPU time, over all processes of an engine, and of wall time, which says something on
a quiet machine alone. Engines must find the same best equity. The walk is made before the clock runs.
`CAMBIST_BENCH_VECTORBT` names the Python of an environment with vectorbt.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from math import isclose, isnan
from typing import Any

from benchmarks.data import walk_of
from benchmarks.processes import ROOT, environment

__all__ = ["main"]

#: Engine -> workers, and every how manyth value of both ranges it tries.
ENGINES = {
    "floor": (1, 1),
    "floor, 2 threads": (2, 1),
    "cambist compiled": (1, 1),
    "cambist compiled, 2 threads": (2, 1),
    "vectorbt": (1, 1),
    "cambist engine": (1, 2),
    "cambist engine, 2 processes": (2, 2),
    "backtesting.py optimize": (2, 5),
    "backtrader optstrategy": (2, 10),
}


def pairs_of(every: int) -> list[tuple[int, int]]:
    """Return the combinations: 20 fast and 20 slow averages, or a part of them."""
    return [(fast, slow) for fast in range(5, 25, every) for slow in range(30, 130, 5 * every)]


def _play(name: str, size: int, every: int, jobs: int) -> float:
    pairs = pairs_of(every)
    kind = name.partition(",")[0]
    if kind == "floor" or kind.startswith("cambist"):
        from benchmarks.sweeps import ours

        played = {"floor": ours.floor, "cambist compiled": ours.compiled, "cambist engine": ours.engine}[kind]
        return played(size, pairs, jobs)
    from benchmarks.sweeps import peers

    return getattr(peers, kind.partition(" ")[0].removesuffix(".py"))(size, pairs, jobs)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _child(name: str, size: int) -> None:
    jobs, every = ENGINES[name]
    _play(name, 2_000, 10 if every == 10 else 5, jobs)
    walk_of(size)
    gc.collect()  # of what the imports left: it would fall into one engine's turn, and not into another's
    began, cpu = time.perf_counter(), _cpu()
    best = _play(name, size, every, jobs)
    wall = time.perf_counter() - began
    if name.startswith("cambist engine") and jobs > 1:  # its workers live on: what they used is told at their end
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
    taken = _cpu() - cpu
    memory = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"wall": wall, "cpu": taken, "best": best, "memory": memory[0], "each": memory[1]}))


def _python(name: str) -> str | None:
    return os.environ.get("CAMBIST_BENCH_VECTORBT") if name == "vectorbt" else sys.executable


def _measure(name: str, size: int) -> dict[str, Any] | None:
    python = _python(name)
    if python is None:
        return None
    surroundings = environment()
    if name == "vectorbt":
        surroundings["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [python, "-m", "benchmarks.sweeps", name, str(size)],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Measure everything and print it."""
    size, rounds = (10_000, 1) if "quick" in sys.argv else (100_000, 3)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ENGINES}
    for _ in range(rounds):
        for name in ENGINES:
            if name.startswith(("backtrader", "backtesting")) and found[name]:
                continue  # minutes each
            measured = _measure(name, size)
            if measured is not None:
                found[name].append(measured)
    print(
        f"W3: combinations of a cross of averages on {size:,} bars; the best of {rounds}; load {os.getloadavg()[0]:.1f}"
    )
    print(f"  {'engine':<30}{'combos':>8}{'combos/CPU s':>14}{'combos/s':>10}{'MB':>8}{'MB, worker':>12}  best equity")
    for name, taken in found.items():
        if not taken:
            print(f"  {name:<30}not measured: CAMBIST_BENCH_VECTORBT names no Python")
            continue
        count = len(pairs_of(ENGINES[name][1]))
        least = min(taken, key=lambda one: one["cpu"])
        rate, speed = count / least["cpu"], count / min(one["wall"] for one in taken)
        sizes = f"{max(one['memory'] for one in taken):>8.0f}{max(one['each'] for one in taken):>12.0f}"
        print(f"  {name:<30}{count:>8}{rate:>14,.1f}{speed:>10,.1f}{sizes}  {least['best']:.6f}")
    _promises(found)


def _promises(found: dict[str, list[dict[str, Any]]]) -> None:
    def rate(name: str, clock: str = "cpu") -> float:
        taken = found[name]
        return len(pairs_of(ENGINES[name][1])) / min(one[clock] for one in taken) if taken else float("nan")

    ours, engine = rate("cambist compiled"), rate("cambist engine")
    print("Promised, and measured (CPU time; threads by the wall)")
    for text, figure, target in (
        ("compiled, combinations a second on one core, >= 2,400", ours, 2_400),
        ("the floor over compiled, <= 1.5", rate("floor") / ours, -1.5),
        (
            "compiled on two threads over one, >= 1.8",
            rate("cambist compiled, 2 threads", "wall") / rate("cambist compiled", "wall"),
            1.8,
        ),
        ("compiled over vectorbt, >= 40", ours / rate("vectorbt"), 40),
        ("event engine over backtrader's optstrategy, >= 50", engine / rate("backtrader optstrategy"), 50),
        ("event engine over backtesting.py's optimize, >= 5", engine / rate("backtesting.py optimize"), 5),
    ):
        met = figure <= -target if target < 0 else figure >= target
        print(f"  {text:<60}{figure:>10,.2f}  {'met' if met else 'not measured' if isnan(figure) else 'MISSED'}")
    by_grid: dict[int, set[float]] = {}
    for name, taken in found.items():
        by_grid.setdefault(ENGINES[name][1], set()).update(one["best"] for one in taken)
    for every, bests in by_grid.items():
        if bests and not all(isclose(one, min(bests), rel_tol=1e-9) for one in bests):
            raise SystemExit(f"engines disagree on every {every}th combination: {sorted(bests)}")


if __name__ == "__main__":
    if "threads" in sys.argv:
        from benchmarks.sweeps.threads import measure

        measure(100_000, float(sys.argv[2]) if len(sys.argv) > 2 else 120.0)
    elif len(sys.argv) == 3:
        _child(sys.argv[1], int(sys.argv[2]))
    else:
        main()
