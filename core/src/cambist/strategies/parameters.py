"""Typed parameters of a strategy: declared once, known to the optimizer, the run file and the reader."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MISSING", "OF_EVERY", "Parameter", "find_parameter", "param", "read_parameters"]


class _Missing:
    def __repr__(self) -> str:
        return "(required)"


#: The default of a parameter that has none.
MISSING = _Missing()

_WORDS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


@attrs.frozen(eq=False)
class Parameter:
    """One parameter of a strategy.

    Attributes
    ----------
    name, type, default
        As declared; `default` is `MISSING` where a value must be given.
    ge, gt, le, lt
        Bounds, or None.
    choices
        The only values allowed, or None.
    doc
        One line for people.
    optional
        Whether None is a value: the annotation or the default says so.
    """

    default: Any = MISSING
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    choices: tuple[Any, ...] | None = None
    doc: str = ""
    name: str = ""
    type: type | None = None
    optional: bool = False

    def validate(self, value: Any, owner: str) -> Any:
        """Return `value`, an int as float where a float is declared.

        Raises
        ------
        ParameterError
            If it is of another type or out of range; the message names `owner`, the parameter and the range.
        """
        wanted = self.type
        if value is None and (self.optional or wanted is None):
            return None
        if isinstance(value, np.generic):  # what an optimizer takes out of an array
            value = value.item()
        if wanted is float and type(value) is int:
            value = float(value)
        wrong = wanted is not None and (
            not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)
        )
        if wrong:
            raise ParameterError(
                f"{owner}: parameter {self.name!r} is {value!r} ({type(value).__name__}); it takes {self.describe()}."
            )
        if isinstance(value, float) and not isfinite(value):
            raise ParameterError(f"{owner}: parameter {self.name!r} is {value!r}; it takes {self.describe()}.")
        outside = (
            (self.ge is not None and value < self.ge)
            or (self.gt is not None and value <= self.gt)
            or (self.le is not None and value > self.le)
            or (self.lt is not None and value >= self.lt)
            or (self.choices is not None and value not in self.choices)
        )
        if outside:
            raise ParameterError(f"{owner}: parameter {self.name!r} is {value!r}; it takes {self.describe()}.")
        return value

    def parse(self, text: str, owner: str) -> Any:
        """Read a value from the command line or a run file, and validate it."""
        wanted = self.type
        value: Any = text
        try:
            if wanted is bool:
                value = _WORDS[text.strip().lower()]
            elif wanted is int or wanted is float:
                value = wanted(text)
        except (KeyError, ValueError):
            raise ParameterError(f"{owner}: parameter {self.name!r} is {text!r}; it takes {self.describe()}.") from None
        return self.validate(value, owner)

    def describe(self) -> str:
        """Say what the parameter takes: ``an int, at least 2``."""
        kind = {int: "an int", float: "a number", bool: "true or false", str: "a text"}.get(
            self.type or object, f"a {self.type.__name__}" if self.type else "any value"
        )
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.ge), ("above", self.gt), ("at most", self.le), ("below", self.lt))
            if bound is not None
        ]
        if self.choices is not None:
            bounds.append("one of " + ", ".join(repr(choice) for choice in self.choices))
        return ", ".join([kind, *bounds])


def param(
    default: Any = MISSING,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: Sequence[Any] | None = None,
    doc: str = "",
) -> Any:
    """Declare a parameter in the body of a strategy.

    Parameters
    ----------
    default
        Value where none is given; leave it out to require one.
    ge, gt, le, lt
        Inclusive and exclusive bounds.
    choices
        The only values allowed.
    doc
        One line for people.

    Examples
    --------
    >>> from cambist import Strategy, param
    >>> class Cross(Strategy):
    ...     fast: int = param(10, ge=2, doc="bars of the fast average")
    >>> Cross(fast=5).fast
    5
    """
    return Parameter(default, ge, gt, le, lt, None if choices is None else tuple(choices), doc)


#: Parameters that every strategy has, and keeps where one is given.
OF_EVERY = {"bar_rule": Parameter("", doc="by which bars are made of those of the run", name="bar_rule", type=str)}


def find_parameter(cls: Any, name: str) -> Parameter:
    """Return a parameter of a strategy's class, one that every strategy has included.

    Raises
    ------
    ParameterError
        There is none, and which has nearly that name.
    """
    found: Parameter | None = cls.parameters.get(name) or OF_EVERY.get(name)
    if name in OF_EVERY and isinstance(getattr(cls, name, None), property):
        raise ParameterError(f"{cls.__name__} says its {name} itself, as a property. Leave it out.")
    if found is None:
        hint = did_you_mean(name, cls.parameters) or " It has no parameters."
        raise ParameterError(f"{cls.__name__} has no parameter {name!r}.{hint}")
    return found


def read_parameters(cls: type) -> dict[str, Parameter]:
    """Return the parameters declared in the body of `cls`, with names and types filled in.

    The type is that of the annotation; without one, or with one that cannot be read, that of the default.
    """
    declared = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
    if not declared:
        return {}
    hints = {name: _hint(cls, name) for name in declared}
    return {
        name: attrs.evolve(
            parameter,
            name=name,
            type=_plain_type(hints[name], parameter.default),
            optional=parameter.default is None or types.NoneType in typing.get_args(hints[name]),
        )
        for name, parameter in declared.items()
    }


def _hint(cls: type, name: str) -> Any:
    """Return the annotation of one attribute; None where there is none, or only a type checker can see its names."""
    module = sys.modules.get(cls.__module__)
    try:
        annotation = inspect.get_annotations(cls).get(name)
        if annotation is None:
            return None
        # Apart from all others: one that cannot be read, of this class or of its bases, hides no other.
        alone = type(cls.__name__, (), {"__annotations__": {name: annotation}})
        return typing.get_type_hints(alone, vars(module) if module else {}, dict(vars(cls)))[name]
    except (NameError, TypeError, SyntaxError):
        return None


def _plain_type(hint: Any, default: Any) -> type | None:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        options = [option for option in typing.get_args(hint) if option is not types.NoneType]
        hint = options[0] if len(options) == 1 else None
    if hint is Any:
        return None
    hint = typing.get_origin(hint) or hint
    if isinstance(hint, type):
        return hint
    return None if default is MISSING or default is None else type(default)
