"""The live driver: connects a venue, reconciles, runs, drains and closes; one task owns the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from cambist.engine.step import named
from cambist.errors import CambistError, JournalError
from cambist.live.auditing import Audit
from cambist.live.clock import MonotoneClock
from cambist.live.companions import keep_company
from cambist.live.dispatch import Dispatcher
from cambist.live.ending import wind_down
from cambist.live.engine import Doors, LiveEngine, Tactics
from cambist.live.holds import CONNECTION, PASSING, STRATEGY, OwnHolds
from cambist.live.reconciler import Reconciler
from cambist.live.setup import prepare, read_state
from cambist.live.starting import resolve, start, warm_up
from cambist.live.streams import MarketStream, PrivateStream, Strangers
from cambist.live.todays_rules import TodaysRules
from cambist.model.events import RunStopped
from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.errors import StrategyError
    from cambist.live.companions import Companion
    from cambist.live.reconcile import Difference, Policy
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import StreamReport, VenueSession
    from cambist.storage.journal import Journal
    from cambist.strategies import Strategy

__all__ = ["LiveRun"]

_log = logging.getLogger("cambist.live")
_SECOND = 1_000_000_000


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
    companions
        What goes on beside the run, from the phase ``"reconcile"`` to its end; see `Companion`.

    Attributes
    ----------
    phase
        ``"prepare"``, ``"connect"``, ``"reconcile"``, ``"run"``, ``"drain"`` or ``"closed"``.
    session, settings, journal
        As given.
    engine, holds, reconciler, dispatcher
        The parts of the run; there are some from the phase ``"reconcile"`` on.
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
        companions: Sequence[Companion] = (),
    ) -> None:
        self._strategies, self._named = strategies, series
        self.session, self.journal, self.settings = session, journal, settings
        self._told, self._ask, self._companions = alarm, ask, companions
        self.phase = "prepare"
        self._stopping = asyncio.Event()
        self._reason = ""
        self._woken = asyncio.Event()
        self._private_up = asyncio.Event()
        self._ready = False
        self._failure: JournalError | None = None
        self._strangers = Strangers(self.alarm)
        self.engine: LiveEngine
        self.holds: OwnHolds
        self.reconciler: Reconciler
        self.dispatcher: Dispatcher
        self._prepared: Prepared
        self._clock: MonotoneClock
        self.series: list[tuple[Instrument, Timeframe]] = []

    # From outside.

    @property
    def kernel(self) -> Journaling:
        """The kernel; there is one from the phase ``"reconcile"`` on."""
        return self._prepared.kernel

    @property
    def instruments(self) -> list[Instrument]:
        """The instruments of the run, each once, in declared order."""
        return list(dict.fromkeys(instrument for instrument, _ in self.series))

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""
        return self._clock()

    def alarm(self, word: str, text: str) -> None:
        """Tell somebody what a person should know: a stable word, and a sentence."""
        self._told(word, text)

    def take(self, event: Event) -> None:
        """Take an event from outside of venue and market; a journal that fails ends the run."""
        try:
            self.engine.take(event)
        except JournalError as error:
            self._fail(error)
        self._woken.set()

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
        state = read_state(self.journal)
        self._clock = MonotoneClock(0 if state is None else state.ts)
        self.phase = "connect"
        try:
            async with asyncio.timeout(self.settings.ready_within):
                await self.session.open()
                self.series = resolve(self.session, self._named)
                account = await self.session.account()
            strategies = named([strategy.fresh() for strategy in self._strategies])
            self._prepared = prepare(strategies, self.series, self.journal, state, account, self.settings)
            await self._supervise()
        except BaseExceptionGroup as group:
            known = group.subgroup(CambistError)
            if known is None:
                raise
            raise _first(known) from None
        finally:
            await self.session.close()
            self.phase = "closed"
        if self._failure is not None:
            raise self._failure

    # The tasks.

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        kernel = self._prepared.kernel
        doors = Doors(self._send, self.alarm, self._strangers.seen, self.stop, self._failed)
        self.engine = LiveEngine(
            kernel,
            [timeframe for _, timeframe in self.series],
            self.session.terms,
            self._clock,
            doors,
            step_timeout=round(self.settings.step_timeout * _SECOND),
            tactics=Tactics(resend=self.settings.resend, unprotected=round(self.settings.unprotected_within * _SECOND)),
        )
        self.holds = OwnHolds(kernel, self._clock, self.take)
        self.reconciler = Reconciler(
            self.session, self.engine, self._prepared, self.journal, self.settings, ask=self._ask
        )

        def tell(sequence: int) -> None:
            loop.call_soon_threadsafe(self._durable, sequence)

        self.journal.on_durable(tell)
        async with asyncio.TaskGroup() as group:
            self.dispatcher = Dispatcher(self.session, self.engine.orders.answers, self._clock, group)
            private = PrivateStream(self.session, self.engine, self._clock, self._connection, self._woken.set)
            tasks = [group.create_task(private.take(), name="private stream")]
            self.phase = "reconcile"
            tasks += [group.create_task(keep_company(one, self)) for one in self._companions]
            async with asyncio.timeout(self.settings.ready_within):
                await self._private_up.wait()
                await self._warm_up()
                await self.reconciler.reconcile(self.dispatcher, going_on=self._prepared.state is not None)
            self.holds.lift_all(PASSING, "the run goes on")
            self.phase = "run"
            self._ready = True
            market = MarketStream(self.session, self.engine, self.series, self._warmed, self.alarm, self._woken.set)
            audit = Audit(self.engine, self.reconciler, self.dispatcher, self.settings.audit_every, self.alarm)
            rules = TodaysRules(
                self.session, self.engine, self.holds, self.instruments, self.settings.rules_every, self.alarm
            )
            tasks.append(group.create_task(market.take(), name="market data"))
            tasks.append(group.create_task(self._timers(), name="timers"))
            tasks.append(group.create_task(audit.keep_on(), name="audit"))
            tasks.append(group.create_task(rules.keep_on(), name="rules"))
            await self._stopping.wait()
            self.phase = "drain"
            await self._drain()
            for task in tasks:
                task.cancel()
        self.journal.wait()

    def _durable(self, sequence: int) -> None:
        self.engine.durable(sequence)
        self._woken.set()

    def _send(self, request: Any) -> None:
        self.dispatcher.send(request)

    def _fail(self, error: JournalError) -> None:
        """Stop at once: what cannot be journalled must not be traded."""
        if self._failure is None:
            self._failure = error
            self.alarm("journal_failed", f"{error} Nothing is sent any more.")
            self.stop("the journal failed")

    def _failed(self, error: StrategyError) -> None:
        self.alarm("strategy_failed", str(error))
        self.holds.hold(STRATEGY, TradingState.HALTED, str(error), orders=WorkingOrders.CANCEL)

    def _connection(self, report: StreamReport) -> None:
        """Allow no new risk while the private stream is away, and fetch the gap once it is back."""
        if report.state == "up":
            self._private_up.set()
            if self._ready:
                self.engine.orders.ask_all()
                self.holds.lift(CONNECTION, report.text)
        elif self._ready:
            self.alarm("stream_down", f"the private stream of {self.session.name} is {report.state}: {report.text}")
            self.holds.hold(CONNECTION, TradingState.REDUCING, report.text)

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

    # Getting ready.

    async def _warm_up(self) -> None:
        """Start the kernel and let its lines take the bars that they need."""
        now = self._clock()
        effects = start(self._prepared, now)
        self._warmed = await warm_up(self.session, self.kernel, self.series, now)
        if self._prepared.state is not None:
            self.engine.set_timers(self._prepared.state.timers)
        self.engine.put(effects)

    # The end.

    async def _drain(self) -> None:
        """Do what the stop asks for, within its time, and say that the run has ended."""
        if self._failure is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.drain_within):
                    await wind_down(self.engine, self.holds, self.instruments, self.settings.on_stop, self._reason)
        if self._failure is None:
            self.take(RunStopped(self._clock(), self._reason))


def _first(group: BaseExceptionGroup[CambistError]) -> CambistError:
    """Return the first of the errors that a group holds, however deep."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
