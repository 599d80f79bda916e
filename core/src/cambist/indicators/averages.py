"""Moving averages beyond TA-Lib's, any average by name, and envelopes and oscillators around all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from cambist.errors import ParameterError, did_you_mean
from cambist.indicators.lines import Line, attach
from cambist.indicators.steps import recursive
from cambist.indicators.talib_functions import described
from cambist.indicators.technical import AVERAGES
from cambist.indicators.windowed import Arithmetic, Windowed, check_number, check_period, price_of, windowed

__all__ = [
    "Average",
    "Envelope",
    "average_envelope",
    "average_oscillator",
    "dickson",
    "envelope",
    "error_correcting",
    "kaufman",
    "moving_average",
    "smoothed",
    "smoothed_by",
    "weighted",
]

#: A moving average: its name, or a function of a line and a period.
Average: TypeAlias = str | Callable[[Line, int], Line]


class Envelope(NamedTuple):
    """A line and two at a distance from it."""

    middle: Line
    upper: Line
    lower: Line


def moving_average(line: Line, period: int = 30, average: Average = "sma") -> Line:
    """Moving average of any kind.

    The average that is named: sma, ema, wma, dema, tema, trima, kama, mama, t3, hma, zlema and rma are TA-Lib's;
    kaufman, error_correcting and dickson are those of this room.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars, 1 to 100,000.
    average
        A name, or a function of a line and a period.

    Returns
    -------
    Line
        In the unit of the input. Lookback: the average's.

    Raises
    ------
    ParameterError
        For a name that there is not, or a period out of range.
    """
    line, period = price_of(line), check_period("moving_average", period)
    if callable(average):
        return average(line, period)
    if average in _OWN:
        return _OWN[average](line, period)
    name = _ALSO.get(average, average)
    if name not in AVERAGES or not name:
        known = [*filter(None, AVERAGES), *_OWN]
        hint = did_you_mean(average, known)
        raise ParameterError(
            f"moving_average: average is {average!r}.{hint} There are {', '.join(known)}; or give a function of a line "
            "and a period."
        )
    return attach(described()["MA"](period=period, average=name), line)[0]


def _tuned(
    state: Any, row: int, price: float, ema: float, /, alpha: float = 2 / 31, limit: float = 50
) -> tuple[float, ...]:
    if row == 0:
        state[0] = ema
        return (ema,)
    before = state[0]
    kept, reach = (1.0 - alpha) * before, price - before
    # The error is |a + b * gain|: its least lies at the root, which is between two tenths, or at an end.
    a = price - (alpha * ema + kept)
    b = alpha * reach
    root = 10.0 * a / b if b != 0.0 else -limit
    below = -limit if root <= -limit else limit if root >= limit else root // 1.0
    above = below + 1.0 if below < limit else limit
    value = alpha * (ema + below / 10.0 * reach) + kept
    other = alpha * (ema + above / 10.0 * reach) + kept
    state[0] = best = other if abs(price - other) < abs(price - value) else value
    return (best,)


_TUNED = recursive(state=1, name="error_correcting")(_tuned)


def error_correcting(line: Line, period: int = 30, gain_limit: int = 50, average: Average = "ema") -> Line:
    """Zero lag by error correction.

    ec' + a * (average + gain * (x - ec') - ec') with a = 2 / (n + 1), where gain is the tenth from -limit / 10 to limit
    / 10 that brings it nearest to x. John Ehlers and Ric Way, Zero Lag (well, almost), Stocks & Commodities 28:12
    (2010).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars of the average.
    gain_limit
        Greatest gain, in tenths, 0 to 1,000.
    average
        What is corrected; see `moving_average`.

    Returns
    -------
    Line
        In the unit of the input; begins with the average. Lookback: the average's.
    """
    line = price_of(line)
    base = moving_average(line, period, average)
    limit = float(check_period("error_correcting", gain_limit, 0, "gain_limit"))
    made: Line = _TUNED(line, base, alpha=2.0 / (1.0 + period), limit=limit)
    return made


def dickson(line: Line, period: int = 30, gain_limit: int = 50, hull_period: int = 7, hull: Average = "hma") -> Line:
    """Dickson's moving average.

    (error_correcting(x, n) + hma(x, h)) / 2. Nathan Dickson.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period, gain_limit
        Of `error_correcting`.
    hull_period, hull
        Bars and kind of the second average.

    Returns
    -------
    Line
        In the unit of the input. Lookback: the longer of the two.
    """
    return (error_correcting(line, period, gain_limit) + moving_average(line, hull_period, hull)) / 2.0


def _weigh(arithmetic: Arithmetic, window: list[Any], weights: tuple[float, ...], coefficient: float) -> Any:
    del arithmetic
    total = window[0] * weights[0]
    for value, weight in zip(window[1:], weights[1:], strict=True):
        total = total + value * weight
    return coefficient * total


def weighted(line: Line, weights: Sequence[float], coefficient: float | None = None) -> Line:
    """Weighted average with weights of your own.

    coefficient * (w1 * x[n - 1] + ... + wn * x).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    weights
        One for each bar of the window, that of the current bar last; finite.
    coefficient
        What the sum is multiplied by; 1 / sum of the weights unless given.

    Returns
    -------
    Line
        In the unit of the input. Lookback: one less than there are weights.

    Raises
    ------
    ParameterError
        Without weights, for one that is not finite, or for weights whose sum is zero and no coefficient.
    """
    numbers = tuple(check_number("weighted", one, "a weight", -1e300, 1e300) for one in weights)
    check_period("weighted", len(numbers), 1, "the number of weights")
    if coefficient is None:
        total = sum(numbers)
        if total == 0:
            raise ParameterError("weighted: the weights add up to zero; give a coefficient, such as coefficient=1.0.")
        coefficient = 1.0 / total
    name = f"weighted({len(numbers)})"
    return windowed(Windowed(name, _weigh, len(numbers), parameters=(numbers, coefficient)), price_of(line))


@recursive(state=2, lookback=lambda period, **_: int(period) - 1, name="smoothed")
def _smoothed(state: Any, row: int, price: float, /, period: float = 1, alpha: float = 0.1) -> tuple[float, ...]:
    if row < period:
        state[1] += price
        state[0] = state[1] / period
    else:
        state[0] = state[0] * (1 - alpha) + price * alpha
    return (state[0],)


@recursive(state=1, name="smoothed_by")
def _smoothed_by(state: Any, row: int, price: float, alpha: float, mean: float, /) -> tuple[float, ...]:
    state[0] = mean if row == 0 else state[0] * (1 - alpha) + price * alpha
    return (state[0],)


def smoothed(line: Line, period: int = 1, alpha: float | None = None) -> Line:
    """Exponential smoothing with a factor of your own.

    s' + alpha * (x - s'); the first value is the mean of the first n. Robert Brown, Exponential Smoothing for
    Predicting Demand (1956).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars of the first mean.
    alpha
        0 to 1; 2 / (period + 1) unless given, as of an EMA.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.
    """
    period = check_period("smoothed", period)
    factor = 2.0 / (1.0 + period) if alpha is None else check_number("smoothed", alpha, "alpha", 0.0, 1.0)
    made: Line = _smoothed(price_of(line), period=period, alpha=factor)
    return made


def smoothed_by(line: Line, alpha: Line, period: int = 1) -> Line:
    """Exponential smoothing whose factor is a line.

    s' + alpha * (x - s'), with the alpha of each bar; the first value is the mean of n, on the first bar on which that
    and alpha are known.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    alpha
        A line, 0 to 1.
    period
        Bars of the first mean.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``, or that of `alpha` if it is longer.
    """
    line = price_of(line)
    made: Line = _smoothed_by(line, alpha, moving_average(line, period))
    return made


def kaufman(line: Line, period: int = 30, fast: int = 2, slow: int = 30) -> Line:
    """Kaufman's adaptive moving average, begun with a mean.

    s' + a * (x - s') with a = (ER * (f - s) + s) ** 2, ER = abs(x - x[n]) / sum of the n absolute changes, f and s the
    factors of emas of `fast` and `slow` bars; the first value is the mean of n (TA-Lib's KAMA begins with the price
    before). Perry Kaufman, Smarter Trading (1995).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars of the efficiency ratio, 2 or more.
    fast, slow
        Bars of the fastest and the slowest average.

    Returns
    -------
    Line
        In the unit of the input. Lookback: `period`.
    """
    line, period = price_of(line), check_period("kaufman", period, 2)
    quick = 2.0 / (check_period("kaufman", fast, 1, "fast") + 1.0)
    tardy = 2.0 / (check_period("kaufman", slow, 1, "slow") + 1.0)
    factor = Windowed(f"kaufman({period})", _factor, period + 1, parameters=(quick - tardy, tardy))
    return smoothed_by(line, windowed(factor, line), period)


def _factor(arithmetic: Arithmetic, window: list[Any], span: float, tardy: float) -> Any:
    """Return the factor by which an average follows, from how straight the way was; slowest where nothing moved."""
    total = abs(window[1] - window[0])
    for newer, older in zip(window[2:], window[1:], strict=False):
        total = total + abs(newer - older)
    factor = arithmetic.divide(abs(window[-1] - window[0]), total, 0.0) * span + tardy
    return factor * factor


def envelope(line: Line, percent: float = 2.5) -> Envelope:
    """Bands at a distance from any line.

    x * (1 + percent / 100) above, x * (1 - percent / 100) below.

    Parameters
    ----------
    line
        Any line, such as a moving average.
    percent
        Distance, 0 to 1,000.

    Returns
    -------
    Envelope
        Lines middle, upper, lower, in the unit of the input. Lookback 0.
    """
    line = price_of(line)
    share = check_number("envelope", percent, "percent", 0.0, 1_000.0) / 100.0
    return Envelope(line, line * (1.0 + share), line * (1.0 - share))


def average_envelope(line: Line, period: int = 30, percent: float = 2.5, average: Average = "sma") -> Envelope:
    """Bands around a moving average of any kind.

    average(x, n), and percent above and below it.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period, average
        See `moving_average`.
    percent
        Distance.

    Returns
    -------
    Envelope
        Lines middle, upper, lower, in the unit of the input. Lookback: the average's.
    """
    return envelope(moving_average(line, period, average), percent)


def average_oscillator(line: Line, period: int = 30, average: Average = "sma") -> Line:
    """Distance from a moving average of any kind.

    x - average(x, n).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period, average
        See `moving_average`.

    Returns
    -------
    Line
        In the unit of the input. Lookback: the average's.
    """
    return price_of(line) - moving_average(line, period, average)


_OWN: dict[str, Callable[[Line, int], Line]] = {
    "kaufman": kaufman,
    "error_correcting": error_correcting,
    "dickson": dickson,
}
#: Other names of the same averages.
_ALSO = {"smma": "rma", "wilder": "rma", "simple": "sma", "exponential": "ema", "weighted": "wma"}
