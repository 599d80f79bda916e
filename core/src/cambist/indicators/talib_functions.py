"""TA-Lib's functions as calls that give lines, made from the table of what they take and give.

Functions of one column take a line, those of two take two; functions of a bar's columns take the series, ``self.data``,
or anything with lines of these names, such as the candles that `HA` gives.
"""

from __future__ import annotations

from functools import cache
from inspect import Parameter as Argument
from inspect import Signature
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.errors import LineError, ParameterError, did_you_mean
from cambist.indicators.lines import Line, attach
from cambist.indicators.talib_formulas import CANDLES, FORMULAS
from cambist.indicators.talib_table import TABLE
from cambist.indicators.technical import Parameter, TalibFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["arguments", "described", "formula", "make_call", "names", "signature_text", "tuple_fields", "tuple_name"]

#: Names of tuples of lines, where several functions give the same.
_TUPLES = {
    ("upper", "middle", "lower"): "Bands",
    ("macd", "signal", "histogram"): "MacdLines",
    ("k", "d"): "StochasticLines",
    ("open", "high", "low", "close"): "Candles",
    ("lowest", "highest"): "Extremes",
}
_SAYS = {"+": "100 where it says up", "-": "-100 where it says down", "+-": "100 where it says up, -100 down"}


@cache
def names() -> frozenset[str]:
    """Return the names of all functions, without reading what they are."""
    return frozenset(line.partition(" ")[0] for line in TABLE.splitlines() if not line.startswith("#"))


@cache
def described() -> Mapping[str, TalibFunction]:
    """Return every function by its name, in TA-Lib's groups."""
    functions: dict[str, TalibFunction] = {}
    group = ""
    for line in TABLE.splitlines():
        if line.startswith("#"):
            group = line[2:]
            continue
        name, title, inputs, outputs, kind, parameters = (cell.strip() for cell in (line + " ").split(" | "))
        functions[name] = TalibFunction(
            name,
            title,
            group,
            tuple(inputs.split()),
            tuple(outputs.split()),
            tuple(_parameter(text) for text in parameters.split("; ") if text),
            kind,
        )
    return functions


def _parameter(text: str) -> Parameter:
    """Read a parameter: ``period:timeperiod=30 in 2..100000``, ``average:matype=sma``."""
    name, _, rest = text.partition(":")
    keywords, _, value = rest.partition("=")
    default, _, limits = value.partition(" in ")
    if not limits:
        return Parameter(name, tuple(keywords.split(",")), default)
    least, _, greatest = limits.partition("..")
    number = float(default) if "." in default else int(default)
    return Parameter(
        name,
        tuple(keywords.split(",")),
        number,
        float(least) if least else -inf,
        float(greatest) if greatest else inf,
    )


@cache
def _formulas() -> dict[str, str]:
    lines = (line.partition(": ") for line in FORMULAS.splitlines())
    return {name: text for name, _, text in lines}


@cache
def _candles() -> dict[str, tuple[int, str]]:
    rows = (line.replace(":", "").split() for line in CANDLES.splitlines())
    return {name: (int(count), says) for name, count, says in rows}


def formula(function: TalibFunction) -> str:
    """Return what a function computes, and where that is from."""
    if function.group == "patterns":
        count, says = _candles()[function.name]
        candles = "candle" if count == 1 else f"{count} candles"
        return f"a pattern of {'a' if count == 1 else 'the last'} {candles}: {_SAYS[says]}, else 0"
    return _formulas()[function.name]


# What a call takes.

_COLUMNS = frozenset({"open", "high", "low", "close", "volume"})


def arguments(function: TalibFunction) -> tuple[str, ...]:
    """Return the names of what a call is made of: one line, two, or the series."""
    if function.inputs == ("price0", "price1"):
        return "line", "other"
    if function.inputs == ("price", "periods"):
        return "line", "periods"
    return ("line",) if len(function.inputs) == 1 else ("data",)


def tuple_name(function: TalibFunction) -> str:
    """Return the name of the tuple of lines that a function of several outputs gives."""
    name = function.name.replace("HT_", "")
    return _TUPLES.get(function.outputs, f"{name.capitalize()}Lines")


def tuple_fields(functions: Iterable[TalibFunction]) -> dict[str, tuple[str, ...]]:
    """Return the tuples that functions give, by name."""
    return {tuple_name(one): one.outputs for one in functions if len(one.outputs) > 1}


