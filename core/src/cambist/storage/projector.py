"""Keeps a store of runs up with a journal, in a thread of its own and at its own pace."""

from __future__ import annotations

import logging
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import attrs

from cambist.errors import CambistError, StateUnusableError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.ports.journal import JournalCursor, JournalEntry, JournalReader
    from cambist.ports.rows import Row
    from cambist.ports.storage import RunRecord, RunStore, StateStore

__all__ = ["Pace", "Progress", "Projector", "RowMaker"]

_log = logging.getLogger("cambist.storage")
#: Between tries while a store cannot be reached, s; doubled up to the last.
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 30.0


class RowMaker(Protocol):
    """Makes rows of a journal's records; `cambist.engine.projection.Projection` is one."""

    @property
    def run_id(self) -> str:
        """Of the run; ``""`` before it began."""

    @property
    def sequence(self) -> int:
        """Number of the last record."""

    @property
    def run(self) -> RunRecord:
        """What is known of the run itself."""

    def rows(self, entries: Sequence[JournalEntry]) -> list[Row]:
        """Take records that follow the last ones; return what they make."""

    def save(self) -> bytes:
        """Return all of this as bytes."""

    def restore(self, data: bytes) -> None:
        """Go on from what `save` has returned."""


@attrs.frozen
class Progress:
    """How far a projector is.

    Attributes
    ----------
    sequence
        Number of the last record that the store has.
    behind
        Safe records that it has not.
    failure
        Why the store could not be written at the last try, or None.
    failing_since
        By the monotonic clock, s; None where it works.
    """

    sequence: int
    behind: int
    failure: str | None
    failing_since: float | None


@attrs.frozen(kw_only=True)
class Pace:
    """How much a projector does at once, and how often it keeps where it is.

    Attributes
    ----------
    batch, save_every
        Records in one write, and between two copies of the maker.
    save_after
        While it follows a journal, seconds between two copies, which are large: what came after the last one is made
        anew by a restart, and stays in the journal for that.
    """

    batch: int = 2_000
    save_every: int = 100_000
    save_after: float = 60.0


