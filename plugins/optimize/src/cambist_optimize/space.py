"""The values that a sweep tries: ranges of a strategy's typed parameters, and what goes together."""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.api import ParameterError, did_you_mean

if TYPE_CHECKING:
    from cambist import Strategy

__all__ = ["Axis", "Constraint", "Space"]

#: Grids of a range without a step: above it nobody meant them.
_MOST_POINTS = 10_000


@attrs.frozen
class Axis:
    """What is tried of one parameter.

    Attributes
    ----------
    name
        Of the parameter.
    values
        All of them, in order; empty for an interval of numbers of which any may be tried.
    low, high
        Ends of the interval, both in it; those of `values` where they are numbers, else NaN.
    """

    name: str
    values: tuple[Any, ...]
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def of(cls, strategy: type[Strategy], name: str, said: Any) -> Axis:
        """Take a range as it was given: text such as ``"5:25:5"`` or ``"a,b"``, a range, a tuple of ends, a list.

        Raises
        ------
        ParameterError
            For a parameter that there is not, with the nearest name, a range that is empty or goes the wrong way, or a
            value that the parameter does not take.
        """
        owner = strategy.__name__
        if name not in strategy.parameters:
            hint = did_you_mean(name, strategy.parameters) or " It has none."
            raise ParameterError(f"{owner} has no parameter {name!r}.{hint}")
        parameter = strategy.parameters[name]
        if said is None:
            return _declared(owner, name, parameter)
        if isinstance(said, str):
            said = _from_text(owner, name, parameter, said)
        if isinstance(said, tuple) and 2 <= len(said) <= 3 and all(_is_number(one) for one in said):
            return _interval(owner, name, parameter, *said)
        listed = list(said) if isinstance(said, Iterable) and not isinstance(said, str | bytes) else [said]
        if not listed:
            raise ParameterError(f"{owner}: the range of {name!r} is empty; give at least one value.")
        values = tuple(dict.fromkeys(parameter.validate(one, owner) for one in listed))
        return _listed(name, values)

    @property
    def is_whole(self) -> bool:
        """Whether it is of whole numbers."""
        return bool(self.values) and all(type(one) is int for one in self.values)


