"""The live driver: connects a venue, reconciles, runs, drains and closes; one task owns the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from cambist.engine.step import named
from cambist.errors import CambistError, JournalError
from cambist.live.auditing import Audit
from cambist.live.clock import MonotoneClock
from cambist.live.companions import keep_company
from cambist.live.dispatch import Dispatcher
from cambist.live.ending import in_time_or_told, wind_down
from cambist.live.engine import Doors, LiveEngine, Tactics
from cambist.live.heard import Heard
from cambist.live.holds import PASSING, STRATEGY, OwnHolds
from cambist.live.hook_times import HookTimes
from cambist.live.market_stream import MarketStream
from cambist.live.reconciler import Reconciler
from cambist.live.reconnecting import Reconnection
from cambist.live.recording import RunRecording, about_run
from cambist.live.setup import prepare, read_state
from cambist.live.starting import in_time, start
from cambist.live.streams import PrivateStream, Strangers
from cambist.live.subscriptions import Listening, resolve
from cambist.live.todays_rules import TodaysRules
from cambist.live.warming import warm_up
from cambist.model.events import RunStopped
from cambist.model.trading_state import TradingState, WorkingOrders
from cambist.ports.venue import SimulatingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.errors import StrategyError
    from cambist.live.companions import Companion
    from cambist.live.reconciler import Ask
    from cambist.live.settings import LiveSettings, OnStop
    from cambist.live.setup import Prepared
    from cambist.live.subscriptions import Named
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
        What the run listens to, in declared order: a symbol, and a timeframe (``"1m"``) for bars, or ``"ticks"``,
        ``"quotes"`` or ``"book"``.
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
    listening
        What the run listens to; from the phase ``"reconcile"`` on.
    engine, holds, reconciler, dispatcher, market
        The parts of the run; there are some from the phase ``"reconcile"`` on.
    begun, reason
        Whether the run got that far, and why it was told to stop.
    recent_alarms
        The newest of what `alarm` was told: engine time (ns), word and sentence.
    heard
        When each stream said something last.
    hook_times
        How long strategies take.
    strangers
        Orders of the account that are not of this run.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        series: Sequence[Named],
        session: VenueSession,
        journal: Journal,
        settings: LiveSettings,
        *,
        alarm: Callable[[str, str], None] = lambda word, text: _log.warning("%s: %s", word, text),
        ask: Ask | None = None,
        companions: Sequence[Companion] = (),
    ) -> None:
        self._strategies, self._named = strategies, series
        self.session, self.journal, self.settings = session, journal, settings
        self._told, self._ask, self._companions = alarm, ask, companions
        self._recording: RunRecording | None = None
        self.phase = "prepare"
        #: Told when the run enters another phase.
        self.entered: Callable[[LiveRun], None] = lambda _run: None
        self._stopping = asyncio.Event()
        self.reason = ""
        self._woken = asyncio.Event()
        self._private_up = asyncio.Event()
        self._ready = self.begun = False
        self._failure: JournalError | None = None
        self._policy = settings.on_stop
        self._before_trading: list[Callable[[], None]] = []
        self.recent_alarms: deque[tuple[int, str, str]] = deque(maxlen=50)
        self.heard = Heard(self._woken.set)
        self.hook_times = HookTimes(settings.slow_hook, self.alarm)
        self.strangers = Strangers(self.alarm)
        self.engine: LiveEngine
        self.holds: OwnHolds
        self.reconciler: Reconciler
        self.dispatcher: Dispatcher
        self.market: MarketStream
        self._reconnection: Reconnection
        self._prepared: Prepared
        self._clock: MonotoneClock
        self.listening = Listening(())

    # From outside.

    @property
    def kernel(self) -> Journaling:
        """The kernel; there is one from the phase ``"reconcile"`` on."""
        return self._prepared.kernel

    @property
    def series(self) -> Sequence[tuple[Instrument, Timeframe]]:
        """Instrument and timeframe of each series of bars, in declared order."""
        return self.listening.bars

    @property
    def instruments(self) -> list[Instrument]:
        """The instruments of the run, each once, in declared order."""
        return self.listening.instruments

    @property
    def journalling(self) -> bool:
        """Whether the journal takes records: the run has begun, has not ended, and its journal did not fail."""
        return self.begun and self.phase != "closed" and self._failure is None

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""
        return self._clock()

    def alarm(self, word: str, text: str) -> None:
        """Tell somebody what a person should know: a stable word, and a sentence."""
        self.recent_alarms.append((self._clock() if hasattr(self, "_clock") else 0, word, text))
        self._told(word, text)

    def before_trading(self, call: Callable[[], None]) -> None:
        """Have something called once the run is in step with its venue, before anything is traded on."""
        self._before_trading.append(call)

    def take(self, event: Event) -> None:
        """Take an event from outside of venue and market; a journal that fails ends the run."""
        try:
            self.engine.take(event)
        except JournalError as error:
            self._fail(error)
        self._woken.set()

    def stop(self, reason: str = "stopped", policy: OnStop | None = None) -> None:
        """Ask the run to end; the first reason stands.

        Parameters
        ----------
        policy
            What becomes of orders and positions; None for what the settings say.
        """
        if not self._stopping.is_set():
            self.reason = reason
            self._policy = policy or self._policy
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
        self._enter("connect")
        try:
            async with in_time(self.session.name, "answered", self.settings.ready_within):
                await self.session.open()
                self.listening = resolve(self.session, self._named)
                account = await self.session.account()
            strategies = named([strategy.fresh() for strategy in self._strategies])
            for strategy in strategies:
                self.hook_times.measure(strategy)
            simulating = self.session if isinstance(self.session, SimulatingSession) else None
            fee = None if simulating is None else simulating.expected_fee
            self._prepared = prepare(strategies, self.listening, self.journal, state, account, self.settings, fee)
            if simulating is not None:
                simulating.pace(self._is_busy)
                self.kernel.queue_ahead = simulating.queue_ahead
            if self.settings.record:
                about = about_run(self.kernel, self.settings, None if simulating is None else simulating.fees)
                self._recording = RunRecording(self.kernel, self.journal, about, self.alarm)
                self._recording.begin(0 if state is None else state.sequence, self._clock())
            await self._supervise()
        except BaseExceptionGroup as group:
            known = group.subgroup(CambistError)
            if known is None:
                raise
            raise _first(known) from None
        finally:
            if self._recording is not None:
                await asyncio.to_thread(self._recording.close)
            await self.session.close()
            self._enter("closed")
        if self._failure is not None:
            raise self._failure

    def _enter(self, phase: str) -> None:
        self.phase = phase
        self.entered(self)

    # The tasks.

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        self._assemble()

        def tell(sequence: int) -> None:
            loop.call_soon_threadsafe(self._durable, sequence)

        self.journal.on_durable(tell)
        clock, market = self._clock, self.market
        async with asyncio.TaskGroup() as group:
            answers, in_order = self.engine.orders.answers, isinstance(self.session, SimulatingSession)
            self.dispatcher = Dispatcher(self.session, answers, clock, group, in_order=in_order)
            self._reconnection = Reconnection(
                self.session, self.engine, self.dispatcher, self.holds, self.instruments, clock, self.alarm, group
            )
            private = PrivateStream(self.session, self.engine, clock, self._connection, self.heard.of("private"))
            tasks = [group.create_task(private.take(), name="private stream")]
            tasks.append(group.create_task(market.take(), name="market data"))  # before history is asked for
            self._enter("reconcile")
            tasks += [group.create_task(keep_company(one, self)) for one in self._companions]
            async with in_time(self.session.name, "been compared", self.settings.ready_within) as limit:
                await self._private_up.wait()
                await self._warm_up()
                await market.priced(self.settings.step_timeout)
                await self.reconciler.reconcile(self.dispatcher, limit, going_on=self._prepared.state is not None)
            self.holds.lift_all(PASSING, "the run goes on")
            for call in self._before_trading:
                call()
            self._enter("run")
            self._ready = True
            market.begin()
            audit = Audit(self.engine, self.reconciler, self.dispatcher, self.settings.audit_every, self.alarm)
            rules = TodaysRules(
                self.session, self.engine, self.holds, self.instruments, self.settings.rules_every, self.alarm
            )
            tasks.append(group.create_task(self._timers(), name="timers"))
            tasks.append(group.create_task(audit.keep_on(), name="audit"))
            tasks.append(group.create_task(rules.keep_on(), name="rules"))
            await self._stopping.wait()
            self._enter("drain")
            self._reconnection.close()
            await self._drain()
            for task in tasks:
                task.cancel()
        self.journal.wait()

    def _is_busy(self) -> bool:
        """Tell whether something that follows from what happened has not been sent yet, or not been answered."""
        return bool(self.engine.waiting or self.dispatcher.busy or self.market.is_behind)

    def _assemble(self) -> None:
        """Make the parts of the run that do not need its tasks."""
        session, settings, clock = self.session, self.settings, self._clock
        doors = Doors(self._send, self.alarm, self.strangers.seen, self.stop, self._failed)
        self.engine = LiveEngine(
            self._prepared.kernel,
            self.listening,
            session.terms,
            clock,
            doors,
            step_timeout=round(settings.step_timeout * _SECOND),
            tactics=Tactics(resend=settings.resend, unprotected=round(settings.unprotected_within * _SECOND)),
        )
        self.holds = OwnHolds(self._prepared.kernel, clock, self.take)
        self.market = MarketStream(
            session, self.engine, self.listening, settings, self.holds, clock, self.alarm, self.heard.of("market")
        )
        self.reconciler = Reconciler(
            session,
            self.engine,
            self._prepared,
            self.journal,
            settings,
            ask=self._ask,
            alarm=self.alarm,
            price_of=self.market.price,
        )

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
        """Take how the private stream does."""
        if report.state == "up" and report.stream != "clock":
            self._private_up.set()
        if self._ready and not self._stopping.is_set():
            self._reconnection.reported(report)

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
        self.begun = True
        state, most = self._prepared.state, self.settings.anchor_bars
        anchors = {} if state is None else state.anchors
        warmed = await warm_up(self.session, self.kernel, self.listening, anchors, now, most, self.alarm)
        for joint, bars in zip(self.market.joints, warmed, strict=True):
            joint.warmed(bars)
        if state is not None:
            self.engine.set_timers(state.timers)
        self.engine.put(effects)

    # The end.

    async def _drain(self) -> None:
        """Do what the stop asks for, within its time, and say that the run has ended."""
        if self._failure is None:
            winding = wind_down(self.engine, self.holds, self.instruments, self._policy, self.reason)
            await in_time_or_told(winding, self.settings.drain_within, self.engine, self.alarm)
        if self._failure is None:
            self.take(RunStopped(self._clock(), self.reason))
            if self._recording is not None:
                self._recording.end()


def _first(group: BaseExceptionGroup[CambistError]) -> CambistError:
    """Return the first of the errors that a group holds, however deep."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
