"""Keeps a storage up with the journal of a live run; trading never waits for it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from cambist.engine.projection import Projection
from cambist.errors import CambistError
from cambist.storage.projector import Projector
from cambist.storage.state_files import FileStateStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.run import LiveRun
    from cambist.ports.storage import Storage

__all__ = ["Projecting"]

_log = logging.getLogger("cambist.live")
_LOOK = 1.0
#: Between tries to open a storage that is away, s; doubled up to the last.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
#: How long the storage may take at the end of the run to take what is left, s.
_LAST = 10.0


class Projecting:
    """A companion of a live run that tells a storage what is in its journal, in a thread of its own.

    A storage that cannot be opened or written is tried again and again. The journal keeps what it lacks, also beyond
    the end of the run, and it catches up when it is back.

    Parameters
    ----------
    open_storage
        Opens the storage; it must have runs.
    mode
        Of the run, such as ``"live"`` or ``"paper"``.
    name
        Of the cursor in the journal; one for each storage.
    told_after
        How long the storage may be away before somebody is told, s.

    Attributes
    ----------
    projector
        What follows the journal; None until the storage was opened.
    """

    def __init__(
        self,
        open_storage: Callable[[], Storage],
        mode: str = "live",
        *,
        name: str = "storage",
        told_after: float = 10.0,
    ) -> None:
        self._open, self._mode, self._name, self._told_after = open_storage, mode, name, told_after
        self.projector: Projector | None = None
        self._away_since: float | None = None
        self._told = False
        self._opening: asyncio.Future[Storage] | None = None

    async def __call__(self, run: LiveRun) -> None:
        """Go on beside a run; see `cambist.live.companions.Companion`."""
        run.journal.cursor(self._name)  # from here on the journal keeps what the storage lacks, be it away or not
        try:
            await self._opened(run)
            projector = self._follow(run)
            while True:
                await asyncio.sleep(_LOOK)
                progress = projector.progress()
                self._note(run, progress.failure, progress.failing_since)
        finally:
            await self._end(run)

    async def _opened(self, run: LiveRun) -> None:
        wait = _FIRST_WAIT
        while True:
            self._opening = asyncio.ensure_future(asyncio.to_thread(self._open))
            try:
                await asyncio.shield(self._opening)
            except CambistError as error:
                if self._away_since is None:
                    self._away_since = time.monotonic()
                self._note(run, str(error), self._away_since)
                await asyncio.sleep(wait)
                wait = min(2.0 * wait, _LONGEST_WAIT)
            else:
                return

    def _follow(self, run: LiveRun) -> Projector:
        assert self._opening is not None
        states = FileStateStore(run.journal.folder / "projections")
        runs = self._opening.result().runs
        projector = self.projector = Projector(
            run.journal, runs, lambda: Projection(self._mode, time.time_ns()), states=states, name=self._name
        )
        projector.start()
        return projector

    async def _end(self, run: LiveRun) -> None:
        """Tell the storage how the run ended, as far as it can be told in time."""
        opening = self._opening
        try:
            async with asyncio.timeout(_LAST):
                await run.journal.wait_async()
                storage = None if opening is None else await asyncio.shield(opening)
        except (TimeoutError, CambistError) as error:
            _log.warning("the storage was not told how the run ended, and will be by the next one: %r", error)
            return
        if storage is None:
            return
        left = await asyncio.to_thread((self.projector or self._follow(run)).stop, _LAST)
        if left.behind:
            _log.warning("the storage lacks %d records of the journal, which keeps them: %s", left.behind, left.failure)
        await asyncio.to_thread(storage.close)

    def _note(self, run: LiveRun, failure: str | None, since: float | None) -> None:
        """Tell, once each time, of a storage that has been away for too long."""
        if failure is None or since is None:
            self._told = False
        elif not self._told and time.monotonic() - since >= self._told_after:
            self._told = True
            run.alarm(
                "storage_away",
                f"the storage is away; trading goes on, and the journal keeps what it lacks meanwhile: {failure}",
            )
