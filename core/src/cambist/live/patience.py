"""Waits for a venue no longer than a phase of a run may take, and no longer than somebody wants the run at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from cambist.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

__all__ = ["Patience", "StoppedEarlyError", "let_go"]

T = TypeVar("T")
#: How long work that was canceled may take to notice, s; and how often a pause is looked at.
_NOTICE = 2.0


class StoppedEarlyError(Exception):
    """The run was told to stop before it was ready."""


class Patience:
    """The time that a phase has.

    Parameters
    ----------
    venue
        Its name.
    seconds
        How long the phase may take from now on, and `setting` is what that is called.
    stopping
        Set when the run is told to stop.
    """

    def __init__(self, venue: str, seconds: float, setting: str, stopping: asyncio.Event) -> None:
        self._venue, self._seconds, self._setting, self._stopping = venue, seconds, setting, stopping
        self._ends: float | None = None
        self.go_on()

    def pause(self) -> None:
        """Let no time count: a person is being asked."""
        self._ends = None

    def go_on(self) -> None:
        """Give the phase all of its time from now on."""
        self._ends = asyncio.get_running_loop().time() + self._seconds

    async def wait_for(self, work: Coroutine[Any, Any, T], doing: str) -> T:
        """Return what some work comes to.

        Parameters
        ----------
        doing
            What it does, for people.

        Raises
        ------
        VenueError
            If the time of the phase is over first.
        StoppedEarlyError
            If the run is told to stop first.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            while (left := self._left()) > 0.0:
                done, _ = await asyncio.wait({task, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if task in done:
                    return task.result()
                if stop in done:
                    raise StoppedEarlyError
        finally:
            stop.cancel()
            await let_go(task)
        raise VenueError(
            f"{self._venue} did not answer in time: after {self._seconds:g} s the run is still {doing}. Check the "
            f"network and whether the venue is at work, or give {self._setting} more time.",
            code="not_ready",
        )

    def _left(self) -> float:
        """Return how long to wait before looking again, s; 0 where the time is over."""
        return _NOTICE if self._ends is None else max(0.0, self._ends - asyncio.get_running_loop().time())


async def let_go(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and give them a moment to end; one that does not is left to itself."""
    waiting = {task for task in tasks if not task.done()}
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting, timeout=_NOTICE)
