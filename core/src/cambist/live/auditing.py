"""Looks now and then for what a stream that seems healthy has dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.errors import ConfigError, VenueError
from cambist.live.differences import DifferenceKind
from cambist.live.holds import OUT_OF_STEP
from cambist.live.reconciler import CONFIRM
from cambist.model.trading_state import TradingState, scope_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence

    from cambist.live.differences import Difference
    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.live.reconciler import Reconciler
    from cambist.live.wallet import Wallet
    from cambist.model.reports import AccountReport

__all__ = ["Audit"]

#: How often it is tried to look at a venue while nothing happens there.
_LOOKS = 3


class Audit:
    """Asks about every open order, and compares positions and balances; what moved money is asked for if those differ.

    What is executed or booked while the venue answers makes a difference that is none: then it is asked again. What
    differs twice in a row is settled as the policy says, or told.

    Parameters
    ----------
    engine, reconciler, wallet
        Of the run.
    every
        Seconds between audits.
    alarm
        Told of what a person should know.
    holds
        Where a position differs and nobody says what becomes of it, nothing is opened in that instrument.
    call_roll
        Asks about every open order; see `cambist.live.roll_call.call_roll`.
    listeners
        Told what the venue says of the account, each time.
    """

    def __init__(
        self,
        engine: LiveEngine,
        reconciler: Reconciler,
        wallet: Wallet,
        every: float,
        alarm: Callable[[str, str], None],
        holds: OwnHolds,
        *,
        call_roll: Callable[[], Awaitable[None]],
        listeners: Sequence[Callable[[AccountReport], None]] = (),
    ) -> None:
        self._engine, self._reconciler, self._wallet, self._call_roll = engine, reconciler, wallet, call_roll
        self._every, self._alarm, self._holds, self._listeners = every, alarm, holds, listeners
        self._held: set[str] = set()

    async def keep_on(self) -> None:
        """Audit until canceled."""
        while True:
            await asyncio.sleep(self._every)
            await self.once()

    async def once(self) -> None:
        """Audit now; what goes wrong is told."""
        try:
            await self.audit()
        except (VenueError, ConfigError) as error:
            self._alarm("audit_failed", str(error))

    async def audit(self) -> None:
        """Audit now.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        ConfigError
            If what differs cannot be settled as the policy says.
        """
        await self._call_roll()
        await self._wallet.fetch_seldom()
        before = await self._look()
        if before and _is_money_alone(before) and await self._wallet.fetch():
            before = await self._look()
        if before is None:
            return
        if not before:
            self._release(())
            return
        await asyncio.sleep(min(CONFIRM, self._every))
        await self._call_roll()
        if _is_money_alone(before):
            await self._wallet.fetch()
        now = await self._look()
        lasting = [one for one in now or () if one in before]
        positions = [one for one in lasting if one.kind is not DifferenceKind.BALANCE]
        # What was traded moved money, too: how much is left of that is seen once positions are settled.
        left = [one for one in positions or lasting if not await self._reconciler.settle(one, running=True)]
        for one in left:
            self._alarm("out_of_step", one.describe())
        off = {scope_of("symbol", one.symbol): one for one in left if one.kind is DifferenceKind.POSITION}
        self._release(off)
        for scope, one in off.items():
            if scope not in self._held:
                self._held.add(scope)
                self._holds.hold(OUT_OF_STEP, TradingState.REDUCING, one.describe(), scope=scope)

    def _release(self, off: Container[str]) -> None:
        """Let instruments trade again that are in step."""
        for scope in [one for one in self._held if one not in off]:
            self._held.discard(scope)
            self._holds.lift(OUT_OF_STEP, "run and venue are in step", scope=scope)

    async def _look(self) -> list[Difference] | None:
        """Return what differs while nothing happens; None where something always does."""
        for _ in range(_LOOKS):
            before = self._engine.activity
            differences = await self._reconciler.comparison.differences()
            if not differences or self._engine.activity == before:
                for listener in self._listeners:
                    listener(self._reconciler.comparison.account)
                return differences
            await asyncio.sleep(0.2)
            await self._call_roll()
        return None


def _is_money_alone(differences: Sequence[Difference]) -> bool:
    """Whether balances alone differ: where positions do, what was traded has moved the money."""
    return all(one.kind is DifferenceKind.BALANCE for one in differences)
