"""The live driver: connects a venue, reconciles, runs, drains and closes; one task owns the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from cambist.engine.step import named
from cambist.errors import CambistError, JournalError
from cambist.indicators.technical import load as load_indicators
from cambist.live.account_keeping import AccountKeeper
from cambist.live.clock import MonotoneClock
from cambist.live.companions import keep_company
from cambist.live.dispatch import Dispatcher
from cambist.live.ending import left_over, wind_down
from cambist.live.engine import Doors, LiveEngine, Tactics
from cambist.live.heard import Heard
from cambist.live.holds import PASSING, OwnHolds
from cambist.live.hook_times import HookTimes
from cambist.live.journal_watch import JournalWatch
from cambist.live.market_stream import MarketStream
from cambist.live.opening import ask_opening
from cambist.live.patience import Patience, StoppedEarlyError
from cambist.live.quarantine import Quarantine
from cambist.live.reconnecting import Reconnection
from cambist.live.recording import RunRecording, about_run
from cambist.live.settings import OnStop
from cambist.live.setup import prepare, read_state
from cambist.live.shadow import Shadow
from cambist.live.snapshots import keep_snapshots, last_snapshot
from cambist.live.starting import start
from cambist.live.streams import PrivateStream, Strangers
from cambist.live.subscriptions import Listening, resolve
from cambist.live.todays_rules import TodaysRules
from cambist.live.warming import warm_up
from cambist.model.effects import SetTimer
from cambist.model.events import RunStopped
from cambist.model.reports import FillReport
from cambist.ports.venue import SimulatingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from cambist.engine.fold import RunState
    from cambist.engine.journaled import Journaling
    from cambist.live.companions import Companion
    from cambist.live.deciding import Ask
    from cambist.live.reconciler import Reconciler
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.live.shield import Failure
    from cambist.live.subscriptions import Named
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.reports import OrderReport
    from cambist.model.timeframe import Timeframe
    from cambist.model.trading_state import TradingChange
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
    engine, holds, account, reconciler, dispatcher, market, shadow, quarantine
        The parts of the run; there are some from the phase ``"reconcile"`` on.
    journal_watch
        How far the journal is behind.
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
        self.account: AccountKeeper
        self.reconciler: Reconciler
        self.dispatcher: Dispatcher
        self.market: MarketStream
        self.shadow: Shadow
        self.quarantine: Quarantine
        self.journal_watch = JournalWatch(journal, settings.journal_slow_after, self.alarm, self._fail)
        self._reconnection: Reconnection
        self._private: PrivateStream
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
        try:
            self._told(word, text)
        except Exception:  # noqa: BLE001 - whoever is to be told must not stop the run
            _log.exception("an alarm was told to nobody: %s: %s", word, text)

    def before_trading(self, call: Callable[[], None]) -> None:
        """Have something called once the run is in step with its venue, before anything is traded on."""
        self._before_trading.append(call)

    def take(self, event: Event) -> None:
        """Take an event from outside of venue and market; a journal that fails ends the run."""
        self.engine.take(event)
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
        state = await asyncio.to_thread(read_state, self.journal, self.settings.keep_orders)
        self._clock = MonotoneClock(0 if state is None else state.ts)
        self._enter("connect")
        try:
            await self._connect(state)
            await self._supervise()
        except StoppedEarlyError:
            _log.info("the run was told to stop while it was in the phase %r: %s", self.phase, self.reason)
        except JournalError as error:
            self._fail(error)
        except BaseExceptionGroup as group:
            known = group.subgroup(CambistError)
            if known is None:
                raise
            first = _first(known)
            if not isinstance(first, JournalError):
                raise first from None
            self._fail(first)
        finally:
            await self._close()
        if self._failure is not None:
            raise self._failure

    async def _connect(self, state: RunState | None) -> None:
        """Reach the venue, and make the run of what it says and of what the journal holds."""
        session, settings = self.session, self.settings
        patience = Patience(session.name, settings.ready_within, "ready_within", self._stopping)
        loading = asyncio.create_task(asyncio.to_thread(load_indicators))  # meanwhile
        await patience.wait_for(session.open(), "connecting")
        await loading
        self.listening = resolve(session, self._named)
        asked = ask_opening(session, self._clock(), going_on=state is not None)
        opening = await patience.wait_for(asked, "asking for the account")
        strategies = named([strategy.fresh() for strategy in self._strategies])
        for strategy in strategies:
            self.hook_times.measure(strategy)
        simulating = session if isinstance(session, SimulatingSession) else None
        fee = None if simulating is None else simulating.expected_fee
        self._prepared = prepare(strategies, self.listening, self.journal, state, opening, settings, self.alarm, fee)
        self.shadow = Shadow(self.journal, state, settings.keep_orders)
        if simulating is not None:
            simulating.pace(self._is_busy)
            self.kernel.queue_ahead = simulating.queue_ahead
        if settings.record:
            about = about_run(self.kernel, settings, None if simulating is None else simulating.fees)
            self._recording = RunRecording(self.kernel, self.journal, about, self.alarm)
            self._recording.begin(0 if state is None else state.sequence, self._clock())

    async def _close(self) -> None:
        """Let go of the venue, within its time; how the run ended is told in any case."""
        within = self.settings.close_within
        if self._recording is not None:
            await asyncio.to_thread(self._recording.close)
        try:
            async with asyncio.timeout(within):
                await self.session.close()
        except TimeoutError:
            self.alarm("close_failed", f"{self.session.name} was not closed within {within:g} s (close_within).")
        except Exception as error:  # noqa: BLE001 - it would stand in the place of how the run ended
            _log.exception("%s could not be closed", self.session.name)
            self.alarm("close_failed", f"{self.session.name} could not be closed: {error}")
        self._enter("closed")

    def _enter(self, phase: str) -> None:
        self.phase = phase
        self.entered(self)

    # The tasks.

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        self._assemble()

        def tell(sequence: int) -> None:
            with contextlib.suppress(RuntimeError):  # the loop of a run that has ended
                loop.call_soon_threadsafe(self._durable, sequence)

        self.journal.on_durable(tell)
        clock, market = self._clock, self.market
        async with asyncio.TaskGroup() as group:
            answers, in_order = self.engine.orders.answers, isinstance(self.session, SimulatingSession)
            self.dispatcher = Dispatcher(self.session, answers, clock, group, in_order=in_order)
            self._reconnection = Reconnection(
                self.session, self.engine, self.dispatcher, self.holds, self.instruments, clock, self.alarm, group
            )
            self._reconnection.also = self.account.catch_up
            self._private = PrivateStream(
                self.session,
                self.engine,
                clock,
                self.account.wallet,
                self._connection,
                self.alarm,
                self.heard.of("private"),
            )
            tasks = [group.create_task(self._private.take(), name="private stream")]
            tasks.append(group.create_task(market.take(), name="market data"))  # before history is asked for
            tasks.append(group.create_task(self.journal_watch.keep_on(), name="journal watch"))
            self._enter("reconcile")
            tasks += [group.create_task(keep_company(one, self)) for one in self._companions]
            with contextlib.suppress(StoppedEarlyError):
                await self._get_ready()
                tasks += [group.create_task(one, name=name) for name, one in self._work().items()]
                await self._stopping.wait()
            self._enter("drain")
            self._reconnection.close()
            await self._drain()
            self.dispatcher.close()
            for task in tasks:
                task.cancel()
        if self._failure is None:
            await asyncio.to_thread(self.journal.wait, None, self.settings.close_within)
            await last_snapshot(self.shadow, self.settings.close_within)

    async def _get_ready(self) -> None:
        """Come in step with the venue; no order leaves before that."""
        going_on = self._prepared.state is not None
        patience = Patience(self.session.name, self.settings.ready_within, "ready_within", self._stopping)
        await patience.wait_for(self._private_up.wait(), "waiting for the private stream")
        await patience.wait_for(self._warm_up(), "asking for the bars to warm up with")
        await patience.wait_for(self.market.priced(self.settings.step_timeout), "waiting for prices")
        if going_on:
            self.engine.resume_orders()
        self._private.begin()
        await patience.wait_for(self.account.begin(patience), "asking for orders, executions and balances")
        self.holds.lift_all(PASSING, "the run goes on")
        for call in self._before_trading:
            call()
        self.engine.begin_trading()
        self._enter("run")
        self._ready = True
        self.market.begin()

    def _work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what goes on while the run does, by name."""
        settings = self.settings
        rules = TodaysRules(self.session, self.engine, self.holds, self.instruments, settings.rules_every, self.alarm)
        return {
            "timers": self._timers(),
            **self.account.work(),
            "rules": rules.keep_on(),
            "snapshots": keep_snapshots(self.shadow, settings.snapshot_every, settings.snapshot_records, self.alarm),
        }

    def _is_busy(self) -> bool:
        """Tell whether something that follows from what happened has not been sent yet, or not been answered."""
        return bool(self.engine.waiting or self.dispatcher.busy or self.market.is_behind)

    def _assemble(self) -> None:
        """Make the parts of the run that do not need its tasks."""
        session, settings, clock = self.session, self.settings, self._clock
        shield = self._prepared.shield
        doors = Doors(
            self._send,
            self.alarm,
            self._not_ours,
            self.stop,
            failed=self._strategy_failed,
            changed=self._trading_changed,
            lost=self._fail,
        )
        self.engine = LiveEngine(
            self._prepared.kernel,
            self.listening,
            session.terms,
            clock,
            doors,
            step_timeout=round(settings.step_timeout * _SECOND),
            keep=settings.keep_orders,
            tactics=Tactics(resend=settings.resend, unprotected=round(settings.unprotected_within * _SECOND)),
        )
        self.holds = OwnHolds(self._prepared.kernel, clock, self.take)
        self.quarantine = Quarantine(self.engine, shield, self.holds, settings.on_failure, self.alarm)
        self.market = MarketStream(
            session, self.engine, self.listening, settings, self.holds, clock, self.alarm, self.heard.of("market")
        )
        self.account = AccountKeeper(self, self._prepared, self._ask)
        self.reconciler = self.account.reconciler

    def _durable(self, sequence: int) -> None:
        self.engine.durable(sequence)
        self._woken.set()

    def _send(self, request: Any) -> None:
        self.dispatcher.send(request)

    def _strategy_failed(self, failure: Failure) -> None:
        self.quarantine.failed(failure)

    def _trading_changed(self, change: TradingChange) -> None:
        self.quarantine.changed(change)

    def _not_ours(self, report: OrderReport | FillReport) -> None:
        """Take a report of an order that is none of the run; before it is in step, comparing finds all there is."""
        if not self.account.ready:
            return
        if isinstance(report, FillReport) and report.system:
            self.account.book_system(report)
        elif not report.system:
            self.strangers.seen(report)

    def _fail(self, error: JournalError) -> None:
        """Stop at once: what cannot be journalled must not be traded."""
        if self._failure is None:
            self._failure = error
            self.alarm("journal_failed", f"{error} Nothing is sent any more.")
            self.stop("the journal failed")

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
            self.quarantine.close_positions()
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
        self.quarantine.resume()
        state, most = self._prepared.state, self.settings.anchor_bars
        anchors = {} if state is None else state.anchors
        warmed = await warm_up(self.session, self.kernel, self.listening, anchors, now, most, self.alarm)
        for joint, bars in zip(self.market.joints, warmed, strict=True):
            joint.warmed(bars)
        if state is not None:
            # What a rule sets anew at the start is not to fire for a time before.
            renewed = {one.name for one in effects if isinstance(one, SetTimer)}
            self.engine.set_timers({name: due for name, due in state.timers.items() if name not in renewed})
        self._prepared.shield.armed = True
        self.engine.put(effects)

    # The end.

    async def _drain(self) -> None:
        """Do what the stop asks for, within its time, and say that the run has ended."""
        if self._failure is None and self._ready:
            policy, within = self._policy, self.settings.drain_within
            if not await wind_down(self.engine, self.holds, self.instruments, policy, self.reason, within):
                self._tell_left_over()
        if self._failure is None and self.begun:
            self.take(RunStopped(self._clock(), self.reason))
            if self._recording is not None:
                self._recording.end()

    def _tell_left_over(self) -> None:
        """Say what the venue has not confirmed: somebody has to look."""
        flattened = self.instruments if self._policy is OnStop.FLATTEN else ()
        left = left_over(self.engine, flattened) or "records that the journal has not made safe"
        self.reason += f"; unfinished: {left}"
        self.alarm(
            "stop_incomplete",
            f"the run ends after {self.settings.drain_within:g} s (drain_within), and {self.session.name} has not "
            f"confirmed all that {self._policy.value!r} asks for. Left: {left}. Look at the venue; the next start asks "
            "about these orders.",
        )


def _first(group: BaseExceptionGroup[CambistError]) -> CambistError:
    """Return the first of the errors that a group holds, however deep."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
