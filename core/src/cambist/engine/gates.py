"""The risk gate that fits the account of a live run, and of its replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.portfolio import HedgePortfolio, MarginPortfolio, VenueBooks
from cambist.risk import RiskGate
from cambist.risk.hedge import HedgeGate
from cambist.risk.leverage import LeverageRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.portfolio import Books
    from cambist.ports.risk import RiskRule

__all__ = ["gate_of"]


def gate_of(portfolio: Books, rules: Iterable[RiskRule]) -> RiskGate:
    """Return the gate for orders of an account.

    Parameters
    ----------
    rules
        Beside those that the account asks for: that of the leverage of each tier, which a venue that keeps the account
        knows better.
    """
    own: list[RiskRule] = []
    if isinstance(portfolio, MarginPortfolio) and not isinstance(portfolio, VenueBooks):
        own.append(LeverageRule(portfolio.terms, portfolio.leverages))
    kind = HedgeGate if isinstance(portfolio, HedgePortfolio) else RiskGate
    return kind([*own, *rules])
