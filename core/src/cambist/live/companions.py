"""What goes on beside a live run: a control socket, a terminal view, snapshots. None of it can end the run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.live.run import LiveRun

__all__ = ["Companion", "keep_company"]

_log = logging.getLogger("cambist.live")

#: A coroutine function that is given the run once it has an engine, which may be before it is ready to trade (see
#: `LiveRun.phase`), and is canceled when the run has drained. It runs in the run's event loop: it must not block, and
#: whatever it does to the run happens between two events.
Companion = Callable[["LiveRun"], Awaitable[None]]


async def keep_company(companion: Companion, run: LiveRun) -> None:
    """Run a companion; one that raises is told of, and the run goes on without it."""
    try:
        await companion(run)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
        name = getattr(companion, "__qualname__", type(companion).__name__)
        _log.exception("%s failed beside the run", name)
        run.alarm("companion_failed", f"{name} failed beside the run, which goes on without it: {error}")
