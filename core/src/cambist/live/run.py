"""The live driver: connects a venue, reconciles, runs, drains and closes; one task owns the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from cambist.engine.step import named
from cambist.errors import CambistError, JournalError, VenueError
from cambist.live.clock import MonotoneClock
from cambist.live.dispatch import Dispatcher
from cambist.live.engine import Doors, LiveEngine
from cambist.live.reconciler import Reconciler
from cambist.live.settings import OnStop
from cambist.live.setup import prepare, read_state
from cambist.live.starting import resolve, start, warm_up
from cambist.model.events import RunStopped, TradingStateRequested
from cambist.model.market import Quote, Tick
from cambist.model.reports import FillReport, OrderReport
from cambist.model.trading_state import TradingState, WorkingOrders
from cambist.ports.venue import BarReport, StreamReport, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.errors import StrategyError
    from cambist.live.reconcile import Difference, Policy
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import VenueSession
    from cambist.storage.journal import Journal
    from cambist.strategies import Strategy

__all__ = ["LiveRun"]

_log = logging.getLogger("cambist.live")
_SECOND = 1_000_000_000
#: Who asks for a state of trading because of the connection.
_CONNECTION = "connection"
_STOP = "stop"
#: How many orders of others are remembered, so that each is told of once.
_STRANGERS = 10_000


class LiveRun:
    """One run at one venue.

    Parameters
    ----------
    strategies
        Fresh ones.
    series
        Symbol and timeframe of each series of bars, in declared order.
    session
        The account at the venue, not yet open.
    journal
        Of the run; one that holds a run is gone on with.
    settings
        How it behaves.
    alarm
        Told of what a person should know: a stable word, and a sentence.
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.

    Attributes
    ----------
    phase
        ``"prepare"``, ``"connect"``, ``"reconcile"``, ``"run"``, ``"drain"`` or ``"closed"``.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        series: Sequence[tuple[str, Timeframe]],
        session: VenueSession,
        journal: Journal,
        settings: LiveSettings,
        *,
        alarm: Callable[[str, str], None] = lambda word, text: _log.warning("%s: %s", word, text),
        ask: Callable[[Difference], Policy] | None = None,
    ) -> None:
        self._strategies, self._named, self._session = strategies, series, session
        self._journal, self._settings, self._alarm, self._ask = journal, settings, alarm, ask
        self.phase = "prepare"
        self._stopping = asyncio.Event()
        self._reason = ""
        self._woken = asyncio.Event()
        self._private_up = asyncio.Event()
        self._ready = False
        self._failure: JournalError | None = None
        self._strangers: set[str] = set()
        self.engine: LiveEngine
        self._prepared: Prepared
        self._clock: MonotoneClock
        self._series: list[tuple[Instrument, Timeframe]] = []
        self._numbers: dict[tuple[str, int], int] = {}

    # From outside.

    @property
    def kernel(self) -> Journaling:
        """The kernel; there is one from the phase ``"reconcile"`` on."""
        return self._prepared.kernel

    def stop(self, reason: str = "stopped") -> None:
        """Ask the run to end; the first reason stands."""
        if not self._stopping.is_set():
            self._reason = reason
            self._stopping.set()

    async def run(self) -> None:
        """Run until told to stop.

        Raises
        ------
        VenueError
            If the venue cannot be reached in time, or refuses the account.
        ConfigError
            If the run does not fit venue, account or journal.
        JournalError
            If the journal failed: nothing was sent since.
        """
        state = read_state(self._journal)
        self._clock = MonotoneClock(0 if state is None else state.ts)
        self.phase = "connect"
        try:
            async with asyncio.timeout(self._settings.ready_within):
                await self._session.open()
                self._series = resolve(self._session, self._named)
                account = await self._session.account()
            strategies = named([strategy.fresh() for strategy in self._strategies])
            self._numbers = {(one.symbol, timeframe.ns): number for number, (one, timeframe) in enumerate(self._series)}
            self._prepared = prepare(strategies, self._series, self._journal, state, account, self._settings)
            await self._supervise()
        except BaseExceptionGroup as group:
            known = group.subgroup(CambistError)
            if known is None:
                raise
            raise _first(known) from None
        finally:
            await self._session.close()
            self.phase = "closed"
        if self._failure is not None:
            raise self._failure

    # The tasks.

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        kernel = self._prepared.kernel
        doors = Doors(self._send, self._alarm, self._not_ours, self.stop, self._failed)
        self.engine = LiveEngine(
            kernel,
            [timeframe for _, timeframe in self._series],
            self._session.terms,
            self._clock,
            doors,
            step_timeout=round(self._settings.step_timeout * _SECOND),
        )

        self._reconciler = Reconciler(
            self._session, self.engine, self._prepared, self._journal, self._settings, ask=self._ask
        )

        def tell(sequence: int) -> None:
            loop.call_soon_threadsafe(self._durable, sequence)

        self._journal.on_durable(tell)
        async with asyncio.TaskGroup() as group:
            self._dispatcher = Dispatcher(self._session, self.engine.orders.answers, self._clock, group)
            tasks = [group.create_task(self._private(), name="private stream")]
            self.phase = "reconcile"
            async with asyncio.timeout(self._settings.ready_within):
                await self._private_up.wait()
                await self._warm_up()
                await self._reconciler.reconcile(self._dispatcher, going_on=self._prepared.state is not None)
            self._lift_own_holds()
            self.phase = "run"
            self._ready = True
            tasks.append(group.create_task(self._market(), name="market data"))
            tasks.append(group.create_task(self._timers(), name="timers"))
            tasks.append(group.create_task(self._audit(), name="audit"))
            await self._stopping.wait()
            self.phase = "drain"
            await self._drain()
            for task in tasks:
                task.cancel()
        self._journal.wait()

    def _durable(self, sequence: int) -> None:
        self.engine.durable(sequence)
        self._woken.set()

    def _send(self, request: Any) -> None:
        self._dispatcher.send(request)

    def _take(self, event: Any) -> None:
        try:
            self.engine.take(event)
        except JournalError as error:
            self._fail(error)
        self._woken.set()

    def _fail(self, error: JournalError) -> None:
        """Stop at once: what cannot be journalled must not be traded."""
        if self._failure is None:
            self._failure = error
            self._alarm("journal_failed", f"{error} Nothing is sent any more.")
            self.stop("the journal failed")

    def _failed(self, error: StrategyError) -> None:
        self._alarm("strategy_failed", str(error))
        self._hold(TradingState.HALTED, str(error), "strategy", WorkingOrders.CANCEL)

    def _hold(self, state: TradingState, reason: str, rule: str, orders: WorkingOrders = WorkingOrders.KEEP) -> None:
        """Ask for a state of trading that this run itself wants, beside those of rules and operators."""
        self._take(TradingStateRequested(self._clock(), state, "", reason, "live run", orders, rule))

    def _lift_own_holds(self) -> None:
        """Take back what a run before this one asked for when it ended, or lost its connection."""
        for hold in list(self.kernel.trading.holds):
            if hold.rule in {_CONNECTION, _STOP}:
                self._hold(TradingState.ACTIVE, "the run goes on", hold.rule)

    def _not_ours(self, report: OrderReport | FillReport) -> None:
        """Tell, once, of an order of the account that this run did not send."""
        if report.venue_id not in self._strangers:
            if len(self._strangers) >= _STRANGERS:
                self._strangers.clear()
            self._strangers.add(report.venue_id)
            self._alarm(
                "foreign_order",
                f"order {report.client_id or report.venue_id} in {report.symbol} is none of this run; what it trades "
                "shows as a difference in the next audit.",
            )

    async def _private(self) -> None:
        """Take what the private stream says."""
        async for report in self._session.private():
            now = self._clock()
            if isinstance(report, OrderReport):
                self.engine.orders.evidence.reported(report, now)
            elif isinstance(report, FillReport):
                self.engine.orders.evidence.executed(report, now)
            elif isinstance(report, StreamReport):
                self._connection(report)
            self._woken.set()

    def _connection(self, report: StreamReport) -> None:
        """Allow no new risk while the private stream is away, and fetch the gap once it is back."""
        if report.state == "up":
            self._private_up.set()
            if self._ready:
                self.engine.orders.ask_all()
                self._hold(TradingState.ACTIVE, report.text, _CONNECTION)
        elif self._ready:
            self._alarm("stream_down", f"the private stream of {self._session.name} is {report.state}: {report.text}")
            self._hold(TradingState.REDUCING, report.text, _CONNECTION)

    async def _market(self) -> None:
        """Take market data."""
        wanted = [Subscription(instrument, "bars", timeframe) for instrument, timeframe in self._series]
        seen: dict[int, int] = dict(self._warmed)
        async for one in self._session.market(wanted):
            if isinstance(one, BarReport):
                number = self._numbers.get((one.instrument.symbol, one.timeframe.ns))
                if number is not None and one.final and one.bar.ts > seen.get(number, -1):
                    seen[number] = one.bar.ts
                    self.engine.bar(number, one.bar)
            elif isinstance(one, Tick):
                self.engine.price(one.instrument.symbol, one.price)
            elif isinstance(one, Quote):
                self.engine.price(one.instrument.symbol, 0.5 * (one.bid + one.ask))
            elif isinstance(one, StreamReport) and one.state != "up":
                self._alarm("stream_down", f"{one.stream} of {self._session.name} is {one.state}: {one.text}")
            self._woken.set()

    async def _timers(self) -> None:
        """Do what is due, whenever something is."""
        while True:
            self.engine.time_passed()
            self._woken.clear()
            due = self.engine.next_due()
            wait = None if due is None else max(0.0, (due - self._clock()) / _SECOND)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()

    async def _audit(self) -> None:
        """Look now and then for what a stream that seems healthy has dropped.

        What differs once may be on its way; what differs twice in a row is told.
        """
        before: list[Difference] = []
        while True:
            await asyncio.sleep(self._settings.audit_every)
            self.engine.orders.ask_all()
            await self._dispatcher.idle()
            try:
                differences = await self._reconciler.differences()
            except VenueError as error:
                self._alarm("audit_failed", str(error))
                continue
            for one in differences:
                if one in before:
                    self._alarm("out_of_step", one.describe())
            before = differences

    # Getting ready.

    async def _warm_up(self) -> None:
        """Start the kernel and let its lines take the bars that they need."""
        now = self._clock()
        effects = start(self._prepared, now)
        self._warmed = await warm_up(self._session, self.kernel, self._series, now)
        if self._prepared.state is not None:
            self.engine.set_timers(self._prepared.state.timers)
        self.engine.put(effects)

    # The end.

    async def _drain(self) -> None:
        """Do what the stop asks for, within its time, and say that the run has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_within):
                if self._failure is None and self._settings.on_stop is not OnStop.KEEP:
                    await self._withdraw_all()
        if self._failure is None:
            self._take(RunStopped(self._clock(), self._reason))

    async def _withdraw_all(self) -> None:
        self._hold(TradingState.HALTED, self._reason, _STOP, WorkingOrders.CANCEL)
        await self._until_no_order_is_open()
        if self._settings.on_stop is OnStop.FLATTEN:
            for instrument in dict.fromkeys(instrument for instrument, _ in self._series):
                self.engine.close_position(instrument)
            await self._until_no_order_is_open()

    async def _until_no_order_is_open(self) -> None:
        while self.engine.orders.open or self.engine.waiting:
            await asyncio.sleep(0.02)
            self.engine.time_passed()


def _first(group: BaseExceptionGroup[CambistError]) -> CambistError:
    """Return the first of the errors that a group holds, however deep."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
