"""Value at risk, and what is lost on average beyond it: both from the returns that happened."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.rates import check_share

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts
    from cambist.analysis.periods import Period

__all__ = ["conditional_value_at_risk", "value_at_risk"]


def value_at_risk(facts: RunFacts, share: float = 0.05, *, period: Period | str = "day") -> float:
    """Return the return that the worst `share` of all periods stayed below: -0.02 is a loss of 2 % or more.

    The quantile of the returns that happened, between two of them by their distance; no distribution is assumed.
    Agrees with empyrical's ``value_at_risk``; quantstats fits a normal distribution instead. NaN without a return, or
    when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    share
        Of the periods: 0.05 for what is called 95 % confidence.
    period
        Of the returns, see `cambist.analysis.periods.Period`.

    Raises
    ------
    ParameterError
        For an unknown period, or a share that is not between 0 and 1.
    """
    check_share("share", share)
    returns = facts.period_returns(period)
    return float(np.quantile(returns, share)) if len(returns) else nan


def conditional_value_at_risk(facts: RunFacts, share: float = 0.05, *, period: Period | str = "day") -> float:
    """Return the mean of the worst `share` of all returns, the expected shortfall: -0.03 is a mean loss of 3 %.

    The mean of the lowest ``floor(share * (n - 1)) + 1`` of `n` returns, those not above `value_at_risk` (agrees with
    empyrical's ``conditional_value_at_risk``). NaN without a return, or when equity was ever zero or below.

    Parameters
    ----------
    facts
        Of the run.
    share
        Of the periods.
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
    last = int(share * (len(returns) - 1))
    return float(np.partition(returns, last)[: last + 1].mean())
