"""Measures one job in this process and prints what it took as a line of JSON: ``python -m benchmarks.worker``."""

from __future__ import annotations

import json
import resource
import sys
import time

import attrs

from benchmarks.engines.registry import engine
from benchmarks.job import Job

__all__ = ["calibration", "main", "peak_memory"]

#: Bars of the run before the one that counts, which imports what is imported late and fills caches.
WARM_UP = 500


def calibration() -> float:
    """Return the CPU time of a fixed piece of plain Python, s: how fast this core is at this moment."""
    began = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number & 7
    assert total == 7_000_000
    return time.process_time() - began


def peak_memory() -> int:
    """Return the most memory this process ever held, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Measure the job given as JSON on the command line."""
    job = Job(**json.loads(sys.argv[1]))
    measured = engine(job.engine, job.workload)
    measured.run(measured.prepare(WARM_UP))
    data = measured.prepare(job.size)
    before = calibration()
    wall, cpu = time.perf_counter(), time.process_time()
    result = measured.run(data)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    # The peak first: what comes after belongs to the measurement.
    memory = peak_memory()
    after = calibration()
    outcome = attrs.asdict(measured.outcome(result))
    print(json.dumps({"cpu": cpu, "wall": wall, "speed": (before + after) / 2, "memory": memory, "outcome": outcome}))


if __name__ == "__main__":
    main()
