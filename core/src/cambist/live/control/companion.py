"""Control of a live run: everything by which it is operated, as one companion of it."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.live.control.heartbeat import Bridge, FrozenError, Heartbeat
from cambist.live.control.kill import KillSwitch, Open, read_kill_file
from cambist.live.control.operator import Operator
from cambist.live.control.places import ControlFolder
from cambist.live.control.rivals import Rivals
from cambist.live.control.server import ControlServer
from cambist.live.control.watchdog import Limits, Watchdog
from cambist.live.dispatch import FLATTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cambist.live.control.kill import Killed
    from cambist.live.control.protocol import Request
    from cambist.live.run import LiveRun
    from cambist.ports.venue import VenueSession

__all__ = ["Control", "ControlSettings"]

_log = logging.getLogger("cambist.live.control")
#: A status is made at most so often, however many ask for it, s.
_FRESH = 0.1
#: And what the venue is asked for.
_FRESH_AT_VENUE = 1.0
_BEAT_EVERY = 0.1


def _seconds(_instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0.0:
        raise ParameterError(f"{attribute.name} is {value!r}; it is a number of seconds above 0.")


@attrs.frozen(kw_only=True)
class ControlSettings:
    """How a live run is watched over and operated; times in seconds.

    Attributes
    ----------
    warn_after
        A run that does not move for so long is told of, with the place where it hangs.
    cancel_after
        And everything of it is canceled at the venue, as by the kill switch; None for never. Where the venue has no
        dead man's switch, this stands in for it as long as the process lives.
    exit_after
        And its process is ended, so that a supervisor can start it again; None for never.
    patience
        How long a command waits for a run that does not move.
    clear_within
        How long canceling everything may take, and closing positions again as long.
    on_signal
        Whether SIGUSR1 throws the kill switch.
    """

    warn_after: float = attrs.field(default=2.0, validator=_seconds)
    cancel_after: float | None = attrs.field(default=None, validator=_seconds)
    exit_after: float | None = attrs.field(default=None, validator=_seconds)
    patience: float = attrs.field(default=2.0, validator=_seconds)
    clear_within: float = attrs.field(default=20.0, validator=_seconds)
    on_signal: bool = True


class Control:
    """What a live run is operated by: a companion to be given to `LiveRun`.

    The socket, the kill switch and the watch over the run are in threads of their own, so that neither a strategy that
    blocks the run can stop them, nor a client that does not read can slow the run.

    Parameters
    ----------
    settings
        See `ControlSettings`.
    make_session
        Makes a session of the same account, not yet open, by which the kill switch acts when the run does not move.
    tell
        Told of what a person should know where the run itself cannot: any thread may call it. Default: the log.
    name, environment, run_file
        Of the run, for whoever looks for it.
    """

    def __init__(
        self,
        settings: ControlSettings | None = None,
        *,
        make_session: Callable[[], VenueSession] | None = None,
        tell: Callable[[str, str], None] = lambda word, text: _log.critical("%s: %s", word, text),
        name: str = "",
        environment: str = "",
        run_file: str = "",
    ) -> None:
        self._settings, self._make_session, self._tell = settings or ControlSettings(), make_session, tell
        self._labels = {"name": name, "environment": environment, "run_file": run_file}

    async def __call__(self, run: LiveRun) -> None:
        """Be there for a run, until canceled.

        Raises
        ------
        ControlError
            If the place to operate it from cannot be used.
        """
        folder = ControlFolder(run.journal.folder).make()
        held = folder.announce(venue=run.session.name, **self._labels)
        desk = _Desk(run, folder, self._settings, self._make_session, self._tell, self._labels)
        try:
            run.before_trading(desk.stay_halted)
            run.strangers.listeners.append(Rivals(run).seen)
            desk.start()
            try:
                await desk.heart.keep_on(_BEAT_EVERY)
            finally:
                desk.let_go_of_signal()
                await asyncio.to_thread(desk.stop)
        finally:
            for one in held:
                one.release()


class _Desk:
    """The threads of a control, and what goes between them and the run."""

    def __init__(
        self,
        run: LiveRun,
        folder: ControlFolder,
        settings: ControlSettings,
        make_session: Callable[[], VenueSession] | None,
        tell: Callable[[str, str], None],
        labels: dict[str, str],
    ) -> None:
        self._run, self._folder, self._settings, self._labels = run, folder, settings, labels
        self._tell_people = tell
        self.heart = Heartbeat()
        self._operator = Operator(run, settings.clear_within, self._resumed)
        self._bridge = Bridge(asyncio.get_running_loop(), self.heart, settings.patience)
        self._switch = KillSwitch(
            folder,
            self._operator,
            self._bridge,
            self._open_now,
            make_session,
            self._tell,
            within=settings.clear_within,
        )
        self._has_session = make_session is not None
        self._watchdog = Watchdog(
            self.heart,
            threading.get_ident(),
            Limits(warn_after=settings.warn_after, cancel_after=settings.cancel_after, exit_after=settings.exit_after),
            self._tell,
            cancel=lambda: self._throw("watchdog", "watchdog"),
            busy=lambda: bool(self._thrown),
        )
        self._thread = threading.Thread(target=self._work, name="control", daemon=True)
        self._listening = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event
        self._showing = asyncio.Lock()
        self._shown: dict[tuple[str, bool], tuple[float, Any]] = {}
        self._before: Any = None
        self._thrown: set[asyncio.Task[Any]] = set()

    # In the thread of the run.

    def start(self) -> None:
        """Listen and watch."""
        self._thread.start()
        self._listening.wait()
        if self._failure is not None:
            raise self._failure
        self._watchdog.start()
        if self._settings.on_signal and threading.current_thread() is threading.main_thread():
            # Not the loop's own handler: that would be called when the loop gets on, which it may not.
            self._before = signal.signal(signal.SIGUSR1, lambda *_: self._throw("SIGUSR1", "signal"))

    def let_go_of_signal(self) -> None:
        """Have the signal do what it did before."""
        if self._before is not None:
            signal.signal(signal.SIGUSR1, self._before)

    def stop(self) -> None:
        """End both; called in another thread than the run's, which goes on meanwhile."""
        self._watchdog.stop()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def stay_halted(self) -> None:
        """Halt a run before it trades where the kill switch was thrown and nobody has resumed trading since."""
        if read_kill_file(self._folder) is not None:
            self._operator.halt("kill switch", f"{self._folder.kill} is there; cambist resume takes it away")

    def _resumed(self) -> None:
        self._loop.call_soon_threadsafe(self._switch.forget)

    # In any thread.

    def _tell(self, word: str, text: str) -> None:
        """Tell people, and whoever looks at the run."""
        self._run.recent_alarms.append((self._run.now(), word, text))
        self._tell_people(word, text)

    def _throw(self, by: str, via: str) -> None:
        self._loop.call_soon_threadsafe(lambda: self._begin(self._switch.throw(by, via, flatten=False)))

    def _open_now(self) -> Open:
        """Return what is held, as another thread sees it; the run does not move meanwhile, or hardly."""
        run = self._run
        books: Any = run.kernel.portfolio
        held = {one.symbol: books.positions[one.symbol].size for one in run.instruments}
        known = {name: order.id for name, order in run.engine.orders.client_ids().items()}
        names = {number: name for name, number in known.items()}
        closing = {
            one.instrument.symbol: names[one.id]
            for one in list(run.kernel.book.open.values())
            if one.tag == FLATTEN and one.id in names
        }
        return Open([one.symbol for one in run.instruments], held, known, closing)

    # In the thread of the control.

    def _begin(self, throwing: Coroutine[Any, Any, Killed]) -> asyncio.Task[Killed]:
        """Let the switch be thrown to the end, whoever waits for that, and whether the run ends meanwhile."""
        task = self._loop.create_task(throwing, name="kill switch")
        self._thrown.add(task)
        task.add_done_callback(self._thrown.discard)
        return task

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to the thread of the run, or to the log
            self._failure = error
            if self._listening.is_set():
                _log.exception("the control of the run failed")
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = ControlServer(self._folder.socket, self._handle)
        await server.start()
        file = self._loop.create_task(self._switch.watch_file(), name="kill file")
        self._listening.set()
        try:
            await self._over.wait()
        finally:
            file.cancel()
            await asyncio.gather(file, *self._thrown, return_exceptions=True)
            await server.close()

    async def _handle(self, request: Request) -> Any:
        if request.do == "kill":
            flatten, reason = bool(request.arguments.get("flatten")), str(request.arguments.get("reason") or "")
            throwing = self._switch.throw(request.by, "socket", flatten=flatten, reason=reason)
            return await asyncio.shield(self._begin(throwing))
        if request.do in {"status", "orders", "positions"}:
            async with self._showing:  # so that many who ask at once are shown the same
                shown = await self._show(request)
            return shown | self._own() if request.do == "status" else shown
        return await self._bridge.call(lambda: self._operator.do(request))

    async def _show(self, request: Request) -> Any:
        """Return what the run shows; what was just shown to somebody else serves as well."""
        at_venue = bool(request.arguments.get("venue"))
        key = request.do, at_venue
        made, shown = self._shown.get(key, (0.0, None))
        if shown is None or time.monotonic() - made > (_FRESH_AT_VENUE if at_venue else _FRESH):
            try:
                shown = await self._bridge.call(lambda: self._operator.do(request))
            except FrozenError:
                if at_venue:
                    raise
                # What does not move can be looked at from here; that it does not is part of the status.
                shown = await self._operator.do(request)
            self._shown[key] = time.monotonic(), shown
        return shown

    def _own(self) -> dict[str, Any]:
        """Return what the control itself knows."""
        settings = self._settings
        return {
            **self._labels,
            "not_moved_for": round(self.heart.age(), 3),
            "kill_switch": {
                "file": str(self._folder.kill),
                "thrown": read_kill_file(self._folder) is not None,
                "session_of_its_own": self._has_session,
            },
            "watchdog": {
                "frozen": self._watchdog.frozen,
                "warn_after": settings.warn_after,
                "cancel_after": settings.cancel_after,
                "exit_after": settings.exit_after,
            },
        }
