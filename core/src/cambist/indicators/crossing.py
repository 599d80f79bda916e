"""Crossings: when one line passes another."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError
from cambist.indicators.arithmetic import combine, split_operands
from cambist.indicators.computation import require_columns
from cambist.indicators.lines import attach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.indicators.lines import Line
    from cambist.indicators.program import Program

__all__ = ["Crossover", "crossed_above", "crossed_below", "crossover"]


@attrs.frozen
class Crossover:
    """+1.0 where the first input passes above the second, -1.0 where it passes below, 0.0 elsewhere.

    Parameters
    ----------
    constant
        A level in place of one of the two inputs; finite.
    constant_first
        Whether the level takes the first one's place.

    Notes
    -----
    Lookback 1: the first row at which both inputs are known is NaN, since nothing can have crossed yet. The side
    is compared with the last side before it that was not a tie: touching and turning back is no cross, touching and
    going through is one, on the row that goes through. A later row where an input is NaN is NaN, and remembers nothing.
    """

    constant: float | None = None
    constant_first: bool = False

    def __attrs_post_init__(self) -> None:
        """Check the level."""
        if self.constant is not None and not isfinite(self.constant):
            raise ParameterError(f"crossover: the level is {self.constant}; it must be a finite number.")

    @property
    def name(self) -> str:
        """With the level, if there is one."""
        if self.constant is None:
            return "crossover"
        return f"crossover({self.constant:g}, line)" if self.constant_first else f"crossover(line, {self.constant:g})"

    @property
    def outputs(self) -> tuple[str, ...]:
        """One output."""
        return ("value",)

    @property
    def lookback(self) -> int:
        """The row that has a side, but none to compare it with."""
        return 1

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Compute whole columns; see `cambist.indicators.computation.Computation`."""
        return self.open().extend(*inputs)

    def open(self) -> _CrossoverStream:
        """Begin a stream that has seen no row yet."""
        return _CrossoverStream(self)


class _CrossoverStream:
    """Remembers the last side that was not a tie, and whether any row was known."""

    __slots__ = ("_computation", "_known", "_side")

    def __init__(self, computation: Crossover) -> None:
        self._computation = computation
        self._known = False
        self._side = [0.0]

    @property
    def is_settled(self) -> bool:
        return self._known

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        computation = self._computation
        columns = require_columns(computation.name, 2 if computation.constant is None else 1, inputs)
        first, second = (
            (columns[0], columns[-1]) if computation.constant is None else (columns[0], computation.constant)
        )
        sides = (first > second).view(np.int8) - (first < second).view(np.int8)
        if computation.constant_first:
            sides = -sides
        output = np.zeros(len(sides))
        # Only where the side changes can anything have crossed: few rows, and the first, which the carried side meets.
        rows = np.flatnonzero(np.diff(sides, prepend=0))
        rows = rows[sides[rows] != 0]
        turns = sides[rows].astype(np.float64)
        if len(turns):
            before = np.concatenate(([self._side[0] or turns[0]], turns[:-1]))
            output[rows] = np.where(turns == before, 0.0, turns)
            self._side[0] = float(turns[-1])
        self._mark_unknown(output, columns, np.flatnonzero(sides == 0))
        return (output,)

    def _mark_unknown(
        self, output: NDArray[np.float64], columns: list[NDArray[np.float64]], ties: NDArray[np.intp]
    ) -> None:
        """Put NaN where an input is NaN, which looks like a tie, and on the first row ever at which none is."""
        unknown = ties[np.isnan(columns[0][ties]) | np.isnan(columns[-1][ties])]
        output[unknown] = nan
        if not self._known and len(unknown) < len(output):
            gaps = np.flatnonzero(unknown != np.arange(len(unknown)))
            output[int(gaps[0]) if len(gaps) else len(unknown)] = nan
            self._known = True

    def update(self, *values: float) -> tuple[float, ...]:
        computation = self._computation
        first, second = values[0], values[-1]
        if computation.constant is not None:
            second = computation.constant
            if computation.constant_first:
                first, second = second, first
        side = 1.0 if first > second else -1.0 if first < second else 0.0 if first == second else nan
        if side != side:  # noqa: PLR0124 - NaN
            return (nan,)
        before, known = self._side[0], self._known
        self._known = True
        self._side[0] = side or before
        if not known:
            return (nan,)
        return (side if side and before and side != before else 0.0,)

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        computation = self._computation
        first, second = inputs[0], inputs[-1]
        if computation.constant is not None:
            second = program.number(computation.constant)
            if computation.constant_first:
                first, second = second, first
        side, turn, last = program.name(), program.name(), program.keep(self._side)
        with program.block(f"if {first} == {second}:"):
            program.line(f"{turn} = 0.0")
        with program.block(f"elif {first} != {first} or {second} != {second}:"):
            program.line(f"{turn} = nan")
        with program.block("else:"):
            program.line(f"{side} = 1.0 if {first} > {second} else -1.0")
            program.line(f"{turn} = 0.0 if {last}[0] == {side} or not {last}[0] else {side}")
            program.line(f"{last}[0] = {side}")
        return [turn]


def crossover(first: Line | float, second: Line | float) -> Line:
    """Return the line that is +1.0 on the bar where `first` crosses above `second`, -1.0 where below, else 0.0.

    Parameters
    ----------
    first, second
        Two lines of one series, or a line and a level: ``crossover(RSI(close), 30)``.

    Returns
    -------
    Line
        Lookback: 1 bar more than the later of the two; NaN until then, and where an input is NaN.

    Raises
    ------
    LineError
        For operands that are neither lines nor numbers, two numbers, lines of different series, or after ``on_start``.
    ParameterError
        For a level that is not finite.

    Notes
    -----
    Ties are looked through: `first` has crossed above when it is above now and was below on the last bar on which the
    two differed. Touching and turning back is no cross.
    """
    lines, constant, constant_first = split_operands("crossover", first, second)
    return attach(Crossover(constant, constant_first), *lines)[0]


def crossed_above(first: Line | float, second: Line | float) -> Line:
    """Return the line that is 1.0 on the bar where `first` crosses above `second`, else 0.0; see `crossover`."""
    return combine(np.greater, crossover(first, second), 0.0)


def crossed_below(first: Line | float, second: Line | float) -> Line:
    """Return the line that is 1.0 on the bar where `first` crosses below `second`, else 0.0; see `crossover`."""
    return combine(np.less, crossover(first, second), 0.0)
