"""Tables and verdicts."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.plan import FLOOR_OF_GOALS, goals, jobs

if TYPE_CHECKING:
    from benchmarks.job import Job
    from benchmarks.measured import Results
    from benchmarks.plan import Goal, Sizes
    from benchmarks.processes import Processes

__all__ = ["machine", "print_goals", "print_processes", "print_section", "verdicts"]

_TITLES = {
    "w1": "W1: cross of two averages, one instrument, market orders at the next open, fees 0.1 %",
    "w2": "W2: the same on 50 instruments in one account",
    "w4": "W4: a cancel and a new limit order on every bar",
    "paths": "Ways through Cambist, W1",
    "memory": "Memory of the whole process",
}
_REFERENCES = {"w1": "floor", "w2": "cambist", "w4": "floor", "paths": "cambist", "memory": "cambist"}


def machine(results: Results) -> dict[str, str]:
    """Return what the figures depend on."""
    packages = ("cambist", "numpy", "pandas", "TA-Lib", "backtrader", "backtesting")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    loops = f"{1000 * results.best_loop:.0f} to {1000 * results.worst_loop:.0f} ms"
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "python": f"{platform.python_version()} on {platform.system()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "load average at the end": load,
        "calibration loop": f"{loops}: equal work took up to {results.worst_loop / results.best_loop:.1f}x as long",
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, tuple("-" * width for width in widths), *rows):
        cells = (
            f"{cell:<{width}}" if not at else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join(cells).rstrip())


def print_section(section: str, sizes: Sizes, results: Results) -> None:
    """Print the jobs of a section, fastest for each item first within a size."""
    listed = [job for job in jobs(section, sizes) if results.get(job.key)]
    if not listed:
        return
    print(f"\n{_TITLES[section]}")
    rows = [_row(job, section, results) for job in listed]
    unit = "orders/s" if section == "w4" else "bars/s"
    _table(
        (
            "engine",
            "bars",
            "CPU s",
            "spread",
            unit,
            f"{unit}, core at its best",
            f"x {_REFERENCES[section]}",
            "peak MB",
        ),
        rows,
    )


def _row(job: Job, section: str, results: Results) -> tuple[str, ...]:
    measured = results.by_key[job.key]
    ratio = results.ratio(job.key, f"{job.workload}/{_REFERENCES[section]}/{job.size}")
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
    if not processes.times:
        return
    print("\nWhole processes, median")
    rows = [(name, f"{processes.seconds(name):.2f}", f"{processes.waited(name):.2f}") for name in processes.times]
    _table(("process", "CPU s", "wall s"), rows)


def verdicts(sizes: Sizes, results: Results, processes: Processes) -> list[tuple[Goal, float, bool]]:
    """Return each goal that was measured, its figure, and whether it is met."""
    found = ((goal, goal.figure(results, processes)) for goal in goals(sizes))
    return [(goal, figure, goal.is_met(figure)) for goal, figure in found if figure is not None]


def print_goals(sizes: Sizes, results: Results, processes: Processes) -> None:
    """Print the goals with their figures and verdicts."""
    rows = [
        (
            goal.text,
            _figure(figure, goal.unit),
            f"{'>=' if goal.at_least else '<='} {_figure(goal.target, goal.unit)}",
            "met" if met else "MISSED",
        )
        for goal, figure, met in verdicts(sizes, results, processes)
    ]
    if not rows:
        return
    print("\nGoals (rates: core at its best; ratios: calibrated medians; processes: CPU time)")
    _table(("goal", "measured", "promised", ""), rows)
    floor = results.get(f"w1/floor/{sizes.w1_long}")
    if floor is not None:
        reached = results.rate(floor)
        print(
            "\n  The rates in bars and orders a second are promised for a machine on which the floor makes "
            f"{FLOOR_OF_GOALS:,} bars/s.\n"
            f"  On this one it makes {reached:,.0f}: multiply them by {FLOOR_OF_GOALS / reached:.2f} to compare."
        )


def _figure(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 1000 or unit == "MB" else f"{value:.2f}" if unit == "s" else f"{value:.1f}"
    return f"{text}{'' if unit == 'x' else ' '}{unit}"
