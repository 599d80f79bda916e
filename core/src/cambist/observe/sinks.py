"""Sink workers: each sink has a thread and a bounded queue, so that a slow or broken one stalls nobody."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections import Counter, OrderedDict
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from cambist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["FullPolicy", "SinkStats", "SinkWorker"]

_log = logging.getLogger("cambist.observe.sinks")

T = TypeVar("T")


class FullPolicy(StrEnum):
    """What a sink's queue does with an item when it is full."""

    #: The producer waits: nothing is lost. For a record that must not have holes.
    BLOCK = "block"
    #: The item that has waited longest goes: the newest matter, as for a page that shows the present.
    DROP_OLDEST = "drop_oldest"
    #: The new item goes: the earliest matter.
    DROP_NEWEST = "drop_newest"
    #: Of the items with one key only the latest is kept, at any time: for values that replace each other. Where there
    #: are more keys than places, the item that has waited longest goes.
    COLLAPSE = "collapse"


@attrs.frozen
class SinkStats:
    """What became of the items given to a sink.

    Attributes
    ----------
    delivered
        Taken by the sink.
    failed
        The sink raised.
    dropped
        Never shown to the sink: the queue was full, or closed.
    collapsed
        Replaced by a later one with the same key.
    pending
        Still waiting, or with the sink at this moment.
    """

    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    collapsed: int = 0
    pending: int = 0


class SinkWorker(Generic[T]):
    """Hands items to a sink, one after the other and in order, in a thread of its own.

    What the sink raises is counted and logged, and the next item follows. The thread starts at once and inherits the
    ids of the log context in which the worker is made.

    Parameters
    ----------
    name
        Of the sink, for logs.
    handle
        The sink: called with each item.
    policy
        What to do when the queue is full. There is no default: whoever attaches a sink must say.
    capacity
        Items that may wait, at least 1.
    key
        Tells which items replace each other; for `FullPolicy.COLLAPSE`, and for that alone.

    Raises
    ------
    InputError
        For a capacity below 1, or a key that is missing or of no use.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[T], object],
        *,
        policy: FullPolicy | str,
        capacity: int = 1_024,
        key: Callable[[T], Hashable] | None = None,
    ) -> None:
        self.name = name
        self.policy = FullPolicy(policy)
        if capacity < 1:
            raise InputError(f"sink {name}: a queue of {capacity} items holds nothing; give at least 1.")
        if (key is not None) is not (self.policy is FullPolicy.COLLAPSE):
            raise InputError(f"sink {name}: a key goes with the policy 'collapse' and with no other; got {policy!r}.")
        self._handle = handle
        self._capacity = capacity
        self._key = key
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._left = threading.Condition(self._lock)
        self._waiting: OrderedDict[Hashable, T] = OrderedDict()
        self._count = 0
        self._with_sink = False
        self._closing = False
        self._given_up = False
        self._counts: Counter[str] = Counter()
        self._told = SinkStats()
        context = contextvars.copy_context()
        # A daemon: a sink that hangs must not keep the process from ending after `close` has given up on it.
        self._thread = threading.Thread(target=context.run, args=(self._work,), name=f"sink-{name}", daemon=True)
        self._thread.start()

    @property
    def stats(self) -> SinkStats:
        """The counts as of now."""
        with self._lock:
            return self._snapshot()

    def put(self, item: T) -> bool:
        """Give the sink an item; waits only with `FullPolicy.BLOCK`.

        Returns
        -------
        bool
            Whether it was taken; False when it was dropped at once, because the queue is full or closed.
        """
        key = None if self._key is None else self._key(item)
        with self._lock:
            # A sink that feeds itself must not wait for itself.
            if self.policy is FullPolicy.BLOCK and threading.current_thread() is not self._thread:
                self._left.wait_for(lambda: self._closing or len(self._waiting) < self._capacity)
            if self._closing:
                self._counts["dropped"] += 1
                return False
            if self._key is None:
                self._count += 1
                key = self._count
            elif key in self._waiting:
                # It keeps its place: a key that changes all the time must not wait for ever.
                self._waiting[key] = item
                self._counts["collapsed"] += 1
                return True
            if len(self._waiting) >= self._capacity:
                # With BLOCK only a sink that feeds itself comes here.
                self._counts["dropped"] += 1
                if self.policy in {FullPolicy.DROP_NEWEST, FullPolicy.BLOCK}:
                    return False
                self._waiting.popitem(last=False)
            self._waiting[key] = item
            self._arrived.notify()
            return True

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing is pending.

        Parameters
        ----------
        timeout
            Seconds to wait at most; None for as long as it takes.

        Returns
        -------
        bool
            Whether that came about.
        """
        with self._lock:
            return self._left.wait_for(lambda: not self._waiting and not self._with_sink, timeout)

    def close(self, timeout: float = 5.0) -> SinkStats:
        """Take nothing more, let the sink have what waits, and end the thread.

        Parameters
        ----------
        timeout
            Seconds to wait for the sink. What it has not been shown by then is dropped, and a call of the sink that
            hangs is left to itself.

        Returns
        -------
        SinkStats
            How it ended; ``pending`` is 1 when the sink hangs.
        """
        with self._lock:
            self._closing = True
            self._arrived.notify_all()
            self._left.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
            self._give_up()
        stats = self.stats
        self._tell(stats)
        if stats.pending:
            _log.warning("sink %s did not come back within %g s and is left behind", self.name, timeout)
        return stats

    def _give_up(self) -> None:
        """Drop what the sink has not been shown."""
        with self._lock:
            self._given_up = True
            self._counts["dropped"] += len(self._waiting)
            self._waiting.clear()
            self._left.notify_all()

    def _snapshot(self) -> SinkStats:
        """Return the counts; the lock is held."""
        return SinkStats(**self._counts, pending=len(self._waiting) + self._with_sink)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._arrived.wait_for(lambda: self._waiting or self._closing)
                if self._given_up or not self._waiting:
                    return
                _, item = self._waiting.popitem(last=False)
                self._with_sink = True
                self._left.notify_all()
            outcome = self._deliver(item)
            with self._lock:
                self._with_sink = False
                self._counts[outcome] += 1
                stats = self._snapshot()
                self._left.notify_all()
            self._tell_now_and_then(stats)

    def _deliver(self, item: T) -> str:
        try:
            self._handle(item)
        # Whatever a sink raises is its own affair; a thread that ended would strand the producers that wait for it.
        except BaseException as error:  # noqa: BLE001
            with self._lock:
                first = self._counts["failed"] == 0
            if first:
                _log.error("sink %s raised; what it raises from now on is counted", self.name, exc_info=error)
            return "failed"
        return "delivered"

    def _tell_now_and_then(self, stats: SinkStats) -> None:
        """Log losses as they double, and from this thread: a log may be slow too."""
        told = self._told
        if stats.dropped >= 2 * told.dropped + 1 or stats.failed >= 2 * max(told.failed, 1):
            self._tell(stats)

    def _tell(self, stats: SinkStats) -> None:
        told, self._told = self._told, stats
        if (stats.dropped, stats.failed) != (told.dropped, told.failed):
            _log.warning(
                "sink %s: %d items dropped, %d failed, %d delivered",
                self.name,
                stats.dropped,
                stats.failed,
                stats.delivered,
            )
