"""Keeps snapshots of a live run while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from cambist.errors import CambistError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.shadow import Shadow

__all__ = ["keep_snapshots", "last_snapshot"]

_log = logging.getLogger("cambist.live")
_LOOK = 1.0


async def keep_snapshots(
    shadow: Shadow, every: float, records: int, alarm: Callable[[str, str], None], *, look: float = _LOOK
) -> None:
    """Keep one whenever it is due, until canceled; one that cannot be kept is told of, once in a row.

    Parameters
    ----------
    every, records
        After how many seconds, or records, the next one is due.
    look
        How often that is looked at, s.
    """
    told = False
    while True:
        await asyncio.sleep(look)
        if not shadow.is_due(every, records):
            continue
        try:
            await shadow.snapshot()
        except (CambistError, OSError) as error:
            if not told:
                alarm("snapshot_failed", f"no snapshot of the run could be kept, a restart reads more for it: {error}")
            told = True
            await asyncio.sleep(every)
        else:
            told = False


async def last_snapshot(shadow: Shadow, within: float) -> None:
    """Keep one of a run that has ended, if that can be done in time."""
    with contextlib.suppress(TimeoutError):
        try:
            async with asyncio.timeout(within):
                await shadow.snapshot()
        except (CambistError, OSError) as error:
            _log.warning("no snapshot was kept at the end of the run: %s", error)
