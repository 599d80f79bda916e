"""The highest and the lowest of the last bars, under the names that a strategy reads best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.indicators.lines import attach
from cambist.indicators.talib_functions import described

if TYPE_CHECKING:
    from cambist.indicators.lines import Line

__all__ = ["highest", "lowest"]


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
    return attach(described()["MAX"](period=period), line)[0]


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
    return attach(described()["MIN"](period=period), line)[0]
