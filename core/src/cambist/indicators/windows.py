"""What the last bars have in common: any, all, counts, ranks, places of extremes, functions of your own."""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.indicators.lines import Line, attach
from cambist.indicators.running import Extremes, Held, Ranks
from cambist.indicators.steps import recursive
from cambist.indicators.talib_functions import described
from cambist.indicators.window_functions import Applied
from cambist.indicators.windowed import (
    Arithmetic,
    Windowed,
    check_number,
    check_period,
    mean_of,
    price_of,
    sum_of,
    windowed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BandsPercent",
    "all_of",
    "any_of",
    "applied",
    "bands_percent",
    "down_move",
    "mean_deviation",
    "nonzero_difference",
    "percent_rank",
    "reduced",
    "since_highest",
    "since_lowest",
    "true_high",
    "true_low",
    "up_move",
]


def _any(arithmetic: Arithmetic, window: list[Any]) -> Any:
    del arithmetic
    found = window[0] != 0
    for value in window[1:]:
        found = found | (value != 0)
    return found


def _all(arithmetic: Arithmetic, window: list[Any]) -> Any:
    del arithmetic
    held = window[0] != 0
    for value in window[1:]:
        held = held & (value != 0)
    return held


def any_of(line: Line, period: int) -> Line:
    """Whether a condition held on any of the last bars.

    1 where one of the n values is not zero, else 0.

    Parameters
    ----------
    line
        A line, such as a comparison.
    period
        Bars.

    Returns
    -------
    Line
        1.0 or 0.0. Lookback: ``period - 1``.
    """
    period = check_period("any_of", period)
    return windowed(Windowed(f"any_of({period})", _any, period, running=partial(Held, least=1)), price_of(line))


def all_of(line: Line, period: int) -> Line:
    """Whether a condition held on all of the last bars.

    1 where none of the n values is zero, else 0.

    Parameters
    ----------
    line
        A line, such as a comparison.
    period
        Bars.

    Returns
    -------
    Line
        1.0 or 0.0. Lookback: ``period - 1``.
    """
    period = check_period("all_of", period)
    return windowed(Windowed(f"all_of({period})", _all, period, running=partial(Held, least=period)), price_of(line))


def applied(line: Line, function: Callable[[NDArray[np.float64]], float], period: int) -> Line:
    """A function of your own over the last bars.

    function(x[n - 1] ... x), called for every bar; `cambist.indicators.indicator` computes whole columns at once.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    function
        Takes the window, shape ``(period,)``, oldest first, not to be written to; returns a number.
    period
        Bars.

    Returns
    -------
    Line
        In the unit of what the function returns. Lookback: ``period - 1``.
    """
    period = check_period("applied", period)
    return attach(Applied(function, period), price_of(line))[0]


def reduced(line: Line, function: Callable[[Any, float], Any], period: int, initial: Any = None) -> Line:
    """A function of two, folded over the last bars.

    function(... function(x[n - 1], x[n - 2]) ..., x), as `functools.reduce` has it.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    function
        Takes what has come so far and the next value.
    period
        Bars.
    initial
        What comes before the oldest value; nothing unless given.

    Returns
    -------
    Line
        In the unit of what the function returns. Lookback: ``period - 1``.
    """

    def folded(window: NDArray[np.float64]) -> float:
        values = window.tolist()
        return float(reduce(function, values) if initial is None else reduce(function, values, initial))

    return applied(line, folded, check_period("reduced", period))


def _since(arithmetic: Arithmetic, window: list[Any], sign: float, oldest: bool) -> Any:
    best, age = sign * window[0], len(window) - 1.0 + 0.0 * window[0]
    for at, value in enumerate(window[1:], 2):
        beats = sign * value > best if oldest else sign * value >= best
        best = arithmetic.where(beats, sign * value, best)
        age = arithmetic.where(beats, float(len(window) - at), age)
    return age


def _extreme(name: str, line: Line, period: int, sign: float, *, oldest: bool) -> Line:
    period = check_period(name, period)
    running = partial(Extremes, sign=sign, oldest=oldest)
    formula = Windowed(f"{name}({period})", _since, period, parameters=(sign, oldest), running=running)
    return windowed(formula, price_of(line))


def since_highest(line: Line, period: int, *, oldest: bool = False) -> Line:
    """Bars since the highest of the last values.

    Bars since the newest of the n values that equals the greatest of them; since the oldest of these, if so asked.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars.
    oldest
        Which of several equal ones counts.

    Returns
    -------
    Line
        Bars, 0 to ``period - 1``. Lookback: ``period - 1``.
    """
    return _extreme("since_highest", line, period, 1.0, oldest=oldest)


def since_lowest(line: Line, period: int, *, oldest: bool = False) -> Line:
    """Bars since the lowest of the last values.

    Bars since the newest of the n values that equals the least of them; since the oldest of these, if so asked.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars.
    oldest
        Which of several equal ones counts.

    Returns
    -------
    Line
        Bars, 0 to ``period - 1``. Lookback: ``period - 1``.
    """
    return _extreme("since_lowest", line, period, -1.0, oldest=oldest)


def _ranked(arithmetic: Arithmetic, window: list[Any]) -> Any:
    del arithmetic
    return sum_of([(value < window[-1]) * 1.0 for value in window]) / len(window)


