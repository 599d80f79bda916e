"""Trends: Ichimoku's cloud, turning points that are never redrawn, Wilder's stop and directions from the mean on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cambist.errors import ParameterError
from cambist.indicators.averages import moving_average
from cambist.indicators.lines import Line, attach
from cambist.indicators.steps import recursive
from cambist.indicators.talib_functions import described
from cambist.indicators.windowed import Arithmetic, Windowed, check_number, check_period, windowed

if TYPE_CHECKING:
    from cambist.indicators.averages import Average

__all__ = [
    "Directions",
    "Ichimoku",
    "Stop",
    "Swings",
    "directions",
    "fractals",
    "ichimoku",
    "middle_of",
    "parabolic_stop",
    "zigzag",
]


class Ichimoku(NamedTuple):
    """The five lines, as they stand over the current bar."""

    conversion: Line
    base: Line
    span_a: Line
    span_b: Line
    lagging: Line


class Swings(NamedTuple):
    """The last turning point that is certain, the direction since, and how many bars ago it was."""

    pivot: Line
    direction: Line
    age: Line


class Stop(NamedTuple):
    """A stop, and the side that it protects."""

    stop: Line
    trend: Line


class Directions(NamedTuple):
    """Wilder's directional movement."""

    plus: Line
    minus: Line
    adx: Line
    adxr: Line


class Fractals(NamedTuple):
    """Prices of turning points on the bars that confirm them, NaN on the others."""

    high: Line
    low: Line


def _middle(arithmetic: Arithmetic, high: list[Any], low: list[Any]) -> Any:
    top, bottom = high[0], low[0]
    for above, below in zip(high[1:], low[1:], strict=True):
        top = arithmetic.where(above > top, above, top)
        bottom = arithmetic.where(below < bottom, below, bottom)
    return (top + bottom) / 2.0


def middle_of(data: Any, period: int) -> Line:
    """Return the middle between the highest high and the lowest low of so many bars, 1 or more."""
    period = check_period("middle_of", period)
    if period > 1:
        return attach(described()["MIDPRICE"](period=period), data.high, data.low)[0]
    return windowed(Windowed("middle_of(1)", _middle, 1, 2), data.high, data.low)


def ichimoku(
    data: Any, conversion: int = 9, base: int = 26, span: int = 52, displacement: int = 26, lag: int = 26
) -> Ichimoku:
    """Ichimoku Kinko Hyo, without a look ahead.

    Middles of the range of 9 (conversion) and 26 bars (base); their mean (span A) and the middle of 52 bars (span B),
    both of 26 bars ago, which is where charts draw them today. Charts draw today's close 26 bars back (the lagging
    span) and compare it with the price there: here `lagging` is that comparison, C - C[26]. Goichi Hosoda, Ichimoku
    Kinko Hyo (1968).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    conversion, base, span
        Bars of the three ranges.
    displacement
        Bars by which the two spans are drawn ahead.
    lag
        Bars by which the lagging span is drawn back.

    Returns
    -------
    Ichimoku
        Lines conversion, base, span_a, span_b, in the unit of price, and lagging, a difference of prices: above 0 the
        close is higher than the price with which charts compare it. Lookback: of span_b ``span - 1 + displacement``.
    """
    ahead = check_period("ichimoku", displacement, 0, "displacement")
    back = check_period("ichimoku", lag, 1, "lag")
    quick, tardy, slow = (middle_of(data, period) for period in (conversion, base, span))
    return Ichimoku(quick, tardy, ((quick + tardy) / 2.0)(-ahead), slow(-ahead), data.close - data.close(-back))


