"""The segment that is being written: its end, the room behind it, and the next one when it is full."""

from __future__ import annotations

import contextlib
import errno
import time
from typing import TYPE_CHECKING

from cambist.storage.journal.files import write_all, write_all_safely
from cambist.storage.journal.frames import HEADER_SIZE, SegmentHeader
from cambist.storage.journal.segments import segment_name

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.storage.journal.files import Files
    from cambist.storage.journal.recovery import Recovered

__all__ = ["ROOM", "Appending"]

#: Bytes of zeros that are written behind the last record before there is a next one. What overwrites them is safe once
#: its bytes are on the disk. A file that grows has a new size, and maybe a new place, which have to be kept as well.
ROOM = 64 * 1024
_NOTHING = memoryview(bytes(ROOM))
#: Without room the journal goes on, until there is none for records.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Appending:
    """Writes blocks of records to the last segment of a journal, one after another; one thread at a time.

    Parameters
    ----------
    folder, files
        Of the journal.
    start
        Where it goes on; see `recover`.
    segment_bytes
        From which size on a segment is full.

    Attributes
    ----------
    path
        Of the segment.

    Raises
    ------
    OSError
        If the system refuses, as do the methods.
    """

    def __init__(self, folder: Path, files: Files, start: Recovered, segment_bytes: int) -> None:
        self._folder, self._files, self._journal = folder, files, start.identity.id
        self._segment_bytes = segment_bytes
        self._makes_room = True
        self.path = folder
        self._size = self._room = 0  # where the records end, and where the file does
        if start.segment is None:
            self._descriptor = self._make(start.end.sequence, start.end.chain)
        else:
            self.path, self._size, self._room = start.segment.path, start.size, start.size
            self._descriptor = files.open(self.path)
            files.sync(self._descriptor)  # what is read as good from here on has to be safe

    @property
    def is_full(self) -> bool:
        """Whether the next record belongs into another segment."""
        return self._size >= self._segment_bytes

    def write(self, block: bytes) -> None:
        """Write records, and return when they are safe."""
        write_all_safely(self._files, self._descriptor, block, self._size)
        self._size += len(block)
        self._room = max(self._room, self._size)

    @property
    def wants_room(self) -> bool:
        """Whether there is little room left for the next records, and more can be made."""
        return self._makes_room and self._room - self._size < ROOM // 2 and self._room < self._segment_bytes

    def make_room(self) -> None:
        """Write zeros behind the last record, for the next ones, within the size of a segment."""
        end = min(self._size + ROOM, self._segment_bytes)
        try:
            write_all_safely(self._files, self._descriptor, _NOTHING[: end - self._room], self._room)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self._makes_room = False
        else:
            self._room = end

    def rotate(self, first: int, chain: bytes) -> None:
        """Go on in a new segment, from the record `first` on; `chain` is the digest of the one before."""
        closed, self._descriptor = self._descriptor, self._make(first, chain)
        self._files.close(closed)

    def _make(self, first: int, chain: bytes) -> int:
        """Make a segment whose header and name are durable, and return its descriptor.

        It gets its name when the header is there, so that no reader finds it without.
        """
        path = self._folder / segment_name(first)
        unnamed = path.with_name(path.name + ".tmp")
        self._files.remove(unnamed)
        descriptor = self._files.create(unnamed)
        try:
            header = SegmentHeader(self._journal, first, time.time_ns(), chain)
            write_all(self._files, descriptor, header.encode())
            self._files.sync(descriptor)
            self._files.replace(unnamed, path)
            self._files.sync_folder(self._folder)
        except BaseException:
            with contextlib.suppress(OSError):
                self._files.close(descriptor)
            raise
        self.path, self._size, self._room = path, HEADER_SIZE, HEADER_SIZE
        return descriptor

    def finish(self) -> None:
        """Leave a file that ends with its last record; one that does not is as good."""
        if self._room > self._size or not self._makes_room:
            with contextlib.suppress(OSError):
                self._files.truncate(self.path, self._size)

    def close(self) -> None:
        """Let go of the file, however it ends."""
        with contextlib.suppress(OSError):
            self._files.close(self._descriptor)
