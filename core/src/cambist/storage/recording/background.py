"""Writes a recording in a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.storage.recording.writer import RecordingWriter

__all__ = ["BackgroundRecording"]

#: Between writes, at most, seconds: what a process that is killed loses.
_EVERY = 1.0


class BackgroundRecording:
    """A `RecordingWriter` behind a bounded queue.

    A recording with a hole is worth nothing behind it: with the first row that finds no room it ends.

    Parameters
    ----------
    writer
        Of the recording.
    trouble
        Told once, in words, why the recording ends early, by the thread that adds a row.
    room
        Rows that may wait to be written.

    Attributes
    ----------
    lost
        Rows that were not taken.
    """

    def __init__(self, writer: RecordingWriter, trouble: Callable[[str], None], *, room: int = 200_000) -> None:
        self._writer, self._trouble = writer, trouble
        self._waiting: queue.Queue[Sequence[Any] | None] = queue.Queue(room)
        self.lost = 0
        self._told = False
        self._thread: threading.Thread | None = threading.Thread(target=self._work, name="recording", daemon=True)
        self._thread.start()

    def add(self, row: Sequence[Any]) -> None:
        """Take a row of plain values; it never waits."""
        if not self.failure:
            try:
                self._waiting.put_nowait(row)
            except queue.Full:
                self.lost = 1
            else:
                return
        else:
            self.lost += 1
        if not self._told:
            self._told = True
            self._trouble(self.failure)

    @property
    def failure(self) -> str:
        """Why the recording ends early; ``""`` where it does not."""
        if self.lost and not self._writer.failure:
            return f"the recording ends: more came than could be written, and {self.lost} rows were not taken"
        return self._writer.failure

    def close(self) -> None:
        """Write what was taken, and end."""
        if self._thread is None:
            return
        self._waiting.put(None)
        self._thread.join()
        self._thread = None
        self._writer.close()
        if self._writer.failure and not self._told:
            self._told = True
            self._trouble(self._writer.failure)

    def _work(self) -> None:
        writer, flushed = self._writer, time.monotonic()
        while True:
            with contextlib.suppress(queue.Empty):
                row = self._waiting.get(timeout=_EVERY)
                if row is None:
                    return
                writer.add(row)
            if time.monotonic() - flushed >= _EVERY:
                writer.flush()
                flushed = time.monotonic()
