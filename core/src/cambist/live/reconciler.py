"""Brings a run in step with its venue before anything is sent, and looks later whether it still is."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from cambist.engine.document import decode_run, encode_run
from cambist.engine.fold import RunState
from cambist.errors import ConfigError, VenueError
from cambist.live.reconcile import Policy, foreign_orders, position_differences
from cambist.portfolio.exact import exact
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.reconcile import Difference
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.ports.venue import VenueSession
    from cambist.storage.journal import Journal

__all__ = ["Ask", "Reconciler"]

_log = logging.getLogger("cambist.live")

#: How many bars back there has to be a price.
_BARS = 10
#: Answers what becomes of a difference: at once, or by something that is waited for, such as a person.
Ask = Callable[["Difference"], "Policy | Awaitable[Policy]"]


class Reconciler:
    """Compares a run with its venue.

    Parameters
    ----------
    session, engine, prepared, journal, settings
        Of the run.
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.
    alarm
        Told of each difference, and what became of it.
    price_of
        Answers the newest price of an instrument that has come by now, NaN where none has.

    Attributes
    ----------
    state
        The run as its journal tells it: the exact ledger of balances is there alone.
    settled
        What differed at the start.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        prepared: Prepared,
        journal: Journal,
        settings: LiveSettings,
        *,
        ask: Ask | None,
        alarm: Callable[[str, str], None] = lambda _word, text: _log.warning(text),
        price_of: Callable[[str], float] = lambda _symbol: nan,
    ) -> None:
        self._alarm = alarm
        self.settled: list[Difference] = []
        self._session, self._engine, self._prepared = session, engine, prepared
        self._journal, self._settings, self._ask, self._price_of = journal, settings, ask, price_of
        self.state = RunState() if prepared.state is None else decode_run(encode_run(prepared.state))

    async def reconcile(self, dispatcher: Dispatcher, limit: asyncio.Timeout, *, going_on: bool) -> None:
        """Learn what became of every order, and settle what differs.

        Parameters
        ----------
        limit
            On the time that it takes; a person who is asked is waited for without one.
        going_on
            Whether there was a run before.

        Raises
        ------
        ConfigError
            If something differs and nobody says what becomes of it.
        VenueError
            If the venue cannot be asked.
        """
        engine = self._engine
        if going_on:
            engine.resume_orders()
        while engine.orders.unsettled:
            await dispatcher.idle()
            engine.time_passed()
            await asyncio.sleep(0.05)
        for order in foreign_orders(await self._session.open_orders(), engine.orders.client_ids()):
            await self._settle_order(order, await self._decide(order, self._settings.on_order, limit))
        for position in await self.differences():
            await self._settle_position(position, await self._decide(position, self._settings.on_position, limit))

    async def differences(self) -> list[Difference]:
        """Return the positions that differ now; an execution that is on its way makes one, too."""
        account = await self._session.account()
        self._journal.wait()
        self.state.apply_all(self._journal.read(self.state.sequence + 1))
        portfolio: Any = self._prepared.kernel.portfolio
        instruments = list(dict.fromkeys(one.instrument for one in portfolio.positions.values()))
        return position_differences(instruments, portfolio.legs, self.state.ledger, account)

    async def _decide(self, difference: Difference, policy: Policy, limit: asyncio.Timeout) -> Policy:
        if policy is Policy.ASK and self._ask is not None:
            answer = self._ask(difference)
            if inspect.isawaitable(answer):
                seconds = self._settings.ready_within
                limit.reschedule(None)
                answer = await answer
                limit.reschedule(asyncio.get_running_loop().time() + seconds)
            policy = answer
        if policy is Policy.ASK:
            raise ConfigError(
                f"{difference.describe()}. Say what becomes of it: adopt, ignore or close, by on_position or on_order.",
                code="undecided",
            )
        self.settled.append(difference)
        self._alarm("reconciled", f"{difference.describe()}: {policy}")
        return policy

    async def _settle_order(self, difference: Difference, policy: Policy) -> None:
        """Cancel an order that the run did not send, or leave it: none can be taken over, no strategy knows it."""
        order = difference.order
        assert order is not None
        if policy is not Policy.IGNORE:
            await self._session.cancel(OrderKey(order.symbol, order.client_id, order.venue_id))

    async def _settle_position(self, difference: Difference, policy: Policy) -> None:
        """Take a position of the venue as the run's own, and close it where that is the policy."""
        if policy is Policy.IGNORE:
            return
        kernel = self._prepared.kernel
        instrument = kernel.portfolio.positions[difference.symbol].instrument
        price = await self._price(difference)
        identity = f"{self._prepared.token} {difference.symbol} {difference.ours} {difference.theirs}"
        self._engine.adopt(instrument, difference.side, float(difference.size), float(price), identity)
        if policy is Policy.CLOSE:
            self._engine.close_position(instrument)

    async def _price(self, difference: Difference) -> Decimal:
        """Return what a position cost at the venue, or else the last price that the run or the venue has."""
        if difference.entry_price:
            return difference.entry_price
        last = self._prepared.kernel.portfolio.positions[difference.symbol].price_source()
        if isnan(last):  # no bar yet
            last = self._price_of(difference.symbol)
        if isnan(last):
            last = await self._last_close(difference.symbol)
        if isnan(last):
            raise ConfigError(
                f"{difference.describe()}; it cannot be taken over, since {self._session.name} has no bar that tells "
                "what it is worth. Close it by hand, or start later.",
                code="no_price",
            )
        return exact(last)

    async def _last_close(self, symbol: str) -> float:
        """Ask for the last bar of an instrument; NaN where there is none."""
        now = self._engine.now()
        for instrument, timeframe in self._prepared.kernel.series:
            if instrument.symbol == symbol:
                end = now // timeframe.ns * timeframe.ns
                try:
                    bars = await self._session.history(instrument, timeframe, end - _BARS * timeframe.ns, end)
                except VenueError as error:
                    if error.code != "no_bars":
                        raise
                    return nan
                return float(bars.close[-1]) if len(bars) else nan
        return nan
