"""Brings a run in step with its venue before anything is sent, and looks later whether it still is."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal, localcontext
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from cambist.errors import ConfigError, VenueError
from cambist.live.explanation import Explainer, Trades, explains
from cambist.live.reconcile import (
    DifferenceKind,
    Policy,
    balance_differences,
    foreign_orders,
    position_differences,
)
from cambist.model.events import CashMoved
from cambist.model.orders import Liquidity, Side
from cambist.model.portfolio import CashFlow
from cambist.model.reports import FillReport
from cambist.portfolio.by_venue import VenueBooks
from cambist.portfolio.exact import exact, held_asset
from cambist.ports.venue import OrderKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.patience import Patience
    from cambist.live.reconcile import Difference
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.live.shadow import Shadow
    from cambist.live.wallet import Wallet
    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport
    from cambist.portfolio.exact import ExactLedger
    from cambist.ports.venue import VenueSession

__all__ = ["ADOPTED", "SYNTHETIC", "Ask", "Reconciler"]

_log = logging.getLogger("cambist.live")
_ZERO = Decimal(0)
#: How often positions are compared and settled at a start.
_ROUNDS = 5
#: How many bars back there has to be a price.
_BARS = 10
#: Answers what becomes of a difference: at once, or by something that is waited for, such as a person.
Ask = Callable[["Difference"], "Policy | Awaitable[Policy]"]
#: Tags of orders by which a run books what it did not trade: the venue's own executions, and one that is made up.
ADOPTED, SYNTHETIC = "adopted", "synthetic"


class Reconciler:
    """Compares a run with its venue.

    Parameters
    ----------
    session, engine, prepared, settings, wallet
        Of the run.
    shadow
        The run as its journal tells it: the exact ledger of balances is there alone.
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.
    alarm
        Told of each difference, and what became of it.
    price_of
        Answers the newest price of an instrument that has come by now, NaN where none has.

    Attributes
    ----------
    settled
        What differed at the start.
    account
        What the venue said last.
    """

    account: AccountReport

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        prepared: Prepared,
        shadow: Shadow,
        settings: LiveSettings,
        wallet: Wallet,
        *,
        ask: Ask | None,
        alarm: Callable[[str, str], None] = lambda _word, text: _log.warning(text),
        price_of: Callable[[str], float] = lambda _symbol: nan,
    ) -> None:
        self.settled: list[Difference] = []
        self._price_of = price_of
        self._limit: Patience | None = None
        self._session, self._engine, self._prepared = session, engine, prepared
        self._shadow, self._settings, self._wallet = shadow, settings, wallet
        self._ask, self._alarm = ask, alarm
        self._began = prepared.state is not None
        books = prepared.kernel.portfolio
        began = books.as_of if isinstance(books, VenueBooks) else 0
        self._explainer = Explainer(session, engine, prepared.token, began)

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
        engine, self._limit = self._engine, limit
        if going_on:
            engine.resume_orders()
        while engine.orders.unsettled:
            await dispatcher.idle()
            engine.time_passed()
            await asyncio.sleep(0.05)
        for order in foreign_orders(await self._session.open_orders(), engine.orders.client_ids()):
            await self._settle_order(order, await self._decide(order, self._settings.on_order))
        if going_on:
            await self._wallet.fetch()
        await self._settle_positions(dispatcher)
        self._began = True
        if not going_on:
            self._wallet.open_assets(self.account)
        for one in await self.differences():
            if one.kind is DifferenceKind.BALANCE:
                await self.settle(one)

    async def _settle_positions(self, dispatcher: Dispatcher) -> None:
        """Settle what differs until nothing does, or the same as before: a lost execution may hide what others did."""
        before: list[Difference] = []
        for _ in range(_ROUNDS):
            now = [one for one in await self.differences() if one.kind is not DifferenceKind.BALANCE]
            if not now or now == before:
                return
            for one in now:
                await self.settle(one)
            await dispatcher.idle()
            before = now

    async def differences(self) -> list[Difference]:
        """Ask the venue, and return what differs now; what is on its way makes a difference, too."""
        self.account = account = await self._session.account()
        portfolio: Any = self._prepared.kernel.portfolio
        instruments = list(dict.fromkeys(one.instrument for one in portfolio.positions.values()))
        ledger = await self._ledger()
        found = position_differences(instruments, portfolio.legs, ledger, account)
        if isinstance(portfolio, VenueBooks):
            found += balance_differences(instruments, ledger, account, self._settings.tolerances)
        return found

    async def _ledger(self) -> ExactLedger:
        """Return what the run knows to the last digit: of older journals the fold alone has it."""
        books = self._prepared.kernel.portfolio
        if isinstance(books, VenueBooks):
            return books.exact
        return (await self._shadow.catch_up()).ledger

    async def settle(self, difference: Difference, *, running: bool = False) -> bool:
        """Do with a position or a balance that differs what the policy says, and tell; return whether it is settled.

        Lost executions of this run's own orders are booked in any case. What others have traded is booked by their
        executions, where those make up the difference, and else as one that is made up and says so.

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
        # What was traded before the run began is in the money that it began with.
        trades = await self._explainer.unbooked(difference.symbol) if self._began else Trades([], [])
        if trades.own:
            for report in trades.own:
                self._engine.orders.evidence.executed(report, self._engine.now())
            return True
        instrument = self._instrument(difference)
        foreign = explains(difference, trades.foreign, held_asset(instrument) if instrument.is_cash else "")
        if foreign and all(one.system for one in foreign):
            for report in foreign:
                self.book_system(report)
            return True
        policy = self._settings.on_position
        if running and policy in {Policy.ASK, Policy.CLOSE}:
            return False
        policy = policy if running else await self._decide(difference, policy)
        if policy is not Policy.IGNORE:
            await self._take_over(difference, foreign)
            if running:
                self._alarm("position_adopted", f"{difference.describe()}; the run takes the venue's.")
        if policy is Policy.CLOSE:
            self._engine.close_position(instrument)
        return True

    async def _take_over(self, difference: Difference, foreign: Sequence[FillReport]) -> None:
        """Have the run hold what the venue holds, by the executions that make up the difference, if they are known."""
        if not foreign and difference.kind is DifferenceKind.AVERAGE:
            self._adopt_average(difference)
        elif not foreign:
            await self._adopt(difference, await self._price(difference))
        for report in foreign:
            self._engine.adopt(report, report.system or ADOPTED, by_venue=bool(report.system))

    def book_system(self, report: FillReport) -> None:
        """Book an execution by which the venue itself closed a position of the run, and tell."""
        if self._engine.adopt(report, report.system, by_venue=True):
            self._alarm(
                report.system,
                f"the venue closed {report.size} of {report.symbol} at {report.price} ({report.system}); its order "
                f"{report.venue_id} is booked, and the strategy was told.",
            )

    async def _decide(self, difference: Difference, policy: Policy) -> Policy:
        if policy is Policy.ASK and self._ask is not None:
            answer = self._ask(difference)
            if inspect.isawaitable(answer):
                assert self._limit is not None  # nobody is asked once the run trades
                self._limit.pause()
                answer = await answer
                self._limit.go_on()
            policy = answer
        if policy is Policy.ASK:
            raise ConfigError(
                f"{difference.describe()}. Say what becomes of it: adopt, ignore or close, by on_position and "
                "on_order; of a balance adopt or ignore, by on_balance.",
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

    async def _settle_balance(self, difference: Difference, *, running: bool) -> bool:
        policy = self._settings.on_balance
        if running and policy is Policy.ASK:
            return False
        if (policy if running else await self._decide(difference, policy)) is Policy.ADOPT:
            self._alarm(
                "balance_adjusted", f"{difference.describe()}, and nothing tells why; the run takes the venue's."
            )
            self._wallet.adjust(self.account.ts, difference.symbol, difference.ours, difference.theirs)
        return True

    # Taking over.

    def _instrument(self, difference: Difference) -> Instrument:
        instrument: Instrument = self._prepared.kernel.portfolio.positions[difference.symbol].instrument
        return instrument

    def _made_up(self, difference: Difference, side: Side, size: Decimal, price: Decimal) -> FillReport:
        """Return an execution that nobody reported: it costs nothing, and moves no money.

        Its id follows from the run, from what differs and from how many orders the run has made, so that it is the same
        wherever it is reckoned again, and another for every difference.
        """
        number = len(self._prepared.kernel.book.orders)
        said = f"{difference.position_side} {difference.ours} {difference.theirs}"
        return FillReport(
            ts=self.account.ts,
            symbol=difference.symbol,
            client_id="",
            venue_id="",
            trade_id=f"{self._prepared.token} {number} {difference.symbol} {said} {side}",
            side=side,
            size=size,
            price=price,
            fee=_ZERO,
            fee_asset="",
            liquidity=Liquidity.TAKER,
            position_side=difference.position_side,
            profit=None if self._instrument(difference).is_cash else _ZERO,
        )

    async def _adopt(self, difference: Difference, price: Decimal) -> None:
        """Take a position of the venue as the run's own, or forget one that it does not hold."""
        report = self._made_up(difference, difference.side, difference.size, price)
        instrument = self._instrument(difference)
        if instrument.is_cash:  # it is there already, and so is what it cost
            self._pay_for(report, instrument)
        self._engine.adopt(report, SYNTHETIC)
        legs: Any = self._prepared.kernel.portfolio
        for one in position_differences([instrument], legs.legs, await self._ledger(), self.account):
            if one.kind is DifferenceKind.AVERAGE and one.position_side == difference.position_side:
                self._adopt_average(one)

    def _pay_for(self, report: FillReport, instrument: Instrument) -> None:
        with localcontext(prec=60):
            amount = report.size * report.price * exact(instrument.multiplier) * report.side.sign
        kind = "deposit" if amount > 0 else "withdrawal"
        flow = CashFlow(
            self._engine.now(),
            kind,
            report.symbol,
            instrument.settle,
            float(amount),
            reference=report.trade_id,
            exact=amount,
        )
        self._engine.take(CashMoved(self._engine.now(), flow))

    def _adopt_average(self, difference: Difference) -> None:
        """Take the venue's average price: the position ends at the run's own, and begins again at the venue's."""
        opens = Side.BUY if difference.held > 0 else Side.SELL
        size = abs(difference.held)
        for side, price in ((opens.opposite, difference.ours), (opens, difference.theirs)):
            self._engine.adopt(self._made_up(difference, side, size, price), SYNTHETIC)

    async def _price(self, difference: Difference) -> Decimal:
        """Return what a position cost at the venue, or else the last price that the run or the venue has."""
        if difference.entry_price:
            return difference.entry_price
        position: Any = self._prepared.kernel.portfolio.positions[difference.symbol]
        last: float = position.price_source()
        if isnan(last):  # no bar yet
            last = self._price_of(difference.symbol)
        if isnan(last):
            last = await self._last_close(difference.symbol)
        if isnan(last):
            last = position.last_fill_price
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
