# ruff: noqa: N802 - the field writes its indicators in capitals
"""The technical indicators a strategy calls in ``on_start``: TA-Lib's, as lines.

Each takes lines and gives lines. An output is NaN until its lookback has passed; where the input itself is an
indicator that starts with NaN, counting starts at its first value. A NaN or an infinity after that raises
`DataError`: it names the indicator and the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.errors import LineError, ParameterError
from cambist.indicators.lines import Line, attach
from cambist.indicators.technical import Parameter, TalibFunction, period

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ATR",
    "BBANDS",
    "EMA",
    "FUNCTIONS",
    "MACD",
    "RSI",
    "SMA",
    "BollingerBands",
    "MacdLines",
    "highest",
    "lowest",
]

_PRICE = ("price",)
_BAR = ("high", "low", "close")
_ONE = ("value",)
_BANDS = ("upper", "middle", "lower")
_MACD = ("macd", "signal", "histogram")
_DEVIATIONS = Parameter("deviations", ("nbdevup", "nbdevdn"), 0, 1_000, whole=False)
_SPANS = (period(2, "fast", "fastperiod"), period(2, "slow", "slowperiod"), period(1, "signal", "signalperiod"))

#: Every function there is, by TA-Lib's name. Minima are TA-Lib's.
FUNCTIONS: Mapping[str, TalibFunction] = {
    function.name: function
    for function in (
        TalibFunction("ATR", _BAR, _ONE, (period(1),), lambda bars: bars),
        TalibFunction("BBANDS", _PRICE, _BANDS, (period(2), _DEVIATIONS), lambda bars, _: bars - 1, (("matype", 0),)),
        TalibFunction("EMA", _PRICE, _ONE, (period(1),), lambda bars: bars - 1),
        TalibFunction("MACD", _PRICE, _MACD, _SPANS, lambda fast, slow, signal: max(fast, slow) + signal - 2),
        TalibFunction("MAX", _PRICE, _ONE, (period(2),), lambda bars: bars - 1),
        TalibFunction("MIN", _PRICE, _ONE, (period(2),), lambda bars: bars - 1),
        TalibFunction("RSI", _PRICE, _ONE, (period(2),), lambda bars: bars),
        TalibFunction("SMA", _PRICE, _ONE, (period(1),), lambda bars: bars - 1),
    )
}


class MacdLines(NamedTuple):
    """The three lines of `MACD`."""

    macd: Line
    signal: Line
    histogram: Line


class BollingerBands(NamedTuple):
    """The three lines of `BBANDS`."""

    upper: Line
    middle: Line
    lower: Line


def SMA(line: Line, period: int = 30) -> Line:
    """Simple moving average: the mean of the last `period` values.

    Parameters
    ----------
    line
        What to average.
    period
        Bars, 1 to 100,000.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.

    Raises
    ------
    ParameterError
        For a period out of range.
    LineError
        For an input that is no line, or after ``on_start``.

    Notes
    -----
    Agrees with ``pandas.Series.rolling(period).mean()``. TA-Lib keeps a running sum, so that the last digits depend
    on where a series begins.
    """
    return attach(FUNCTIONS["SMA"](period=period), line)[0]


def EMA(line: Line, period: int = 30) -> Line:
    """Exponential moving average: ``ema = ema_before + (value - ema_before) * 2 / (period + 1)``.

    Parameters
    ----------
    line
        What to average.
    period
        Bars, 1 to 100,000.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.

    Raises
    ------
    ParameterError
        For a period out of range.
    LineError
        For an input that is no line, or after ``on_start``.

    Notes
    -----
    The seed, and the first value, is the mean of the first `period` values. From there it agrees with
    ``pandas.Series.ewm(span=period, adjust=False).mean()`` over a series that begins with that seed; pandas by itself
    seeds with the first value. Recursive: every value depends, ever more faintly, on the first bar.
    """
    return attach(FUNCTIONS["EMA"](period=period), line)[0]


def RSI(line: Line, period: int = 14) -> Line:
    """Relative strength index: ``100 * gain / (gain + loss)``, of the smoothed rises and falls.

    Parameters
    ----------
    line
        Prices, as a rule closes.
    period
        Bars, 2 to 100,000.

    Returns
    -------
    Line
        From 0 to 100; 0 where the price has not moved at all. Lookback: ``period``.

    Raises
    ------
    ParameterError
        For a period out of range.
    LineError
        For an input that is no line, or after ``on_start``.

    Notes
    -----
    J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978). Rises and falls are smoothed with
    ``mean = (mean_before * (period - 1) + value) / period``, seeded with the plain mean of the first `period` changes.
    Recursive.
    """
    return attach(FUNCTIONS["RSI"](period=period), line)[0]


def MACD(line: Line, fast: int = 12, slow: int = 26, signal: int = 9) -> MacdLines:
    """Moving average convergence/divergence: ``EMA(fast) - EMA(slow)``, its EMA, and the difference of the two.

    Parameters
    ----------
    line
        Prices, as a rule closes.
    fast, slow
        Bars of the two averages, 2 to 100,000; `fast` is the shorter.
    signal
        Bars of the average over their difference, 1 to 100,000.

    Returns
    -------
    MacdLines
        ``macd``, ``signal`` and ``histogram = macd - signal``, in the unit of the input. The lookback of each:
        ``slow + signal - 2``.

    Raises
    ------
    ParameterError
        For a value out of range, or `fast` not below `slow`.
    LineError
        For an input that is no line, or after ``on_start``.

    Notes
    -----
    Gerald Appel's formula. Both averages are first known at bar ``slow`` (counted from 1), and each is seeded with
    the mean of the values it spans there: the fast one with the last `fast` of the first `slow` values, where an EMA of
    its own would start earlier. Recursive.
    """
    computation = FUNCTIONS["MACD"](fast=fast, slow=slow, signal=signal)
    if fast >= slow:
        raise ParameterError(f"MACD: fast is {fast} and slow is {slow}; the fast average must span fewer bars.")
    return MacdLines(*attach(computation, line))


def ATR(data: Any, period: int = 14) -> Line:
    """Average true range: Wilder's smoothing of ``max(high, close_before) - min(low, close_before)``.

    Parameters
    ----------
    data
        A series, such as ``self.data``, or anything with the lines ``high``, ``low`` and ``close``.
    period
        Bars, 1 to 100,000.

    Returns
    -------
    Line
        In the unit of the prices. Lookback: ``period``.

    Raises
    ------
    ParameterError
        For a period out of range.
    LineError
        For data without these lines, or after ``on_start``.

    Notes
    -----
    J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978). The first bar has no true range; the seed is
    the mean of the `period` that follow. Recursive.
    """
    try:
        lines = [getattr(data, field) for field in _BAR]
    except AttributeError:
        raise LineError(
            f"ATR is made of high, low and close: give it the series, such as self.data; got {type(data).__name__}."
        ) from None
    return attach(FUNCTIONS["ATR"](period=period), *lines)[0]


def BBANDS(line: Line, period: int = 20, deviations: float = 2.0) -> BollingerBands:
    """Bollinger bands: a simple moving average, and so many standard deviations above and below it.

    Parameters
    ----------
    line
        Prices, as a rule closes.
    period
        Bars, 2 to 100,000.
    deviations
        Width of each half, in standard deviations, 0 to 1,000.

    Returns
    -------
    BollingerBands
        ``upper``, ``middle`` and ``lower``, in the unit of the input. The lookback of each: ``period - 1``.

    Raises
    ------
    ParameterError
        For a value out of range.
    LineError
        For an input that is no line, or after ``on_start``.

    Notes
    -----
    John Bollinger's formula, with the standard deviation of the population: ``numpy.std`` of each window. (The rolling
    deviation of pandas is updated from row to row and keeps an error after a large move.)
    """
    return BollingerBands(*attach(FUNCTIONS["BBANDS"](period=period, deviations=deviations), line))


def highest(line: Line, period: int = 30) -> Line:
    """Return the highest of the last `period` values, the current one among them.

    Parameters
    ----------
    line
        Any line.
    period
        Bars, 2 to 100,000.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.

    Raises
    ------
    ParameterError
        For a period out of range.
    LineError
        For an input that is no line, or after ``on_start``.
    """
    return attach(FUNCTIONS["MAX"](period=period), line)[0]


def lowest(line: Line, period: int = 30) -> Line:
    """Return the lowest of the last `period` values, the current one among them.

    Parameters
    ----------
    line
        Any line.
    period
        Bars, 2 to 100,000.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.

    Raises
    ------
    ParameterError
        For a period out of range.
    LineError
        For an input that is no line, or after ``on_start``.
    """
    return attach(FUNCTIONS["MIN"](period=period), line)[0]
