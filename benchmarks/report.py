"""Tables and verdicts."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.goals import FLOOR_OF_GOALS, verdicts
from benchmarks.plan import jobs

if TYPE_CHECKING:
    from benchmarks.job import Job
    from benchmarks.measured import Results
    from benchmarks.plan import Sizes
    from benchmarks.processes import Processes

__all__ = ["machine", "print_goals", "print_machine", "print_processes", "print_section", "print_table"]

#: Of each section: its title, what is counted, and the engine to which ratios are given.
_SECTIONS = {
    "w1": ("W1: cross of two averages, market orders at the next open, fees 0.1 %", "bars", "floor"),
    "w2": ("W2: the same on 50 instruments in one account", "bars", "cambist"),
    "w4": ("W4: a cancel and a new limit order on every bar", "orders", "floor"),
    "brackets": ("A market order with a target and a stop on every tenth bar", "bars", "cambist"),
    "ticks": ("Trades and quotes: a strategy that reads each price and seldom trades", "events", "floor"),
    "ticks-file": ("Trades of a Parquet file, block by block", "events", "cambist"),
    "paths": ("Ways through Cambist, W1", "bars", "cambist"),
    "memory": ("Memory of the whole process", "bars", "cambist"),
}


def machine(results: Results) -> dict[str, str]:
    """Return what the figures depend on."""
    packages = ("cambist", "numpy", "pandas", "TA-Lib", "backtrader", "backtesting")
    found = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "python": f"{platform.python_version()} on {platform.system()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "load average": ", ".join(f"{value:.1f}" for value in os.getloadavg()),
    }
    if results.by_key:
        best, worst = results.best_loop, results.worst_loop
        found["calibration loop"] = f"{1000 * best:.0f} to {1000 * worst:.0f} ms: noise of up to x {worst / best:.1f}"
    return found


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table whose first column is text and whose others are figures."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, tuple("-" * width for width in widths), *rows):
        first, *others = row
        cells = [f"{first:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))]
        print("  " + "  ".join(cells).rstrip())


def print_section(section: str, sizes: Sizes, results: Results) -> None:
    """Print the jobs of a section."""
    if section not in _SECTIONS:
        return
    listed = [job for job in jobs(section, sizes) if results.get(job.key)]
    if not listed:
        return
    title, unit, reference = _SECTIONS[section]
    print(f"\n{title}")
    head = ("engine", unit, "CPU s", "max/min", f"{unit}/s", "core at its best", f"time x {reference}", "peak MB")
    print_table(head, [_row(job, reference, results) for job in listed])


def _row(job: Job, reference: str, results: Results) -> tuple[str, ...]:
    measured = results.by_key[job.key]
    ratio = results.ratio(job.key, f"{job.workload}/{reference}/{job.size}")
    return (
        job.engine,
        f"{job.items:,}",
        f"{measured.seconds:.3f}",
        f"{measured.spread:.2f}",
        f"{job.items / measured.seconds:,.0f}",
        f"{results.rate(measured):,.0f}",
        "" if ratio is None else f"{ratio:.2f}",
        f"{measured.memory / 1e6:.0f}",
    )


def print_processes(processes: Processes) -> None:
    """Print what whole processes took."""
    if processes.times:
        print("\nWhole processes, medians")
        rows = [(name, f"{processes.seconds(name):.2f}", f"{processes.waited(name):.2f}") for name in processes.times]
        print_table(("process", "CPU s", "wall s"), rows)


def print_goals(sizes: Sizes, results: Results, processes: Processes) -> None:
    """Print what is promised beside what was measured."""
    rows = []
    for verdict in verdicts(sizes, results, processes):
        goal = verdict.goal
        promised = f"{'>=' if goal.at_least else '<='} {_figure(goal.target, goal.unit)}"
        rows.append((goal.text, _figure(verdict.figure, goal.unit), promised, "met" if verdict.is_met else "MISSED"))
    if not rows:
        return
    print("\nGoals. Rates: the core at its best. Ratios: medians against the calibration loop. Processes: CPU time.")
    print_table(("goal", "measured", "promised", ""), rows)
    floor = results.get(f"w1/floor/{sizes.w1}")
    if floor is not None:
        reached = results.rate(floor)
        print(
            f"\n  Rates are promised for a machine on which the floor makes {FLOOR_OF_GOALS:,} bars/s in W1."
            f"\n  Here it makes {reached:,.0f}: rates measured here times {FLOOR_OF_GOALS / reached:.2f} compare."
        )


def _figure(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.1f} x"
    return f"{value:.2f} s" if unit == "s" else f"{value:,.0f} {unit}"


def print_machine(results: Results) -> None:
    """Print what the figures depend on."""
    print()
    for name, value in machine(results).items():
        print(f"  {name}: {value}")
