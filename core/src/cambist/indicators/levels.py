"""Pivot levels: prices made of one bar, to be watched during the next.

Give them the series whose bars are the periods: days, weeks. The levels of a bar are known when it has closed, so on
the slow series ``line[0]`` is for the period that follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.errors import ParameterError, did_you_mean
from cambist.indicators.lines import attach
from cambist.indicators.windowed import Arithmetic, Windowed, check_number, where

if TYPE_CHECKING:
    from cambist.indicators.lines import Line

__all__ = [
    "Camarilla",
    "DemarkPivots",
    "Pivots",
    "camarilla_pivots",
    "demark_pivots",
    "fibonacci_pivots",
    "pivots",
    "woodie_pivots",
]


class Pivots(NamedTuple):
    """A pivot, and levels of support below and of resistance above it."""

    p: Line
    s1: Line
    s2: Line
    s3: Line
    r1: Line
    r2: Line
    r3: Line


class DemarkPivots(NamedTuple):
    """A pivot, and a level either side."""

    p: Line
    s1: Line
    r1: Line


class Camarilla(NamedTuple):
    """Four levels either side of the close."""

    s1: Line
    s2: Line
    s3: Line
    s4: Line
    r1: Line
    r2: Line
    r3: Line
    r4: Line


_WEIGHTS = ("close", "close twice", "open")


def pivot_of(data: Any, price: str) -> Line:
    """Return the mean of a bar: (H + L + C) / 3, with the close counted twice, or with the open."""
    if price not in _WEIGHTS:
        raise ParameterError(
            f"pivots: price is {price!r}.{did_you_mean(price, _WEIGHTS)} It must be one of {', '.join(_WEIGHTS)}."
        )
    total: Line = data.high + data.low + data.close
    if price == "close":
        return total / 3.0
    fourth: Line = data.open if price == "open" else data.close
    return (total + fourth) / 4.0


def pivots(data: Any, price: str = "close") -> Pivots:
    """Classic pivot levels.

    p = (H + L + C) / 3; s1 = 2 * p - H, r1 = 2 * p - L; s2, r2 = p -+ (H - L); s3 = L - 2 * (H - p), r3 = H + 2 * (p -
    L). Floor traders' rule; John Person, A Complete Guide to Technical Trading Tactics (2004).

    Parameters
    ----------
    data
        A series, such as that of the days.
    price
        ``"close"``; ``"close twice"`` or ``"open"`` for (H + L + C + C) / 4 or (H + L + C + O) / 4.

    Returns
    -------
    Pivots
        Lines p, s1, s2, s3, r1, r2, r3: prices for the bar that follows. Lookback 0.
    """
    formula = Windowed("pivots", _classic, 1, 3, outputs=Pivots._fields)
    return Pivots(*attach(formula, pivot_of(data, price), data.high, data.low))


def _classic(arithmetic: Arithmetic, pivot: list[Any], high: list[Any], low: list[Any]) -> tuple[Any, ...]:
    del arithmetic
    p, h, l = pivot[0], high[0], low[0]  # noqa: E741 - as the formula has it
    span = h - l
    return p, 2.0 * p - h, p - span, l - 2.0 * (h - p), 2.0 * p - l, p + span, h + 2.0 * (p - l)


def fibonacci_pivots(
    data: Any, first: float = 0.382, second: float = 0.618, third: float = 1.0, price: str = "close"
) -> Pivots:
    """Pivot levels at Fibonacci's shares of the range.

    p = (H + L + C) / 3, and p -+ share * (H - L) for three shares. Robert Fischer, Fibonacci Applications and
    Strategies for Traders (1993).

    Parameters
    ----------
    data
        A series, such as that of the days.
    first, second, third
        Shares of the range.
    price
        As of `pivots`.

    Returns
    -------
    Pivots
        Lines p, s1, s2, s3, r1, r2, r3: prices for the bar that follows. Lookback 0.
    """
    p, span = pivot_of(data, price), data.high - data.low
    names = ("first", "second", "third")
    shares = [
        check_number("fibonacci_pivots", share, name, 0.0, 100.0)
        for share, name in zip((first, second, third), names, strict=True)
    ]
    return Pivots(p, *(p - share * span for share in shares), *(p + share * span for share in shares))


def demark_pivots(data: Any) -> DemarkPivots:
    """Demark's pivot levels.

    x = H + 2 * L + C where C < O, 2 * H + L + C where C > O, H + L + 2 * C else; p = x / 4, s1 = x / 2 - H, r1 = x / 2
    - L. Thomas Demark, The New Science of Technical Analysis (1994).

    Parameters
    ----------
    data
        A series, such as that of the days.

    Returns
    -------
    DemarkPivots
        Lines p, s1, r1: prices for the bar that follows. Lookback 0.
    """
    high, low, close = data.high, data.low, data.close
    even = high + low + 2.0 * close
    x = where(close < data.open, high + 2.0 * low + close, where(close > data.open, 2.0 * high + low + close, even))
    return DemarkPivots(x / 4.0, x / 2.0 - high, x / 2.0 - low)


def woodie_pivots(data: Any) -> Pivots:
    """Woodie's pivot levels, with the close counted twice.

    p = (H + L + 2 * C) / 4; the levels are those of `pivots`. Ken Wood.

    Parameters
    ----------
    data
        A series, such as that of the days.

    Returns
    -------
    Pivots
        Lines p, s1, s2, s3, r1, r2, r3: prices for the bar that follows. Lookback 0.
    """
    return pivots(data, "close twice")


def camarilla_pivots(data: Any) -> Camarilla:
    """Camarilla levels around the close.

    C -+ 1.1 * (H - L) / d with d = 12, 6, 4, 2. Nick Scott (1989).

    Parameters
    ----------
    data
        A series, such as that of the days.

    Returns
    -------
    Camarilla
        Lines s1 to s4 below and r1 to r4 above: prices for the bar that follows. Lookback 0.
    """
    reach = (data.high - data.low) * 1.1
    steps = [reach / divisor for divisor in (12.0, 6.0, 4.0, 2.0)]
    return Camarilla(*(data.close - step for step in steps), *(data.close + step for step in steps))
