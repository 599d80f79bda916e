"""A run beside a benchmark: the measures that need both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.curve import EquityCurve
from cambist.analysis.measures.beta import alpha_of, beta_of, correlation_of
from cambist.analysis.measures.information_ratio import information_ratio_of, tracking_error_of
from cambist.analysis.pairs import pair_returns
from cambist.analysis.period_equity import PeriodEquity, equity_by_period
from cambist.analysis.periods import Period
from cambist.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cambist.analysis.facts import RunFacts

__all__ = ["Comparison", "compare"]


@attrs.frozen(slots=True)
class Comparison:
    """How a run went along with something else. Each measure is NaN where it does not exist.

    Attributes
    ----------
    count
        Returns that both have.
    alpha, beta, correlation
        See `cambist.analysis.measures.beta`.
    tracking_error, information_ratio
        See `cambist.analysis.measures.information_ratio`.
    """

    count: int
    alpha: float
    beta: float
    correlation: float
    tracking_error: float
    information_ratio: float


def compare(
    facts: RunFacts, benchmark: pd.Series[float] | EquityCurve | None = None, *, risk_free: float = 0.0
) -> Comparison:
    """Return the measures of a run beside a benchmark, over the days on which both have a value.

    Parameters
    ----------
    facts
        Of the run.
    benchmark
        Simple returns by day, indexed by dates or by daily periods (a time stands for its date, in its own zone), or
        the equity curve of another run. NaN is a day without a return. The run's own benchmark where none is given.
    risk_free
        Yearly rate that can be earned without risk, as a fraction, for alpha.

    Raises
    ------
    InputError
        If the index holds no dates, or one twice or out of order, or a return is below -1.
    ParameterError
        If `risk_free` is no rate.
    """
    pairs = pair_returns(facts, None if benchmark is None else _by_day(benchmark))
    return Comparison(
        count=len(pairs.own),
        alpha=alpha_of(pairs, risk_free),
        beta=float(beta_of(pairs.own, pairs.other)),
        correlation=float(correlation_of(pairs.own, pairs.other)),
        tracking_error=tracking_error_of(pairs),
        information_ratio=information_ratio_of(pairs),
    )


def _by_day(benchmark: pd.Series[float] | EquityCurve) -> PeriodEquity:
    """Return what 1 became by the end of each day."""
    import pandas as pd

    if isinstance(benchmark, EquityCurve):
        return equity_by_period(benchmark, Period.DAY)
    given: object = benchmark
    index = given.index if isinstance(given, pd.Series) else None
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp(how="end")
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(
            f"a benchmark is a series of daily returns indexed by date, or an equity curve; this is a "
            f"{type(given).__name__} of {type(index).__name__}. Set its dates as index."
        )
    known = benchmark.notna().to_numpy()
    days = index[known].tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    returns = benchmark.to_numpy(np.float64)[known]
    wrong = np.flatnonzero((np.diff(days, prepend=days[:1] - 1) < 1) | ~(returns >= -1.0) | np.isinf(returns))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"the benchmark's return of {np.datetime64(int(days[row]), 'D')} is {returns[row]}, after that of "
            f"{np.datetime64(int(days[max(row - 1, 0)]), 'D')}. Give one return a day as a fraction, in order of time."
        )
    return PeriodEquity(days, np.concatenate((np.ones(1), np.cumprod(1.0 + returns))))
