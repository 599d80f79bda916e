"""The thread that makes records durable: whatever has come while one write was under way goes into the next."""

from __future__ import annotations

import contextlib
import heapq
import os
import threading
import time
from collections import deque
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import attrs

from cambist.errors import JournalError, JournalSlowError, JournalWriteError
from cambist.storage.journal.appending import ROOM, Appending
from cambist.storage.journal.frames import encode
from cambist.storage.journal.recovery import write_error

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cambist.ports.journal import Draft
    from cambist.storage.journal.files import Files
    from cambist.storage.journal.recovery import Recovered

__all__ = ["Health", "Limits", "Writer"]


@attrs.frozen(kw_only=True)
class Limits:
    """What bounds a writer.

    Attributes
    ----------
    segment_bytes
        From which size on a segment is followed by the next.
    write_bytes
        About how much goes into one write.
    pending_bytes, pending_seconds
        How much may wait for the disk, and for how long, before nothing more is taken.
    """

    segment_bytes: int
    write_bytes: int
    pending_bytes: int
    pending_seconds: float


@attrs.frozen(kw_only=True)
class Health:
    """How a journal does.

    Attributes
    ----------
    last, durable
        The newest record that was taken, and the newest that is safe.
    pending_records, pending_bytes, pending_seconds
        How much waits for the disk, and since when the oldest of it does.
    writes, slowest_write
        Writes so far, and the longest until it was safe, s.
    failure
        Why nothing more is taken, or None.
    """

    last: int
    durable: int
    pending_records: int
    pending_bytes: int
    pending_seconds: float
    writes: int
    slowest_write: float
    failure: JournalError | None


#: What `encode` makes: bytes, number and digest of the last record.
Encoded: TypeAlias = tuple[bytes, int, bytes]


@attrs.define(eq=False, slots=True)
class _Commit:
    """What was appended together, and what `encode` made of it where it was known that it begins a write."""

    drafts: Sequence[Draft]
    bytes: int
    taken_at: float
    encoded: Encoded | None


