"""System quality number."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from cambist.analysis.measures.volatility import spread

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["sqn"]


def sqn(facts: RunFacts) -> float:
    """Return Van Tharp's system quality number, ``sqrt(n) * mean(net) / std(net, ddof=0)`` over the closed trades.

    A ratio; agrees with backtrader's ``SQN`` in money rather than in multiples of risk. NaN with fewer than two
    trades (backtrader: 0) or when all made the same.
    """
    nets = facts.nets
    deviation = float(spread(nets, ddof=0))
    return sqrt(len(nets)) * float(nets.mean()) / deviation if len(nets) else deviation
