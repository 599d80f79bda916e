"""Volume: average prices by session and from an anchor on, and at which prices it was traded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cambist.indicators.lines import Line
from cambist.indicators.sessions import session_day, time_of
from cambist.indicators.steps import recursive
from cambist.indicators.windowed import check_number, check_period

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = ["VolumeProfile", "anchored_vwap", "session_vwap", "volume_profile"]


class VolumeProfile(NamedTuple):
    """Prices of the last bars by volume."""

    point_of_control: Line
    value_high: Line
    value_low: Line


@recursive(state=3, name="vwap")
def _since_change(state: Any, row: int, price: float, volume: float, session: float, /) -> tuple[float, ...]:
    if row == 0 or session != state[2]:
        state[0], state[1], state[2] = 0.0, 0.0, session
    state[0] += price * volume
    state[1] += volume
    return (state[0] / state[1] if state[1] != 0.0 else price,)


@recursive(state=3, name="anchored_vwap")
def _since_anchor(state: Any, _row: int, price: float, volume: float, anchor: float, /) -> tuple[float, ...]:
    if anchor != 0.0:
        state[0], state[1], state[2] = 0.0, 0.0, 1.0
    if state[2] == 0.0:
        return (np.nan,)
    state[0] += price * volume
    state[1] += volume
    return (state[0] / state[1] if state[1] != 0.0 else price,)


def _typical(data: Any) -> Line:
    typical: Line = (data.high + data.low + data.close) / 3.0
    return typical


def session_vwap(data: Any, zone: str = "UTC", begins: str = "00:00") -> Line:
    """Volume-weighted average price of the session.

    sum of TP * V over sum of V since the first bar of the day; the typical price while nothing was traded (TA-Lib's
    VWAP never begins anew). Stephen Berkowitz, Dennis Logue and Eugene Noser, Journal of Finance 43:1 (1988).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    zone, begins
        Time zone and time of day at which a session begins; see `session_day`.

    Returns
    -------
    Line
        A price. Lookback 0.
    """
    made: Line = _since_change(_typical(data), data.volume, session_day(data, zone, begins))
    return made


def anchored_vwap(data: Any, since: Line | int | str | date | datetime) -> Line:
    """Volume-weighted average price from an anchor on.

    sum of TP * V over sum of V since the anchor; NaN before it. Brian Shannon, Maximum Trading Gains with Anchored VWAP
    (2022).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    since
        A time (without a zone it is UTC): the anchor is the first bar that opens at it or later. Or a line: each bar on
        which it is not zero is a new anchor, such as ``since_highest(data.high, 50) <= 0``.

    Returns
    -------
    Line
        A price. Lookback 0, or that of the line.
    """
    if not isinstance(since, Line):
        from cambist.model.times import to_ns

        late = time_of(data) >= to_ns(since) / 1e9
        since = first_of(late)
    made: Line = _since_anchor(_typical(data), data.volume, since)
    return made


@recursive(state=1, name="first_of")
def _first(state: Any, _row: int, condition: float, /) -> tuple[float, ...]:
    if condition == 0.0 or state[0] != 0.0:
        return (0.0,)
    state[0] = 1.0
    return (1.0,)


def first_of(condition: Line) -> Line:
    """Return 1 on the first bar ever on which a condition holds, 0 on all others."""
    made: Line = _first(condition)
    return made


def _profiled(
    state: Any,
    row: int,
    high: float,
    low: float,
    volume: float,
    /,
    period: int = 20,
    bins: int = 24,
    share: float = 0.7,
) -> tuple[float, ...]:
    # state: rings of high, low and volume, then the bins
    at = int(row % period)
    state[at], state[period + at], state[2 * period + at] = high, low, volume
    if row < period - 1:
        return np.nan, np.nan, np.nan
    top, bottom = state[0], state[period]
    for bar in range(period):
        top, bottom = max(top, state[bar]), min(bottom, state[period + bar])
    if not top > bottom:
        return top, top, bottom
    width, first = (top - bottom) / bins, 3 * period
    for place in range(bins):
        state[first + place] = 0.0
    for bar in range(period):
        above, below, size = state[bar], state[period + bar], state[2 * period + bar]
        begin = min(bins - 1, int((below - bottom) / width))
        end = min(bins - 1, int((above - bottom) / width))
        if begin == end or above <= below:
            state[first + begin] += size
            continue
        for place in range(begin, end + 1):
            edge = bottom + place * width
            part = min(above, edge + width) - max(below, edge)
            state[first + place] += size * max(0.0, part) / (above - below)
    most, total = 0, 0.0
    for place in range(bins):
        total += state[first + place]
        if state[first + place] > state[first + most]:
            most = place
    lower, upper, held = most, most, state[first + most]
    while held < share * total and (lower > 0 or upper < bins - 1):
        under = state[first + lower - 1] if lower > 0 else -1.0
        over = state[first + upper + 1] if upper < bins - 1 else -1.0
        if over >= under:
            upper += 1
            held += over
        else:
            lower -= 1
            held += under
    return bottom + (most + 0.5) * width, bottom + (upper + 1) * width, bottom + lower * width


_PROFILE = recursive(
    state=lambda period, bins, **_: 3 * int(period) + int(bins),
    lookback=lambda period, **_: int(period) - 1,
    outputs=("point_of_control", "value_high", "value_low"),
    name="volume_profile",
    heavy=True,
)(_profiled)


def volume_profile(data: Any, period: int = 20, bins: int = 24, value_area: float = 0.7) -> VolumeProfile:
    """Volume profile of the last bars: point of control and value area.

    The volume of each bar, spread evenly over its range, in `bins` equal parts of the range of n bars. The point of
    control is the middle of the fullest part, the lowest of several; from there the fuller neighbor is added, the upper
    of two equal ones, until the value area holds its share. Peter Steidlmayer, Markets and Market Logic (1986).

    Parameters
    ----------
    data
        A series, such as ``self.data``.
    period
        Bars.
    bins
        Parts, 2 to 1,000.
    value_area
        Share of the volume, 0 to 1.

    Returns
    -------
    VolumeProfile
        Lines point_of_control, value_high, value_low: prices. Lookback: ``period - 1``.
    """
    period = check_period("volume_profile", period)
    parts = int(check_number("volume_profile", bins, "bins", 2, 1_000))
    share = check_number("volume_profile", value_area, "value_area", 0.0, 1.0)
    return VolumeProfile(*_PROFILE(data.high, data.low, data.volume, period=period, bins=parts, share=share))
