# ruff: noqa: D403, N802 - the names are backtrader's
"""backtrader's momentum and oscillators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.indicators import momentum, windows
from cambist.indicators.averages import moving_average
from cambist.indicators.backtrader.naming import named, with_defaults
from cambist.indicators.backtrader.ranges import TrueRange
from cambist.indicators.backtrader.windows import MeanDeviation, SumN, over
from cambist.indicators.lines import attach
from cambist.indicators.talib_functions import described
from cambist.indicators.windowed import Windowed, check_period, price_of, where, windowed

if TYPE_CHECKING:
    from cambist.indicators.averages import Average
    from cambist.indicators.lines import Line
    from cambist.indicators.windowed import Arithmetic

_NONE = "TA-Lib has none"
_SAME = "TA-Lib's {} is the same"


@named("momentum", "upday", note=_NONE)
def UpDay(data: Any, period: int = 1) -> Line:
    """max(x - x[n], 0)."""
    return windows.up_move(data, period)


@named("momentum", "downday", note=_NONE)
def DownDay(data: Any, period: int = 1) -> Line:
    """max(x[n] - x, 0)."""
    return windows.down_move(data, period)


@named("momentum", "upday", note=_NONE)
def UpDayBool(data: Any, period: int = 1) -> Line:
    """1 where x > x[n], else 0."""
    line = price_of(data)
    return line > line(-period)


@named("momentum", "downday", note=_NONE)
def DownDayBool(data: Any, period: int = 1) -> Line:
    """1 where x < x[n], else 0."""
    line = price_of(data)
    return line(-period) > line


def _strength(arithmetic: Arithmetic, rises: list[Any], falls: list[Any], flat: float, only: float) -> Any:
    ratio = arithmetic.divide(rises[0], falls[0], 0.0)
    without = arithmetic.where(rises[0] == 0, flat, only)
    return arithmetic.where(falls[0] == 0, without, 100.0 - 100.0 / (1.0 + ratio))


def _rsi(data: Any, period: int, movav: Average, lookback: int, safe: tuple[float, float]) -> Line:
    rises, falls = (
        moving_average(move(data, lookback), period, movav) for move in (windows.up_move, windows.down_move)
    )
    return windowed(Windowed("RSI", _strength, 1, 2, parameters=safe), rises, falls)


#: What is given where there were no changes, and where there were no falls.
_UNSAFE = (50.0, 100.0)
_ODD = "with safediv it is safehigh where nothing moved, and safelow where nothing fell, as in backtrader"


@named("momentum", "rsi", "RSI RSI_SMMA RSI_Wilder", drawn="bands", note=f"TA-Lib's RSI is the same; {_ODD}")
def RelativeStrengthIndex(
    data: Any,
    period: int = 14,
    movav: Average = "rma",
    safediv: bool = False,
    safehigh: float = 100.0,
    safelow: float = 50.0,
    lookback: int = 1,
) -> Line:
    """100 - 100 / (1 + average rise / average fall); 100 where nothing fell, 50 where nothing moved."""
    return _rsi(data, period, movav, lookback, (safehigh, safelow) if safediv else _UNSAFE)


@named("momentum", "rsi", drawn="bands", note=f"TA-Lib's RSI, but for 0 / 0; {_ODD}")
def RSI_Safe(
    data: Any,
    period: int = 14,
    movav: Average = "rma",
    safediv: bool = True,
    safehigh: float = 100.0,
    safelow: float = 50.0,
    lookback: int = 1,
) -> Line:
    """RelativeStrengthIndex with safediv."""
    return _rsi(data, period, movav, lookback, (safehigh, safelow) if safediv else _UNSAFE)


@named("momentum", "rsi", "RSI_Cutler", drawn="bands", note=_NONE)
def RSI_SMA(
    data: Any,
    period: int = 14,
    movav: Average = "sma",
    safediv: bool = False,
    safehigh: float = 100.0,
    safelow: float = 50.0,
    lookback: int = 1,
) -> Line:
    """RelativeStrengthIndex by simple averages."""
    return _rsi(data, period, movav, lookback, (safehigh, safelow) if safediv else _UNSAFE)


@named("momentum", "rsi", drawn="bands", note=_NONE)
def RSI_EMA(
    data: Any,
    period: int = 14,
    movav: Average = "ema",
    safediv: bool = False,
    safehigh: float = 100.0,
    safelow: float = 50.0,
    lookback: int = 1,
) -> Line:
    """RelativeStrengthIndex by exponential averages."""
    return _rsi(data, period, movav, lookback, (safehigh, safelow) if safediv else _UNSAFE)


@named("momentum", "rsi", "RMI", drawn="bands", note=_NONE)
def RelativeMomentumIndex(
    data: Any,
    period: int = 20,
    movav: Average = "rma",
    safediv: bool = False,
    safehigh: float = 100.0,
    safelow: float = 50.0,
    lookback: int = 5,
) -> Line:
    """RelativeStrengthIndex of changes over lookback bars; backtrader's line is named rsi."""
    return _rsi(data, period, movav, lookback, (safehigh, safelow) if safediv else _UNSAFE)


