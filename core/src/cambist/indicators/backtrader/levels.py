# ruff: noqa: N802 - the names are backtrader's
"""backtrader's candles, pivots and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.indicators import levels, momentum, statistics
from cambist.indicators.backtrader.naming import named
from cambist.indicators.lines import attach
from cambist.indicators.talib_functions import described
from cambist.indicators.windowed import price_of, where

if TYPE_CHECKING:
    from cambist.indicators.averages import Average
    from cambist.indicators.lines import Line

_NONE = "TA-Lib has none"


@named("candles", "ha_open ha_high ha_low ha_close", note="TA-Lib's HA is the same")
def HeikinAshi(data: Any) -> tuple[Line, ...]:
    """Heikin-Ashi candles."""
    return attach(described()["HA"](), data.open, data.high, data.low, data.close)


@named("candles", "haDelta smoothed", "haD", note=_NONE)
def haDelta(data: Any, period: int = 3, movav: Average = "sma", autoheikin: bool = True) -> tuple[Line, ...]:
    """Close less open of the Heikin-Ashi candles, and its average."""
    return momentum.candle_delta(data, period, movav, heikin_ashi=autoheikin)


def _price(opened: bool, close: bool) -> str:
    return "close twice" if close else "open" if opened else "close"


@named("levels", "p s1 s2 r1 r2", drawn="_autoplot", note=_NONE)
def PivotPoint(data: Any, open: bool = False, close: bool = False) -> tuple[Line, ...]:  # noqa: A002
    """(H + L + C) / 3 and two levels either side, of the bar of the series."""
    made = levels.pivots(data, _price(open, close))
    return made.p, made.s1, made.s2, made.r1, made.r2


@named("levels", "p s1 s2 s3 r1 r2 r3", drawn="_autoplot", note=_NONE)
def FibonacciPivotPoint(
    data: Any,
    open: bool = False,  # noqa: A002
    close: bool = False,
    level1: float = 0.382,
    level2: float = 0.618,
    level3: float = 1.0,
) -> tuple[Line, ...]:
    """(H + L + C) / 3 and three shares of the range either side."""
    return levels.fibonacci_pivots(data, level1, level2, level3, _price(open, close))


@named(
    "levels",
    "p s1 r1",
    drawn="_autoplot open close level1 level2 level3",
    note="TA-Lib has none. Demark's own, `demark_pivots`, takes 2 * H + L + C where the bar rose, and H + L + 2 * C "
    "where it did not move: backtrader has these two the other way round. Its numbers in event mode are a defect",
)
def DemarkPivotPoint(data: Any) -> tuple[Line, ...]:
    """Levels of x: H + 2 * L + C where the bar fell, H + L + 2 * C where it rose, 2 * H + L + C where neither."""
    high, low, close = data.high, data.low, data.close
    rose = where(close > data.open, high + low + 2.0 * close, 2.0 * high + low + close)
    x = where(close < data.open, high + 2.0 * low + close, rose)
    return x / 4.0, x / 2.0 - high, x / 2.0 - low


@named("statistics", "hurst", "Hurst", note=_NONE)
def HurstExponent(data: Any, period: int = 40, lag_start: int | None = None, lag_end: int | None = None) -> Line:
    """Slope of log deviation of lagged differences over log lag, lag_end exclusive."""
    return statistics.hurst(data, period, lag_start or 2, (lag_end or period // 2) - 1)


@named("statistics", "slope intercept", note="TA-Lib's BETA is of rates of change")
def OLS_Slope_InterceptN(data0: Any, data1: Any, period: int = 10) -> tuple[Line, ...]:
    """Regression of the first line on the second."""
    return statistics.pair_regression(price_of(data0), price_of(data1), period)


@named("statistics", "spread spread_mean spread_std zscore", note=_NONE)
def OLS_TransformationN(data0: Any, data1: Any, period: int = 10) -> tuple[Line, ...]:
    """What a regression over ten bars (whatever the period) leaves over, its mean, deviation and z-score."""
    return statistics.pair_spread(price_of(data0), price_of(data1), period, 10)


@named("statistics", "beta", note="TA-Lib's BETA is of rates of change; backtrader's needs a pandas of long ago")
def OLS_BetaN(data0: Any, data1: Any, period: int = 10) -> Line:
    """Slope of the regression of the first line on the second."""
    return statistics.pair_beta(price_of(data0), price_of(data1), period)


@named("statistics", "score pvalue", note=_NONE)
def CointN(data0: Any, data1: Any, period: int = 10, trend: str = "c") -> tuple[Line, ...]:
    """Score and p-value of the test of cointegration of Engle and Granger."""
    return statistics.cointegration(price_of(data0), price_of(data1), period, trend)
