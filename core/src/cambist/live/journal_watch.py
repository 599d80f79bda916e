"""Watches whether the journal keeps up: what waits for it has not left, and if it fails nothing leaves any more."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.errors import JournalError
    from cambist.storage.journal import Journal

__all__ = ["JournalWatch"]

_log = logging.getLogger("cambist.live")
_OFTEN = 0.25


class JournalWatch:
    """Looks at the journal a few times a second; a disk that hangs raises nowhere.

    Parameters
    ----------
    journal
        Of the run.
    slow_after
        How long the oldest record may wait for the disk before somebody is told, s.
    alarm
        Told of it, once each time.
    failed
        Told of a journal that takes no more.

    Attributes
    ----------
    lag
        How long the oldest record that is not safe yet has waited when it was looked at last, s; 0 for none.
    worst
        The longest that was seen.
    """

    def __init__(
        self,
        journal: Journal,
        slow_after: float,
        alarm: Callable[[str, str], None],
        failed: Callable[[JournalError], None],
    ) -> None:
        self._journal, self._slow_after = journal, slow_after
        self._alarm, self._failed = alarm, failed
        self._is_slow = False
        self.lag = self.worst = 0.0

    async def keep_on(self) -> None:
        """Watch until canceled, or until the journal has failed."""
        every = min(_OFTEN, self._slow_after / 2.0)
        while self._look():  # noqa: ASYNC110 - a disk that hangs tells nobody
            await asyncio.sleep(every)

    def _look(self) -> bool:
        health = self._journal.health()
        self.lag = health.pending_seconds
        self.worst = max(self.worst, self.lag)
        if health.failure is not None:
            self._failed(health.failure)
            return False
        if self.lag > self._slow_after and not self._is_slow:
            self._is_slow = True
            self._alarm(
                "journal_slow",
                f"{health.pending_records} records of the journal {self._journal.folder} have waited for the disk for "
                f"{self.lag:.1f} s, and so has what may not leave before them. Look for what else uses that disk.",
            )
        elif self._is_slow and self.lag <= self._slow_after / 2.0:
            self._is_slow = False
            _log.warning(
                "the journal %s keeps up again; its slowest write took %.1f s", self._journal.folder, self.worst
            )
        return True
