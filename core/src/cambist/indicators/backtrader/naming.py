"""How an indicator gets backtrader's names: its own, its aliases, and those of its lines."""

from __future__ import annotations

from collections import namedtuple
from functools import update_wrapper
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import LineError, ParameterError, did_you_mean
from cambist.indicators.lines import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["INDICATORS", "Named", "named", "with_defaults"]


@attrs.define(eq=False, slots=False)
class Named:
    """One indicator of backtrader's.

    Attributes
    ----------
    function
        Takes lines or a series, and the parameters; returns a line, or a tuple of them.
    group
        What it belongs to.
    lines, aliases
        Names of its lines, and its other names.
    drawn
        Parameters that only matter for drawing: they may be given, and change nothing.
    note
        How it stands to TA-Lib's.
    """

    function: Callable[..., Any]
    group: str
    lines: tuple[str, ...]
    aliases: tuple[str, ...]
    drawn: tuple[str, ...]
    note: str
    name: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Take the name, the docstring and the parameters of the function."""
        update_wrapper(self, self.function)
        self.name = self.function.__name__
        self._parameters = signature(self.function).parameters
        made: Any = namedtuple(f"{self.name}Lines", self.lines)  # type: ignore[misc]  # noqa: PYI024 - names are data
        self._tuple = made

    def __call__(self, *data: Any, **parameters: Any) -> Any:
        """Make the line, or the named tuple of lines where there are several.

        Raises
        ------
        ParameterError
            For a parameter that it does not have, or one out of range.
        LineError
            For an input that is no line, or after ``on_start``.
        """
        for name in parameters:
            if name not in self._parameters and name not in self.drawn:
                known = [*self._parameters, *self.drawn]
                raise ParameterError(f"{self.name} has no parameter {name!r}.{did_you_mean(name, known)}")
        given = {name: value for name, value in parameters.items() if name not in self.drawn}
        try:
            signature(self.function).bind(*data, **given)
        except TypeError as error:
            raise LineError(
                f"{self.name}: {error}. It is made of lines, such as self.data.close, or of the series, self.data."
            ) from None
        made = self.function(*data, **given)
        return made if isinstance(made, Line) else self._tuple(*made)

    def __repr__(self) -> str:
        return f"<indicator {self.name}{signature(self.function)}>"


#: By backtrader's class name.
INDICATORS: dict[str, Named] = {}

_BANDS = ("upperband", "lowerband")


def with_defaults(defaults: Mapping[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a function of a series and keywords the parameters that a table names; a decorator."""

    def make(function: Callable[..., Any]) -> Callable[..., Any]:
        def filled(data: Any, **given: Any) -> Any:
            return function(data, **{**defaults, **given})

        update_wrapper(filled, function)
        kind = Parameter.POSITIONAL_OR_KEYWORD
        own = [Parameter(name, kind, default=value) for name, value in defaults.items()]
        filled.__signature__ = Signature([Parameter("data", kind), *own])  # type: ignore[attr-defined]
        return filled

    return make


def named(
    group: str, lines: str, aliases: str = "", *, drawn: str = "", note: str = ""
) -> Callable[[Callable[..., Any]], Named]:
    """Make an indicator of backtrader's out of a function of its name; a decorator.

    Parameters
    ----------
    group
        What it belongs to.
    lines, aliases, drawn
        Names, separated by spaces; ``bands`` stands for upperband and lowerband.
    note
        How it stands to TA-Lib's.
    """

    def make(function: Callable[..., Any]) -> Named:
        ignored = tuple(one for word in drawn.split() for one in (_BANDS if word == "bands" else (word,)))
        made = Named(function, group, tuple(lines.split()), tuple(aliases.split()), ignored, note)
        INDICATORS[made.name] = made
        return made

    return make
