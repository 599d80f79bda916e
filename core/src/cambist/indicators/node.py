"""What an indicator is to its series, and all of a series' indicators as one function of a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.indicators.program import Program, WrittenStream
from cambist.model.bars import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.indicators.computation import Computation, Stream
    from cambist.indicators.lines import Line
    from cambist.model.bars import Bar

__all__ = ["Node", "written_push"]


@attrs.define(eq=False, slots=True)
class Node:
    """One indicator: what it computes, from which lines, into which lines."""

    computation: Computation
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]
    stream: Stream | None = None


def written_push(
    columns: Mapping[str, Line], time: Line | None, times: list[int], nodes: Sequence[tuple[Node, Any]]
) -> Callable[[Bar], None]:
    """Write what a bar does to the lines of a series into one function.

    Parameters
    ----------
    columns, time, times
        Of the series: its lines, that of open times if there is one, and the open times themselves.
    nodes
        Its indicators in their order, with their streams.
    """
    program = Program()
    names: dict[Line, str] = {}

    def append(line: Line) -> None:
        program.line(f"{program.bind(line._values)}.append({names[line]})")  # noqa: SLF001 - lines are the series' to move

    for column in COLUMNS:
        line = columns[column]
        names[line] = program.let(f"bar.{column}")
        append(line)
    if time is not None:
        names[time] = program.let("bar.ts / 1e9")
        append(time)
    program.line(f"{program.bind(times)}.append(bar.ts)")
    for node, stream in nodes:
        inputs = [names[line] for line in node.inputs]
        if isinstance(stream, WrittenStream) and stream.is_settled:
            outputs = stream.write(program, inputs)
        else:
            outputs = [program.name() for _ in node.outputs]
            taken = f"{', '.join(outputs)}, = " if outputs else ""
            program.line(f"{taken}{program.bind(stream.update)}({', '.join(inputs)})")
        names.update(zip(node.outputs, outputs, strict=True))
    for node, _ in nodes:
        for line in node.outputs:
            append(line)
    return program.function(["bar"])
