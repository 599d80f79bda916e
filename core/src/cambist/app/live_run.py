"""From the plan of a live run to one that runs, and to its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.alarms import AlarmDesk
from cambist.app.strategies import sized_strategies, source_folder
from cambist.live import LiveRun
from cambist.live.control import AccountLock, Control
from cambist.plugins.source_files import importable
from cambist.storage.journal import Journal, JournalOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from cambist.app.live_file import LivePlan
    from cambist.live.companions import Companion
    from cambist.live.deciding import Ask
    from cambist.ports.notifier import NoticeLevel
    from cambist.ports.venue import VenueSession
    from cambist.strategies import Strategy

__all__ = ["Ended", "LiveJob", "live_strategies", "new_loop", "short_turns"]


@attrs.frozen(kw_only=True)
class Ended:
    """How a live run ended.

    Attributes
    ----------
    reason
        Why; ``""`` where it was ended before it had begun.
    cut_off
        Whether it was ended at once, without regard to orders.
    orders, fills
        How many orders and fills it had since it was started.
    alarms
        How many, by their words.
    """

    reason: str
    cut_off: bool
    orders: int
    fills: int
    alarms: dict[str, int]


def live_strategies(plan: LivePlan) -> list[Strategy]:
    """Make the strategies of a plan; see `sized_strategies`."""
    return sized_strategies(plan.plan)


def _maker(plan: LivePlan) -> Callable[[Journal], VenueSession]:
    """Return what makes the account of a plan; settings that cannot be are told before there is a journal."""
    made, paper = plan.session(), plan.paper
    if paper is None:
        return lambda _journal: made
    from cambist.live.paper import PaperSession

    return lambda journal: PaperSession(made, plan.series, paper, journal)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


#: How long a thread goes on that another waits for, s. Python's own 5 ms are the time of some orders.
_TURN = 50e-6


@contextlib.contextmanager
def short_turns() -> Iterator[None]:
    """Have threads hand the interpreter over soon after another asked for it.

    The journal's thread is back from the disk when the loop is at something else, and the order waits for it; the loop
    waits for a thread that compresses or makes a snapshot.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextlib.contextmanager
def _short_collections() -> Iterator[Callable[[], None]]:
    """Spare the cycle collector what stays for as long as the run does; what is yielded is called when that is there.

    Some hundred thousand objects are loaded by then, a venue's library for most of them. Looking through them again
    takes a tenth of a second, in which no order leaves.
    """

    def loaded() -> None:
        gc.collect(1)
        gc.freeze()

    is_ours = not gc.get_freeze_count()
    try:
        yield loaded if is_ours else lambda: None
    finally:
        if is_ours:
            gc.unfreeze()


