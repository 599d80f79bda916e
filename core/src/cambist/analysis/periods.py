"""How many samples of an equity curve make a year."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["day_numbers", "infer_periods_per_year"]

#: The year of a market that never closes, of one that rests one day a week, and of a stock exchange.
_EVERY_DAY, _SIX_DAYS, _BUSINESS_DAYS = 365.0, 313.0, 252.0
_YEAR_NS = 365.25 * DAY_NS
_SATURDAY, _SUNDAY = 5, 6


def day_numbers(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the UTC day, counted from 1970-01-01, that each close belongs to.

    A bar that closes at midnight belongs to the day that ends there, hence the nanosecond taken off.

    Parameters
    ----------
    times
        Close times, ns, UTC, shape ``(n,)``.
    """
    return (times - 1) // DAY_NS


def infer_periods_per_year(times: NDArray[np.int64]) -> float:
    """Return how many periods of a sampled equity curve make a year.

    Parameters
    ----------
    times
        Times of the curve, ns, UTC, shape ``(m,)``: the start of the run, then one sample per UTC day, or per
        bar where bars are longer.

    Returns
    -------
    float
        With a median spacing above a day and a half, 365.25 days over that spacing: 52.18 for weeks. Else the
        samples are daily, and their weekdays tell the market: 365 when it trades on Saturdays and Sundays, 313 when
        it trades on six days of the week (currencies and futures, open from Sunday evening), else 252. NaN without
        a sample.

    Notes
    -----
    A weekday counts as traded when it has at least half of the samples that an even spread over seven days would
    give it, so that a rare special session on a Saturday changes nothing.
    """
    if len(times) < 2:
        return nan
    spacing = float(np.median(np.diff(times)))
    if spacing > 1.5 * DAY_NS:
        return _YEAR_NS / spacing
    # 1970-01-01 was a Thursday, and Monday is day 0.
    weekdays = np.bincount((day_numbers(times[1:]) + 3) % 7, minlength=7)
    traded = weekdays * 14 >= len(times) - 1
    if traded[_SATURDAY] and traded[_SUNDAY]:
        return _EVERY_DAY
    return _SIX_DAYS if np.count_nonzero(traded) == 6 else _BUSINESS_DAYS
