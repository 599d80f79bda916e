"""Information ratio and tracking error: how far the run went from its benchmark, and how steadily."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

from cambist.analysis.measures.sharpe import sharpe_of
from cambist.analysis.pairs import PairedReturns, pair_returns

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["information_ratio", "information_ratio_of", "tracking_error", "tracking_error_of"]


def tracking_error(facts: RunFacts) -> float:
    """Return the deviation of the daily returns from those of the benchmark, ``std(r - b) * sqrt(P)``.

    A fraction a year, with the sample's deviation. NaN without a benchmark, with fewer than two common returns, or
    when equity of either was ever zero or below.
    """
    return tracking_error_of(pair_returns(facts))


def information_ratio(facts: RunFacts) -> float:
    """Return what the run made beyond its benchmark over how unsteadily, ``mean(r - b) / std(r - b) * sqrt(P)``.

    Of the daily returns, with the sample's deviation, a year (Goodwin, 1998; empyrical's ``excess_sharpe`` times
    ``sqrt(P)``). NaN where `tracking_error` is NaN or 0.
    """
    return information_ratio_of(pair_returns(facts))


def tracking_error_of(pairs: PairedReturns) -> float:
    """Return the tracking error of paired returns; see `tracking_error`."""
    apart = pairs.own - pairs.other
    return float(apart.std(ddof=1)) * sqrt(pairs.per_year) if len(apart) > 1 else nan


def information_ratio_of(pairs: PairedReturns) -> float:
    """Return the information ratio of paired returns; see `information_ratio`."""
    apart = pairs.own - pairs.other
    return float(sharpe_of(apart, pairs.per_year)) if len(apart) > 1 else nan
