"""Returns of a run and of something else over the same stretches of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.period_equity import equity_by_period
from cambist.analysis.periods import Period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.period_equity import PeriodEquity

__all__ = ["PairedReturns", "pair_returns"]


@attrs.frozen(eq=False, slots=True)
class PairedReturns:
    """Returns over the same stretches of time.

    Attributes
    ----------
    days
        Day at the end of each stretch, see `cambist.analysis.periods.day_numbers`, int64, shape ``(n,)``.
    own, other
        Simple returns of the run and of what it is compared with, float64, shape ``(n,)`` each.
    per_year
        Stretches in a year.
    """

    days: NDArray[np.int64]
    own: NDArray[np.float64]
    other: NDArray[np.float64]
    per_year: float


def pair_returns(facts: RunFacts, other: PeriodEquity | None = None) -> PairedReturns:
    """Return the returns of a run and of `other` between the days on which both have a value.

    Where one of them misses a day, the returns of both run over the gap, so that neither is set against a move that it
    could not have seen.

    Parameters
    ----------
    facts
        Of the run.
    other
        Worth of something else by day; the benchmark of `facts` where none is given.

    Returns
    -------
    PairedReturns
        Empty without anything to compare with, or when either was ever worth nothing.
    """
    nothing = PairedReturns(np.empty(0, np.int64), np.empty(0), np.empty(0), facts.curve.periods_per_year)
    if other is None:
        if facts.benchmark is None:
            return nothing
        other = equity_by_period(facts.benchmark, Period.DAY)
    if facts.curve.ruined or float(other.equity.min()) <= 0.0:
        return nothing
    own = facts.period_equity(Period.DAY)
    days, mine, others = np.intersect1d(own.numbers, other.numbers, assume_unique=True, return_indices=True)
    return attrs.evolve(
        nothing, days=days, own=_returns_between(own.equity, mine), other=_returns_between(other.equity, others)
    )


def _returns_between(equity: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the returns up to each row from the one before, for the first from the value just before it."""
    before = np.concatenate((rows[:1], rows[:-1] + 1))
    return equity[rows + 1] / equity[before] - 1.0
