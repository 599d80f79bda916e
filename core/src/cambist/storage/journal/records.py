"""Reading a journal from a record on, remembering where one was."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from cambist.errors import InputError, JournalDamagedError, JournalError
from cambist.storage.journal.check import Place, check_link, missing_segment
from cambist.storage.journal.frames import HEADER_SIZE, Frames, later_write
from cambist.storage.journal.segments import RESTORE, list_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cambist.ports.journal import JournalEntry
    from cambist.storage.journal.files import Files
    from cambist.storage.journal.frames import Flaw
    from cambist.storage.journal.identity import Identity
    from cambist.storage.journal.segments import Segment

__all__ = ["Records"]

_T = TypeVar("_T")
_named = attrgetter("named")
#: How often files are looked for again that were compressed or removed between two looks.
_LOOKS = 5


class Records:
    """The records of a journal, checked as they are read.

    Parameters
    ----------
    folder
        Of the journal.
    identity
        Answers what the journal says of itself.
    bound
        Answers the newest record that may be read, or None where whole commits on the disk are the bound.

    Notes
    -----
    Where a read ended is remembered, so that the next one, if it begins there, reads only what is new.
    """

    def __init__(
        self, folder: Path, files: Files, identity: Callable[[], Identity], bound: Callable[[], int | None]
    ) -> None:
        self._folder, self._files = folder, files
        self._identity, self._bound = identity, bound
        # Number of a segment, and where in it the record behind the last read begins.
        self._remembered: tuple[int, int, Place] | None = None
        self._listed: list[Segment] = []

    def read(self, from_sequence: int = 1) -> Iterator[JournalEntry]:
        """Iterate over the records from a number on, to the newest there is when this begins; see `JournalReader`."""
        first, bound = self._identity().first, self._bound()
        if from_sequence < 1:
            raise InputError(f"records are numbered from 1; there is no record {from_sequence}.")
        if from_sequence < first:
            raise self._removed(from_sequence, first)
        if bound is not None and from_sequence > bound:
            if from_sequence > bound + 1:
                raise self._not_there(from_sequence, bound)
            return iter(())
        return self._read(from_sequence, bound)

    def _not_there(self, sequence: int, last: int) -> JournalError:
        return JournalError(
            f"there is no record {sequence} yet, the newest is {last}",
            code="not_there",
            path=self._folder,
            sequence=sequence,
            remedy="A reader that has seen it holds what the journal lost: begin anew with an older record.",
        )

    def _read(self, wanted: int, bound: int | None) -> Iterator[JournalEntry]:
        named, offset, place = self._start(wanted)
        reached = place.sequence
        while True:
            segment, following, frames, offset = self._open(named, offset, place)
            held: list[JournalEntry] = []
            for entry in frames:
                if bound is not None and entry.sequence > bound:
                    break
                if entry.sequence >= wanted:
                    held.append(entry)
                if entry.ends_commit:
                    reached = entry.sequence + 1
                    self._remembered = named, offset + frames.offset, Place(entry.sequence + 1, frames.chain)
                    yield from held
                    held.clear()
            if frames.flaw is not None and (bound is None or frames.flaw.sequence <= bound):
                if bound is None and following is None and not _was_safe(segment, frames):
                    break  # somebody is just writing it
                raise _damage(segment, frames.flaw)
            if following is None or (bound is not None and frames.sequence > bound):
                break
            named, offset, place = following, 0, Place(frames.sequence, frames.chain)
        if wanted > reached:
            raise self._not_there(wanted, reached - 1)

    def _start(self, wanted: int) -> tuple[int, int, Place]:
        """Return the segment, the byte in it and the place to begin at for a record."""
        if self._remembered is not None and self._remembered[2].sequence == wanted:
            return self._remembered
        self._remembered = None

        def find() -> tuple[int, int, Place]:
            segments = [one for one in list_segments(self._folder, self._files) if one.named <= wanted]
            if not segments:
                raise self._missing(wanted)
            header = segments[-1].header()
            return segments[-1].named, 0, Place(header.first, header.chain)

        return self._steadily(find, wanted)

    def _open(self, named: int, offset: int, place: Place) -> tuple[Segment, int | None, Frames, int]:
        """Return a segment, the name of the one behind it, what reads it from a byte on, and that byte."""

        def load() -> tuple[Segment, int | None, Frames, int]:
            segments = self._listed
            at = bisect_left(segments, named, key=_named)
            if at >= len(segments) - 1 or segments[at].named != named:  # the last one known may have got followers
                self._listed = segments = list_segments(self._folder, self._files)
                at = bisect_left(segments, named, key=_named)
            if at == len(segments) or segments[at].named != named:
                raise self._missing(place.sequence)
            segment = segments[at]
            if offset == 0:
                check_link(segment, self._identity(), place)
            begin = offset or HEADER_SIZE
            data = segment.data()[begin:] if segment.packed else self._files.read(segment.path, begin)
            following = segments[at + 1].named if at + 1 < len(segments) else None
            return segment, following, Frames(data, place.sequence, place.chain, 0, begin), begin

        return self._steadily(load, place.sequence)

    def _steadily(self, look: Callable[[], _T], sequence: int) -> _T:
        """Look at files that the writer may compress or remove meanwhile: then look again."""
        for _ in range(_LOOKS):
            try:
                return look()
            except FileNotFoundError:
                self._listed = []
            except OSError as error:
                raise JournalError(
                    f"the journal cannot be read: {error.strerror or error}",
                    code="unreadable",
                    path=error.filename or self._folder,
                    sequence=sequence,
                    remedy=f"Check the disk and who may read the file. {RESTORE}",
                ) from error
        raise self._missing(sequence)

    def _missing(self, sequence: int) -> JournalError:
        first = self._identity().first
        return self._removed(sequence, first) if sequence < first else missing_segment(self._folder, sequence, None)

    def _removed(self, sequence: int, first: int) -> JournalError:
        return JournalError(
            f"record {sequence} was removed, the oldest is {first}",
            code="removed",
            path=self._folder,
            sequence=sequence,
            remedy="Begin with a snapshot, or with the oldest record.",
        )


def _was_safe(segment: Segment, frames: Frames) -> bool:
    flaw = frames.flaw
    assert flaw is not None
    return later_write(segment.data(), flaw.offset, flaw.sequence, frames.chain) is not None


def _damage(segment: Segment, flaw: Flaw) -> JournalDamagedError:
    return JournalDamagedError(
        flaw.what, code=flaw.code, path=segment.path, offset=flaw.offset, sequence=flaw.sequence, remedy=RESTORE
    )
