"""Total return and net profit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["net_profit", "total_return"]


def total_return(facts: RunFacts) -> float:
    """Return ``final / initial - 1``, a fraction of the initial equity.

    Always computable; below -1 where a margined account ended in debt.
    """
    return facts.curve.final / facts.curve.initial - 1.0


def net_profit(facts: RunFacts) -> float:
    """Return ``final - initial`` less deposits plus withdrawals: closed and open profit, after fees and carry."""
    return facts.worth.final - facts.worth.initial - facts.flows