@recursive(state=7, outputs=("pivot", "direction", "age"), name="zigzag")
def _swing(state: Any, row: int, high: float, low: float, /, share: float = 0.05) -> tuple[float, ...]:
    # state: direction, extreme, its row, pivot, its row, and, before there is a direction, the lowest low and its row
    if row == 0:
        state[1], state[2], state[5], state[6], state[3] = high, 0.0, low, 0.0, np.nan
    elif state[0] == 0.0:
        if high > state[1]:
            state[1], state[2] = high, row
        if low < state[5]:
            state[5], state[6] = low, row
        fell = low <= state[1] * (1.0 - share) and state[2] < row
        rose = high >= state[5] * (1.0 + share) and state[6] < row
        if rose and not (fell and state[2] < state[6]):
            state[0], state[3], state[4], state[1], state[2] = 1.0, state[5], state[6], high, row
        elif fell:
            state[0], state[3], state[4], state[1], state[2] = -1.0, state[1], state[2], low, row
    elif state[0] > 0.0:
        if high > state[1]:
            state[1], state[2] = high, row
        elif low <= state[1] * (1.0 - share):
            state[0], state[3], state[4], state[1], state[2] = -1.0, state[1], state[2], low, row
    elif low < state[1]:
        state[1], state[2] = low, row
    elif high >= state[1] * (1.0 + share):
        state[0], state[3], state[4], state[1], state[2] = 1.0, state[1], state[2], high, row
    return state[3], state[0], row - state[4] if state[0] != 0.0 else np.nan


def zigzag(data: Any, percent: float = 5.0) -> Swings:
    """Turning points of swings of so many percent, never redrawn.

    An extreme becomes a turning point on the bar whose low, or high, is so many percent away from it; until then
    nothing is said of it. A bar that makes a new extreme confirms nothing. Arthur Merrill, Filtered Waves (1977).

    Parameters
    ----------
    data
        A series, such as ``self.data``, of prices above 0.
    percent
        Least size of a swing, above 0, below 100.

    Returns
    -------
    Swings
        Lines pivot (price of the last turning point), direction (1 since a low, -1 since a high, 0 before the first)
        and age (bars since the turning point itself); pivot and age are NaN before the first. Lookback 0.
    """
    share = check_number("zigzag", percent, "percent", 0.0, 100.0) / 100.0
    if share in {0.0, 1.0}:
        raise ParameterError(f"zigzag: percent is {percent!r}; it must be above 0 and below 100.")
    return Swings(*_swing(data.high, data.low, share=share))


@recursive(state=7, outputs=("stop", "trend"), lookback=1, name="parabolic_stop")
def _parabolic(
    state: Any, row: int, high: float, low: float, close: float, /, step: float = 0.02, maximum: float = 0.2
) -> tuple[float, ...]:
    # state: trend, stop, extreme, speed; high, low and close of the bar before
    if row == 0:
        state[4], state[5], state[6] = high, low, close
        return 0.0, 0.0
    if row == 1:
        # The trend before is said to have been the other one, and its stop to lie within this bar, so it turns here.
        rises = close >= state[6]
        state[0], state[1] = (-1.0, (high + low) / 2.0) if rises else (1.0, (high + low) / 2.0)
        state[2], state[3] = (state[5] if rises else state[4]), step
    trend, stop, extreme, speed = state[0], state[1], state[2], state[3]
    if (trend > 0.0 and stop >= low) or (trend < 0.0 and stop <= high):
        trend, stop, speed = -trend, extreme, step
        extreme = high if trend > 0.0 else low
    elif (trend > 0.0 and high > extreme) or (trend < 0.0 and low < extreme):
        extreme = high if trend > 0.0 else low
        speed = min(speed + step, maximum)
    following = stop + speed * (extreme - stop)
    following = min(following, low, state[5]) if trend > 0.0 else max(following, high, state[4])
    state[0], state[1], state[2], state[3] = trend, following, extreme, speed
    state[4], state[5], state[6] = high, low, close
    return stop, trend