@named("momentum", "lrsi", "LRSI", note=_NONE)
def LaguerreRSI(data: Any, period: int = 6, gamma: float = 0.5) -> Line:
    """Laguerre RSI, 0 to 1, whose stages begin with 0 at bar n; 1 where they are equal."""
    first = check_period("LaguerreRSI", period) - 1
    made: Line = momentum.laguerre(price_of(data), gamma=gamma, first=first, flat=1.0).strength
    return made


@named("momentum", "lfilter", "LAGF", note=_NONE)
def LaguerreFilter(data: Any, period: int = 1, gamma: float = 0.5) -> Line:
    """Laguerre filter, whose stages begin with 0 at bar n."""
    first = check_period("LaguerreFilter", period) - 1
    made: Line = momentum.laguerre(price_of(data), gamma=gamma, first=first).filter
    return made


def _percent_k(arithmetic: Arithmetic, close: list[Any], low: list[Any], high: list[Any], zero: float) -> Any:
    return 100.0 * arithmetic.divide(close[0] - low[0], high[0] - low[0], zero)


def _fast(data: Any, period: int, zero: float) -> Line:
    formula = Windowed("Stochastic", _percent_k, 1, 3, parameters=(float(zero),))
    return windowed(formula, data.close, over("MIN", data.low, period), over("MAX", data.high, period))


@named("momentum", "percK percD", drawn="bands safediv", note=_SAME.format("STOCHF"))
def StochasticFast(
    data: Any, period: int = 14, period_dfast: int = 3, movav: Average = "sma", safezero: float = 0.0
) -> tuple[Line, ...]:
    """%K, and %D, its average; safezero where there is no range, whatever safediv says."""
    fast = _fast(data, period, safezero)
    return fast, moving_average(fast, period_dfast, movav)


@named("momentum", "percK percD", "StochasticSlow", drawn="bands safediv", note=_SAME.format("STOCH"))
def Stochastic(
    data: Any,
    period: int = 14,
    period_dfast: int = 3,
    movav: Average = "sma",
    safezero: float = 0.0,
    period_dslow: int = 3,
) -> tuple[Line, ...]:
    """%K smoothed, and %D, the average of that."""
    slow = moving_average(_fast(data, period, safezero), period_dfast, movav)
    return slow, moving_average(slow, period_dslow, movav)


@named("momentum", "percK percD percDSlow", drawn="bands safediv", note="as STOCHF and an SMA")
def StochasticFull(
    data: Any,
    period: int = 14,
    period_dfast: int = 3,
    movav: Average = "sma",
    safezero: float = 0.0,
    period_dslow: int = 3,
) -> tuple[Line, ...]:
    """%K, %D, and the average of %D."""
    fast = _fast(data, period, safezero)
    slow = moving_average(fast, period_dfast, movav)
    return fast, slow, moving_average(slow, period_dslow, movav)


@named("momentum", "percR", drawn="bands", note=_SAME.format("WILLR"))
def WilliamsR(data: Any, period: int = 14) -> Line:
    """-100 * (highest high - close) / (highest high - lowest low)."""
    return attach(described()["WILLR"](period=period), data.high, data.low, data.close)[0]