class Projector:
    """Reads a journal by sequence number and tells a store of runs what is in it, batch by batch.

    Nothing is dropped: the journal keeps what the store does not have yet, however long the store is away. Trading
    never waits for it.

    Parameters
    ----------
    journal
        What to read.
    store
        What to write.
    make
        Makes an empty maker of rows; called anew where everything has to be told again.
    states
        Where the maker is kept now and then, so that a restart does not read the journal from its beginning; None to do
        so.
    name
        Of the cursor in the journal; one for each store.
    pace
        How much at once, and how often where it is is kept.
    wait
        Waits for at most so many seconds, or until the event is set; tests put their own clock here.
    """

    def __init__(
        self,
        journal: JournalReader,
        store: RunStore,
        make: Callable[[], RowMaker],
        *,
        states: StateStore | None = None,
        name: str = "storage",
        pace: Pace = Pace(),
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._journal, self._store, self._make, self._states = journal, store, make, states
        self._pace, self._pause = pace, wait
        self._key = f"projection/{name}"
        self._cursor: JournalCursor = journal.cursor(name)
        self._maker: RowMaker | None = None
        self._told: RunRecord | None = None
        self._saved, self._rewound = 0, False
        self._saved_at = time.monotonic()
        self._done = self._cursor.sequence
        self._failure: str | None = None
        self._failing_since: float | None = None
        self._wake, self._stopping = threading.Event(), False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow the journal in a thread."""
        # A journal that another process writes tells nobody, and is looked at every second.
        self._journal.on_durable(lambda _sequence: self._wake.set())
        self._thread = threading.Thread(target=self._follow, name="cambist-projector", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> Progress:
        """Tell the store what is safe by now, for at most `timeout` seconds, and end the thread.

        What could not be told stays in the journal, and is told after the next start.
        """
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)
        return self.progress()

    def progress(self) -> Progress:
        """Return how far it is."""
        done = self._done
        return Progress(done, max(0, self._journal.durable - done), self._failure, self._failing_since)

    def catch_up(self) -> int:
        """Tell the store everything that is safe by now, in this thread; return how many records that were.

        Raises
        ------
        StorageError
            The store cannot be written. What was told until then stands; the next call goes on.
        """
        total = self._tell_all()
        self._keep_maker()
        return total

    def _tell_all(self) -> int:
        total = 0
        while (told := self._tell_batch()) > 0:
            total += told
        return total

    def _follow(self) -> None:
        wait = _FIRST_WAIT
        while True:
            self._wake.clear()
            stopping = self._stopping
            try:
                self._tell_all()
                if stopping or time.monotonic() - self._saved_at >= self._pace.save_after:
                    self._keep_maker()
            except CambistError as error:
                # The journal keeps what is missing; trading goes on, and so does this thread.
                if self._failing_since is None:
                    self._failing_since = time.monotonic()
                    _log.error("the storage is away, and what happens stays in the journal until it is back: %s", error)
                self._failure = str(error)
                if stopping:
                    return
                self._pause(self._wake, wait)
                wait = min(2.0 * wait, _LONGEST_WAIT)
                continue
            if self._failing_since is not None:
                _log.warning("the storage is back, and has all that happened meanwhile")
            self._failure = self._failing_since = None
            wait = _FIRST_WAIT
            if stopping:
                return
            self._pause(self._wake, 1.0)

    def _tell_batch(self) -> int:
        """Tell the store the next records; return how many."""
        maker = self._maker or self._open()
        self._maker = None  # until this batch is told: a maker that is ahead of the store is of no use
        entries = list(islice(self._journal.read(maker.sequence + 1), self._pace.batch))
        if entries:
            rows = maker.rows(entries)
            if maker.run_id:
                self._tell(maker, rows)
            self._done = maker.sequence
            if self._states is None:
                self._pass(maker.sequence)
            elif maker.sequence - self._saved >= self._pace.save_every:
                self._save(maker)
        self._maker = maker
        return len(entries)

    def _tell(self, maker: RowMaker, rows: Sequence[Row]) -> None:
        run = maker.run
        if self._told is None and (self._rewound or self._store.cursor(run.id) > self._journal.durable):
            # Records were taken out of the journal that the store has: it is told everything anew.
            self._store.delete(run.id)
            self._rewound = False
        if run != self._told:
            self._store.begin(run)
            self._told = run
        # Rows that the store has already, it leaves as they are.
        self._store.write(run.id, rows, maker.sequence)

    def _open(self) -> RowMaker:
        """Return a maker that stands where the store does, or before it: what is told twice changes nothing.

        Raises
        ------
        StorageError
            The records from there on were removed.
        """
        self._rewound = self._cursor.rewound_from is not None
        maker = (None if self._rewound else self._kept_maker()) or self._make()
        first = self._journal.first
        if maker.sequence + 1 < first:
            raise StorageError(
                f"the storage has to be told the journal from record {maker.sequence + 1} on, and the records before "
                f"{first} were removed. Restore the storage from its newest backup."
            )
        self._told = None
        self._saved = maker.sequence
        return maker

    def _kept_maker(self) -> RowMaker | None:
        """Return the maker that was kept last, unless it is ahead of the store or cannot be read."""
        maker = self._make()
        try:
            data = None if self._states is None else self._states.get(self._key)
            if data is None:
                return None
            maker.restore(data)
        except StorageError as error:
            if not isinstance(error, StateUnusableError):  # away for now: it may be there at the next try
                raise
            _log.warning("the projection is made from the beginning of the journal: %s", error)
            return None
        except Exception as error:  # noqa: BLE001 - a cache that is of another version, or damaged: made anew
            _log.info("the projection is made from the beginning of the journal: %s", error)
            return None
        return maker if maker.sequence <= self._store.cursor(maker.run_id) else None

    def _keep_maker(self) -> None:
        if self._maker is not None and self._maker.sequence > self._saved:
            self._save(self._maker)

    def _save(self, maker: RowMaker) -> None:
        """Keep a copy of the maker, and then let the journal remove what is in it."""
        if self._states is not None:
            self._states.put(self._key, maker.save())
        self._pass(maker.sequence)
        self._saved, self._saved_at = maker.sequence, time.monotonic()

    def _pass(self, sequence: int) -> None:
        if sequence > self._cursor.sequence:
            self._cursor.advance(sequence)
