"""What indicators there are: TA-Lib's, those of this room and backtrader's, each with how it is called and computed."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import CambistError
from cambist.indicators.lines import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.indicators.backtrader.naming import Named
    from cambist.indicators.technical import TalibFunction

__all__ = ["NATIVE", "Entry", "entries", "entry_of", "native"]

#: What this room has beside TA-Lib's functions: module, group, names.
_TABLE = """\
averages overlap moving_average average_envelope average_oscillator dickson envelope error_correcting kaufman smoothed \
smoothed_by weighted
windows windows all_of any_of applied bands_percent down_move mean_deviation nonzero_difference percent_rank reduced \
since_highest since_lowest true_high true_low up_move
windowed operators where
extremes operators highest lowest
crossing operators crossed_above crossed_below crossover
momentum momentum candle_delta dv2 know_sure_thing laguerre_filter laguerre_rsi percentage_oscillator pretty_good \
relative_momentum relative_strength trix_signal
trend trend directions fractals ichimoku parabolic_stop zigzag
levels levels camarilla_pivots demark_pivots fibonacci_pivots pivots woodie_pivots
sessions sessions session_day time_of
volumes volume anchored_vwap session_vwap volume_profile
statistics statistics cointegration deviation hurst pair_beta pair_regression pair_spread
flow flow flow_imbalance order_flow_imbalance
"""

#: Name -> (module, group).
NATIVE: dict[str, tuple[str, str]] = {
    name: (module, group) for module, group, *names in (line.split() for line in _TABLE.splitlines()) for name in names
}


def native(name: str) -> Any:
    """Return an indicator of this room by its name; its module is imported now."""
    return getattr(import_module(f"cambist.indicators.{NATIVE[name][0]}"), name)


@attrs.frozen(eq=False)
class Entry:
    """One indicator.

    Attributes
    ----------
    name
        As it is listed; backtrader's begin with ``backtrader.``.
    title, group, formula
        What it is called, belongs to, and computes.
    source
        ``"talib"``, ``"cambist"``, ``"backtrader"``, or the plugin that offers it.
    factory
        What a strategy calls.
    call
        How it is called, with the defaults.
    aliases
        Other names of it.
    note
        How it stands to another of the same name; ``""`` where there is nothing to say.
    details
        Inputs, outputs and parameters as far as they are known.
    """

    name: str
    title: str
    group: str
    formula: str
    source: str
    factory: Callable[..., Any]
    call: str
    aliases: tuple[str, ...] = ()
    note: str = ""
    details: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def text(self) -> str:
        """All that is said of it, in small letters, to be searched."""
        parts = (self.name, *self.aliases, self.title, self.group, self.source, self.formula, self.note)
        return " ".join(parts).lower()

    def lookbacks(self) -> dict[str, int] | None:
        """Return bars before the first value with the defaults, by output; None where something must be given."""
        made = _sample(self.factory)
        if made is None:
            return None
        named: dict[str, Line] = {"value": made} if isinstance(made, Line) else made._asdict()
        return {name: line.lookback for name, line in named.items()}

    def fields(self) -> dict[str, Any]:
        """Return it for programs."""
        lookbacks = self.lookbacks()
        return {
            "name": self.name,
            "title": self.title,
            "group": self.group,
            "source": self.source,
            "call": self.call,
            "formula": self.formula,
            "aliases": self.aliases,
            "note": self.note,
            "outputs": None if lookbacks is None else list(lookbacks),
            "lookback": None if lookbacks is None else max(lookbacks.values()),
            **self.details,
        }


#: Arguments that stand for a line of a bar, where an indicator takes lines by themselves.
_LINES = {
    "line": "close",
    "condition": "close",
    "first": "close",
    "second": "open",
    "yes": "high",
    "no": "low",
    "x": "open",
    "y": "close",
    "data0": "close",
    "data1": "open",
    "other": "open",
    "periods": "volume",
    "alpha": "volume",
    "bid": "low",
    "bid_size": "volume",
    "ask": "high",
    "ask_size": "volume",
}


def _sample(factory: Callable[..., Any]) -> Any:
    """Call an indicator over a series without bars, with its defaults; None where that cannot be."""
    from cambist.indicators.series import Series
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

    series = Series(Instrument(symbol="SAMPLE"), Timeframe.parse("1d"))
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(factory).parameters.items():
        if name == "data":
            given[name] = series
        elif parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD:
            continue
        elif name in _LINES:
            given[name] = getattr(series, _LINES[name])
        else:
            return None
    positional = [value for name, value in given.items() if name in {"data", "data0", "data1"}]
    keywords = {name: value for name, value in given.items() if name not in {"data", "data0", "data1"}}
    try:
        made = factory(*positional, **keywords)
    except CambistError:  # such as for an extra that is not installed
        return None
    return made if isinstance(made, Line) or hasattr(made, "_asdict") else None


def entry_of(
    name: str, factory: Callable[..., Any], group: str, source: str, summary: str | None = None, **more: Any
) -> Entry:
    """Describe an indicator by its docstring and signature: title, then the formula, then parameters.

    Parameters
    ----------
    summary
        The title, where it is not the first line of the docstring.
    more
        Other attributes of the entry.
    """
    paragraphs = (inspect.getdoc(factory) or "").split("\n\n")
    title = summary or paragraphs[0].replace("\n", " ").rstrip(".")
    said = paragraphs[1] if len(paragraphs) > 1 and "---" not in paragraphs[1] else paragraphs[0]
    return Entry(name, title, group, said.replace("\n", " "), source, factory, f"{name}{_arguments(factory)}", **more)


def _arguments(factory: Callable[..., Any]) -> str:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return "(...)"
    told = []
    for one in parameters:
        value = f"={_written(one.default)}" if one.default is not one.empty else ""
        star = "*" if one.kind is one.VAR_POSITIONAL else "**" if one.kind is one.VAR_KEYWORD else ""
        if one.kind is one.KEYWORD_ONLY and "*" not in told:
            told.append("*")
        told.append(f"{star}{one.name}{value}")
    return f"({', '.join(told)})"


def _written(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(getattr(value, "name", value)) if callable(value) else repr(value)


def _of_talib(function: TalibFunction) -> Entry:
    from cambist.indicators import talib_lines
    from cambist.indicators.talib_functions import arguments, formula

    given = [f"{one.name}={one.written}" for one in function.parameters]
    parameters = {one.name: {"default": one.default, "range": one.range.strip() or None} for one in function.parameters}
    return Entry(
        function.name,
        function.title,
        function.group,
        formula(function),
        "talib",
        getattr(talib_lines, function.name),
        f"{function.name}({', '.join([*arguments(function), *given])})",
        details={"inputs": function.inputs, "outputs": function.outputs, "parameters": parameters},
    )


def _of_backtrader(one: Named) -> Entry:
    details = {"outputs": one.lines, "drawn": one.drawn}
    name, group = f"backtrader.{one.name}", f"backtrader {one.group}"
    return entry_of(name, one, group, "backtrader", aliases=one.aliases, note=one.note, details=details)


@cache
def entries() -> tuple[Entry, ...]:
    """Return every indicator there is without plugins: TA-Lib's, then those of this room, then backtrader's."""
    from cambist.indicators.backtrader.naming import INDICATORS
    from cambist.indicators.talib_functions import described

    import_module("cambist.indicators.backtrader")
    talib = [_of_talib(function) for function in described().values()]
    own = [entry_of(name, native(name), group, "cambist") for name, (_, group) in NATIVE.items()]
    return (*talib, *own, *(_of_backtrader(one) for one in INDICATORS.values()))
