"""Brings a run in step with its venue before anything is sent, and looks later whether it still is."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from cambist.errors import ConfigError
from cambist.live.reconcile import Policy, foreign_orders, position_differences
from cambist.portfolio.exact import exact
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.reconcile import Difference
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.live.shadow import Shadow
    from cambist.ports.venue import VenueSession

__all__ = ["Reconciler"]

_log = logging.getLogger("cambist.live")


class Reconciler:
    """Compares a run with its venue.

    Parameters
    ----------
    session, engine, prepared, settings
        Of the run.
    shadow
        The run as its journal tells it: the exact ledger of balances is there alone.
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        prepared: Prepared,
        shadow: Shadow,
        settings: LiveSettings,
        *,
        ask: Callable[[Difference], Policy] | None,
    ) -> None:
        self._session, self._engine, self._prepared = session, engine, prepared
        self._shadow, self._settings, self._ask = shadow, settings, ask

    async def reconcile(self, dispatcher: Dispatcher, *, going_on: bool) -> None:
        """Learn what became of every order, and settle what differs.

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
            await self._settle_order(order, self._decide(order, self._settings.on_order))
        for position in await self.differences():
            self._settle_position(position, self._decide(position, self._settings.on_position))

    async def differences(self) -> list[Difference]:
        """Return the positions that differ now; an execution that is on its way makes one, too."""
        account = await self._session.account()
        state = await self._shadow.catch_up()
        portfolio: Any = self._prepared.kernel.portfolio
        instruments = list(dict.fromkeys(self._prepared.kernel.instruments))
        return position_differences(instruments, portfolio.legs, state.ledger, account)

    def _decide(self, difference: Difference, policy: Policy) -> Policy:
        if policy is Policy.ASK and self._ask is not None:
            policy = self._ask(difference)
        if policy is Policy.ASK:
            raise ConfigError(
                f"{difference.describe()}. Say what becomes of it: adopt, ignore or close, by on_position and on_order."
            )
        _log.warning("%s: %s", difference.describe(), policy)
        return policy

    async def _settle_order(self, difference: Difference, policy: Policy) -> None:
        """Cancel an order that the run did not send, or leave it: none can be taken over, no strategy knows it."""
        order = difference.order
        assert order is not None
        if policy is not Policy.IGNORE:
            await self._session.cancel(OrderKey(order.symbol, order.client_id, order.venue_id))

    def _settle_position(self, difference: Difference, policy: Policy) -> None:
        """Take a position of the venue as the run's own, and close it where that is the policy."""
        if policy is Policy.IGNORE:
            return
        kernel = self._prepared.kernel
        instrument = kernel.portfolio.positions[difference.symbol].instrument
        price = self._price(difference)
        identity = f"{self._prepared.token} {difference.symbol} {difference.ours} {difference.theirs}"
        self._engine.adopt(instrument, difference.side, float(difference.size), float(price), identity)
        if policy is Policy.CLOSE:
            self._engine.close_position(instrument)

    def _price(self, difference: Difference) -> Decimal:
        """Return what a position cost at the venue, or else the last price."""
        if difference.entry_price:
            return difference.entry_price
        last = self._prepared.kernel.portfolio.positions[difference.symbol].price_source()
        if last != last:  # noqa: PLR0124 - NaN: no bar yet
            raise ConfigError(
                f"{difference.describe()}; it cannot be taken over before a price is known. Give the strategy a "
                "warm-up, or an indicator."
            )
        return exact(last)
