"""Formulas written out: a formula is called once, with symbols for its numbers, which note what is done with them.

A formula over a window only combines its entries, whatever they are: see `cambist.indicators.windowed`. With symbols it
leaves behind every operation in its order, without lists, loops and calls.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from cambist.indicators.program import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.indicators.program import Program

__all__ = ["SYMBOLS", "Symbol", "written"]

#: Parentheses within parentheses that Python's parser surely takes.
_DEEPEST = 20
#: Operators that need no parentheses when the first operand is made by one of them.
_CHAINED = {"+", "-"}


class Symbol:
    """A number that is not known yet: a name, or an operation on other symbols."""

    __slots__ = ("is_true_or_false", "name", "parts", "template", "uses")

    def __init__(self, template: str, *parts: Any, is_true_or_false: bool = False) -> None:
        self.template = template
        self.parts = tuple(map(_symbol, parts))
        self.name = "" if parts else template
        self.is_true_or_false = is_true_or_false
        #: How often other symbols name it.
        self.uses = 0
        for at, part in enumerate(self.parts):
            part.uses += template.count(f"{{{at}}}")

    def write(self, program: Program) -> tuple[str, int]:
        """Write what it consists of, if that is needed more than once.

        Returns
        -------
        tuple of str and int
            Its name, or an expression, and how deep that is.
        """
        if self.name:
            return self.name, 0
        texts: list[str] = []
        depths = [0]
        for part in self.parts:
            text, depth = part.write(program)
            if not texts and not part.name and self.template[4:5] in _CHAINED and part.template[4:5] in _CHAINED:
                text, depth = text[1:-1], depth - 1  # a + b + c is (a + b) + c
            texts.append(text)
            depths.append(depth)
        expression, depth = self.template.format(*texts), max(depths) + 1
        if self.uses > 1 or depth > _DEEPEST:
            self.name = program.let(expression)
            return self.name, 0
        return f"({expression})", depth

    def __add__(self, other: Any) -> Symbol:
        return Symbol("{0} + {1}", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return Symbol("{0} + {1}", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return Symbol("{0} - {1}", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return Symbol("{0} - {1}", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return Symbol("{0} * {1}", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        if not isinstance(other, Symbol) and other in {1.0, -1.0}:  # the same bits, without a product
            return Symbol("+{0}" if other == 1.0 else "-{0}", self)
        return Symbol("{0} * {1}", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        if not isinstance(other, Symbol) and other:
            return Symbol("{0} / {1}", self, other)
        return Symbol("{0} / {1} if {1} else divide({0}, {1})", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return Symbol("{0} / {1} if {1} else divide({0}, {1})", other, self)

    def __neg__(self) -> Symbol:
        return Symbol("-{0}", self)

    def __abs__(self) -> Symbol:
        return Symbol("abs({0})", self)

    def __lt__(self, other: Any) -> Symbol:
        return _claim("<", self, other)

    def __le__(self, other: Any) -> Symbol:
        return _claim("<=", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return _claim(">", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return _claim(">=", self, other)

    def __eq__(self, other: object) -> Symbol:  # type: ignore[override]  # as numpy's columns do
        return _claim("==", self, other)

    def __ne__(self, other: object) -> Symbol:  # type: ignore[override]
        return _claim("!=", self, other)

    def __and__(self, other: Any) -> Symbol:
        return _claim("&", self, other)

    def __or__(self, other: Any) -> Symbol:
        return _claim("|", self, other)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise TypeError("what a formula does may not depend on its numbers")


def _claim(operator: str, first: Any, second: Any) -> Symbol:
    return Symbol(f"{{0}} {operator} {{1}}", first, second, is_true_or_false=True)


def _symbol(value: Any) -> Symbol:
    if isinstance(value, Symbol):
        return value
    return Symbol("nan" if isnan(value) else number_text(value))


class _Symbols:
    """Arithmetic of symbols; see `cambist.indicators.windowed.Arithmetic`."""

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        return Symbol("{1} if {0} else {2}", condition, yes, no)

    @staticmethod
    def divide(a: Any, b: Any, otherwise: float) -> Any:
        return Symbol("{2} if {1} == 0 else {0} / {1}", a, b, otherwise)

    @staticmethod
    def sqrt(a: Any) -> Any:
        return Symbol("sqrt({0}) if {0} >= 0 else nan", a)

    @staticmethod
    def log10(values: Sequence[Any]) -> Sequence[Any]:
        listed = ", ".join(f"{{{at}}}" for at in range(len(values)))
        every = Symbol(f"log10_of(({listed},))", *values)
        return [Symbol(f"{{0}}[{at}]", every) for at in range(len(values))]


SYMBOLS = _Symbols()


def written(results: Sequence[Any], program: Program) -> list[str]:
    """Write the results of a formula; return an expression for each."""
    symbols = [_symbol(result) for result in results]
    for symbol in symbols:
        symbol.uses += 1
    texts = [symbol.write(program)[0] for symbol in symbols]
    return [
        f"1.0 if {text} else 0.0" if symbol.is_true_or_false else text
        for symbol, text in zip(symbols, texts, strict=True)
    ]
