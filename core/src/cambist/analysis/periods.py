"""Days, weeks, months, quarters and years: which of them a sample belongs to, and how many make a year."""

from __future__ import annotations

from enum import StrEnum
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import ParameterError, did_you_mean
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Period", "day_numbers", "infer_periods_per_year", "period_numbers", "periods_per_year"]


class Period(StrEnum):
    """What a curve is cut into, by the calendar in UTC. A day ends at midnight, a week on Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @classmethod
    def of(cls, word: Period | str) -> Period:
        """Return the period that `word` names.

        Raises
        ------
        ParameterError
            If it names none.
        """
        try:
            return cls(word)
        except ValueError:
            raise ParameterError(f"{word!r} is no period.{did_you_mean(str(word), cls)}") from None


#: The year of a market that never closes, of one that rests one day a week, and of a stock exchange.
_EVERY_DAY, _SIX_DAYS, _BUSINESS_DAYS = 365.0, 313.0, 252.0
_YEAR_NS = 365.25 * DAY_NS
_SATURDAY, _SUNDAY = 5, 6
_PER_YEAR = {Period.WEEK: 52.0, Period.MONTH: 12.0, Period.QUARTER: 4.0, Period.YEAR: 1.0}


def day_numbers(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the UTC day, counted from 1970-01-01, that each close belongs to.

    A bar that closes at midnight belongs to the day that ends there, hence the nanosecond taken off.

    Parameters
    ----------
    times
        Close times, ns, UTC, shape ``(n,)``.
    """
    return (times - 1) // DAY_NS


def period_numbers(times: NDArray[np.int64], period: Period) -> NDArray[np.int64]:
    """Return the period, counted from the one that holds 1970-01-01, that each close belongs to.

    Parameters
    ----------
    times
        Close times, ns, UTC, shape ``(n,)``; midnight belongs to the day that ends there, see `day_numbers`.
    period
        Which.
    """
    days = day_numbers(times)
    if period is Period.DAY:
        return days
    if period is Period.WEEK:
        return (days + 3) // 7  # 1970-01-01 was a Thursday, and weeks begin on Monday
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}[period]


def periods_per_year(period: Period, samples_per_year: float) -> float:
    """Return how many periods of one kind make a year: 52 weeks, 12 months, 4 quarters; of days, as many as samples.

    Parameters
    ----------
    period
        Which.
    samples_per_year
        Samples of the curve in a year: bars longer than the period are the periods there are.
    """
    return min(_PER_YEAR.get(period, samples_per_year), samples_per_year)


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
