"""What goes on while a live run trades."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from cambist.live.practice import Practice, keep_in_practice
from cambist.live.snapshots import keep_snapshots
from cambist.live.todays_rules import TodaysRules
from cambist.ports.venue import PracticingSession

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from cambist.live.run import LiveRun

__all__ = ["work_of"]

_SECOND = 1_000_000_000


def work_of(run: LiveRun, woken: asyncio.Event) -> dict[str, Coroutine[Any, Any, None]]:
    """Return what goes on, by name; each until it is canceled.

    Parameters
    ----------
    woken
        Set when something may have become due.
    """
    settings = run.settings
    rules = TodaysRules(run.session, run.engine, run.holds, run.instruments, settings.rules_every, run.alarm)
    return {
        "timers": _keep_time(run, woken),
        **run.account.work(),
        "rules": rules.keep_on(),
        "practice": keep_in_practice(_practice(run), settings.practice_every, run.is_busy),
        "snapshots": keep_snapshots(run.shadow, settings.snapshot_every, settings.snapshot_records, run.alarm),
    }


def _practice(run: LiveRun) -> Practice | None:
    kernel, session = run.kernel, run.session
    if not isinstance(session, PracticingSession):
        return None
    return Practice(
        kernel.recorder.submission,
        run.journal.practice,
        session.practice,
        kernel.seats[0].strategy.name,
        run.instruments,
        run.now,
    )


async def _keep_time(run: LiveRun, woken: asyncio.Event) -> None:
    """Do what is due, whenever something is."""
    while True:
        run.engine.time_passed()
        run.quarantine.close_positions()
        woken.clear()
        due = run.engine.next_due()
        wait = None if due is None else max(0.0, (due - run.now()) / _SECOND)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await woken.wait()
