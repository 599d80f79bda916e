"""Waits for work of libraries that lose cancels."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

__all__ = ["apart"]

T = TypeVar("T")


async def apart(work: Coroutine[Any, Any, T], within: float | None = None) -> T:
    """Await work in a task of its own, which ends with the one that waits for it.

    ccxt and aiohttp make an error of a cancel that comes as a time limit of theirs runs out. Awaited as it is, their
    work would keep the task that waits from ending: a run that is told to stop would go on.

    Parameters
    ----------
    within
        How long it may take, s; None for as long as it takes.

    Raises
    ------
    TimeoutError
        It took longer.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_taken)
    try:
        await asyncio.wait({task}, timeout=within)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


def _taken(task: asyncio.Task[Any]) -> None:
    """Take note of how work ended for which nobody waits any more."""
    if not task.cancelled():
        task.exception()
