"""The live driver: connects a venue, reconciles, runs, drains and closes; one task owns the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING

from cambist.errors import CambistError, JournalError
from cambist.live.account_keeping import AccountKeeper
from cambist.live.assembly import (
    make_dispatcher,
    make_engine,
    make_market,
    make_private,
    make_quarantine,
    make_reconnection,
)
from cambist.live.clock import MonotoneClock
from cambist.live.companions import keep_company
from cambist.live.connecting import begin_recording, connect
from cambist.live.ending import close_session, end_trading
from cambist.live.getting_ready import get_ready
from cambist.live.heard import Heard
from cambist.live.holds import OwnHolds
from cambist.live.hook_times import HookTimes
from cambist.live.journal_watch import JournalWatch
from cambist.live.patience import Patience, StoppedEarlyError
from cambist.live.setup import read_state
from cambist.live.shadow import Shadow
from cambist.live.snapshots import last_snapshot
from cambist.live.streams import PrivateStream, Strangers
from cambist.live.subscriptions import Listening
from cambist.live.truth import Truth
from cambist.live.work import work_of
from cambist.model.events import RunStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.fold import RunState
    from cambist.engine.journaled import Journaling
    from cambist.live.companions import Companion
    from cambist.live.deciding import Ask
    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.market_stream import MarketStream
    from cambist.live.quarantine import Quarantine
    from cambist.live.reconciler import Reconciler
    from cambist.live.reconnecting import Reconnection
    from cambist.live.recording import RunRecording
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
    engine, holds, account, reconciler, dispatcher, market, shadow, quarantine
        The parts of the run; there are some from the phase ``"reconcile"`` on.
    journal_watch
        How far the journal is behind.
    begun, reason
        Whether the run got that far, and why it was told to stop.
    recent_alarms
        The newest of what `alarm` was told: engine time (ns), word and sentence.
    truth
        Asks the venue for what is so, where that may wait.
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
        self._ready = self.begun = False
        self._failure: JournalError | None = None
        self._policy = settings.on_stop
        self._before_trading: list[Callable[[], None]] = []
        self.recent_alarms: deque[tuple[int, str, str]] = deque(maxlen=50)
        self.truth = Truth(session, self.alarm)
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
        self.journal_watch = JournalWatch(journal, settings.journal_slow_after, self.alarm, self._lose)
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

    def is_busy(self) -> bool:
        """Tell whether something that follows from what happened has not been sent yet, or not been answered."""
        return bool(self.engine.waiting or self.dispatcher.busy or self.market.is_behind)

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

    def fail(self, error: JournalError) -> None:
        """End the run at once: what cannot be journalled must not be traded."""
        if self._failure is None:
            self._failure = error
            self.alarm("journal_failed", f"{error} Nothing is sent any more.")
            self.stop("the journal failed")

    def _lose(self, error: JournalError) -> None:
        """Have the engine do nothing any more; it tells the run. Else a stop would wait for records in vain."""
        self.engine.lose(error)

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
            self.fail(error)
        except BaseExceptionGroup as group:
            known = group.subgroup(CambistError)
            if known is None:
                raise
            first = _first(known)
            if not isinstance(first, JournalError):
                raise first from None
            self.fail(first)
        finally:
            await self._close()
        if self._failure is not None:
            raise self._failure

    async def _connect(self, state: RunState | None) -> None:
        """Reach the venue, and make the run of what it says and of what the journal holds."""
        patience, keep = self._patience(), self.settings.keep_orders
        self.listening, self._prepared = await connect(self, self._strategies, self._named, state, patience)
        self.shadow = Shadow(self.journal, state, keep)
        if self.settings.record:
            self._recording = begin_recording(self, self._prepared)

    async def _close(self) -> None:
        if self._recording is not None:
            await asyncio.to_thread(self._recording.close)
        await close_session(self.session, self.settings.close_within, self.alarm)
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
        async with asyncio.TaskGroup() as group:
            self.dispatcher = make_dispatcher(self, group)
            self._reconnection = make_reconnection(self, group)
            self._private = make_private(self, self._connection)
            tasks = [group.create_task(self._private.take(), name="private stream")]
            tasks.append(group.create_task(self.market.take(), name="market data"))  # before history is asked for
            tasks.append(group.create_task(self.journal_watch.keep_on(), name="journal watch"))
            self._enter("reconcile")
            tasks += [group.create_task(keep_company(one, self)) for one in self._companions]
            with contextlib.suppress(StoppedEarlyError):
                await self._get_ready()
                tasks += [group.create_task(one, name=name) for name, one in work_of(self, self._woken).items()]
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
        await get_ready(self, self._prepared, self._private, self._patience(), self._before_trading)
        self._enter("run")
        self._ready = True
        self.market.begin()

    def _patience(self) -> Patience:
        """Return how long the venue may take to get the run ready, from now on."""
        return Patience(self.session.name, self.settings.ready_within, "ready_within", self._stopping)

    def _assemble(self) -> None:
        """Make the parts of the run that do not need its tasks."""
        self.engine = make_engine(self, self._prepared)
        self.holds = OwnHolds(self.kernel, self._clock, self.take)
        self.quarantine = make_quarantine(self, self._prepared)
        self.market = make_market(self)
        self.account = AccountKeeper(self, self._prepared, self._ask)
        self.reconciler = self.account.reconciler

    def _durable(self, sequence: int) -> None:
        self.engine.durable(sequence)
        self._woken.set()

    def _connection(self, report: StreamReport) -> None:
        """Take how the private stream does."""
        if self._ready and not self._stopping.is_set():
            self._reconnection.reported(report)

    async def _drain(self) -> None:
        """Do what the stop asks for, within its time, and say that the run has ended."""
        if self._failure is None and self._ready:
            left = await end_trading(self, self._policy)
            self.reason += f"; unfinished: {left}" if left else ""
        if self._failure is None and self.begun:
            self.take(RunStopped(self._clock(), self.reason))
            if self._recording is not None:
                self._recording.end()


def _first(group: BaseExceptionGroup[CambistError]) -> CambistError:
    """Return the first of the errors that a group holds, however deep."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
