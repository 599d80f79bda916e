"""Tells sinks what is in the journal of a live run; trading never waits for one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from cambist.engine.told import event_of
from cambist.errors import JournalError, RecordError
from cambist.observe.event_sinks import SinkGroup
from cambist.observe.sinks import FullPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.live.run import LiveRun
    from cambist.observe.event_sinks import NamedSink
    from cambist.storage.journal import Journal

__all__ = ["Telling"]

_log = logging.getLogger("cambist.live")
#: Between looks at what went wrong, s; whatever is on the disk is told of at once.
_LOOK = 1.0
#: How long each sink may take at the end with what waits for it, s.
_LAST = 5.0


class Telling:
    """A companion of a live run that tells sinks of what is safe in its journal, from its start on.

    A sink that raises, or is too slow for its queue, is told of once; the others go on.
    """

    def __init__(self, sinks: Sequence[NamedSink]) -> None:
        self._sinks = sinks
        self._next = 0

    async def __call__(self, run: LiveRun) -> None:
        """Go on beside a run; see `cambist.live.companions.Companion`."""
        group = SinkGroup(self._sinks, FullPolicy.DROP_OLDEST)
        told: set[str] = set()
        journal, loop, news = run.journal, asyncio.get_running_loop(), asyncio.Event()
        self._next = journal.last + 1
        journal.on_durable(_waker(loop, news))
        try:
            while True:
                await asyncio.to_thread(self._pass_on, journal, group)
                _tell(run, group.troubles(), told)
                try:
                    async with asyncio.timeout(_LOOK):
                        await news.wait()
                except TimeoutError:
                    continue
                news.clear()
        finally:
            await run.journal.wait_async()
            await asyncio.to_thread(self._pass_on, journal, group)
            _tell(run, await asyncio.to_thread(group.close, _LAST), told)

    def _pass_on(self, journal: Journal, group: SinkGroup) -> None:
        """Hand over what has become safe since the last time."""
        if journal.durable < self._next:
            return
        try:
            for entry in journal.read(self._next):
                self._next = entry.sequence + 1
                try:
                    group.tell(event_of(entry))
                except RecordError as error:  # of a newer version, or of a plugin that is gone
                    _log.debug("sinks are not told of record %d: %s", entry.sequence, error)
        except JournalError as error:
            _log.warning("sinks are not told of some records: %s", error)
            self._next = max(self._next, journal.first)


def _waker(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> Callable[[int], None]:
    """Return what a journal calls from its thread when more is safe; also when the loop has ended meanwhile."""

    def wake(_durable: int) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(news.set)

    return wake


def _tell(run: LiveRun, troubles: dict[str, str], told: set[str]) -> None:
    """Raise one alarm for each sink that begins to fail; its numbers are told at the end, in the log."""
    for name, trouble in troubles.items():
        if name not in told:
            told.add(name)
            run.alarm("sink_failed", f"{trouble}; the run goes on")