def percent_rank(line: Line, period: int = 50) -> Line:
    """Rank of the value among the last ones.

    The share of the n values, itself among them, that are less than the newest (TA-Lib's PERCENTRANK counts the n
    before it, in percent).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars.

    Returns
    -------
    Line
        A share, 0 to (period - 1) / period. Lookback: ``period - 1``.
    """
    period = check_period("percent_rank", period)
    return windowed(Windowed(f"percent_rank({period})", _ranked, period, running=Ranks), price_of(line))


def _distances(arithmetic: Arithmetic, window: list[Any]) -> Any:
    del arithmetic
    mean = mean_of(window)
    return mean_of([abs(value - mean) for value in window])


def mean_deviation(line: Line, period: int = 20) -> Line:
    """Mean distance from the mean of the window.

    mean of abs(x - mean of the n), one mean for all of them, computed in two passes. It is TA-Lib's AVGDEV; that of
    `cambist.indicators.backtrader` takes for each value the mean of its own bar.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.
    """
    period = check_period("mean_deviation", period)
    return windowed(Windowed(f"mean_deviation({period})", _distances, period), price_of(line))


class BandsPercent(NamedTuple):
    """Bollinger bands, and where between them the price stands."""

    middle: Line
    upper: Line
    lower: Line
    percent: Line


def _within(arithmetic: Arithmetic, price: list[Any], upper: list[Any], lower: list[Any]) -> Any:
    return arithmetic.divide(price[0] - lower[0], upper[0] - lower[0], 0.5)


def bands_percent(line: Line, period: int = 20, deviations: float = 2.0, average: str = "sma") -> BandsPercent:
    """Bollinger bands with %B.

    (x - lower) / (upper - lower) of BBANDS: 0 at the lower band, 1 at the upper, 0.5 where the bands meet. John
    Bollinger, Bollinger on Bollinger Bands (2001).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period, deviations, average
        Of `BBANDS`.

    Returns
    -------
    BandsPercent
        Lines middle, upper, lower, in the unit of the input, and percent, a share. Lookback: ``period - 1``.
    """
    line = price_of(line)
    deviations = check_number("bands_percent", deviations, "deviations", 0.0, 1_000.0)
    function = described()["BBANDS"](period=period, deviations=deviations, average=average)
    upper, middle, lower = attach(function, line)
    percent = windowed(Windowed("bands_percent", _within, 1, 3), line, upper, lower)
    return BandsPercent(middle, upper, lower, percent)


def up_move(line: Line, period: int = 1) -> Line:
    """How far a value rose.

    max(x - x[n], 0).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars back.

    Returns
    -------
    Line
        In the unit of the input, 0 where it fell. Lookback: `period`.
    """
    return _moved("up_move", line, period, 1.0)


def down_move(line: Line, period: int = 1) -> Line:
    """How far a value fell.

    max(x[n] - x, 0).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars back.

    Returns
    -------
    Line
        In the unit of the input, 0 where it rose. Lookback: `period`.
    """
    return _moved("down_move", line, period, -1.0)


def _moved(name: str, line: Line, period: int, sign: float) -> Line:
    period = check_period(name, period)
    return windowed(Windowed(f"{name}({period})", _change, period + 1, parameters=(sign,)), price_of(line))


def _change(arithmetic: Arithmetic, window: list[Any], sign: float) -> Any:
    change = sign * (window[-1] - window[0])
    return arithmetic.where(change > 0.0, change, 0.0)


def _true_high(arithmetic: Arithmetic, high: list[Any], close: list[Any]) -> Any:
    return arithmetic.where(close[0] > high[1], close[0], high[1])


def _true_low(arithmetic: Arithmetic, low: list[Any], close: list[Any]) -> Any:
    return arithmetic.where(close[0] < low[1], close[0], low[1])


def true_high(data: Any) -> Line:
    """High, or the close before if that is higher.

    max(H, C'). J. Welles Wilder, New Concepts in Technical Trading Systems (1978).

    Parameters
    ----------
    data
        A series, such as ``self.data``.

    Returns
    -------
    Line
        A price. Lookback 1.
    """
    return windowed(Windowed("true_high", _true_high, 2, 2), data.high, data.close)


def true_low(data: Any) -> Line:
    """Low, or the close before if that is lower.

    min(L, C'). J. Welles Wilder, New Concepts in Technical Trading Systems (1978).

    Parameters
    ----------
    data
        A series, such as ``self.data``.

    Returns
    -------
    Line
        A price. Lookback 1.
    """
    return windowed(Windowed("true_low", _true_low, 2, 2), data.low, data.close)


@recursive(state=1, name="nonzero_difference")
def _remembered(state: Any, row: int, a: float, b: float, /) -> tuple[float, ...]:
    if a != b or row == 0:
        state[0] = a - b
    return (state[0],)


def nonzero_difference(first: Line, second: Line) -> Line:
    """Difference of two lines, the last that was not zero.

    a - b; where they are equal, the difference of the bar before.

    Parameters
    ----------
    first, second
        Lines.

    Returns
    -------
    Line
        In the unit of the inputs. Lookback 0.
    """
    made: Line = _remembered(price_of(first), price_of(second))
    return made
