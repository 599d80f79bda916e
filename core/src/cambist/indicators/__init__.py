"""Indicators: lines computed from lines, the same in a backtest and live.

In ``on_start`` a strategy combines the lines of its data, ``crossover(SMA(close, 10), SMA(close, 30))``; in ``on_bar``
it reads them, ``self.cross[0]``. TA-Lib does the work where it has the formula, and is imported when first needed.
"""

from cambist.indicators.arithmetic import absolute, delay, maximum, minimum
from cambist.indicators.computation import Computation, Stream
from cambist.indicators.crossing import crossed_above, crossed_below, crossover
from cambist.indicators.custom import check_indicator, indicator
from cambist.indicators.lines import Line, attach
from cambist.indicators.studies import ATR, BBANDS, EMA, MACD, RSI, SMA, highest, lowest

__all__ = [
    "ATR",
    "BBANDS",
    "EMA",
    "MACD",
    "RSI",
    "SMA",
    "Computation",
    "Line",
    "Stream",
    "absolute",
    "attach",
    "check_indicator",
    "crossed_above",
    "crossed_below",
    "crossover",
    "delay",
    "highest",
    "indicator",
    "lowest",
    "maximum",
    "minimum",
]
