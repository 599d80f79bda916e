"""What the user should know of the accounts of a run."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from cambist.model.times import format_ns
from cambist.portfolio import MarginPortfolio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cambist.model.portfolio import CashFlow, MarginChange
    from cambist.portfolio import Books, Transfers

__all__ = ["account_warnings"]


def account_warnings(
    accounts: Mapping[str, Books], refused: Sequence[CashFlow], transfers: Sequence[Transfers]
) -> Iterator[str]:
    """Yield what the venue closed, what was refused, and what was planned for later than the end of the run.

    Parameters
    ----------
    accounts
        By name.
    refused, transfers
        Withdrawals that were refused, and planned transfers, of all accounts.
    """
    changes: list[MarginChange] = []
    for name, books in accounts.items():
        where = f"account {name}, " if name else ""
        for asset, pocket in books.pockets.items():
            if isinstance(pocket, MarginPortfolio):
                yield from (where + event.describe(asset) for event in pocket.liquidations)
                changes += pocket.refused_changes
    if changes:
        change = min(changes, key=attrgetter("ts"))
        yield (
            f"{len(changes)} changes of margin or leverage were refused. The first, on {format_ns(change.ts)}: "
            f"{change.reason}"
        )
    if refused:
        first = refused[0]
        yield f"{len(refused)} withdrawals were refused. The first, on {format_ns(first.ts)}: {first.reason}"
    for planned in transfers:
        if planned.left:
            due, amount = planned.left[0]
            yield f"the run ended before a cash flow of {amount:,.8g} on {format_ns(due)} was due; it was not booked."
