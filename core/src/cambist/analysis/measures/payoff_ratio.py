"""Payoff ratio, and the stake that Kelly's formula takes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.analysis.measures.average_trade import average_loss, average_win

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["kelly", "payoff_ratio"]


def payoff_ratio(facts: RunFacts) -> float:
    """Return ``average_win / -average_loss``, a ratio; NaN without a won or without a lost trade."""
    return average_win(facts) / -average_loss(facts)


def kelly(facts: RunFacts) -> float:
    """Return Kelly's fraction, ``w - l / payoff_ratio`` with `w` and `l` the shares of won and of lost trades.

    The share of the account to risk for the fastest growth, were every win and every loss the average one (Kelly,
    1956); below 0 where there is no edge. Trades that made exactly nothing count in neither share. NaN without a
    won or without a lost trade.
    """
    nets = facts.nets
    payoff = payoff_ratio(facts)
    return float((nets > 0.0).mean()) - float((nets < 0.0).mean()) / payoff if len(nets) else payoff
