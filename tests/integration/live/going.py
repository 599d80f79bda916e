"""Lets a live run go on in a test, and waits for what it does."""

from __future__ import annotations

import asyncio
import contextlib

#: How long anything may take on a machine that does other things, too; seconds.
PATIENCE = 60.0


async def until(condition, task=None, *, within=PATIENCE, every=0.005) -> None:
    """Wait for a condition; a task that ends meanwhile, such as that of a run, says why."""
    async with asyncio.timeout(within):
        while not condition():
            if task is not None and task.done():
                await task
                assert condition(), "the run ended by itself"
                return
            await asyncio.sleep(every)


@contextlib.asynccontextmanager
async def running(run, *, end="stop", close=False):
    """Let a run go on, and yield its task; then stop it, or cut it off, and close its journal where that is wanted."""
    task = asyncio.create_task(run.run())
    try:
        await until(lambda: run.phase == "run", task)
        yield task
        if end == "stop":
            run.stop("test")
            async with asyncio.timeout(PATIENCE):
                await task
    finally:
        await let_go(task)
        if close:
            run.journal.close()


async def let_go(task) -> None:
    """Let go of a run at once: what is not in the journal is lost."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def strategy_of(run):
    """The first strategy of a run."""
    return run.kernel.seats[0].strategy
