"""Returns by day, week, month, quarter or year, and what can be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.periods import Period
from cambist.analysis.tables.labels import period_index

if TYPE_CHECKING:
    import pandas as pd

    from cambist.analysis.facts import RunFacts

__all__ = ["PeriodStatistics", "annual_returns", "monthly_returns", "period_returns", "period_statistics"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@attrs.frozen(slots=True)
class PeriodStatistics:
    """What the returns of one kind of period were like.

    Attributes
    ----------
    period
        Which.
    count
        Number of periods.
    average, deviation
        Mean and standard deviation of their returns, as fractions.
    positive, negative, unchanged
        How many were above, below and exactly 0.
    best, worst
        Largest and smallest return.
    """

    period: str
    count: int
    average: float
    deviation: float
    positive: int
    negative: int
    unchanged: int
    best: float
    worst: float


def period_returns(facts: RunFacts, period: Period | str = "day", *, log: bool = False) -> pd.Series[float]:
    """Return the return of each period by its label, float64.

    From the last value of a period to that of the next, the first from the initial equity. The first and the last
    period may be parts of one. A period without a bar is left out; NaN from the one that begins with nothing left.

    Parameters
    ----------
    facts
        Of the run.
    period
        See `cambist.analysis.periods.Period`.
    log
        Logarithmic returns, ``log(1 + r)``, which add up; else simple ones, ``e[i] / e[i - 1] - 1``.

    Raises
    ------
    ParameterError
        If `period` is none.
    """
    import pandas as pd

    period = Period.of(period)
    cut = facts.period_equity(period)
    returns = cut.returns
    if log:
        # What has lost everything, or more, has no logarithm.
        returns = np.log1p(np.where(returns > -1.0, returns, np.nan))
    return pd.Series(returns, index=period_index(cut.numbers, period), name="log_return" if log else "return")


def annual_returns(facts: RunFacts) -> pd.Series[float]:
    """Return the return of each calendar year, by the year as a number; see `period_returns`."""
    import pandas as pd

    cut = facts.period_equity(Period.YEAR)
    return pd.Series(cut.returns, index=pd.Index(cut.numbers + 1970, name="year"), name="return")


def monthly_returns(facts: RunFacts) -> pd.DataFrame:
    """Return the returns of the months: a row for each year, a column for each month, and ``Year`` for the whole of it.

    A month without a bar is NaN. ``Year`` is the return of the year, which the months compound to.
    """
    import pandas as pd

    months, years = facts.period_equity(Period.MONTH), facts.period_equity(Period.YEAR)
    table = np.full((len(years.numbers), 13), np.nan)
    table[np.searchsorted(years.numbers, months.numbers // 12), months.numbers % 12] = months.returns
    table[:, 12] = years.returns
    return pd.DataFrame(table, index=pd.Index(years.numbers + 1970, name="year"), columns=[*_MONTHS, "Year"])


def period_statistics(facts: RunFacts, period: Period | str = "year", *, ddof: int = 1) -> PeriodStatistics:
    """Return average, deviation, extremes and signs of the returns of a period.

    Averages and extremes are NaN without a period, the deviation with fewer than two, and all of them once the account
    was worth nothing. With ``ddof=0`` the numbers of backtrader's ``PeriodStats``.

    Parameters
    ----------
    facts
        Of the run.
    period
        See `cambist.analysis.periods.Period`.
    ddof
        1 for the sample's deviation, 0 for the population's.

    Raises
    ------
    ParameterError
        If `period` is none.
    """
    period = Period.of(period)
    returns = facts.period_equity(period).returns
    count = len(returns)
    return PeriodStatistics(
        period=str(period),
        count=count,
        average=float(returns.mean()) if count else np.nan,
        deviation=float(returns.std(ddof=ddof)) if count > 1 else np.nan,
        positive=int(np.count_nonzero(returns > 0.0)),
        negative=int(np.count_nonzero(returns < 0.0)),
        unchanged=int(np.count_nonzero(returns == 0.0)),
        best=float(returns.max()) if count else np.nan,
        worst=float(returns.min()) if count else np.nan,
    )
