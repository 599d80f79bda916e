"""What a trade makes on average: expectancy, average win, average loss."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = ["average_loss", "average_trade", "average_win"]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else nan


def average_trade(facts: RunFacts) -> float:
    """Return the mean profit of a closed trade after fees, in the account's currency: the expectancy.

    NaN without a closed trade.
    """
    return _mean(facts.nets)


def average_win(facts: RunFacts) -> float:
    """Return the mean profit of the won trades after fees, in the account's currency; NaN without one."""
    return _mean(facts.nets[facts.nets > 0.0])


def average_loss(facts: RunFacts) -> float:
    """Return the mean result of the lost trades after fees, in the account's currency, below 0; NaN without one."""
    return _mean(facts.nets[facts.nets < 0.0])
