"""Looks now and then for what a stream that seems healthy has dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.reconcile import Difference
    from cambist.live.reconciler import Reconciler

__all__ = ["Audit"]


class Audit:
    """Asks about every open order, and compares positions and balances.

    What differs once may be on its way; what differs twice in a row is told.

    Parameters
    ----------
    engine, reconciler, dispatcher
        Of the run.
    every
        Seconds between audits.
    alarm
        Told of what a person should know.
    """

    def __init__(
        self,
        engine: LiveEngine,
        reconciler: Reconciler,
        dispatcher: Dispatcher,
        every: float,
        alarm: Callable[[str, str], None],
    ) -> None:
        self._engine, self._reconciler, self._dispatcher = engine, reconciler, dispatcher
        self._every, self._alarm = every, alarm
        self._before: list[Difference] = []

    async def keep_on(self) -> None:
        """Audit until canceled."""
        while True:
            await asyncio.sleep(self._every)
            await self.once()

    async def once(self) -> None:
        """Audit now."""
        self._engine.orders.ask_all()
        await self._dispatcher.idle()
        try:
            differences = await self._reconciler.differences()
        except VenueError as error:
            self._alarm("audit_failed", str(error))
            return
        for one in differences:
            if one in self._before:
                self._alarm("out_of_step", one.describe())
        self._before = differences
