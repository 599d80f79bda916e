"""Tail ratio."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.rates import check_share

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["tail_ratio"]


def tail_ratio(facts: RunFacts, share: float = 0.05, *, period: Period | str = "day") -> float:
    """Return how large good returns are beside bad ones: ``abs(q(1 - share) / q(share))`` with `q` their quantile.

    Above 1 the best days outdo the worst (agrees with empyrical's ``tail_ratio``). NaN without a return, when the lower
    quantile is 0, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    share
        Of the periods in each tail.
    period
        Of the returns, see `cambist.analysis.periods.Period`.

    Raises
    ------
    ParameterError
        For an unknown period, or a share that is not between 0 and 1.
    """
    check_share("share", share)
    returns = facts.period_returns(period)
    if not len(returns):
        return nan
    low, high = np.quantile(returns, (share, 1.0 - share)).tolist()
    return abs(high / low) if low else nan
