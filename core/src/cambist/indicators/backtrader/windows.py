# ruff: noqa: D403, N802 - the names are backtrader's
"""backtrader's windows, smoothings, crossings and deviations."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from cambist.indicators import averages, crossing, statistics, windows
from cambist.indicators.averages import moving_average
from cambist.indicators.backtrader.naming import named
from cambist.indicators.lines import attach
from cambist.indicators.talib_functions import described
from cambist.indicators.windowed import price_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.indicators.averages import Average as Kind
    from cambist.indicators.lines import Line

    #: A function of a window that gives one of its values.
    Evaluation = Callable[[NDArray[np.float64]], float]

_NONE = "TA-Lib has none"


def _since(data: Any, period: int, evaluate: Evaluation, *, oldest: bool) -> Line:
    """Return the bars since the newest, or the oldest, of n values that a function of the window names."""

    def since(window: NDArray[np.float64]) -> float:
        places = (window == evaluate(window)).nonzero()[0]
        return float(period - 1 - places[0 if oldest else -1]) if len(places) else nan

    return windows.applied(data, since, period)


def over(name: str, data: Any, period: int) -> Line:
    """Return a function of TA-Lib over so many values; of one value it is the value itself."""
    line = price_of(data)
    return attach(described()[name](period=period), line)[0] if period != 1 else line


@named("windows", "highest", "MaxN", note="TA-Lib's MAX is the same")
def Highest(data: Any, period: int = 1) -> Line:
    """Greatest of n values."""
    return over("MAX", data, period)


@named("windows", "lowest", "MinN", note="TA-Lib's MIN is the same")
def Lowest(data: Any, period: int = 1) -> Line:
    """Least of n values."""
    return over("MIN", data, period)


@named("windows", "sumn", note="TA-Lib's SUM is the same")
def SumN(data: Any, period: int = 1) -> Line:
    """Sum of n values."""
    return over("SUM", data, period)


@named("windows", "av", "Mean ArithmeticMean", note="TA-Lib's SMA is the same")
def Average(data: Any, period: int = 1) -> Line:
    """Mean of n values."""
    return moving_average(data, period)


@named("windows", "av", "AverageWeighted", note=_NONE)
def WeightedAverage(data: Any, period: int = 1, coef: float = 1.0, weights: Sequence[float] = ()) -> Line:
    """coef * sum of value times weight; as many weights as values, as the shorter of the two decides."""
    given = tuple(weights)[:period]
    return averages.weighted(data, (*given, *[0.0] * (period - len(given))), coef)


@named("windows", "av", "ExpSmoothing", note=_NONE)
def ExponentialSmoothing(data: Any, period: int = 1, alpha: float | None = None) -> Line:
    """s' + alpha * (x - s'), begun with the mean of n; alpha is 2 / (n + 1) unless given."""
    return averages.smoothed(data, period, alpha)


@named("windows", "av", "ExpSmoothingDynamic", note=_NONE)
def ExponentialSmoothingDynamic(data: Any, period: int = 1, *, alpha: Line) -> Line:
    """s' + alpha * (x - s') with an alpha that is a line."""
    return averages.smoothed_by(data, alpha, period)


@named("windows", "accum", "CumSum CumulativeSum", note="TA-Lib's CUMSUM is the same, from 0")
def Accum(data: Any, seed: float = 0.0) -> Line:
    """Running total from a seed on."""
    return attach(described()["CUMSUM"](), price_of(data))[0] + float(seed)


@named("windows", "apply", note=_NONE)
def ApplyN(data: Any, period: int = 1, *, func: Callable[[NDArray[np.float64]], float]) -> Line:
    """A function of yours over n values."""
    return windows.applied(data, func, period)


@named("windows", "reduced", note=_NONE)
def ReduceN(data: Any, function: Callable[[Any, float], Any], period: int = 1, initializer: Any = None) -> Line:
    """A function of two, folded over n values."""
    return windows.reduced(data, function, period, initializer)


@named("windows", "anyn", note=_NONE)
def AnyN(data: Any, period: int = 1) -> Line:
    """1 where one of n values is not zero, else 0."""
    return windows.any_of(data, period)


@named("windows", "alln", note=_NONE)
def AllN(data: Any, period: int = 1) -> Line:
    """1 where none of n values is zero, else 0."""
    return windows.all_of(data, period)


@named("windows", "index", note="TA-Lib's MAXINDEX is the same, of the newest")
def FindFirstIndexHighest(data: Any, period: int = 1, _evalfunc: Evaluation | None = None) -> Line:
    """Bars since the newest of the greatest of n values."""
    if _evalfunc is not None:
        return _since(data, period, _evalfunc, oldest=False)
    return windows.since_highest(data, period)


@named("windows", "index", note="TA-Lib's MININDEX is the same, of the newest")
def FindFirstIndexLowest(data: Any, period: int = 1, _evalfunc: Evaluation | None = None) -> Line:
    """Bars since the newest of the least of n values."""
    if _evalfunc is not None:
        return _since(data, period, _evalfunc, oldest=False)
    return windows.since_lowest(data, period)


@named("windows", "index", note=_NONE)
def FindLastIndexHighest(data: Any, period: int = 1, _evalfunc: Evaluation | None = None) -> Line:
    """Bars since the oldest of the greatest of n values."""
    if _evalfunc is not None:
        return _since(data, period, _evalfunc, oldest=True)
    return windows.since_highest(data, period, oldest=True)


@named("windows", "index", note=_NONE)
def FindLastIndexLowest(data: Any, period: int = 1, _evalfunc: Evaluation | None = None) -> Line:
    """Bars since the oldest of the least of n values."""
    if _evalfunc is not None:
        return _since(data, period, _evalfunc, oldest=True)
    return windows.since_lowest(data, period, oldest=True)


@named("crossings", "nzd", "NZD", note=_NONE)
def NonZeroDifference(data: Any, data1: Any) -> Line:
    """The difference of two lines, the last one that was not zero."""
    return windows.nonzero_difference(price_of(data), price_of(data1))


@named("crossings", "cross", note=_NONE)
def CrossUp(data: Any, data1: Any) -> Line:
    """1 on the bar where the first line crosses above the second, else 0."""
    return crossing.crossed_above(price_of(data), _level(data1))


@named("crossings", "cross", note=_NONE)
def CrossDown(data: Any, data1: Any) -> Line:
    """1 on the bar where the first line crosses below the second, else 0."""
    return crossing.crossed_below(price_of(data), _level(data1))


@named("crossings", "crossover", note=_NONE)
def CrossOver(data: Any, data1: Any) -> Line:
    """1 on the bar where the first line crosses above the second, -1 where below, else 0."""
    return crossing.crossover(price_of(data), _level(data1))


def _level(data: Any) -> Line | float:
    return float(data) if isinstance(data, int | float) else price_of(data)


@named("windows", "pctchange", "PctChange", note="TA-Lib's ROCP is the same")
def PercentChange(data: Any, period: int = 30) -> Line:
    """x / x[n] - 1."""
    line = price_of(data)
    return line / line(-period) - 1.0


@named(
    "windows",
    "pctrank",
    "PctRank",
    note="TA-Lib's PERCENTRANK counts the n values before, from 0 to 100, and begins a bar later",
)
def PercentRank(data: Any, period: int = 50, func: Callable[[NDArray[np.float64]], float] | None = None) -> Line:
    """Share of n values, the newest among them, that are less than it; or a function of yours."""
    return windows.percent_rank(data, period) if func is None else windows.applied(data, func, period)


@named("windows", "stddev", "StdDev", drawn="safepow", note="TA-Lib's STDDEV is the same, of sums of squares")
def StandardDeviation(data: Any, mean: Line | None = None, period: int = 20, movav: Kind = "sma") -> Line:
    """root of |average(x * x) - average(x) ** 2|; the mean may be a line of yours."""
    line = price_of(data)
    if mean is None and movav == "sma":
        return statistics.deviation(line, period)
    middle = moving_average(line, period, movav) if mean is None else price_of(mean)
    spread: Line = abs(moving_average(line * line, period, movav) - middle * middle) ** 0.5
    return spread


@named(
    "windows",
    "meandev",
    "MeanDev",
    note="TA-Lib's AVGDEV takes one mean for the whole window, and begins n - 1 bars earlier",
)
def MeanDeviation(data: Any, mean: Line | None = None, period: int = 20, movav: Kind = "sma") -> Line:
    """average of |x - mean|, each x less the mean of its own bar; the mean may be a line of yours."""
    line = price_of(data)
    middle = moving_average(line, period, movav) if mean is None else price_of(mean)
    return moving_average(abs(line - middle), period, movav)
