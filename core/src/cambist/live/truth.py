"""Asks a venue for what is so: where its limits leave no room, that is told, and waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from cambist.errors import VenueError
from cambist.live.asking import outcome_of
from cambist.ports.venue import Answered, CashHistory, Declined

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport, CashReport, FillReport, OrderReport
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import OrderKey, Outcome, VenueSession

__all__ = ["Truth"]

T = TypeVar("T")
_SECOND: Final = 1_000_000_000
#: What leaves no room for longer is no minute that is used up, but a ban; ns.
_MOST: Final = 120 * _SECOND
#: How often an order is asked for that the venue does not tell of, and seconds between.
_ASKED, _AGAIN_AFTER = 3, 0.2


class Truth:
    """Questions of a run that may wait: nothing urgent is behind them.

    Whoever may not wait asks the session itself. How long it may take in all is the caller's business.

    Parameters
    ----------
    session
        Of the run.
    alarm
        Told of waits: a stable word, and a sentence.

    Attributes
    ----------
    session
        As given.
    """

    def __init__(self, session: VenueSession, alarm: Callable[[str, str], None]) -> None:
        self.session, self._alarm = session, alarm
        self._told_until = 0.0

    @property
    def name(self) -> str:
        """Of the venue."""
        return self.session.name

    async def account(self) -> AccountReport:
        """Return balances and positions."""
        return await self._patiently(self.session.account)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[OrderReport]:
        """Return the open orders of some instruments."""
        return await self._patiently(lambda: self.session.open_orders(symbols))

    async def fills(self, symbol: str, since: int) -> Sequence[FillReport]:
        """Return the executions of an instrument since a time (ns, UTC), oldest first."""
        return await self._patiently(lambda: self.session.fills(symbol, since))

    async def cash_flows(self, since: int) -> Sequence[CashReport]:
        """Return what moved money since a time (ns, UTC), oldest first; nothing where the venue keeps no list."""
        session = self.session
        if not isinstance(session, CashHistory):
            return ()
        return await self._patiently(lambda: session.cash_flows(since))

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``, ns, UTC."""
        return await self._patiently(lambda: self.session.history(instrument, timeframe, start, end))

    async def order(self, key: OrderKey) -> OrderReport | None:
        """Return how an order stands, None where the venue has none.

        Raises
        ------
        VenueError
            If the venue does not tell, asked several times.
        """
        left = _ASKED
        while True:
            outcome = await self._patiently(lambda: self._outcome(key))
            if isinstance(outcome, Answered):
                return outcome.report
            left -= 1
            if not left:
                name = key.client_id or key.venue_id
                raise VenueError(f"{self.name} does not tell how order {name} stands: {outcome.text}")
            await asyncio.sleep(_AGAIN_AFTER)

    async def _outcome(self, key: OrderKey) -> Outcome:
        outcome = await outcome_of(self.session.find_order(key))
        if isinstance(outcome, Declined) and outcome.retry_after:
            raise VenueError(outcome.text, retry_after=outcome.retry_after)
        return outcome

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except VenueError as error:
                if not 0 < error.retry_after <= _MOST:
                    raise
                self._tell(error)
                await asyncio.sleep(error.retry_after / _SECOND)

    def _tell(self, error: VenueError) -> None:
        """Tell of a wait, once for all who wait."""
        now = asyncio.get_running_loop().time()
        if now >= self._told_until:
            self._told_until = now + error.retry_after / _SECOND
            self._alarm("venue_busy", f"{self.name} is waited for: {error}")
