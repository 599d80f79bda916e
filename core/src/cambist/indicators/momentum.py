"""Momentum that TA-Lib lacks: strength by any average, Laguerre's filter, signals beside their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.errors import ParameterError
from cambist.indicators.averages import moving_average
from cambist.indicators.lines import Line, attach
from cambist.indicators.steps import recursive
from cambist.indicators.talib_functions import described
from cambist.indicators.windowed import Arithmetic, Windowed, check_number, check_period, price_of, windowed
from cambist.indicators.windows import down_move, percent_rank, up_move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.indicators.averages import Average

__all__ = [
    "CandleDelta",
    "Oscillator",
    "Signaled",
    "candle_delta",
    "dv2",
    "know_sure_thing",
    "laguerre",
    "laguerre_filter",
    "laguerre_rsi",
    "percentage_oscillator",
    "pretty_good",
    "relative_momentum",
    "relative_strength",
    "trix_signal",
]


class Signaled(NamedTuple):
    """A line, and its average."""

    value: Line
    signal: Line


class Oscillator(NamedTuple):
    """A line, its average, and the distance of the two."""

    value: Line
    signal: Line
    histogram: Line


class CandleDelta(NamedTuple):
    """Bodies of Heikin-Ashi candles, and their average."""

    delta: Line
    smoothed: Line


def _strength(arithmetic: Arithmetic, rises: list[Any], falls: list[Any], flat: float) -> Any:
    return arithmetic.divide(100.0 * rises[0], rises[0] + falls[0], flat)


def relative_strength(
    line: Line, period: int = 14, average: Average = "rma", span: int = 1, flat: float = 50.0
) -> Line:
    """Relative strength by an average of your choice.

    100 * average(rises) / (average(rises) + average(falls)) of the changes over `span` bars: "rma" is Wilder's RSI,
    "sma" Cutler's, "ema" the fastest. J. Welles Wilder, New Concepts in Technical Trading Systems (1978); David Cutler.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period, average
        Of the averages; see `moving_average`.
    span
        Bars over which a change is measured.
    flat
        What it is where nothing moved.

    Returns
    -------
    Line
        0 to 100. Lookback: `span` and the average's.
    """
    line, span = price_of(line), check_period("relative_strength", span, 1, "span")
    rises, falls = (moving_average(move(line, span), period, average) for move in (up_move, down_move))
    formula = Windowed("relative_strength", _strength, 1, 2, parameters=(float(flat),))
    return windowed(formula, rises, falls)


def relative_momentum(line: Line, period: int = 20, span: int = 5, average: Average = "rma") -> Line:
    """Relative momentum index.

    The relative strength of changes over `span` bars. Roger Altman, Stocks & Commodities 11:2 (1993).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period, average
        Of the averages; see `moving_average`.
    span
        Bars over which a change is measured.

    Returns
    -------
    Line
        0 to 100, 50 where nothing moved. Lookback: `span` and the average's.
    """
    return relative_strength(line, period, average, span)


@recursive(state=4, outputs=("filter", "strength"), lookback=lambda first, **_: max(0, int(first)), name="laguerre")
def laguerre(
    state: Any, row: int, price: float, /, gamma: float = 0.5, first: float = -1.0, flat: float = 0.5
) -> tuple[float, ...]:
    """Pass a price through the four stages; the filter and the strength.

    They begin with the first price; or with 0, after `first` rows, where that is not negative.
    """
    if row >= first:
        if row == 0 and first < 0:
            state[0] = state[1] = state[2] = state[3] = price
        newer = (1.0 - gamma) * price + gamma * state[0]
        before, state[0] = state[0], newer
        for at in range(1, 4):
            newer = -gamma * newer + before + gamma * state[at]
            before, state[at] = state[at], newer
    rises, falls = 0.0, 0.0
    for at in range(3):
        if state[at] >= state[at + 1]:
            rises += state[at] - state[at + 1]
        else:
            falls += state[at + 1] - state[at]
    strength = rises / (rises + falls) if rises + falls != 0 else flat
    return (state[0] + 2.0 * state[1] + 2.0 * state[2] + state[3]) / 6.0, strength


def laguerre_filter(line: Line, gamma: float = 0.5) -> Line:
    """Laguerre filter.

    (L0 + 2 * L1 + 2 * L2 + L3) / 6 with L0 = (1 - g) * x + g * L0', Lk = -g * L(k-1) + L(k-1)' + g * Lk'; all stages
    begin with the first price. John Ehlers, Time Warp - Without Space Travel (2002).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    gamma
        Damping, 0 to 1, exclusive of 1.

    Returns
    -------
    Line
        In the unit of the input. Lookback 0; settles within some 20 bars.
    """
    made: Line = laguerre(price_of(line), gamma=_damping("laguerre_filter", gamma)).filter
    return made


def laguerre_rsi(line: Line, gamma: float = 0.5) -> Line:
    """Laguerre RSI.

    rises / (rises + falls) of the differences between the four stages of the Laguerre filter; 0.5 where they are equal.
    John Ehlers, Time Warp - Without Space Travel (2002).

    Parameters
    ----------
    line
        Any line, or a series for its close.
    gamma
        Damping, 0 to 1, exclusive of 1.

    Returns
    -------
    Line
        0 to 1. Lookback 0; settles within some 20 bars.
    """
    made: Line = laguerre(price_of(line), gamma=_damping("laguerre_rsi", gamma)).strength
    return made


def _damping(name: str, gamma: float) -> float:
    value = check_number(name, gamma, "gamma", 0.0, 1.0)
    if value == 1.0:
        raise ParameterError(f"{name}: gamma is 1, with which it would never move; it must be below 1.")
    return value


def _rate(arithmetic: Arithmetic, window: list[Any]) -> Any:
    del arithmetic
    return 100.0 * (window[-1] / window[0] - 1.0)


def _rate_of_change(name: str, line: Line, span: int) -> Line:
    """Return by how many percent a line is above what it was `span` bars ago."""
    span = check_period(name, span, 1, "span")
    return windowed(Windowed(f"rate_of_change({span})", _rate, span + 1), line)


def know_sure_thing(
    line: Line,
    spans: Sequence[int] = (10, 15, 20, 30),
    periods: Sequence[int] = (10, 10, 10, 15),
    weights: Sequence[float] = (1.0, 2.0, 3.0, 4.0),
    signal: int = 9,
    average: Average = "sma",
) -> Signaled:
    """Know sure thing.

    Sum of w * average(100 * (x / x[span] - 1), n) over four spans, and its average as a signal. Martin Pring, Stocks &
    Commodities 10:9 (1992).

    Parameters
    ----------
    line
        Any line, or a series for its close; not zero.
    spans
        Bars of the four rates of change.
    periods
        Bars of their averages.
    weights
        Their weights.
    signal
        Bars of the signal.
    average
        Kind of all averages; see `moving_average`.

    Returns
    -------
    Signaled
        Lines value and signal, in percent. Lookback: of the value the longest span and average, of the signal more.
    """
    if not len(spans) == len(periods) == len(weights) or not spans:
        raise ParameterError(
            f"know_sure_thing: there are {len(spans)} spans, {len(periods)} periods and {len(weights)} weights; give "
            "as many of each."
        )
    line = price_of(line)
    total: Line | None = None
    for span, period, weight in zip(spans, periods, weights, strict=True):
        part = moving_average(_rate_of_change("know_sure_thing", line, span), period, average) * weight
        total = part if total is None else total + part
    assert total is not None
    return Signaled(total, moving_average(total, signal, average))


def dv2(data: Any, period: int = 252, smoothing: int = 2, average: Average = "sma") -> Line:
    """DV2: how high the closes are within their bars.

    100 * percent_rank(average(C / ((H + L) / 2), 2), n). David Varadi, CSS Analytics (2009).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    period
        Bars of the rank.
    smoothing, average
        Of the average before it.

    Returns
    -------
    Line
        0 to 100. Lookback: ``period + smoothing - 2``.
    """
    ratio = data.close / ((data.high + data.low) / 2.0)
    return percent_rank(moving_average(ratio, smoothing, average), period) * 100.0


def pretty_good(data: Any, period: int = 14, average: Average = "sma", ranges: Average = "rma") -> Line:
    """Pretty good oscillator.

    (C - average(C, n)) / average(TR, n): how many ranges the close is away from its mean. Mark Johnson.

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    period
        Bars of both.
    average, ranges
        Kind of the average of the close, and of that of the true range.

    Returns
    -------
    Line
        In average true ranges. Lookback: `period` with the default averages.
    """
    (span,) = attach(described()["TRANGE"](), data.high, data.low, data.close)
    distance: Line = data.close - moving_average(data.close, period, average)
    return distance / moving_average(span, period, ranges)


def percentage_oscillator(
    line: Line, fast: int = 12, slow: int = 26, signal: int = 9, average: Average = "ema", *, of_fast: bool = False
) -> Oscillator:
    """Percentage price oscillator with its signal.

    100 * (average(x, fast) - average(x, slow)) / average(x, slow), or over that of `fast`; its average; and their
    difference. Gerald Appel.

    Parameters
    ----------
    line
        Any line, or a series for its close; not zero.
    fast, slow, signal
        Bars of the three averages.
    average
        Their kind; see `moving_average`.
    of_fast
        Whether the divisor is the fast average.

    Returns
    -------
    Oscillator
        Lines value, signal, histogram, in percent. Lookback: of the value the slow average's, of the others more.
    """
    line = price_of(line)
    if not fast < slow:
        raise ParameterError(
            f"percentage_oscillator: fast is {fast} and slow is {slow}; the fast average must span fewer bars."
        )
    quick, tardy = moving_average(line, fast, average), moving_average(line, slow, average)
    value = 100.0 * ((quick - tardy) / (quick if of_fast else tardy))
    smooth = moving_average(value, signal, average)
    return Oscillator(value, smooth, value - smooth)


def trix_signal(line: Line, period: int = 15, signal: int = 9, span: int = 1, average: Average = "ema") -> Signaled:
    """TRIX with its signal.

    100 * (A / A[span] - 1) of the three times smoothed A, and its average. Jack Hutson, Stocks & Commodities 1:5
    (1983).

    Parameters
    ----------
    line
        Any line, or a series for its close; not zero.
    period, signal
        Bars of the three averages, and of the signal.
    span
        Bars of the rate of change.
    average
        Kind of all averages; see `moving_average`.

    Returns
    -------
    Signaled
        Lines value and signal, in percent. Lookback: three averages' and `span`, of the signal more.
    """
    line = price_of(line)
    for _ in range(3):
        line = moving_average(line, period, average)
    value = _rate_of_change("trix_signal", line, span)
    return Signaled(value, moving_average(value, signal, average))


def candle_delta(data: Any, period: int = 3, average: Average = "sma", *, heikin_ashi: bool = True) -> CandleDelta:
    """Heikin-Ashi delta.

    C - O of the Heikin-Ashi candles, and its average. Dan Valcu, Heikin-Ashi: How to Trade without Candlestick Patterns
    (2011).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    period, average
        Of the smoothing; see `moving_average`.
    heikin_ashi
        False where the series has such candles already.

    Returns
    -------
    CandleDelta
        Lines delta and smoothed, in the unit of price. Lookback: of the delta that of `HA`, of the other the average's
        more.
    """
    opened, close = data.open, data.close
    if heikin_ashi:
        candles = attach(described()["HA"](), data.open, data.high, data.low, data.close)
        opened, close = candles[0], candles[3]
    delta = close - opened
    return CandleDelta(delta, moving_average(delta, period, average))
