"""The run as its journal tells it, kept up beside the engine: the exact balances, and what snapshots are made of."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from typing import TYPE_CHECKING

from cambist.engine.document import decode_run, encode_run
from cambist.engine.fold import KEEP, RunState
from cambist.engine.rebuild import take_snapshot

if TYPE_CHECKING:
    from cambist.storage.journal import Journal

__all__ = ["Shadow"]

#: Records that are taken before the event loop gets a turn for certain, and how long that is, s.
_BATCH, _BREATH = 100, 0.0002


class Shadow:
    """A fold over the journal of a run, in a thread of its own and a few records at a time.

    Parameters
    ----------
    journal
        Of the run; it may have been gone on with since `state`.
    state
        Of the run some records ago; None where it begins. It is not changed: whoever has it may trade with it.
    keep
        Of a run that begins; see `RunState`.

    Attributes
    ----------
    state
        After the last `catch_up`; only to be read between two of them.
    snapshots
        How many were kept.
    """

    def __init__(self, journal: Journal, state: RunState | None, keep: int = KEEP) -> None:
        self._journal, self._reader = journal, journal.reader()
        self.state = RunState(keep=keep) if state is None else decode_run(encode_run(state))
        self._working = asyncio.Lock()
        self.snapshots = 0
        self._kept_at, self._kept = time.monotonic(), 0 if state is None else state.sequence

    async def catch_up(self) -> RunState:
        """Take every record that was appended until now, and return the state.

        Raises
        ------
        JournalError
            If they never will be safe, or cannot be read.
        """
        async with self._working:
            await self._journal.wait_async()
            await asyncio.to_thread(self._follow)
            return self.state

    async def snapshot(self) -> int:
        """Keep a snapshot of the run as it is now; return the number of its last record.

        Raises
        ------
        JournalError, OSError
            If it cannot be kept. Nothing is lost by that: a restart reads more.
        """
        async with self._working:
            await self._journal.wait_async()
            await asyncio.to_thread(self._keep)
            self.snapshots += 1
            self._kept_at, self._kept = time.monotonic(), self.state.sequence
            return self._kept

    def is_due(self, seconds: float, records: int) -> bool:
        """Tell whether a snapshot is due, so many seconds or records after the last; never where nothing is new."""
        new = self._journal.durable - self._kept
        return new >= records or (new > 0 and time.monotonic() - self._kept_at >= seconds)

    def _keep(self) -> None:
        self._follow()
        take_snapshot(self._journal, self.state, _breathe)

    def _follow(self) -> None:
        state = self.state
        entries = self._reader.read(state.sequence + 1)
        while batch := list(islice(entries, _BATCH)):
            state.apply_all(batch)
            _breathe()


def _breathe() -> None:
    """Let the event loop have the interpreter."""
    time.sleep(_BREATH)
