"""What an account that trades for months need not keep in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.portfolio.group import AccountGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.portfolio import Books

__all__ = ["forget_history"]


def forget_history(portfolio: Books | AccountGroup, accounts: Mapping[str, Books], keep: int) -> dict[str, int]:
    """Keep of closed trades and movements of money the last `keep`, and no steps for a valuation that nobody makes.

    What is held, and what it has earned so far, stays as it is.

    Parameters
    ----------
    portfolio, accounts
        The account of a run, or all of them together; and each by its name.

    Returns
    -------
    dict
        How many closed trades were forgotten, by account.
    """
    forgotten = {}
    for name, books in accounts.items():
        for pocket in books.pockets.values():
            pocket.ledger.clear()
            for gone in (pocket.transfers, pocket.moved, pocket.refused_flows):
                del gone[:-keep]
        trades = books.trades
        forgotten[name] = max(0, len(trades.closed) - keep)
        if forgotten[name]:
            trades.restore(trades.closed[-keep:], trades.open, trades.count)
    del portfolio.cash_flows[:-keep]
    if isinstance(portfolio, AccountGroup):
        portfolio.restore(portfolio.cash_flows)
    return forgotten
