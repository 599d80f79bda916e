"""backtrader's indicators by their names, aliases, parameters and lines, with its numbers.

For those who come from there: ``from cambist.indicators import backtrader as btind``, then ``btind.SMA(self.data,
period=15)`` in ``on_start``. A series stands for its close where one line is needed; an average for another
(``movav=btind.EMA``, or its name in TA-Lib, ``movav="ema"``); parameters that only matter for drawing may be given, and
change nothing.

Where backtrader looks into the future (the lagging span of Ichimoku) or writes into the past (Fractal), the number
comes on the bar on which it is known. Where it stops with an error of Python's (a division by zero), there is a number
or NaN.
"""

from typing import TYPE_CHECKING, Any

from cambist.indicators.backtrader import averages, levels, momentum, ranges, windows
from cambist.indicators.backtrader.naming import INDICATORS, Named

_NAMES: dict[str, Named] = {}
for _one in INDICATORS.values():
    for _name in (_one.name, *_one.aliases):
        _NAMES[_name] = _one

__all__ = sorted(_NAMES)  # noqa: PLE0605 - a list, of names that are a table's

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    globals().update(_NAMES)

del averages, levels, momentum, ranges, windows