class Writer:
    """Appends to the last segment of a journal in a thread of its own.

    Parameters
    ----------
    folder, files
        Of the journal.
    start
        Where it goes on; see `recover`.
    limits
        See `Limits`.
    on_rotate
        Called in the thread when a segment was closed.
    clock
        Answers the time, s, for what waits too long.
    """

    def __init__(
        self,
        folder: Path,
        files: Files,
        start: Recovered,
        *,
        limits: Limits,
        on_rotate: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        end = start.end
        self._limits, self._on_rotate, self._clock = limits, on_rotate, clock
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sleepers = 0  # threads that wait for a change
        self._bell: SimpleQueue[None] = SimpleQueue()  # rung for a thread that has nothing to do
        # One for each time that the thread is woken, held until the disk has what it was woken for.
        self._handed = self._let_go = threading.Lock()
        self._queue: deque[_Commit] = deque()
        self._pending_bytes = 0
        self._next = end.sequence
        self._chain = end.chain
        self._closing = False
        self._waiters: list[tuple[int, int, AbstractEventLoop, Future[None]]] = []
        self._tickets = count()
        self._listeners: tuple[Callable[[int], None], ...] = ()
        self._writes, self._slowest = 0, 0.0
        self._pid = os.getpid()
        self.failure: JournalError | None = None
        self.durable = end.sequence - 1
        try:
            self._segment = Appending(folder, files, start, limits.segment_bytes)
        except OSError as error:
            path = folder if start.segment is None else start.segment.path
            raise write_error(error, path, end.sequence) from error
        self._thread = threading.Thread(target=self._run, name=f"journal {folder.name}", daemon=True)
        self._thread.start()

    # What callers do, from any thread.

    @property
    def last(self) -> int:
        """Number of the newest record that was taken."""
        return self._next - 1

    def append(self, drafts: Sequence[Draft]) -> int:
        """Take records that belong together; return the number of the last one."""
        size = sum([len(draft.body) for draft in drafts])
        now = self._clock()
        with self._lock:
            self._refuse(now)
            first = self._next
            wakes = not self._queue
            # Where nothing is under way, this begins the next write. The thread then has that much less to do, which
            # may be on another core, whose caches know nothing of it.
            encoded = encode((drafts,), first, self._chain) if wakes and size <= ROOM else None
            self._queue.append(_Commit(drafts, size, now, encoded))
            self._pending_bytes += size
            self._next = following = first + len(drafts)
            if wakes:
                self._handed = handed = threading.Lock()
                handed.acquire()
        if wakes:
            self._bell.put(None)
        return following - 1

    def practice(self, drafts: Sequence[Draft]) -> None:
        """Make of records what is written, throw it away, and wake a thread that has nothing to do."""
        with self._lock:
            if self.failure is not None or self._closing or self._queue:
                return
            encode((drafts,), self._next, self._chain)
        self._bell.put(None)

    def give_way(self, most: float) -> None:
        """Wait until the disk has what the thread was woken for, at most so many seconds; see `Journal.give_way`."""
        handed = self._handed
        if handed.acquire(timeout=most):
            handed.release()

    def _refuse(self, now: float) -> None:
        """Raise where nothing may be taken."""
        if self.failure is not None:
            raise self.failure
        if self._closing or os.getpid() != self._pid:
            raise JournalWriteError(
                "the journal is closed" if self._closing else "the journal belongs to the process that this one forked",
                code="closed",
                path=self._folder,
                remedy="Open it again; nothing may be traded without.",
            )
        waited = now - self._queue[0].taken_at if self._queue else 0.0
        if waited > self._limits.pending_seconds or self._pending_bytes > self._limits.pending_bytes:
            raise JournalSlowError(
                f"records wait for the disk for {waited:.1f} s, {self._pending_bytes:,} bytes of them",
                code="slow_disk",
                path=self._segment.path,
                sequence=self.durable + 1,
                remedy="Nothing may be traded until they are safe; take a faster disk if that happens again.",
            )

    def wait(self, sequence: int, timeout: float | None = None) -> None:
        """Return when a record is safe.

        Raises
        ------
        JournalError
            If it never will be, or not within `timeout` seconds.
        """
        with self._lock:
            self._sleepers += 1
            done = self._changed.wait_for(lambda: self.durable >= sequence or self.failure is not None, timeout)
            self._sleepers -= 1
            if self.durable >= sequence:
                return
            if self.failure is not None:
                raise self.failure
            assert not done
        raise JournalSlowError(
            f"a record is not safe after {timeout:g} s",
            code="slow_disk",
            path=self._segment.path,
            sequence=sequence,
            remedy="It may become so: do not act on it before.",
        )

    async def wait_async(self, sequence: int) -> None:
        """`wait` for an event loop, which goes on meanwhile."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: Future[None] = loop.create_future()
        with self._lock:
            if self.durable >= sequence:
                return
            if self.failure is not None:
                raise self.failure
            heapq.heappush(self._waiters, (sequence, next(self._tickets), loop, future))
        await future

    def listen(self, listener: Callable[[int], None]) -> None:
        """Have `listener` called in the writer's thread with each new number up to which records are safe."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def health(self) -> Health:
        """Return how it does."""
        with self._lock:
            waited = self._clock() - self._queue[0].taken_at if self._queue else 0.0
            return Health(
                last=self.last,
                durable=self.durable,
                pending_records=self.last - self.durable,
                pending_bytes=self._pending_bytes,
                pending_seconds=waited,
                writes=self._writes,
                slowest_write=self._slowest,
                failure=self.failure,
            )

    def close(self) -> None:
        """Make durable what was taken, and end the thread; a second call does nothing."""
        with self._lock:
            self._closing = True
        self._bell.put(None)
        if self._pid == os.getpid():
            self._thread.join()

    # The thread.

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._write(batch)
                if self._segment.wants_room and not self._queue:
                    self._segment.make_room()
            self._segment.finish()
        except OSError as error:
            self._fail(write_error(error, self._segment.path, self.durable + 1))
        except BaseException as error:  # noqa: BLE001 - who waits must hear of it, whatever it was
            self._fail(
                JournalWriteError(
                    f"the journal's thread ended with {type(error).__name__}: {error}",
                    code="write_failed",
                    path=self._segment.path,
                    sequence=self.durable + 1,
                    remedy="Open the journal again; until then nothing may be traded.",
                ),
                error,
            )
        finally:
            self._hand_over()
            self._segment.close()

    def _take(self) -> list[_Commit]:
        """Wait for commits, and return as many as go into one write; none when there is nothing left to do."""
        while True:
            batch: list[_Commit] = []
            size = 0
            with self._lock:
                # They stay in the queue until they are safe, so that what waits is counted.
                for commit in self._queue:
                    batch.append(commit)
                    size += commit.bytes
                    if size >= self._limits.write_bytes:
                        break
                if batch or self._closing:
                    return batch
            self._bell.get()

    def _write(self, batch: list[_Commit]) -> None:
        sequence = self.durable + 1
        if self._segment.is_full:
            self._segment.rotate(sequence, self._chain)
            self._on_rotate()
        first = batch[0].encoded
        if first is None:
            block, last, chain = encode([commit.drafts for commit in batch], sequence, self._chain)
        else:
            block, last, chain = first
            if len(batch) > 1:
                rest, last, chain = encode([commit.drafts for commit in batch[1:]], last + 1, chain, 0)
                block += rest
        began = time.monotonic()
        self._hand_over()
        self._segment.write(block)
        took = time.monotonic() - began
        with self._lock:
            for commit in batch:
                self._queue.popleft()
                self._pending_bytes -= commit.bytes
            self._chain = chain
            self.durable = last
            self._writes += 1
            self._slowest = max(self._slowest, took)
            ready = self._ready()
            if self._sleepers:
                self._changed.notify_all()
            listeners = self._listeners
        for listener in listeners:
            listener(last)
        _resolve(ready, None)

    def _hand_over(self) -> None:
        """Let whoever gave way go on."""
        if self._let_go is not self._handed:
            self._let_go = self._handed
            self._let_go.release()

    def _fail(self, failure: JournalError, cause: BaseException | None = None) -> None:
        failure.__cause__ = cause
        with self._lock:
            self.failure = failure
            ready, self._waiters = self._waiters, []
            self._changed.notify_all()
        _resolve(ready, failure)

    def _ready(self) -> list[tuple[int, int, AbstractEventLoop, Future[None]]]:
        ready = []
        while self._waiters and self._waiters[0][0] <= self.durable:
            ready.append(heapq.heappop(self._waiters))
        return ready


def _resolve(waiters: list[tuple[int, int, AbstractEventLoop, Future[None]]], failure: JournalError | None) -> None:
    """Tell event loops, each in its own thread, what became of their records."""

    def settle(future: Future[None]) -> None:
        if not future.done():
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    for _, _, loop, future in waiters:
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits there
            loop.call_soon_threadsafe(settle, future)
