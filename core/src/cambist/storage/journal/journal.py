"""The journal of a run: what is appended to it survives the process, the system and a loss of power."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs

from cambist.errors import InputError, JournalError, ParameterError, did_you_mean
from cambist.storage.journal.cursors import Cursor, list_cursors
from cambist.storage.journal.files import Files
from cambist.storage.journal.frames import MAX_BODY
from cambist.storage.journal.identity import Identity
from cambist.storage.journal.lock import Lock
from cambist.storage.journal.records import Records
from cambist.storage.journal.recovery import OnDamage, recover, write_error
from cambist.storage.journal.segments import COMPRESSIONS, compress, list_segments
from cambist.storage.journal.snapshots import Snapshots
from cambist.storage.journal.writer import Limits, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from cambist.ports.journal import Draft, JournalEntry
    from cambist.storage.journal.recovery import Recovery
    from cambist.storage.journal.writer import Health

__all__ = ["Journal", "JournalOptions"]

_log = logging.getLogger("cambist.journal")


def _positive(instance: JournalOptions, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0:
        raise ParameterError(f"{type(instance).__name__}: {attribute.name} is {value!r}; it must be above 0.")


def _compression(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None and value not in COMPRESSIONS:
        raise ParameterError(f"JournalOptions: compress is {value!r}.{did_you_mean(value, COMPRESSIONS)}")


@attrs.frozen(kw_only=True)
class JournalOptions:
    """How a journal is kept.

    Attributes
    ----------
    on_damage
        What may be done about what is found at the start; see `OnDamage`.
    segment_bytes
        From which size on a segment file is followed by the next.
    compress
        ``"zlib"`` or ``"lzma"`` for segments that are closed, or None.
    keep_segments
        How many closed segments stay when older ones need not; None for all of them. What a reader has not dealt with,
        or no snapshot holds, stays in any case.
    write_bytes
        About how much goes into one write: more makes single records wait longer.
    pending_bytes, pending_seconds
        How much may wait for the disk, and for how long, before nothing more is taken.
    """

    on_damage: OnDamage = attrs.field(default=OnDamage.REPAIR, converter=OnDamage)
    segment_bytes: int = attrs.field(default=8 * 1024 * 1024, validator=_positive)
    compress: str | None = attrs.field(default="zlib", validator=_compression)
    keep_segments: int | None = attrs.field(default=None, validator=_positive)
    write_bytes: int = attrs.field(default=1024 * 1024, validator=_positive)
    pending_bytes: int = attrs.field(default=256 * 1024 * 1024, validator=_positive)
    pending_seconds: float = attrs.field(default=10.0, validator=_positive)


class Journal:
    """An append-only file of records, open for writing in this process alone.

    What is appended gets its number at once and is made durable by a thread; `durable` is the number of the newest
    record that is safe. What must not happen without its record waits for that.

    Parameters
    ----------
    folder
        Of the journal; made when it is not there. It must be on a disk of this machine.
    options
        See `JournalOptions`.
    files
        The operations on files; tests put faults here.
    clock
        Answers the time, s, for what waits too long.

    Attributes
    ----------
    recovery
        What was found at the start, and done about it.
    snapshots
        States to start from; see `Snapshots`.

    Raises
    ------
    JournalLockedError
        If another process has it.
    JournalDamagedError, JournalVersionError
        If it is not what was written and the policy does not allow to go on.
    JournalWriteError
        If it cannot be written.

    Examples
    --------
    >>> from cambist.ports import Draft
    >>> from cambist.storage.journal import Journal
    >>> with Journal("journal") as journal:
    ...     number = journal.append([Draft("note", 0, b"hello")])
    ...     journal.wait(number)
    ...     [(entry.sequence, entry.body) for entry in journal.read()]
    [(1, b'hello')]
    """

    def __init__(
        self,
        folder: str | Path,
        options: JournalOptions | None = None,
        *,
        files: Files | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = Path(folder)
        self.options = options or JournalOptions()
        self._files = files = files or Files()
        self._tidying: threading.Thread | None = None
        self._old_segments = threading.RLock()
        try:
            files.make_folder(self.folder)
            self._lock = Lock(self.folder, files)
        except OSError as error:
            raise write_error(error, self.folder) from error
        try:
            self._open(clock)
        except OSError as error:
            self._lock.drop()
            raise write_error(error, self.folder) from error
        except BaseException:
            self._lock.drop()
            raise

    def _open(self, clock: Callable[[], float]) -> None:
        files, options = self._files, self.options
        found = recover(self.folder, files, options.on_damage, self._lock.left_by)
        self.recovery: Recovery = found.recovery
        self._identity = found.identity
        self._writer = Writer(
            self.folder,
            files,
            found,
            limits=Limits(
                segment_bytes=options.segment_bytes,
                write_bytes=options.write_bytes,
                pending_bytes=options.pending_bytes,
                pending_seconds=options.pending_seconds,
            ),
            on_rotate=self._tidy_aside,
            clock=clock,
        )
        if found.segment is None:
            # After the first segment: a journal of which this file is there and no segment has lost one.
            try:
                found.identity.write(self.folder, files)
            except BaseException:
                self._writer.close()
                raise
        self._records = Records(self.folder, files, lambda: self._identity, lambda: self.durable)
        self.snapshots = Snapshots(self.folder, files, found.identity.id, lambda: self.durable)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Make durable what was taken, and let another process have the journal; a second call does nothing."""
        self._writer.close()
        tidying = self._tidying
        if tidying is not None:
            tidying.join()
        self._lock.release()

    # Writing.

    def append(self, drafts: Sequence[Draft]) -> int:
        """Take records that belong together: after a crash all of them are there, or none.

        This never waits for the disk. Whatever must not happen without these records waits until `durable` is at
        least the number returned.

        Returns
        -------
        int
            Number of the last of them.

        Raises
        ------
        JournalWriteError
            If an earlier record could not be made durable, or the journal is closed.
        JournalSlowError
            If too much waits for the disk already.
        InputError
            If there is no record, or one cannot be a record.
        """
        if not drafts:
            raise InputError("there is nothing to append; give at least one record.")
        for draft in drafts:
            if len(draft.body) > MAX_BODY or not 0 < draft.version < 65_536 or not -(2**63) <= draft.ts < 2**63:
                raise InputError(
                    f"a record {draft.kind!r} of {len(draft.body):,} bytes, version {draft.version}, time {draft.ts} "
                    f"cannot be journalled: at most {MAX_BODY:,} bytes, versions from 1 to 65535, times of 64 bits."
                )
            if not 0 < len(draft.kind.encode()) < 256:
                raise InputError(f"{draft.kind!r} is no kind of record: give 1 to 255 bytes of UTF-8.")
        return self._writer.append(drafts)

    def give_way(self, most: float = 0.0005) -> None:
        """Wait until the journal's thread goes to the disk with what was appended last, or with what came before.

        It waits for so many seconds at most.

        This is no wait for the disk. Threads of Python run one at a time: whoever has something to do that needs no
        durable record, such as making the request that waits for it, would keep the journal's thread from its work
        until that is done. Behind this call both go on at the same time.
        """
        self._writer.give_way(most)

    def practice(self, drafts: Sequence[Draft]) -> None:
        """Do with records what `append` does, as far as that can be done without keeping them."""
        self._writer.practice(drafts)

    @property
    def last(self) -> int:
        """Number of the newest record that was taken; 0 before the first."""
        return self._writer.last

    @property
    def durable(self) -> int:
        """Number of the newest record that is safe; 0 before the first."""
        return self._writer.durable

    @property
    def failure(self) -> JournalError | None:
        """Why nothing more is taken, or None."""
        return self._writer.failure

    def wait(self, sequence: int | None = None, timeout: float | None = None) -> None:
        """Return when record `sequence`, by default the newest that was taken, is safe.

        Raises
        ------
        JournalWriteError
            If it never will be.
        JournalSlowError
            If it is not within `timeout` seconds.
        """
        self._writer.wait(self.last if sequence is None else sequence, timeout)

    async def wait_async(self, sequence: int | None = None) -> None:
        """`wait` in an event loop, which goes on meanwhile."""
        await self._writer.wait_async(self.last if sequence is None else sequence)

    def on_durable(self, listener: Callable[[int], None]) -> None:
        """Have `listener` called with each new value of `durable`, in the journal's thread.

        It must return soon, for the next write waits for it, and must not raise: the journal would end with it.
        """
        self._writer.listen(listener)

    def health(self) -> Health:
        """Return how the journal does: what waits, how long writes take, whether it has failed."""
        return self._writer.health()

    # Reading; see `cambist.ports.journal.JournalReader`.

    @property
    def id(self) -> str:
        """Id of the journal, 32 hexadecimal digits."""
        return self._identity.journal

    @property
    def first(self) -> int:
        """Number of the oldest record that was not removed."""
        return self._identity.first

    def read(self, from_sequence: int = 1) -> Iterator[JournalEntry]:
        """Iterate over the durable records from a number on, to the newest there is when this is called."""
        return self._records.read(from_sequence)

    def reader(self) -> Records:
        """Return what reads the same records and remembers by itself where it was.

        Who follows the journal in another thread takes one: two who share a memory of where they were have none.
        """
        return Records(self.folder, self._files, lambda: self._identity, lambda: self.durable)

    def cursor(self, name: str) -> Cursor:
        """Return the cursor of a reader; a new one stands before the oldest record, and holds it from then on."""
        return Cursor(self.folder, self._files, name, self.first - 1, lambda: self.durable)

    # Old segments.

    def prune(self, before: int | None = None) -> int:
        """Remove whole segments that nobody needs; return the number of the oldest record that is left.

        Parameters
        ----------
        before
            Records from this number on stay; by default as `JournalOptions.keep_segments` says.

        Notes
        -----
        A segment goes when every registered reader has dealt with it and the oldest snapshot that is kept holds it.
        """
        with self._old_segments:
            return self._prune(before)

    def _prune(self, before: int | None) -> int:
        segments = list_segments(self.folder, self._files)
        held = [state.sequence for state in list_cursors(self.folder, self._files)]
        snapshots = self.snapshots.sequences()
        limit = min([*held, snapshots[0] if snapshots else 0, self.durable]) + 1
        if before is not None:
            limit = min(limit, before)
        elif self.options.keep_segments is not None:
            limit = min(limit, segments[max(0, len(segments) - 1 - self.options.keep_segments)].named)
        staying = [segment for segment in segments if segment.named <= limit][-1:] or segments[:1]
        first = staying[0]
        if first.named <= self.first:
            return self.first
        header = first.header()
        identity = Identity(self._identity.journal, self._identity.format, header.first, header.chain.hex())
        # First the word that they may be missing, then the files.
        identity.write(self.folder, self._files)
        self._identity = identity
        for segment in segments:
            if segment.named < header.first:
                self._files.remove(segment.path)
        self._files.sync_folder(self.folder)
        return self.first

    def tidy(self) -> None:
        """Compress closed segments and remove those that need not be kept, as the options say."""
        with self._old_segments:
            if self.options.compress is not None:
                for segment in list_segments(self.folder, self._files)[:-1]:
                    if not segment.packed:
                        compress(segment, self.options.compress)
            if self.options.keep_segments is not None:
                self._prune(None)

    def _tidy_aside(self) -> None:
        """`tidy` in a thread of its own, one at a time; what fails there is told and tried again later."""
        options = self.options
        if options.compress is None and options.keep_segments is None:
            return
        if self._tidying is not None and self._tidying.is_alive():
            return
        self._tidying = threading.Thread(target=self._tidy_quietly, name="journal tidying", daemon=True)
        self._tidying.start()

    def _tidy_quietly(self) -> None:
        try:
            self.tidy()
        except (JournalError, OSError) as error:
            _log.warning("old segments of the journal %s were left as they are: %s", self.folder, error)
