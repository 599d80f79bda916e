"""Brings a run in step with its venue before anything is sent, and settles what differs later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.live.differences import DifferenceKind, Policy, foreign_orders
from cambist.live.explanation import Trades, explains
from cambist.portfolio.exact import held_asset
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.live.comparing import Comparison
    from cambist.live.deciding import Decisions
    from cambist.live.differences import Difference
    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.explanation import Explainer
    from cambist.live.patience import Patience
    from cambist.live.settings import LiveSettings
    from cambist.live.taking_over import Takeover
    from cambist.live.truth import Truth
    from cambist.live.wallet import Wallet
    from cambist.model.instrument import Instrument
    from cambist.model.reports import FillReport

__all__ = ["CONFIRM", "Reconciler"]

#: How often positions are compared and settled at a start; orders that work at the venue may trade meanwhile.
_ROUNDS = 20
#: Seconds after which what differs is looked at again: until then it may be on its way.
CONFIRM = 2.0

#: Seconds after which executions that make a difference up are looked for again far back.
_LOOK_AGAIN = 3_600.0


class Reconciler:
    """Settles what differs between a run and its venue.

    Parameters
    ----------
    truth, engine, settings, wallet
        Of the run.
    comparison
        Finds what differs.
    explainer
        Finds what was traded meanwhile.
    takeover
        Books what the run did not trade.
    decisions
        Say what becomes of a difference.

    Attributes
    ----------
    comparison
        As given.
    """

    def __init__(
        self,
        truth: Truth,
        engine: LiveEngine,
        settings: LiveSettings,
        wallet: Wallet,
        *,
        comparison: Comparison,
        explainer: Explainer,
        takeover: Takeover,
        decisions: Decisions,
    ) -> None:
        self._truth, self._engine, self._settings, self._wallet = truth, engine, settings, wallet
        self.comparison = comparison
        self._explainer, self._takeover, self._decisions = explainer, takeover, decisions
        self._in_vain: dict[Difference, float] = {}  # until when it is not looked further back, by the loop's time
        self._limit: Patience
        self._began = False

    @property
    def settled(self) -> Sequence[Difference]:
        """What differed at the start."""
        return self._decisions.settled

    async def reconcile(self, dispatcher: Dispatcher, limit: Patience, *, going_on: bool) -> None:
        """Learn what became of every order, book what moved money, and settle what differs.

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
        engine, self._limit, self._began = self._engine, limit, going_on
        if going_on:
            engine.resume_orders()
        while engine.orders.unsettled:
            await dispatcher.idle()
            engine.time_passed()
            await asyncio.sleep(0.05)
        symbols = list(engine.kernel.portfolio.positions)
        for order in foreign_orders(await self._truth.open_orders(symbols), engine.orders.client_ids()):
            await self._settle_order(order, await self._decisions.of(order, self._settings.on_order, limit))
        balances = await self._settle_positions(dispatcher)
        self._began = True
        if not going_on:
            self._wallet.open_assets(self.comparison.account)
        if balances:
            await self._settle_balances(fetch=going_on)

    async def _settle_positions(self, dispatcher: Dispatcher) -> bool:
        """Settle what differs until nothing does, or the same as before: a lost execution may hide what others did.

        Where something traded meanwhile, what was found before that says nothing any more. Returns whether a balance
        differs.
        """
        before: list[Difference] = []
        for _ in range(_ROUNDS):
            activity = self._engine.activity
            found = await self.comparison.differences()
            positions = [one for one in found if one.kind is not DifferenceKind.BALANCE]
            now = [one for one in positions if one not in self.settled]
            if not now or now == before:
                return len(found) > len(positions)
            for one in now:
                await self.settle(one)
            await dispatcher.idle()
            before = now if self._engine.activity == activity else []
        return True

    async def _settle_balances(self, *, fetch: bool) -> None:
        """Book what moved money meanwhile, where that is to be fetched, and settle what differs then."""
        if fetch:
            await self._wallet.fetch()
        for one in await self.comparison.differences():
            if one.kind is DifferenceKind.BALANCE:
                await self.settle(one)

    async def settle(self, difference: Difference, *, running: bool = False) -> bool:
        """Do with a position or a balance that differs what the policy says, and tell; return whether it is settled.

        Lost executions of this run's own orders are booked in any case. What others have traded is booked by their
        executions, where those make up the difference, and else as one that is made up and says so. What nothing
        explains is asked for once more, account first and executions after it, before anybody decides.

        Parameters
        ----------
        running
            Whether the run trades by now: then nobody is asked, and nothing is closed.

        Raises
        ------
        ConfigError
            If nobody says what becomes of it.
        VenueError
            If the venue cannot be asked.
        """
        if difference.kind is DifferenceKind.BALANCE:
            return await self._settle_balance(difference, running=running)
        found = await self._look_into(difference, running=running)
        if found is None:
            return True
        trades, foreign = found
        if foreign and all(one.system for one in foreign):
            for report in foreign:
                self._takeover.book_system(report)
            return True
        if difference.kind is DifferenceKind.AVERAGE and not trades.foreign:
            # Nobody else has traded: executions came in another order than they happened in, and the venue's counts.
            self._takeover.take_average(difference)
            return True
        policy = self._settings.on_position
        if running and policy in {Policy.ASK, Policy.CLOSE}:
            return False
        policy = policy if running else await self._decisions.of(difference, policy, self._limit)
        if policy is not Policy.IGNORE:
            await self._takeover.take(difference, foreign, running=running)
        if policy is Policy.CLOSE:
            self._engine.positions.close(self._instrument(difference))
        return True

    def _instrument(self, difference: Difference) -> Instrument:
        instrument: Instrument = self._engine.kernel.portfolio.positions[difference.symbol].instrument
        return instrument

    async def _look_into(self, difference: Difference, *, running: bool) -> tuple[Trades, list[FillReport]] | None:
        """Return what others traded of a position that differs, and what of that makes up the difference.

        None where there is nothing to decide: it was the run's own, or has come right.
        """
        trades, instrument = await self._booked(difference.symbol), self._instrument(difference)
        if trades is None:
            return None
        if difference not in await self.comparison.positions([instrument]):
            return None  # it was on its way, and the private stream has brought it meanwhile
        asset = held_asset(instrument) if instrument.is_cash else ""
        if self._began and not running and not explains(difference, trades.foreign, asset):
            await asyncio.sleep(min(CONFIRM, self._settings.audit_every))  # an audit has waited by now
        activity = self._engine.activity
        if difference not in await self.comparison.differences():
            return None  # it has traded since the venue was asked what it holds
        if not running:
            # All that the account tells of is booked once what the venue lists after it is, and nothing else is booked
            # if nothing was meanwhile.
            trades = await self._booked(difference.symbol)
            if trades is None or self._engine.activity != activity:
                return None
        found = explains(difference, trades.foreign, asset)
        if found or not self._began or difference.kind is not DifferenceKind.POSITION:
            return trades, found
        return await self._look_further_back(difference, trades, asset)

    async def _look_further_back(
        self, difference: Difference, trades: Trades, asset: str
    ) -> tuple[Trades, list[FillReport]] | None:
        """Return what `_look_into` does, by what was traded long before the last execution that is booked.

        It weighs much at a venue: what was looked for in vain is not looked for again soon.
        """
        now = asyncio.get_running_loop().time()
        if now < self._in_vain.get(difference, now):
            return trades, []
        async for older in self._explainer.further_back(difference.symbol):
            if self._book_own(older):
                return None
            found = explains(difference, older.foreign, asset)
            if found:
                return older, found
        self._in_vain = {one: until for one, until in self._in_vain.items() if until > now}
        self._in_vain[difference] = now + _LOOK_AGAIN
        self._takeover.tell_unexplained(difference)
        return trades, []

    async def _booked(self, symbol: str) -> Trades | None:
        """Book the lost executions of an instrument, and return None; where there are none, return those of others."""
        # What was traded before the run began is in the money that it began with.
        trades = await self._explainer.unbooked(symbol) if self._began else Trades([], [])
        return None if self._book_own(trades) else trades

    def _book_own(self, trades: Trades) -> bool:
        """Book the lost executions of the run's own orders; return whether there were any."""
        for report in trades.own:
            if trades.whose and report.trade_id in trades.whose:
                self._takeover.book_late(report, trades.whose[report.trade_id])
            else:
                self._engine.orders.evidence.executed(report, self._engine.now())
        return bool(trades.own)

    async def _settle_order(self, difference: Difference, policy: Policy) -> None:
        """Cancel an order that the run did not send, or leave it: none can be taken over, no strategy knows it."""
        order = difference.order
        assert order is not None
        if policy is not Policy.IGNORE:
            await self._truth.session.cancel(OrderKey(order.symbol, order.client_id, order.venue_id))

    async def _settle_balance(self, difference: Difference, *, running: bool) -> bool:
        policy = self._settings.on_balance
        if running and policy is Policy.ASK:
            return False
        if (policy if running else await self._decisions.of(difference, policy, self._limit)) is Policy.ADOPT:
            self._takeover.take_balance(difference)
        return True
