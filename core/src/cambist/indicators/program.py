"""One function of Python that moves many indicators by a row, written out from what they consist of.

Row by row, the links of a chain of small objects cost more than the arithmetic in them: calls, tuples, lists of values
that are handed on. So each stream can *write* what it does with a row into a program, as lines of Python between local
names, once it has seen rows enough; the program is compiled, and then moves them all in one call. What is written does
what `Stream.update` does, with the same operations in the same order: the tests hold the two to the same bits.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from math import copysign, inf, isfinite, isnan, nan, sqrt
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from cambist.indicators.computation import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Program", "WrittenStream", "divide", "log10_of", "number_text"]


@runtime_checkable
class WrittenStream(Stream, Protocol):
    """A stream that can write what it does into a program, which then moves it."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing will change any more in what it does with a row."""
        ...

    def write(self, program: Program, inputs: Sequence[str]) -> list[str]:
        """Write what it does with a row.

        Parameters
        ----------
        program
            Where to write it.
        inputs
            The names of its inputs.

        Returns
        -------
        list of str
            The names of its outputs.
        """
        ...


def divide(a: float, b: float) -> float:
    """Divide as IEEE 754 has it, where Python raises."""
    if b:
        return a / b
    return nan if isnan(a) or a == 0 else copysign(inf, a) * copysign(1.0, b)


def log10_of(values: Sequence[float]) -> list[float]:
    """Take logarithms of numbers, with the bits that they have in a column."""
    # By an array: the C library rounds some logarithms otherwise than numpy's loop.
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms: list[float] = np.log10(np.array(values)).tolist()
    return logarithms


#: What every program may name.
_KNOWN: dict[str, Any] = {
    "abs": abs,
    "divide": divide,
    "float": float,
    "isfinite": isfinite,
    "log10_of": log10_of,
    "nan": nan,
    "sqrt": sqrt,
}


def number_text(value: float) -> str:
    """Return a finite number as a program says it."""
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


class Program:
    """Lines of Python, and the objects that they name."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers = count()
        self._indent = 1
        self._objects: dict[str, Any] = {"__builtins__": {}} | _KNOWN
        #: Names of objects that belong to one stream, in the order in which it named them.
        self._state: list[str] = []
        #: Names of which it is known that they are neither NaN nor infinite.
        self.finite: set[str] = set()

    def name(self) -> str:
        """Return a name that nobody has yet."""
        return f"v{next(self._numbers)}"

    def bind(self, value: Any) -> str:
        """Name an object that does not belong to one stream, such as a function."""
        name = f"k{next(self._numbers)}"
        self._objects[name] = value
        return name

    def number(self, value: float) -> str:
        """Return how a number is said, which may be infinite."""
        return number_text(value) if isfinite(value) else self.bind(value)

    def keep(self, value: Any) -> str:
        """Name an object in which a stream remembers something."""
        name = self.bind(value)
        self._state.append(name)
        return name

    def line(self, text: str) -> None:
        """Add a line."""
        self._lines.append("    " * self._indent + text)

    def let(self, expression: str) -> str:
        """Give an expression a name."""
        name = self.name()
        self.line(f"{name} = {expression}")
        return name

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Indent what is added within."""
        self.line(header)
        self._indent += 1
        yield
        self._indent -= 1

    def function(self, arguments: Sequence[str], *, takes_state: bool = False) -> Callable[..., Any]:
        """Return the program as a function.

        Parameters
        ----------
        arguments
            Names of its arguments.
        takes_state
            Whether the objects that were kept come before these, so that other streams can use it as well.
        """
        named = [*self._state, *arguments] if takes_state else arguments
        source = "\n".join([f"def move({', '.join(named)}):", *self._lines, ""])
        exec(compile(source, "<indicators>", "exec"), self._objects)  # noqa: S102 - written by the streams alone
        made: Callable[..., Any] = self._objects.pop("move")
        return made
