"""Whether the task of a live run gets on, as other threads see it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from cambist.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Bridge", "FrozenError", "Heartbeat"]

T = TypeVar("T")
_LOOK_EVERY = 0.1


class FrozenError(ControlError):
    """The task of the run does not get on."""

    def __init__(self, age: float) -> None:
        super().__init__(
            f"the run has not moved for {age:.1f} s: a strategy blocks it. Nothing was done; cambist kill acts at the "
            "venue without it.",
            code="frozen",
        )


class Heartbeat:
    """The time of the last sign of life."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def beat(self) -> None:
        """Give one."""
        self._at = time.monotonic()

    def age(self) -> float:
        """Return how long ago the last one was, s."""
        return time.monotonic() - self._at

    async def keep_on(self, every: float) -> None:
        """Give one now and then, for as long as the loop of this coroutine gets on."""
        while True:
            self.beat()
            await asyncio.sleep(every)


class Bridge:
    """Has something done in the loop of the run, for another loop in another thread.

    Parameters
    ----------
    loop
        Of the run.
    heart
        Which beats there.
    patience
        After how long without a beat it is given up on, s.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, heart: Heartbeat, patience: float) -> None:
        self._loop, self._heart, self._patience = loop, heart, patience

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]], *, patience: float | None = None) -> T:
        """Return what a coroutine function returns there.

        Raises
        ------
        FrozenError
            If the run does not get on. What had not begun then never will.
        """
        limit = self._patience if patience is None else patience
        coroutine = work()
        try:
            there = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # the loop is closed
            coroutine.close()
            raise ControlError("the run has ended.", code="not_running") from None
        here = asyncio.wrap_future(there)
        while True:
            done, _ = await asyncio.wait({here}, timeout=_LOOK_EVERY)
            if done:
                return here.result()
            if self._heart.age() > limit:
                there.cancel()
                raise FrozenError(self._heart.age())
