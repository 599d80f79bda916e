"""Formulas over the last rows, written out for one row; see `cambist.indicators.program`."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from cambist.indicators.program import Program
from cambist.indicators.symbols import SYMBOLS, Symbol, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.indicators.running import Running
    from cambist.indicators.windowed import Windowed

__all__ = ["Window", "new_window", "row_function", "write_window"]

#: The last rows of an input, oldest first.
Window: TypeAlias = "list[float] | deque[float]"

#: Rows up to which a list, all of which moves up with each row, is read faster than a queue.
_SHORT = 128
#: Entries of windows from which on a formula is not written out.
_MANY = 300


def new_window(period: int) -> Window:
    """Return a window without rows."""
    return [] if period <= _SHORT else deque()


@lru_cache(maxsize=4096)
def row_function(computation: Windowed) -> Callable[..., tuple[float, ...]] | None:
    """Return what moves a stream by one row: it takes the windows, the gap, what is running, and the values.

    None where the formula is too long to be written out, or does something with its numbers that cannot be.
    """
    program = Program()
    names = [f"x{at}" for at in range(computation.count)]
    windows = [new_window(computation.period)] * computation.count
    try:
        outputs = write_window(computation, program, (windows, [0], computation.new_running()), names)
    except (AttributeError, RecursionError, TypeError):
        return None
    program.line(f"return {', '.join(outputs)},")
    return program.function(names, takes_state=True)


def write_window(
    computation: Windowed,
    program: Program,
    state: tuple[Sequence[Window], list[int], Running | None],
    inputs: Sequence[str],
) -> list[str]:
    """Write what a formula does with a row; return the names of its outputs.

    Parameters
    ----------
    computation
        The formula.
    program, inputs
        As for `cambist.indicators.program.WrittenStream.write`.
    state
        The windows, the rows to come that are unknown because of a NaN, and what is running.

    Raises
    ------
    TypeError
        Where it cannot be written out.
    """
    period = computation.period
    windows, gap, running = state
    if running is None and period * computation.count > _MANY:
        raise TypeError("the window is too long")
    rings, waits = [program.keep(window) for window in windows], program.keep(gap)
    outputs = [program.name() for _ in computation.outputs]
    unknown = " or ".join(f"{name} != {name}" for name in dict.fromkeys(inputs) if name not in program.finite)
    if period == 1:
        condition = unknown
    else:
        if running is not None:
            oldest = program.let(f"{rings[0]}[0]")
        for ring, name in zip(rings, inputs, strict=True):
            program.line(f"{ring}.append({name})")
            program.line(f"del {ring}[0]")
        if unknown:
            program.line(f"if {unknown}: {waits}[0] = {period}")
        condition = f"{waits}[0]"
    if not condition:
        _write_formula(computation, program, rings, inputs, outputs)
        return outputs
    with program.block(f"if {condition}:"):
        if period > 1:
            program.line(f"{waits}[0] -= 1")
        program.line(f"{' = '.join(outputs)} = nan")
    with program.block("else:"):
        if running is not None:
            program.line(f"{outputs[0]} = {program.keep(running.move)}({rings[0]}, {inputs[0]}, {oldest})")
        else:
            _write_formula(computation, program, rings, inputs, outputs)
    return outputs


def _write_formula(
    computation: Windowed, program: Program, rings: Sequence[str], inputs: Sequence[str], outputs: Sequence[str]
) -> None:
    windows = [[*(Symbol(program.name()) for _ in range(computation.period - 1)), Symbol(newest)] for newest in inputs]
    results = computation.formula(SYMBOLS, *windows, *computation.parameters)
    for ring, window in zip(rings, windows, strict=True):
        used = [at for at, symbol in enumerate(window[:-1]) if symbol.uses]
        if len(used) * 3 > len(window):
            program.line(f"{', '.join(symbol.name for symbol in window[:-1])}, _ = {ring}")
        else:
            for at in used:
                program.line(f"{window[at].name} = {ring}[{at}]")
    expressions = written(results if isinstance(results, tuple) else (results,), program)
    for name, expression in zip(outputs, expressions, strict=True):
        program.line(f"{name} = {expression}")