def parabolic_stop(data: Any, acceleration: float = 0.02, maximum: float = 0.2) -> Stop:
    """Parabolic stop and reverse that begins with the closes.

    stop' + a * (extreme - stop'), a growing by `acceleration` with each new extreme, up to `maximum`. It begins on the
    second bar with the direction of its close and the extreme of the bar before (TA-Lib's SAR begins with the
    directional movement). J. Welles Wilder, New Concepts in Technical Trading Systems (1978).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    acceleration
        First speed, and what is added, 0 to 1.
    maximum
        Greatest speed, 0 to 1.

    Returns
    -------
    Stop
        Lines stop, a price, and trend: 1 where the stop is below, -1 where it is above. Lookback 1.
    """
    step = check_number("parabolic_stop", acceleration, "acceleration", 0.0, 1.0)
    most = check_number("parabolic_stop", maximum, "maximum", 0.0, 1.0)
    return Stop(*_parabolic(data.high, data.low, data.close, step=step, maximum=most))


def _moves(arithmetic: Arithmetic, high: list[Any], low: list[Any]) -> tuple[Any, Any]:
    up, down = high[1] - high[0], low[0] - low[1]
    plus = arithmetic.where((up > down) & (up > 0.0), up, 0.0)
    return plus, arithmetic.where((down > up) & (down > 0.0), down, 0.0)


def _apart(arithmetic: Arithmetic, plus: list[Any], minus: list[Any]) -> Any:
    return arithmetic.divide(100.0 * abs(plus[0] - minus[0]), plus[0] + minus[0], 0.0)


def directions(data: Any, period: int = 14, average: Average = "rma") -> Directions:
    """Directional movement, each average begun with a mean.

    +DI and -DI: 100 * average(DM) / average(TR); ADX: average of 100 * abs(+DI - -DI) / (+DI + -DI); ADXR:
    (ADX + ADX[n]) / 2. TA-Lib begins with sums of n - 1 bars and looks n - 1 bars back. J. Welles Wilder, New Concepts
    in Technical Trading Systems (1978).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    period, average
        Of all averages; see `moving_average`.

    Returns
    -------
    Directions
        Lines plus, minus, adx, adxr, 0 to 100. Lookback: n, n, 2 * n - 1 and 3 * n - 1 with Wilder's average.
    """
    moves = Windowed("directional_movement", _moves, 2, 2, outputs=("plus", "minus"))
    up, down = attach(moves, data.high, data.low)
    (ranges,) = attach(described()["TRANGE"](), data.high, data.low, data.close)
    spread = moving_average(ranges, period, average)
    plus = 100.0 * moving_average(up, period, average) / spread
    minus = 100.0 * moving_average(down, period, average) / spread
    adx = moving_average(windowed(Windowed("directions", _apart, 1, 2), plus, minus), period, average)
    return Directions(plus, minus, adx, (adx + adx(-check_period("directions", period))) / 2.0)


def _turning(arithmetic: Arithmetic, high: list[Any], low: list[Any], place: int) -> tuple[Any, Any]:
    top, bottom = high[place], low[place]
    is_top, is_bottom = top >= high[0], bottom <= low[0]
    for at, (above, below) in enumerate(zip(high, low, strict=True)):
        # Of equal extremes the oldest is the turning point.
        is_top = is_top & ((top > above) if at < place else (top >= above))
        is_bottom = is_bottom & ((bottom < below) if at < place else (bottom <= below))
    return arithmetic.where(is_top, top, np.nan), arithmetic.where(is_bottom, bottom, np.nan)


def fractals(data: Any, period: int = 5, place: int = 2) -> Fractals:
    """Williams' fractals on the bars that confirm them.

    H[n - 1 - place] where it is the highest of n bars, and L where it is the lowest, else NaN; of equal extremes the
    oldest counts. Bill Williams, Trading Chaos (1995).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    period
        Bars of the window.
    place
        Which of them turns, counted from the oldest, which is 0.

    Returns
    -------
    Fractals
        Lines high and low: prices, NaN on bars that confirm nothing. Lookback: ``period - 1``.
    """
    period, place = check_period("fractals", period, 2), check_period("fractals", place, 0, "place")
    if place >= period:
        raise ParameterError(f"fractals: place is {place} in a window of {period}; it must be 0 to {period - 1}.")
    outputs = ("high", "low")
    formula = Windowed(f"fractals({period})", _turning, period, 2, outputs=outputs, parameters=(place,))
    return Fractals(*attach(formula, data.high, data.low))
