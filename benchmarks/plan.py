"""What is measured, and what it is measured against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measured import Results
    from benchmarks.processes import Processes

__all__ = ["SECTIONS", "Goal", "Sizes", "goals", "jobs"]

#: In the order in which they are shown.
SECTIONS = ("w1", "w2", "w4", "paths", "memory", "startup", "indicators")
#: What the floor reaches on the machine for which the absolute goals were set, bars/s.
FLOOR_OF_GOALS = 3_000_000
INSTRUMENTS = 50


@attrs.frozen
class Sizes:
    """How much of each workload is played; ``--quick`` plays a tenth."""

    scale: int = 1

    @property
    def w1(self) -> int:
        return 100_000 // self.scale

    @property
    def w1_long(self) -> int:
        return 1_000_000 // self.scale

    @property
    def w2(self) -> int:
        return 20_000 // self.scale

    @property
    def w2_peer(self) -> int:
        return 1_000 // self.scale

    @property
    def w4(self) -> tuple[int, int, int]:
        return 20_000 // self.scale, 100_000 // self.scale, 200_000 // self.scale

    @property
    def generated(self) -> tuple[int, int]:
        return 1_000_000 // self.scale, 5_000_000 // self.scale


def jobs(section: str, sizes: Sizes) -> list[Job]:
    """Return the jobs of a section; a job may belong to several."""
    short, long = sizes.w1, sizes.w1_long
    if section == "w1":
        names = ("floor", "cambist", "backtesting", "backtrader-direct", "backtrader-pandas")
        return [
            *(Job(name, "w1", short, short) for name in names),
            *(Job(name, "w1", long, long) for name in ("floor", "cambist")),
        ]
    if section == "w2":
        whole, part = sizes.w2, sizes.w2_peer
        return [
            Job("cambist", "w2", whole, whole * INSTRUMENTS),
            Job("cambist", "w2", part, part * INSTRUMENTS),
            Job("backtrader-direct", "w2", part, part * INSTRUMENTS),
        ]
    if section == "w4":
        return [
            *(Job(name, "w4", size, size) for size in sizes.w4 for name in ("floor", "cambist")),
            Job("backtrader-direct", "w4", sizes.w4[0], sizes.w4[0]),
        ]
    if section == "paths":
        names = ("cambist", "cambist-columns", "cambist-blocks", "cambist-events")
        return [Job(name, "w1", short, short) for name in names]
    if section == "memory":
        return [
            Job("cambist", "w1", long, long),
            Job("cambist-columns", "w1", long, long),
            *(Job("cambist-generated", "blocks", size, size, rounds=1) for size in sizes.generated),
        ]
    return []


@attrs.frozen
class Goal:
    """A promise.

    Attributes
    ----------
    text
        What is promised.
    target, at_least
        The figure, and whether it is a floor or a ceiling.
    figure
        Reads it from the results; None where it was not measured.
    unit
        Behind the figure.
    """

    text: str
    target: float
    at_least: bool
    figure: Callable[[Results, Processes], float | None]
    unit: str = ""

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure keeps the promise."""
        return figure >= self.target if self.at_least else figure <= self.target


def goals(sizes: Sizes) -> list[Goal]:
    """Return every goal, in the order of `SECTIONS`."""
    short, long = sizes.w1, sizes.w1_long
    few, some, many = sizes.w4
    million = 1e6

    def ratio(slower: str, faster: str) -> Callable[[Results, Processes], float | None]:
        return lambda results, _: results.ratio(slower, faster)

    def rate(key: str) -> Callable[[Results, Processes], float | None]:
        def read(results: Results, _: Processes) -> float | None:
            measured = results.get(key)
            return None if measured is None else results.rate(measured)

        return read

    def growth(results: Results, _: Processes) -> float | None:
        more, less = results.get(f"w4/cambist/{many}"), results.get(f"w4/cambist/{few}")
        return more.loops / less.loops if more and less else None

    def memory(key: str) -> Callable[[Results, Processes], float | None]:
        def read(results: Results, _: Processes) -> float | None:
            measured = results.get(key)
            return None if measured is None else measured.memory / million

        return read

    def extra_memory(results: Results, _: Processes) -> float | None:
        less, more = (results.get(f"blocks/cambist-generated/{size}") for size in sizes.generated)
        return (more.memory - less.memory) / million if more and less else None

    ours = f"w1/cambist/{short}"
    return [
        Goal(f"W1, {long:,} bars", million, True, rate(f"w1/cambist/{long}"), "bars/s"),
        Goal(
            f"W1, {short:,} bars: backtrader (PandasData) takes",
            60,
            True,
            ratio(f"w1/backtrader-pandas/{short}", ours),
            "x",
        ),
        Goal(
            f"W1, {short:,} bars: backtrader (PandasDirectData) takes",
            60,
            True,
            ratio(f"w1/backtrader-direct/{short}", ours),
            "x",
        ),
        Goal(f"W1, {short:,} bars: backtesting.py takes", 7, True, ratio(f"w1/backtesting/{short}", ours), "x"),
        Goal(f"W1, {short:,} bars: over the floor", 2.5, False, ratio(ours, f"w1/floor/{short}"), "x"),
        Goal(f"W1, {long:,} bars: over the floor", 2.5, False, ratio(f"w1/cambist/{long}", f"w1/floor/{long}"), "x"),
        Goal(f"W2, {INSTRUMENTS} x {sizes.w2:,} bars", 600_000, True, rate(f"w2/cambist/{sizes.w2}"), "bars/s"),
        Goal(f"W4, {some:,} orders", 150_000, True, rate(f"w4/cambist/{some}"), "orders/s"),
        Goal(f"W4, {many:,} orders over {few:,}: time", 12, False, growth, "x"),
        Goal(f"Peak memory, W1 on {long:,} bars of a DataFrame", 300, False, memory(f"w1/cambist/{long}"), "MB"),
        Goal(f"Peak memory, W1 on {long:,} bars of arrays", 300, False, memory(f"w1/cambist-columns/{long}"), "MB"),
        Goal(
            f"More memory for {sizes.generated[1]:,} generated bars than for {sizes.generated[0]:,}",
            20,
            False,
            extra_memory,
            "MB",
        ),
        Goal("import cambist over bare Python", 0.25, False, lambda _, processes: processes.importing, "s"),
        Goal(
            "1,000 bars from Parquet, `cambist backtest`, whole process",
            1.0,
            False,
            lambda _, processes: processes.seconds("cli-parquet"),
            "s",
        ),
        Goal(
            "1,000 bars from CSV, `cambist backtest`, whole process",
            1.0,
            False,
            lambda _, processes: processes.seconds("cli-csv"),
            "s",
        ),
        Goal(
            "1,000 bars from Parquet, Python script, whole process",
            1.0,
            False,
            lambda _, processes: processes.seconds("script-parquet"),
            "s",
        ),
        Goal(
            "1,000 bars from CSV, Python script, whole process",
            1.0,
            False,
            lambda _, processes: processes.seconds("script-csv"),
            "s",
        ),
    ]
