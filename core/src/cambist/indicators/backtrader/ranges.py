# ruff: noqa: D403, N802 - the names are backtrader's
"""backtrader's ranges, bands, directions and trends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.indicators import momentum, statistics, trend, windows
from cambist.indicators.averages import moving_average
from cambist.indicators.backtrader.naming import named
from cambist.indicators.lines import attach
from cambist.indicators.talib_functions import described
from cambist.indicators.windowed import Windowed, price_of, windowed

if TYPE_CHECKING:
    from cambist.indicators.averages import Average
    from cambist.indicators.lines import Line

_NONE = "TA-Lib has none"
_SAME = "TA-Lib's {} is the same"
_WARM = "TA-Lib's {} begins with a sum of n - 1 values, not with a mean; they converge"


@named("ranges", "truehigh", note=_NONE)
def TrueHigh(data: Any) -> Line:
    """max(high, close before)."""
    return windows.true_high(data)


@named("ranges", "truelow", note=_NONE)
def TrueLow(data: Any) -> Line:
    """min(low, close before)."""
    return windows.true_low(data)


@named("ranges", "tr", "TR", note=_SAME.format("TRANGE"))
def TrueRange(data: Any) -> Line:
    """TrueHigh - TrueLow."""
    return attach(described()["TRANGE"](), data.high, data.low, data.close)[0]


@named("ranges", "atr", "ATR", note=_SAME.format("ATR"))
def AverageTrueRange(data: Any, period: int = 14, movav: Average = "rma") -> Line:
    """Average of the true range."""
    return moving_average(TrueRange(data), period, movav)


@named("ranges", "mid top bot", "BBands", note=_SAME.format("BBANDS"))
def BollingerBands(data: Any, period: int = 20, devfactor: float = 2.0, movav: Average = "sma") -> tuple[Line, ...]:
    """Average, and so many standard deviations above and below it."""
    line = price_of(data)
    middle, wide = moving_average(line, period, movav), devfactor * _spread(line, period, movav)
    return middle, middle + wide, middle - wide


def _spread(line: Line, period: int, movav: Average) -> Line:
    if movav == "sma":
        return statistics.deviation(line, period)
    middle = moving_average(line, period, movav)
    spread: Line = abs(moving_average(line * line, period, movav) - middle * middle) ** 0.5
    return spread


@named("ranges", "mid top bot pctb", note="TA-Lib has no %B")
def BollingerBandsPct(data: Any, period: int = 20, devfactor: float = 2.0, movav: Average = "sma") -> tuple[Line, ...]:
    """BollingerBands, and (x - bot) / (top - bot)."""
    middle, top, bottom = BollingerBands(data, period, devfactor, movav)
    return middle, top, bottom, (price_of(data) - bottom) / (top - bottom)


@named(
    "ranges", "psar", "PSAR", note="TA-Lib's SAR takes its first direction from the highs and lows; the same afterwards"
)
def ParabolicSAR(data: Any, period: int = 2, af: float = 0.02, afmax: float = 0.2) -> Line:
    """Wilder's stop, with the first direction from the closes of the first two bars."""
    stop = trend.parabolic_stop(data, af, afmax).stop
    return stop if period <= 2 else _from(stop, period - 2)


def _newest(arithmetic: Any, window: list[Any]) -> Any:
    del arithmetic
    return window[-1]


def _from(line: Line, rows: int) -> Line:
    """Return the line, known so many bars later."""
    return windowed(Windowed("later", _newest, rows + 1), line)


@named("ranges", "pgo", "PGO PrettyGoodOsc", note=_NONE)
def PrettyGoodOscillator(data: Any, period: int = 14, _movav: Average = "sma") -> Line:
    """(close - average) / ATR."""
    return momentum.pretty_good(data, period, _movav)


@named("trend", "upmove", note="TA-Lib's MOM of one bar is the same")
def UpMove(data: Any) -> Line:
    """x - x before."""
    line = price_of(data)
    return line - line(-1)


@named("trend", "downmove", note="TA-Lib's MOM of one bar, negative, is the same")
def DownMove(data: Any) -> Line:
    """x before - x."""
    line = price_of(data)
    return line(-1) - line


@named("trend", "plusDI minusDI", "DI", note=_WARM.format("PLUS_DI and MINUS_DI"))
def DirectionalIndicator(data: Any, period: int = 14, movav: Average = "rma") -> tuple[Line, ...]:
    """+DI and -DI."""
    return trend.directions(data, period, movav)[:2]


@named("trend", "plusDI", "PlusDI", note=_WARM.format("PLUS_DI"))
def PlusDirectionalIndicator(data: Any, period: int = 14, movav: Average = "rma") -> Line:
    """+DI."""
    return trend.directions(data, period, movav).plus


@named("trend", "minusDI", "MinusDI", note=_WARM.format("MINUS_DI"))
def MinusDirectionalIndicator(data: Any, period: int = 14, movav: Average = "rma") -> Line:
    """-DI."""
    return trend.directions(data, period, movav).minus


