"""Looks now and then for what a stream that seems healthy has dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.errors import ConfigError, VenueError
from cambist.live.reconcile import DifferenceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.reconcile import Difference
    from cambist.live.reconciler import Reconciler
    from cambist.live.wallet import Wallet
    from cambist.model.reports import AccountReport

__all__ = ["Audit"]

#: How often it is tried to look at a venue while nothing happens there.
_LOOKS = 3
#: Seconds after which what differs is looked at again: until then it may be on its way.
_CONFIRM = 2.0


class Audit:
    """Asks about every open order and what moved money, and compares positions and balances.

    What is executed or booked while the venue answers makes a difference that is none: then it is asked again. What
    differs twice in a row is settled as the policy says, or told.

    Parameters
    ----------
    engine, reconciler, dispatcher, wallet
        Of the run.
    every
        Seconds between audits.
    alarm
        Told of what a person should know.
    listeners
        Told what the venue says of the account, each time.
    """

    def __init__(
        self,
        engine: LiveEngine,
        reconciler: Reconciler,
        dispatcher: Dispatcher,
        wallet: Wallet,
        every: float,
        alarm: Callable[[str, str], None],
        listeners: Sequence[Callable[[AccountReport], None]] = (),
    ) -> None:
        self._engine, self._reconciler, self._dispatcher, self._wallet = engine, reconciler, dispatcher, wallet
        self._every, self._alarm, self._listeners = every, alarm, listeners

    async def keep_on(self) -> None:
        """Audit until canceled."""
        while True:
            await asyncio.sleep(self._every)
            await self.once()

    async def once(self) -> None:
        """Audit now."""
        try:
            await self._once()
        except (VenueError, ConfigError) as error:
            self._alarm("audit_failed", str(error))

    async def catch_up(self) -> None:
        """Fetch what happened while the private stream was away.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        self._engine.orders.ask_all()
        await self._dispatcher.idle()
        await self._wallet.fetch()

    async def _once(self) -> None:
        await self.catch_up()
        before = await self._look()
        if not before:
            return
        await asyncio.sleep(min(_CONFIRM, self._every))
        await self.catch_up()
        now = await self._look()
        lasting = [one for one in now or () if one in before]
        positions = [one for one in lasting if one.kind is not DifferenceKind.BALANCE]
        # What was traded moved money, too: how much is left of that is seen once positions are settled.
        for one in positions or lasting:
            if not await self._reconciler.settle(one, running=True):
                self._alarm("out_of_step", one.describe())

    async def _look(self) -> list[Difference] | None:
        """Return what differs while nothing happens; None where something always does."""
        for _ in range(_LOOKS):
            before = self._engine.activity
            differences = await self._reconciler.differences()
            if not differences or self._engine.activity == before:
                for listener in self._listeners:
                    listener(self._reconciler.account)
                return differences
            await asyncio.sleep(0.2)
            await self.catch_up()
        return None