@named("momentum", "ad", note="TA-Lib's WAD is the same, and begins a bar earlier")
def WilliamsAD(data: Any) -> Line:
    """Accumulated close - TrueLow on rises, and close - TrueHigh on falls."""
    close = data.close
    rise, fall = close - windows.true_low(data), close - windows.true_high(data)
    daily = where(close > close(-1), rise, where(close < close(-1), fall, 0.0))
    return attach(described()["CUMSUM"](), daily)[0]


@named(
    "momentum",
    "cci",
    "CCI",
    drawn="bands",
    note="TA-Lib's CCI takes one mean for the whole window, and begins n - 1 bars earlier",
)
def CommodityChannelIndex(data: Any, period: int = 20, factor: float = 0.015, movav: Average = "sma") -> Line:
    """(typical price - its average) / (factor * MeanDeviation)."""
    typical = (data.high + data.low + data.close) / 3.0
    middle = moving_average(typical, period, movav)
    made: Line = (typical - middle) / (factor * MeanDeviation(typical, middle, period=period))
    return made


@named("momentum", "uo", drawn="bands", note=_SAME.format("ULTOSC"))
def UltimateOscillator(data: Any, p1: int = 7, p2: int = 14, p3: int = 28) -> Line:
    """Buying pressure over true range of three spans, weighted 4 : 2 : 1."""
    pressure, span = data.close - windows.true_low(data), TrueRange(data)
    first, second, third = (SumN(pressure, period=one) / SumN(span, period=one) for one in (p1, p2, p3))
    made: Line = (4.0 * first + 2.0 * second + third) * (100.0 / 7.0)
    return made


@named("momentum", "ao", "AO AwesomeOsc", note=_SAME.format("AO"))
def AwesomeOscillator(data: Any, fast: int = 5, slow: int = 34, movav: Average = "sma") -> Line:
    """Fast average less slow average of the middle of the bar."""
    middle = (data.high + data.low) / 2.0
    return moving_average(middle, fast, movav) - moving_average(middle, slow, movav)


@named("momentum", "accde", "AccDeOsc", note=_SAME.format("AC"))
def AccelerationDecelerationOscillator(data: Any, period: int = 5, movav: Average = "sma") -> Line:
    """AwesomeOscillator less its average."""
    awesome = AwesomeOscillator(data)
    made: Line = awesome - moving_average(awesome, period, movav)
    return made


@named("momentum", "momentum", note=_SAME.format("MOM"))
def Momentum(data: Any, period: int = 12) -> Line:
    """x - x[n]."""
    line = price_of(data)
    return line - line(-period)


@named("momentum", "momosc", "MomentumOsc", drawn="band", note=_SAME.format("ROCR100"))
def MomentumOscillator(data: Any, period: int = 12) -> Line:
    """100 * x / x[n]."""
    line = price_of(data)
    return 100.0 * (line / line(-period))


@named("momentum", "roc", "ROC", note="TA-Lib's ROC is in percent; its ROCP is the same")
def RateOfChange(data: Any, period: int = 12) -> Line:
    """(x - x[n]) / x[n], a fraction."""
    line = price_of(data)
    return (line - line(-period)) / line(-period)


@named("momentum", "roc100", "ROC100", note="TA-Lib's ROC is the same")
def RateOfChange100(data: Any, period: int = 12) -> Line:
    """100 * (x - x[n]) / x[n]."""
    made: Line = 100.0 * RateOfChange(data, period)
    return made


_MACD = "TA-Lib's MACD begins both averages at one bar; they converge"


@named("momentum", "macd signal", note=_MACD)
def MACD(
    data: Any, period_me1: int = 12, period_me2: int = 26, period_signal: int = 9, movav: Average = "ema"
) -> tuple[Line, ...]:
    """Fast average less slow average, each begun as soon as it can be, and the average of that."""
    value = moving_average(data, period_me1, movav) - moving_average(data, period_me2, movav)
    return value, moving_average(value, period_signal, movav)


@named("momentum", "macd signal histo", "MACDHistogram", note=_MACD)
def MACDHisto(
    data: Any, period_me1: int = 12, period_me2: int = 26, period_signal: int = 9, movav: Average = "ema"
) -> tuple[Line, ...]:
    """MACD, its signal, and the difference of the two."""
    value, signal = MACD(data, period_me1, period_me2, period_signal, movav)
    return value, signal, value - signal