def _listed(name: str, values: tuple[Any, ...]) -> Axis:
    if all(_is_number(one) for one in values):
        return Axis(name, values, float(min(values)), float(max(values)))
    return Axis(name, values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _declared(owner: str, name: str, parameter: Any) -> Axis:
    """Return the range that the declaration of a parameter gives."""
    if parameter.choices is not None:
        return _listed(name, tuple(parameter.choices))
    if parameter.type is bool:
        return Axis(name, (False, True))
    low = parameter.ge if parameter.ge is not None else parameter.gt
    high = parameter.le if parameter.le is not None else parameter.lt
    if low is None or high is None or parameter.type not in {int, float}:
        raise ParameterError(
            f"{owner}: parameter {name!r} says no range of its own ({parameter.describe()}); give one, such as "
            f"{name}=5:25."
        )
    if parameter.type is int:
        low, high = int(low) + (parameter.ge is None), int(high) - (parameter.le is None)
    return _interval(owner, name, parameter, low, high)


def _from_text(owner: str, name: str, parameter: Any, text: str) -> Any:
    """Read ``5:25``, ``30:130:5``, ``a,b,c`` or one value."""
    parts = text.split(":")
    if len(parts) in {2, 3} and parameter.type in {int, float, None}:
        try:
            return tuple(int(part) if _is_int(part) else float(part) for part in parts)
        except ValueError:
            raise ParameterError(
                f"{owner}: the range of {name!r} is {text!r}; write LOW:HIGH or LOW:HIGH:STEP in numbers, such as "
                "5:25 or 30:130:5."
            ) from None
    return [parameter.parse(part.strip(), owner) for part in text.split(",")]


def _is_int(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _interval(owner: str, name: str, parameter: Any, low: Any, high: Any, step: Any = None) -> Axis:
    """Return the numbers from `low` to `high`, both included, `step` apart."""
    for value in (low, high):
        parameter.validate(value, owner)
    if not all(math.isfinite(one) for one in (low, high, *(() if step is None else (step,)))):
        raise ParameterError(f"{owner}: the range of {name!r} is not finite.")
    if high < low or (step is not None and not step > 0):
        raise ParameterError(
            f"{owner}: the range of {name!r} goes from {low} to {high}"
            f"{'' if step is None else f' by {step}'}, which is nothing; the lower end comes first, a step is positive."
        )
    if parameter.type is int:
        if not all(float(one).is_integer() for one in (low, high, 1 if step is None else step)):
            raise ParameterError(f"{owner}: parameter {name!r} takes whole numbers; give whole ends and a whole step.")
        return _listed(name, tuple(range(int(low), int(high) + 1, int(step or 1))))
    if step is None:
        return Axis(name, (), float(low), float(high)) if high > low else _listed(name, (float(low),))
    first, apart = Decimal(str(low)), Decimal(str(step))
    count = int((Decimal(str(high)) - first) / apart) + 1
    if count > _MOST_POINTS:
        raise ParameterError(f"{owner}: the range of {name!r} has {count:,} values; give a larger step.")
    # By decimals, so that 0.1 three times is what people mean by 0.3.
    return _listed(name, tuple(parameter.validate(float(first + apart * at), owner) for at in range(count)))


@attrs.frozen
class Constraint:
    """What a combination must fulfil.

    Attributes
    ----------
    text
        For people.
    holds
        Answers whether a combination does.
    """

    text: str
    holds: Callable[[Mapping[str, Any]], bool] = attrs.field(repr=False, eq=False)

    @classmethod
    def of(cls, said: str | Callable[..., Any], names: Sequence[str]) -> Constraint:
        """Take a formula over parameters, such as ``"fast < slow"``, or a function of a dict of them.

        Raises
        ------
        ParameterError
            For a formula that is none, or names what is no parameter.
        """
        if callable(said):
            return cls(getattr(said, "__name__", repr(said)), lambda values: bool(said(dict(values))))
        try:
            tree = ast.parse(said, mode="eval").body
        except SyntaxError:
            raise ParameterError(
                f"the constraint {said!r} is no formula; write one such as 'fast < slow' or 'slow - fast >= 10'."
            ) from None
        _check(tree, said, names)
        return cls(said, lambda values: bool(_value(tree, values)))


_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _check(tree: ast.AST, said: str, names: Sequence[str]) -> None:
    """Refuse everything but arithmetic and comparisons of parameters."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if node.id not in names:
                raise ParameterError(f"the constraint {said!r} names {node.id!r}.{did_you_mean(node.id, names)}")
        elif (
            not isinstance(
                node,
                ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.Compare | ast.Constant | ast.expr_context | ast.boolop,
            )
            and type(node) not in _OPERATORS
        ):
            raise ParameterError(
                f"the constraint {said!r} holds {ast.unparse(node)!r}; it may compare parameters and numbers by "
                "< <= > >= == !=, + - * / // %, and, or, not. For more give a function."
            )


def _value(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.BoolOp):
        parts = (_value(one, values) for one in node.values)
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    left = _value(node.left, values)
    for compare, right in zip(node.ops, node.comparators, strict=True):
        beside = _value(right, values)
        if not _OPERATORS[type(compare)](left, beside):
            return False
        left = beside
    return True


@attrs.frozen
class Space:
    """Every combination that may be tried.

    Attributes
    ----------
    axes
        One for each parameter that varies.
    fixed
        Values of others.
    constraints
        All of which a combination fulfils.
    """

    axes: tuple[Axis, ...]
    fixed: Mapping[str, Any] = attrs.field(factory=dict)
    constraints: tuple[Constraint, ...] = ()

    def allows(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a combination fulfils every constraint."""
        together = {**self.fixed, **values}
        return all(one.holds(together) for one in self.constraints)

    @property
    def points(self) -> int | None:
        """How many combinations there are before constraints; None where an axis is no list."""
        return math.prod(len(axis.values) for axis in self.axes) if all(axis.values for axis in self.axes) else None

    def grid(self) -> Iterator[dict[str, Any]]:
        """Yield every combination, the last axis fastest.

        Raises
        ------
        ParameterError
            If an axis is no list.
        """
        for axis in self.axes:
            if not axis.values:
                raise ParameterError(
                    f"the range of {axis.name!r} has no step, so that a grid of it has no end; give one, such as "
                    f"{axis.name}={axis.low:g}:{axis.high:g}:{(axis.high - axis.low) / 10:g}, or search at random."
                )
        names = [axis.name for axis in self.axes]
        for values in itertools.product(*(axis.values for axis in self.axes)):
            found = dict(zip(names, values, strict=True))
            if self.allows(found):
                yield found

    def drawn(self, chance: np.random.Generator) -> dict[str, Any]:
        """Return a combination drawn evenly from all that are allowed.

        Raises
        ------
        ParameterError
            If none is found.
        """
        for _ in range(_TRIES):
            found = {
                axis.name: axis.values[chance.integers(len(axis.values))]
                if axis.values
                else float(chance.uniform(axis.low, axis.high))
                for axis in self.axes
            }
            if self.allows(found):
                return found
        raise self.excluded()

    def excluded(self) -> ParameterError:
        """Return the error for constraints that leave nothing."""
        texts = " and ".join(one.text for one in self.constraints)
        ranges = ", ".join(
            f"{axis.name} from {axis.low:g} to {axis.high:g}" for axis in self.axes if axis.low == axis.low
        )
        return ParameterError(f"no combination fulfils {texts} ({ranges}). Widen a range, or drop a constraint.")


#: Draws until constraints are taken to leave nothing.
_TRIES = 10_000
