"""Indicators: lines computed from lines, the same in a backtest and live.

In ``on_start`` a strategy combines the lines of its data, ``crossover(SMA(close, 10), SMA(close, 30))``; in ``on_bar``
it reads them, ``self.cross[0]``. Every function of TA-Lib is here by its own name, and made when it is asked for; so is
every indicator that TA-Lib lacks. `cambist.indicators.backtrader` has backtrader's, by its names and with its numbers.
"""

from typing import TYPE_CHECKING

from cambist.indicators import talib_functions, talib_lines
from cambist.indicators.arithmetic import absolute, delay, maximum, minimum
from cambist.indicators.catalog import NATIVE, native
from cambist.indicators.computation import Computation, Stream
from cambist.indicators.crossing import crossed_above, crossed_below, crossover
from cambist.indicators.custom import check_indicator, indicator
from cambist.indicators.extremes import highest, lowest
from cambist.indicators.lines import Line, attach
from cambist.indicators.steps import recursive

__all__ = [
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
    "recursive",
]

if TYPE_CHECKING:
    from cambist.indicators.averages import *  # noqa: F403
    from cambist.indicators.flow import *  # noqa: F403
    from cambist.indicators.levels import *  # noqa: F403
    from cambist.indicators.momentum import *  # noqa: F403
    from cambist.indicators.sessions import *  # noqa: F403
    from cambist.indicators.statistics import *  # noqa: F403
    from cambist.indicators.talib_lines import *  # noqa: F403 - 201 names, which the stub spells out
    from cambist.indicators.trend import *  # noqa: F403
    from cambist.indicators.volumes import *  # noqa: F403
    from cambist.indicators.windowed import where  # noqa: F401
    from cambist.indicators.windows import *  # noqa: F403
else:
    __all__ += talib_lines.__all__
    __all__ += list(NATIVE.keys() - set(__all__))

    def __getattr__(name):  # noqa: ANN001, ANN202
        if name in NATIVE:
            return native(name)
        if name not in talib_functions.names():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(talib_lines, name)
