"""What is promised, and how it is read from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.plan import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measured import Results
    from benchmarks.plan import Sizes
    from benchmarks.processes import Processes

    Figure = Callable[[Results, Processes], float | None]

__all__ = ["FLOOR_OF_GOALS", "Goal", "Verdict", "goals", "verdicts"]

#: What the floor reaches, in bars/s, on the machine for which the rates below were promised.
FLOOR_OF_GOALS = 3_000_000
_MEGABYTE = 1_000_000


@attrs.frozen
class Goal:
    """A promise.

    Attributes
    ----------
    text
        What is promised.
    figure
        Reads it from what was measured; None where it was not.
    target, at_least
        The figure promised, and whether it is the least or the most.
    unit
        Behind the figure; ``"x"`` for ratios.
    """

    text: str
    figure: Figure
    target: float
    at_least: bool
    unit: str


@attrs.frozen
class Verdict:
    """A promise and what was measured of it."""

    goal: Goal
    figure: float

    @property
    def is_met(self) -> bool:
        """Whether it is kept."""
        return self.figure >= self.goal.target if self.goal.at_least else self.figure <= self.goal.target


def _rate(key: str) -> Figure:
    def read(results: Results, _: Processes) -> float | None:
        measured = results.get(key)
        return None if measured is None else results.rate(measured)

    return read


def _ratio(slower: str, faster: str) -> Figure:
    return lambda results, _: results.ratio(slower, faster)


def _growth(more: str, less: str) -> Figure:
    def read(results: Results, _: Processes) -> float | None:
        one, other = results.get(more), results.get(less)
        return one.loops / other.loops if one and other else None

    return read


def _memory(key: str, *, beyond: str = "") -> Figure:
    def read(results: Results, _: Processes) -> float | None:
        measured, base = results.get(key), results.get(beyond)
        if measured is None or (beyond and base is None):
            return None
        return (measured.memory - (base.memory if base else 0.0)) / _MEGABYTE

    return read


def _process(name: str) -> Figure:
    return lambda _, processes: processes.seconds(name)


def _import(_: Results, processes: Processes) -> float | None:
    return processes.importing


def goals(sizes: Sizes) -> Iterator[Goal]:
    """Yield every promise, in the order of the sections."""
    short, long = sizes.w1, sizes.w1_long
    few, some, many = sizes.w4
    small, large = sizes.generated
    ours = f"w1/cambist/{short}"
    yield Goal(f"W1, {long:,} bars", _rate(f"w1/cambist/{long}"), 1_000_000, True, "bars/s")
    for name, peer, target in (
        ("backtrader (PandasData)", "backtrader-pandas", 60),
        ("backtrader (PandasDirectData)", "backtrader-direct", 60),
        ("backtesting.py", "backtesting", 7),
    ):
        yield Goal(f"W1, {short:,} bars: {name} takes", _ratio(f"w1/{peer}/{short}", ours), target, True, "x")
    for size in (short, long):
        over = _ratio(f"w1/cambist/{size}", f"w1/floor/{size}")
        yield Goal(f"W1, {size:,} bars: time over the floor's", over, 2.5, False, "x")
    portfolio = f"W2, {INSTRUMENTS} x {sizes.w2:,} bars"
    yield Goal(portfolio, _rate(f"w2/cambist/{sizes.w2}"), 600_000, True, "bars/s")
    yield Goal(f"W4, {some:,} new orders", _rate(f"w4/cambist/{some}"), 150_000, True, "orders/s")
    growth = _growth(f"w4/cambist/{many}", f"w4/cambist/{few}")
    yield Goal(f"W4, {many:,} orders: time over that of {few:,}", growth, 12, False, "x")
    yield Goal(f"Brackets, {long:,} bars", _rate(f"brackets/cambist/{long}"), 250_000, True, "bars/s")
    for kind in ("trades", "quotes"):
        yield Goal(f"{sizes.ticks[0]:,} {kind}", _rate(f"{kind}/cambist/{sizes.ticks[0]}"), 1_000_000, True, "events/s")
    file = sizes.ticks_file
    yield Goal(f"Peak memory, {file:,} trades of a file", _memory(f"trades-file/cambist/{file}"), 600, False, "MB")
    for name, engine in (("a DataFrame", "cambist"), ("arrays", "cambist-columns")):
        yield Goal(f"Peak memory, {long:,} bars of {name}", _memory(f"w1/{engine}/{long}"), 300, False, "MB")
    flat = _memory(f"generated/cambist-generated/{large}", beyond=f"generated/cambist-generated/{small}")
    yield Goal(f"More memory for {large:,} generated bars than for {small:,}", flat, 20, False, "MB")
    yield Goal("import cambist, over bare Python", _import, 0.25, False, "s")
    for name in ("cambist backtest, Parquet", "cambist backtest, CSV", "a script, Parquet", "a script, CSV"):
        yield Goal(f"1,000 bars, whole process: {name}", _process(name), 1.0, False, "s")


def verdicts(sizes: Sizes, results: Results, processes: Processes) -> list[Verdict]:
    """Return what was measured of each promise."""
    read = ((goal, goal.figure(results, processes)) for goal in goals(sizes))
    return [Verdict(goal, figure) for goal, figure in read if figure is not None]