@named("momentum", "po", "APO PriceOsc AbsPriceOsc AbsolutePriceOscillator", note="TA-Lib's APO of emas is the same")
def PriceOscillator(data: Any, period1: int = 12, period2: int = 26, _movav: Average = "ema") -> Line:
    """Fast average less slow average."""
    return moving_average(data, period1, _movav) - moving_average(data, period2, _movav)


@named(
    "momentum",
    "ppo signal histo",
    "PPO PercPriceOsc",
    note="TA-Lib's PPO of emas is the same, without signal and histogram",
)
def PercentagePriceOscillator(
    data: Any, period1: int = 12, period2: int = 26, _movav: Average = "ema", period_signal: int = 9
) -> tuple[Line, ...]:
    """100 * (fast - slow) / slow, its average, and the difference of the two."""
    return _percentage(data, (period1, period2, period_signal), _movav, of=1)


@named("momentum", "ppo signal histo", "PPOShort PercPriceOscShort", note=_NONE)
def PercentagePriceOscillatorShort(
    data: Any, period1: int = 12, period2: int = 26, _movav: Average = "ema", period_signal: int = 9
) -> tuple[Line, ...]:
    """100 * (fast - slow) / fast, its average, and the difference of the two."""
    return _percentage(data, (period1, period2, period_signal), _movav, of=0)


def _percentage(data: Any, periods: tuple[int, int, int], movav: Average, *, of: int) -> tuple[Line, ...]:
    # Not the one of the room beside this: backtrader takes averages in any order.
    averages = [moving_average(data, period, movav) for period in periods[:2]]
    value = 100.0 * (averages[0] - averages[1]) / averages[of]
    signal = moving_average(value, periods[2], movav)
    return value, signal, value - signal


@named("momentum", "trix", "TRIX", note=_SAME.format("TRIX"))
def Trix(data: Any, period: int = 15, _rocperiod: int = 1, _movav: Average = "ema") -> Line:
    """100 * (A / A[n] - 1) of the three times smoothed A."""
    return momentum.trix_signal(data, period, 1, _rocperiod, _movav).value


@named("momentum", "trix signal", note="as TRIX and an EMA of it")
def TrixSignal(
    data: Any, period: int = 15, _rocperiod: int = 1, _movav: Average = "ema", sigperiod: int = 9
) -> tuple[Line, ...]:
    """Trix, and its average."""
    return momentum.trix_signal(data, period, sigperiod, _rocperiod, _movav)


@named("momentum", "tsi", "TSI", note=_SAME.format("TSI"))
def TrueStrengthIndicator(
    data: Any, period1: int = 25, period2: int = 13, pchange: int = 1, _movav: Average = "ema"
) -> Line:
    """100 * twice smoothed changes over twice smoothed absolute changes."""
    line = price_of(data)
    change = line - line(-pchange)
    top, bottom = (
        moving_average(moving_average(one, period1, _movav), period2, _movav) for one in (change, abs(change))
    )
    return 100.0 * (top / bottom)


_KST = {
    "rp1": 10,
    "rp2": 15,
    "rp3": 20,
    "rp4": 30,
    "rma1": 10,
    "rma2": 10,
    "rma3": 10,
    "rma4": 10,
    "rsignal": 9,
    "rfactors": (1.0, 2.0, 3.0, 4.0),
    "_rmovav": "sma",
    "_smovav": "sma",
}


@named("momentum", "kst signal", "KST", note=_NONE)
@with_defaults(_KST)
def KnowSureThing(data: Any, **given: Any) -> tuple[Line, ...]:
    """Weighted sum of four smoothed rates of change, in percent, and its average."""
    spans, periods = ([given[f"{word}{at}"] for at in range(1, 5)] for word in ("rp", "rma"))
    value = momentum.know_sure_thing(data, spans, periods, given["rfactors"], average=given["_rmovav"]).value
    return value, moving_average(value, given["rsignal"], given["_smovav"])


@named("momentum", "dv2", note=_NONE)
def DV2(data: Any, period: int = 252, maperiod: int = 2, _movav: Average = "sma") -> Line:
    """100 * PercentRank of the smoothed close over the middle of the bar."""
    return momentum.dv2(data, period, maperiod, _movav)
