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
from cambist.live.ending import left_over, wind_down
from cambist.live.engine import Doors, LiveEngine
from cambist.live.holds import CONNECTION, PASSING, OwnHolds
from cambist.live.journal_watch import JournalWatch
from cambist.live.patience import Patience, StoppedEarlyError
from cambist.live.quarantine import Quarantine
from cambist.live.reconciler import Reconciler
from cambist.live.settings import OnStop
from cambist.live.setup import prepare, read_state
from cambist.live.shadow import Shadow
from cambist.live.snapshots import keep_snapshots, last_snapshot
from cambist.live.starting import resolve, start, warm_up
from cambist.live.streams import MarketStream, PrivateStream, Strangers
from cambist.model.events import RunStopped
from cambist.model.trading_state import TradingState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from cambist.engine.fold import RunState
    from cambist.engine.journaled import Journaling
    from cambist.live.companions import Companion
    from cambist.live.reconcile import Difference, Policy
    from cambist.live.settings import LiveSettings
    from cambist.live.setup import Prepared
    from cambist.live.shield import Failure
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
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
    engine, holds, reconciler, dispatcher, shadow
        The parts of the run; there are some from the phase ``"reconcile"`` on.
    journal_watch
        How far the journal is behind.
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
        self._ready = self._started = False
        self._failure: JournalError | None = None
        self._strangers = Strangers(self.alarm)
        self.engine: LiveEngine
        self.holds: OwnHolds
        self.reconciler: Reconciler
        self.dispatcher: Dispatcher
        self.shadow: Shadow
        self.quarantine: Quarantine
        self.journal_watch = JournalWatch(journal, settings.journal_slow_after, self.alarm, self._fail)
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
        try:
            self._told(word, text)
        except Exception:  # noqa: BLE001 - whoever is to be told must not stop the run
            _log.exception("an alarm was told to nobody: %s: %s", word, text)

    def take(self, event: Event) -> None:
        """Take an event from outside of venue and market; a journal that fails ends the run."""
        self.engine.take(event)
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
        state = await asyncio.to_thread(read_state, self.journal, self.settings.keep_orders)
        self._clock = MonotoneClock(0 if state is None else state.ts)
        self.phase = "connect"
        try:
            await self._connect(state)
            await self._supervise()
        except StoppedEarlyError:
            _log.info("the run was told to stop while it was in the phase %r: %s", self.phase, self._reason)
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
        session = self.session
        patience = Patience(session.name, self.settings.ready_within, "ready_within", self._stopping)
        await patience.wait_for(session.open(), "connecting")
        self.series = resolve(session, self._named)
        account = await patience.wait_for(session.account(), "asking for the account")
        strategies = named([strategy.fresh() for strategy in self._strategies])
        self._prepared = prepare(strategies, self.series, self.journal, state, account, self.settings, self.alarm)
        self.shadow = Shadow(self.journal, state, self.settings.keep_orders)

    async def _close(self) -> None:
        """Let go of the venue, within its time; how the run ended is told in any case."""
        within = self.settings.close_within
        try:
            async with asyncio.timeout(within):
                await self.session.close()
        except TimeoutError:
            self.alarm("close_failed", f"{self.session.name} was not closed within {within:g} s (close_within).")
        except Exception as error:  # noqa: BLE001 - it would stand in the place of how the run ended
            _log.exception("%s could not be closed", self.session.name)
            self.alarm("close_failed", f"{self.session.name} could not be closed: {error}")
        self.phase = "closed"

    # The tasks.

    async def _supervise(self) -> None:
        self._assemble()
        async with asyncio.TaskGroup() as group:
            self.dispatcher = Dispatcher(self.session, self.engine.orders.answers, self._clock, group)
            private = PrivateStream(self.session, self.engine, self._clock, self._connection, self._woken.set)
            tasks = [group.create_task(private.take(), name="private stream")]
            tasks.append(group.create_task(self.journal_watch.keep_on(), name="journal watch"))
            self.phase = "reconcile"
            tasks += [group.create_task(keep_company(one, self)) for one in self._companions]
            try:
                await self._get_ready()
            except StoppedEarlyError:
                pass
            else:
                tasks += [group.create_task(one, name=name) for name, one in self._work().items()]
                await self._stopping.wait()
            self.phase = "drain"
            await self._drain()
            self.dispatcher.close()
            for task in tasks:
                task.cancel()
        if self._failure is None:
            await asyncio.to_thread(self.journal.wait, None, self.settings.close_within)
            await last_snapshot(self.shadow, self.settings.close_within)

    def _assemble(self) -> None:
        """Join the kernel to the venue and to the journal."""
        loop, kernel, shield = asyncio.get_running_loop(), self._prepared.kernel, self._prepared.shield
        doors = Doors(
            self._send,
            self.alarm,
            self._strangers.seen,
            self.stop,
            failed=self._strategy_failed,
            changed=self._trading_changed,
            lost=self._fail,
        )
        self.engine = LiveEngine(
            kernel,
            [timeframe for _, timeframe in self.series],
            self.session.terms,
            self._clock,
            doors,
            shield,
            step_timeout=round(self.settings.step_timeout * _SECOND),
            keep=self.settings.keep_orders,
        )
        self.holds = OwnHolds(kernel, self._clock, self.take)
        self.quarantine = Quarantine(self.engine, shield, self.holds, self.settings.on_failure, self.alarm)
        self.reconciler = Reconciler(
            self.session, self.engine, self._prepared, self.shadow, self.settings, ask=self._ask
        )

        def tell(sequence: int) -> None:
            with contextlib.suppress(RuntimeError):  # the loop of a run that has ended
                loop.call_soon_threadsafe(self._durable, sequence)

        self.journal.on_durable(tell)

    async def _get_ready(self) -> None:
        """Come in step with the venue; no order leaves before that."""
        patience = Patience(self.session.name, self.settings.ready_within, "ready_within", self._stopping)
        await patience.wait_for(self._private_up.wait(), "waiting for the private stream")
        await patience.wait_for(self._warm_up(), "asking for the bars to warm up with")
        reconciled = self.reconciler.reconcile(self.dispatcher, going_on=self._prepared.state is not None)
        await patience.wait_for(reconciled, "asking for orders, executions and balances")
        self.engine.begin_trading()
        self.holds.lift_all(PASSING, "the run goes on")
        self.phase = "run"
        self._ready = True

    def _work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what goes on while the run does, by name."""
        settings = self.settings
        market = MarketStream(self.session, self.engine, self.series, self._warmed, self.alarm, self._woken.set)
        audit = Audit(self.engine, self.reconciler, self.dispatcher, settings.audit_every, self.alarm)
        return {
            "market data": market.take(),
            "timers": self._timers(),
            "audit": audit.keep_on(),
            "snapshots": keep_snapshots(self.shadow, settings.snapshot_every, settings.snapshot_records, self.alarm),
        }

    def _durable(self, sequence: int) -> None:
        self.engine.durable(sequence)
        self._woken.set()

    def _send(self, request: Any) -> None:
        self.dispatcher.send(request)

    def _strategy_failed(self, failure: Failure) -> None:
        self.quarantine.failed(failure)

    def _trading_changed(self, change: TradingChange) -> None:
        self.quarantine.changed(change)

    def _fail(self, error: JournalError) -> None:
        """Stop at once: what cannot be journalled must not be traded."""
        if self._failure is None:
            self._failure = error
            self.alarm("journal_failed", f"{error} Nothing is sent any more.")
            self.stop("the journal failed")

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
        self._started = True
        self.quarantine.resume()
        self._warmed = await warm_up(self.session, self.kernel, self.series, now)
        if self._prepared.state is not None:
            self.engine.set_timers(self._prepared.state.timers)
        self._prepared.shield.armed = True
        self.engine.put(effects)

    # The end.

    async def _drain(self) -> None:
        """Do what the stop asks for, within its time, and say that the run has ended."""
        if self._failure is None and self._ready:
            settings = self.settings
            done = await wind_down(
                self.engine, self.holds, self.instruments, settings.on_stop, self._reason, settings.drain_within
            )
            if not done:
                self._tell_left_over()
        if self._failure is None and self._started:
            self.take(RunStopped(self._clock(), self._reason))

    def _tell_left_over(self) -> None:
        """Say what the venue has not confirmed: somebody has to look."""
        settings = self.settings
        flattened = self.instruments if settings.on_stop is OnStop.FLATTEN else ()
        left = left_over(self.engine, flattened) or "records that the journal has not made safe"
        self._reason += f"; unfinished: {left}"
        self.alarm(
            "stop_incomplete",
            f"the run ends after {settings.drain_within:g} s (drain_within), and {self.session.name} has not confirmed "
            f"all that on_stop = {settings.on_stop.value!r} asks for. Left: {left}. Look at the venue.",
        )


def _first(group: BaseExceptionGroup[CambistError]) -> CambistError:
    """Return the first of the errors that a group holds, however deep."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