@cache
def _tuple(function: TalibFunction) -> Any:
    fields = [(field, Line) for field in function.outputs]
    made: Any = NamedTuple(tuple_name(function), fields)  # type: ignore[misc]  # of a name that is not known here
    made.__doc__ = f"The lines of `{function.name}` and the like."
    return made


def signature_text(function: TalibFunction) -> str:
    """Return the signature as a stub says it."""
    lines = [f"{name}: {'Any' if name == 'data' else 'Line'}" for name in arguments(function)]
    given = [f"{one.name}: {type(one.default).__name__} = {one.written}" for one in function.parameters]
    result = "Line" if len(function.outputs) == 1 else tuple_name(function)
    return f"({', '.join([*lines, *given])}) -> {result}"


def _signature(function: TalibFunction) -> Signature:
    kind = Argument.POSITIONAL_OR_KEYWORD
    lines = [Argument(name, kind, annotation=Any if name == "data" else Line) for name in arguments(function)]
    given = [Argument(one.name, kind, default=one.default, annotation=type(one.default)) for one in function.parameters]
    result = Line if len(function.outputs) == 1 else _tuple(function)
    return Signature([*lines, *given], return_annotation=result)


def _docstring(function: TalibFunction) -> str:
    said = formula(function)
    if "data" in arguments(function):
        columns = ", ".join("close" if one == "price" else one for one in function.inputs)
        takes = [f"data\n    A series, such as ``self.data``, or anything with lines of these names: {columns}."]
    else:
        takes = [f"{name}\n    A line." for name in arguments(function)]
    for one in function.parameters:
        what = "A moving average by name" if isinstance(one.default, str) else f"{_noun(one)}{one.range}"
        takes.append(f"{one.name}\n    {what}; {one.default} unless given.")
    gives = "Line" if len(function.outputs) == 1 else tuple_name(function)
    named = "One line" if len(function.outputs) == 1 else f"Lines: {', '.join(function.outputs)}"
    return "\n".join(
        [
            f"{function.title}.",
            "",
            f"{said[0].upper() if said[1:2].islower() else said[0]}{said[1:]}.",
            "",
            "Parameters",
            "----------",
            *takes,
            "",
            "Returns",
            "-------",
            gives,
            f"    {named}, NaN until the lookback has passed.",
            "",
            "Raises",
            "------",
            "ParameterError",
            "    For a parameter out of range.",
            "LineError",
            "    For an input that is no line, or after ``on_start``.",
            "",
            "Notes",
            "-----",
            f"TA-Lib's {function.name}.",
        ]
    )


def _noun(parameter: Parameter) -> str:
    return "Whole number" if isinstance(parameter.default, int) else "Number"


def _lines(function: TalibFunction, given: Mapping[str, Any]) -> list[Line]:
    """Return the lines that a function is computed from."""
    if "data" not in given:
        return list(given.values())
    data = given["data"]
    *most, last = columns = ["close" if one == "price" else one for one in function.inputs]
    try:
        return [getattr(data, one) for one in columns]
    except AttributeError:
        raise LineError(
            f"{function.name} is made of {', '.join(most)} and {last}: give it the series, such as self.data; got "
            f"{type(data).__name__}."
        ) from None


def make_call(function: TalibFunction, module: str) -> Callable[..., Any]:
    """Make the call that gives a function's lines."""
    signature = _signature(function)
    takes, names = arguments(function), tuple(signature.parameters)

    def bound(args: tuple[Any, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
        if not keywords and len(takes) <= len(args) <= len(names):
            return dict(zip(names, args, strict=False))
        for name in keywords:
            if name not in signature.parameters:
                raise ParameterError(
                    f"{function.name} has no parameter {name!r}.{did_you_mean(name, signature.parameters)}"
                )
        return signature.bind(*args, **keywords).arguments

    def call(*args: Any, **keywords: Any) -> Any:
        given = bound(args, keywords)
        lines = _lines(function, {name: given.pop(name) for name in takes})
        made = attach(function(**given), *lines)
        return made[0] if len(made) == 1 else _tuple(function)(*made)

    call.__name__ = call.__qualname__ = function.name
    call.__module__, call.__doc__ = module, _docstring(function)
    call.__signature__ = signature  # type: ignore[attr-defined]  # functions take what they are given
    return call
