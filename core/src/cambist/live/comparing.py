"""Compares what a run holds with what its venue says that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.live.differences import balance_differences, position_differences
from cambist.portfolio.by_venue import VenueBooks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.live.differences import Difference
    from cambist.live.shadow import Shadow
    from cambist.live.truth import Truth
    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport
    from cambist.portfolio.exact import ExactLedger

__all__ = ["Comparison"]


class Comparison:
    """The account at the venue beside the account of the run.

    Parameters
    ----------
    truth, kernel
        Of the run.
    shadow
        The run as its journal tells it: of older journals the exact ledger of balances is there alone.
    tolerances
        By asset, how far a balance may be off.

    Attributes
    ----------
    account
        What the venue said last.
    """

    account: AccountReport

    def __init__(self, truth: Truth, kernel: Journaling, shadow: Shadow, tolerances: Mapping[str, float]) -> None:
        self._truth, self._kernel, self._shadow, self._tolerances = truth, kernel, shadow, tolerances

    async def differences(self) -> list[Difference]:
        """Ask the venue, and return what differs now; what is on its way makes a difference, too.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        self.account = account = await self._truth.account()
        portfolio = self._kernel.portfolio
        instruments = list(dict.fromkeys(one.instrument for one in portfolio.positions.values()))
        found = await self.positions(instruments)
        if isinstance(portfolio, VenueBooks):
            found += balance_differences(instruments, portfolio.exact, account, self._tolerances)
        return found

    async def positions(self, instruments: Sequence[Instrument]) -> list[Difference]:
        """Return which positions differ from what the venue said last."""
        portfolio: Any = self._kernel.portfolio
        return position_differences(instruments, portfolio.legs, await self._ledger(), self.account)

    async def _ledger(self) -> ExactLedger:
        """Return what the run knows to the last digit."""
        books = self._kernel.portfolio
        if isinstance(books, VenueBooks):
            return books.exact
        return (await self._shadow.catch_up()).ledger
