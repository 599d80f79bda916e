"""Books what the venue moved without a trade: funding, deposits, withdrawals, payments of its insurance fund.

The venue gives each of them a number, and by that it is booked once: whether the private stream told of it, or a query
after a restart. Where the stream says only that a balance has changed, the venue's list is asked what it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from cambist.errors import VenueError
from cambist.model.events import CashMoved
from cambist.model.portfolio import CashFlow
from cambist.portfolio.by_venue import VenueBooks
from cambist.portfolio.exact import held_asset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from cambist.engine.journaled import Journaling
    from cambist.live.truth import Truth
    from cambist.model.events import Event
    from cambist.model.reports import AccountReport, CashReport

__all__ = ["OVERLAP", "Wallet"]

_log = logging.getLogger("cambist.live")
#: How far before the newest that is known the venue is asked again: what it tells late is not lost, ns.
OVERLAP = 600 * 1_000_000_000
#: Reasons of changes that executions tell of, and of those that move nothing out of the wallet.
_NO_MONEY = frozenset({"", "order", "margin_transfer", "margin_type_change"})
#: Seconds after which the venue's list is asked again for what the stream has told.
_AGAIN = (0.2, 1.0, 3.0, 10.0)
_KEPT = 20_000
#: At least so often the venue's list is asked for, which weighs much, ns.
_EVERY = 600 * 1_000_000_000


class Wallet:
    """Keeps an account in step with the money that the venue moves.

    Parameters
    ----------
    truth
        Asks the venue.
    kernel
        Of the run.
    take
        Takes an event for the kernel.
    clock
        Answers the engine's time, ns.
    references
        What was booked before, with the venue's time of each, ns.
    """

    def __init__(
        self,
        truth: Truth,
        kernel: Journaling,
        take: Callable[[Event], None],
        clock: Callable[[], int],
        references: Mapping[str, int],
    ) -> None:
        self._truth, self._kernel, self._take, self._clock = truth, kernel, take, clock
        self._booked = dict(references)
        self._hinted = asyncio.Event()
        self._adjusted = {
            reference.split(" ")[1]: ts for reference, ts in references.items() if reference.startswith("adjustment ")
        }
        self._asking = asyncio.Lock()
        self._fetched_at = clock()
        self._waiting: list[CashReport] | None = []
        books = kernel.portfolio
        self._books = books if isinstance(books, VenueBooks) else None
        self._newest = max(self._booked.values(), default=0)
        if self._books is not None:
            self._booked.update(dict.fromkeys(self._books.known, self._books.as_of))
            self._newest = max(self._newest, self._books.as_of)

    def changed(self, report: AccountReport) -> None:
        """Take word that balances have changed."""
        if report.reason not in _NO_MONEY:
            self._hinted.set()

    def told(self, report: CashReport) -> bool:
        """Book a movement of money, and return True, unless it is booked, or is no money of the run."""
        if self._books is None or report.reference in self._booked or self._is_held(report.asset):
            return False
        if report.ts <= self._adjusted.get(report.asset, 0):
            return False  # the balance that was taken over had it
        self._book(report.ts, report.kind, report.symbol, report.asset, report.amount, report.reference)
        return True

    def heard(self, report: CashReport) -> None:
        """Take what the stream says of a movement of money; before `begin` it waits."""
        if self._waiting is None:
            self.told(report)
        else:
            self._waiting.append(report)

    def begin(self) -> None:
        """Book what the stream has said meanwhile, and from now on what it says."""
        waiting, self._waiting = self._waiting or [], None
        for one in waiting:
            self.told(one)

    async def fetch(self) -> int:
        """Ask the venue what has moved money, book what is new, and return how much that was.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        if self._books is None:
            return 0
        async with self._asking:
            self._fetched_at = self._clock()
            flows = await self._truth.cash_flows(max(0, self._newest - OVERLAP))
            return sum(self.told(one) for one in flows)

    async def fetch_seldom(self) -> None:
        """Fetch if that is long ago: balances show nearly all that is missing, but not what came and went.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        if self._clock() - self._fetched_at >= _EVERY:
            await self.fetch()

    async def keep_on(self) -> None:
        """Ask whenever the stream says that a balance has changed, until that was found; until canceled."""
        while True:
            await self._hinted.wait()
            self._hinted.clear()
            for seconds in (0.0, *_AGAIN):
                await asyncio.sleep(seconds)
                found = 0
                with contextlib.suppress(VenueError):
                    found = await self.fetch()
                if found or self._hinted.is_set():
                    break
            else:
                _log.warning("the venue said that a balance has changed, and lists nothing that changed it.")

    # Balances that nothing explains.

    def open_assets(self, report: AccountReport) -> None:
        """Note what a run that begins has of assets that are neither its currency nor held by it: they may pay fees."""
        books = self._books
        if books is None:
            return
        for one in report.balances:
            asset = one.asset
            if one.total and asset != books.currency and not self._is_held(asset) and asset not in books.exact.balances:
                self._book(report.ts, "opening", "", asset, one.total, f"opening {asset}")

    def adjust(self, ts: int, asset: str, ours: Decimal, theirs: Decimal) -> None:
        """Take the venue's balance of an asset, of which nothing says how it came about.

        Parameters
        ----------
        ts
            When the venue was asked, by its clock, ns, UTC.
        """
        self._adjusted[asset] = ts
        number = len(self._kernel.portfolio.cash_flows)
        # Not to be booked twice: once it is, the two are equal, and the next difference has another number.
        reference = f"adjustment {asset} {number} {ours} {theirs}"
        self._book(ts, "adjustment", "", asset, theirs - ours, reference)

    def _is_held(self, asset: str) -> bool:
        """Whether an asset is what an instrument of the run holds: then it is no money, but a position."""
        positions = self._kernel.portfolio.positions.values()
        return any(one.instrument.is_cash and held_asset(one.instrument) == asset for one in positions)

    def _book(self, ts: int, kind: str, symbol: str, asset: str, amount: Decimal, reference: str) -> None:
        self._booked[reference] = ts
        self._newest = max(self._newest, ts)
        if len(self._booked) > _KEPT:
            del self._booked[next(iter(self._booked))]
        flow = CashFlow(ts, kind, symbol, asset, float(amount), reference=reference, exact=amount)
        self._take(CashMoved(self._clock(), flow))