class LiveJob:
    """A live run with its journal and its alarms.

    Parameters
    ----------
    plan
        What runs.
    session
        Makes the account, by the journal of the run; default: what the plan names.
    ask
        Answers what becomes of a difference where the policy is to ask; None refuses to start.
    controlled
        Whether it can be operated by others, and has the account to itself on this machine.
    companions
        What goes on beside the run.
    phase
        Told of each phase that the run enters.
    heard
        Told of each alarm.
    """

    def __init__(
        self,
        plan: LivePlan,
        *,
        session: Callable[[Journal], VenueSession] | None = None,
        ask: Ask | None = None,
        controlled: bool = True,
        companions: Sequence[Companion] = (),
        phase: Callable[[LiveRun], None] = lambda _run: None,
        heard: Callable[[str, NoticeLevel, str], None] = lambda _word, _level, _text: None,
    ) -> None:
        self.plan = plan
        self._phase = phase
        self._strategies = live_strategies(plan)
        self._session = _maker(plan) if session is None else session
        self._ask, self._companions, self._controlled = ask, companions, controlled
        self._desk = AlarmDesk(plan.channels, window=plan.notify_window, heard=heard)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._cut_off = False
        self._early = ""
        self._before = (0, 0)
        self._loaded: Callable[[], None] = lambda: None
        self.run: LiveRun | None = None

    def stop(self, reason: str) -> None:
        """Ask the run to end by its policy, or at once where it does not trade yet; any thread or handler may."""
        self._early = self._early or reason
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop, reason)

    def cut_off(self) -> None:
        """End at once: orders stay as they are, and the journal goes on from here; from anywhere, as `stop`."""
        self._cut_off = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)

    def work(self) -> Ended:
        """Run to the end.

        Raises
        ------
        CambistError
            As `LiveRun.run`; people have been told.
        """
        folders = [one for one in map(source_folder, map(type, self._strategies)) if one is not None]
        try:
            with (
                importable(folders),
                short_turns(),
                _short_collections() as self._loaded,
                self._alone(),
                Journal(self.plan.journal, JournalOptions(keep_segments=self.plan.keep_segments)) as journal,
                asyncio.Runner(loop_factory=new_loop) as runner,
            ):
                return runner.run(self._work(journal))
        finally:
            self._desk.close()

    async def _work(self, journal: Journal) -> Ended:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        companions = [*self._companions]
        if self._controlled:
            companions.append(self._control())
        if self.plan.notify_fills:
            from cambist.app.fill_notices import tell_fills

            companions.append(tell_fills)
        if self.plan.sinks:
            from cambist.live.telling import Telling

            companions.append(Telling(self.plan.sinks))
        if self.plan.storage is not None:
            from cambist.live.projecting import Projecting

            mode = "live" if self.plan.paper is None else "paper"
            companions.append(Projecting(self.plan.storage, mode))
        run = self.run = LiveRun(
            self._strategies,
            self.plan.series,
            self._session(journal),
            journal,
            self.plan.live,
            alarm=self._desk.alarm,
            ask=self._ask,
            companions=companions,
        )
        run.entered = self._entered
        self._desk.attach(run)
        try:
            if not self._early:
                await run.run()
        except asyncio.CancelledError:
            if not (self._early or self._cut_off):
                raise
            if self._task is not None:
                self._task.uncancel()
        except BaseException as error:
            self._desk.alarm("run_failed", f"{run.session.name}: {str(error).partition(chr(10))[0]}")
            raise
        finally:
            # Alarms and what became of notices have one more turn.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            self._desk.detach()
        return self._ended(run)

    def _alone(self) -> AbstractContextManager[Any]:
        """Have the account to oneself on this machine."""
        account = self.plan.account() if self._controlled else ""
        return AccountLock(self.plan.venue, account, self.plan.journal) if account else contextlib.nullcontext()

    def _control(self) -> Control:
        plan = self.plan
        file = plan.plan.run_file
        return Control(
            plan.control,
            make_session=None if plan.paper is not None else plan.session,
            tell=self._desk.alarm,
            name="" if file is None else file.stem,
            environment=plan.environment,
            run_file="" if file is None else str(file.absolute()),
        )

    def _ended(self, run: LiveRun) -> Ended:
        begun = run.begun
        now = _counts(run) if begun else (0, 0)
        ended = Ended(
            reason=run.reason if begun else self._early,
            cut_off=self._cut_off,
            orders=max(0, now[0] - self._before[0]),
            fills=max(0, now[1] - self._before[1]),
            alarms=dict(self._desk.counts),
        )
        how = "cut off" if self._cut_off else ended.reason
        self._desk.alarm("run_ended", f"{run.session.name}: {how}; {ended.orders} orders, {ended.fills} fills.")
        return ended

    def _entered(self, run: LiveRun) -> None:
        if run.phase == "run":
            self._loaded()
            self._before = _counts(run)
            holdings = run.kernel.portfolio.positions.values()
            held = ", ".join(f"{one.size:g} {one.instrument.symbol}" for one in holdings if one.size)
            self._desk.alarm(
                "run_started",
                f"{run.session.name} ({self.plan.environment}): "
                f"{', '.join(f'{symbol} {length}' for symbol, length in self.plan.series)}; holds {held or 'nothing'}, "
                f"{len(run.kernel.book.open)} open orders.",
            )
        self._phase(run)

    def _stop(self, reason: str) -> None:
        run = self.run
        if run is None or run.phase in {"prepare", "connect", "reconcile"}:
            self._cancel()
        else:
            run.stop(reason)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _counts(run: LiveRun) -> tuple[int, int]:
    """Return how many orders and fills the run has."""
    return len(run.kernel.book.orders), len(run.kernel.fills)