@named("trend", "adx", "ADX", note=_WARM.format("ADX"))
def AverageDirectionalMovementIndex(data: Any, period: int = 14, movav: Average = "rma") -> Line:
    """Average of 100 * |+DI - -DI| / (+DI + -DI)."""
    return trend.directions(data, period, movav).adx


@named(
    "trend", "adx adxr", "ADXR", note="TA-Lib's ADXR looks n - 1 bars back, and begins with sums; they do not converge"
)
def AverageDirectionalMovementIndexRating(data: Any, period: int = 14, movav: Average = "rma") -> tuple[Line, ...]:
    """ADX, and (ADX + ADX[n]) / 2."""
    return trend.directions(data, period, movav)[2:]


@named("trend", "adx plusDI minusDI", "DMI", note=_WARM.format("ADX, PLUS_DI and MINUS_DI"))
def DirectionalMovementIndex(data: Any, period: int = 14, movav: Average = "rma") -> tuple[Line, ...]:
    """ADX, +DI and -DI."""
    made = trend.directions(data, period, movav)
    return made.adx, made.plus, made.minus


@named("trend", "adx adxr plusDI minusDI", "DM", note="as ADX, ADXR and DI")
def DirectionalMovement(data: Any, period: int = 14, movav: Average = "rma") -> tuple[Line, ...]:
    """ADX, ADXR, +DI and -DI."""
    made = trend.directions(data, period, movav)
    return made.adx, made.adxr, made.plus, made.minus


def _aroon(data: Any, period: int) -> tuple[Line, Line]:
    down, up = attach(described()["AROON"](period=period), data.high, data.low)
    return up, down


@named("trend", "aroonup", drawn="bands", note=_SAME.format("AROON"))
def AroonUp(data: Any, period: int = 14) -> Line:
    """100 * (n - bars since the highest high of n + 1) / n."""
    return _aroon(data, period)[0]


@named("trend", "aroondown", drawn="bands", note=_SAME.format("AROON"))
def AroonDown(data: Any, period: int = 14) -> Line:
    """100 * (n - bars since the lowest low of n + 1) / n."""
    return _aroon(data, period)[1]


@named("trend", "aroonup aroondown", "AroonIndicator", drawn="bands", note=_SAME.format("AROON"))
def AroonUpDown(data: Any, period: int = 14) -> tuple[Line, ...]:
    """AroonUp and AroonDown."""
    return _aroon(data, period)


@named("trend", "aroonosc", "AroonOsc", drawn="bands", note=_SAME.format("AROONOSC"))
def AroonOscillator(data: Any, period: int = 14) -> Line:
    """AroonUp - AroonDown."""
    up, down = _aroon(data, period)
    return up - down


@named("trend", "aroonup aroondown aroonosc", "AroonUpDownOsc", drawn="bands", note="as AROON and AROONOSC")
def AroonUpDownOscillator(data: Any, period: int = 14) -> tuple[Line, ...]:
    """AroonUp, AroonDown and their difference."""
    up, down = _aroon(data, period)
    return up, down, up - down


@named("trend", "vi_plus vi_minus", note=_SAME.format("VORTEX"))
def Vortex(data: Any, period: int = 14) -> tuple[Line, ...]:
    """Sums of |high - low before| and of |low - high before| over that of the true range."""
    return attach(described()["VORTEX"](period=period), data.high, data.low, data.close)


@named(
    "trend",
    "tenkan_sen kijun_sen senkou_span_a senkou_span_b chikou_span",
    note="TA-Lib has none. backtrader's chikou_span holds the close of so many bars later; here it is the close of the "
    "bar, to be compared with close(-chikou)",
)
def Ichimoku(
    data: Any, tenkan: int = 9, kijun: int = 26, senkou: int = 52, senkou_lead: int = 26, chikou: int = 26
) -> tuple[Line, ...]:
    """Middles of ranges; the spans as drawn over this bar; chikou_span is the close, none that is yet to come."""
    made = trend.ichimoku(data, tenkan, kijun, senkou, senkou_lead, chikou)
    return *made[:4], price_of(data)


@named("trend", "dpo", "DPO", note="TA-Lib's DPO is x[n // 2 + 1] - sma(x), another shift")
def DetrendedPriceOscillator(data: Any, period: int = 20, movav: Average = "sma") -> Line:
    """x - average(x, n) of (n + 1) // 2 - 1 bars ago."""
    line = price_of(data)
    return line - moving_average(line, period, movav)(-((period + 1) // 2 - 1))


@named(
    "trend",
    "fractal_bearish fractal_bullish",
    note="TA-Lib's FRACTAL gives 100 on the confirming bar. backtrader's writes into the past: here the price comes on "
    "the bar that confirms it, two bars later",
)
def Fractal(
    data: Any, period: int = 5, bardist: float = 0.015, shift_to_potential_fractal: int = 2
) -> tuple[Line, ...]:
    """The highest high, and the lowest low, where they stand at their place, moved away by bardist; else NaN."""
    made = trend.fractals(data, period, shift_to_potential_fractal)
    return made.high * (1.0 + bardist), made.low * (1.0 - bardist)
