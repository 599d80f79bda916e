"""Opening a journal after whatever happened to it: find the last good point, keep the rest aside, or refuse."""

from __future__ import annotations

import errno
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from cambist.errors import JournalDamagedError, JournalError, JournalVersionError, JournalWriteError
from cambist.storage.journal.check import (
    Checked,
    Place,
    check_link,
    check_segment,
    check_segments,
    missing_end,
    missing_identity,
    missing_segment,
)
from cambist.storage.journal.cursors import rewind_cursors
from cambist.storage.journal.frames import HEADER_SIZE
from cambist.storage.journal.identity import Identity
from cambist.storage.journal.segments import Segment, list_segments, unpack
from cambist.storage.journal.snapshots import Snapshots

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.storage.journal.files import Files
    from cambist.storage.journal.lock import Owner

__all__ = ["OnDamage", "Recovered", "Recovery", "recover", "write_error"]

QUARANTINE = "quarantine"


class OnDamage(StrEnum):
    """What opening a journal may do about what it finds."""

    #: Nothing: any flaw is an error.
    REFUSE = "refuse"
    #: Set aside what a crash left half written; any other flaw is an error.
    REPAIR = "repair"
    #: Go on from the last good record whatever is behind it, and keep that aside.
    LAST_GOOD = "last_good"


@attrs.frozen(kw_only=True)
class Recovery:
    """What was found when a journal was opened, and done about it.

    Attributes
    ----------
    last
        Number of the last good record; 0 where there is none.
    left_by
        The process that ended without closing the journal, or None.
    problem
        What was wrong, or None.
    quarantined
        Where what is no longer part of the journal lies.
    rewound
        Readers that had passed records which are no longer part of it.
    """

    last: int
    left_by: Owner | None = None
    problem: JournalError | None = None
    quarantined: tuple[Path, ...] = ()
    rewound: tuple[str, ...] = ()


@attrs.frozen
class Recovered:
    """Where a journal goes on: its identity, its last segment, the end of that in bytes and in records."""

    identity: Identity
    segment: Segment | None
    size: int
    end: Place
    recovery: Recovery


def write_error(error: OSError, path: Path, sequence: int | None = None) -> JournalWriteError:
    """Return what an `OSError` of a write means for a journal."""
    code, what, remedy = {
        errno.ENOSPC: ("disk_full", "the disk is full", "Make room"),
        errno.EDQUOT: ("disk_full", "the quota is used up", "Make room"),
        errno.EROFS: (
            "read_only",
            "the disk is read-only",
            "Make it writable, and check the disk: the system may fear for it",
        ),
        errno.EACCES: ("read_only", "this user may not write there", "Change the owner or the mode"),
        errno.EIO: ("io_error", "the disk reported an error", "Check the disk and take another if it is bad"),
    }.get(error.errno or 0, ("write_failed", f"the system refused: {error.strerror or error}", "Look into it"))
    return JournalWriteError(
        f"a record could not be made durable: {what}",
        code=code,
        path=path,
        sequence=sequence,
        remedy=f"{remedy}, then open the journal again; until then nothing is journalled and nothing may be traded.",
    )


class Quarantine:
    """The place for what is no longer part of a journal. Nothing in it is ever removed.

    Parameters
    ----------
    folder
        Of the journal.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder, self._files = folder / QUARANTINE, files
        self.paths: list[Path] = []

    def _free(self, name: str) -> Path:
        self._files.make_folder(self._folder)
        number = 0
        while (path := self._folder / (f"{name}.{number}" if number else name)).exists():
            number += 1
        self.paths.append(path)
        return path

    def move(self, path: Path) -> None:
        """Take a whole file out of the journal."""
        self._files.replace(path, self._free(path.name))
        self._files.sync_folder(self._folder)
        self._files.sync_folder(path.parent)

    def cut(self, segment: Segment, offset: int) -> None:
        """Take the end of a segment out of the journal, from a byte of its plain file on."""
        path, files = segment.path, self._files
        data = segment.data()
        files.write_whole(self._free(f"{path.name}.from-{offset}"), data[offset:])
        if segment.packed:
            files.write_whole(path.with_suffix(".cbj"), data[:offset])
            self.move(path)
        else:
            files.truncate(path, offset)


def recover(folder: Path, files: Files, on_damage: OnDamage, left_by: Owner | None) -> Recovered:
    """Make a journal ready to go on, or make a new one; the lock is held.

    Raises
    ------
    JournalError
        Where the policy does not allow what would have to be done.
    """
    _tidy_leftovers(folder, files)
    quarantine = Quarantine(folder, files)
    segments = list_segments(folder, files)
    identity = _identity(folder, files, segments, on_damage, quarantine)
    if identity is None:
        return _begin(segments, quarantine, left_by)
    for segment in segments:
        if segment.named < identity.first:  # a removal that a crash cut short
            files.remove(segment.path)
    if on_damage is OnDamage.LAST_GOOD:
        checked = _first_flaw(folder, files, identity)
    else:
        checked = _look_at_end(folder, files, identity)
    rewound: list[str] = []
    if checked.error is not None:
        if not (checked.is_torn if on_damage is OnDamage.REPAIR else on_damage is OnDamage.LAST_GOOD):
            raise checked.error
        rewound = _cut_back(folder, files, identity, checked, quarantine)
    recovery = Recovery(
        last=checked.end.sequence - 1,
        left_by=left_by,
        problem=checked.error,
        quarantined=tuple(quarantine.paths),
        rewound=tuple(rewound),
    )
    remaining = list_segments(folder, files)
    if not remaining:
        return Recovered(identity, None, 0, checked.end, recovery)
    last, size = remaining[-1], checked.offset
    if last.packed:  # what came behind it is gone
        last = unpack(last)
    if last.path.stat().st_size > size:  # room for records that never came
        files.truncate(last.path, size)
    return Recovered(identity, last, size, checked.end, recovery)


def _tidy_leftovers(folder: Path, files: Files) -> None:
    """Remove what a crash left that was never, or is still, part of the journal under another name."""
    for path in folder.glob("*.tmp"):
        files.remove(path)
    for path in folder.glob("*.cbjz"):
        if path.with_suffix(".cbj").exists():
            files.remove(path)


def _identity(
    folder: Path, files: Files, segments: list[Segment], on_damage: OnDamage, quarantine: Quarantine
) -> Identity | None:
    """Return the identity of a journal that is there; None where one is to begin."""
    identity = Identity.read(folder, files)
    if identity is not None or not segments:
        return identity
    if len(segments) == 1 and segments[0].named == 1 and segments[0].path.stat().st_size <= HEADER_SIZE:
        return None  # a beginning that a crash cut short
    if on_damage is not OnDamage.LAST_GOOD:
        raise missing_identity(folder)
    for segment in segments:
        try:
            header = segment.header()
        except JournalError:
            quarantine.move(segment.path)
            continue
        identity = Identity(header.journal.hex(), first=header.first, chain=header.chain.hex())
        identity.write(folder, files)
        return identity
    return None


def _begin(segments: list[Segment], quarantine: Quarantine, left_by: Owner | None) -> Recovered:
    for segment in segments:
        if segment.path.exists():
            quarantine.move(segment.path)
    identity = Identity.new()
    recovery = Recovery(last=0, left_by=left_by, quarantined=tuple(quarantine.paths))
    return Recovered(identity, None, 0, Place(1, identity.before), recovery)


def _look_at_end(folder: Path, files: Files, identity: Identity) -> Checked:
    """Check how the segments follow each other and every record of the last; everything, where that finds a flaw."""
    segments = list_segments(folder, files)
    if not segments:
        raise missing_segment(folder, identity.first, None)
    try:
        place = Place(identity.first, identity.before)
        for segment, following in pairwise(segments):
            check_link(segment, identity, place)
            place = Place(following.header().first, segment.last_digest())
        last = check_segment(segments[-1], identity, place, is_last=True)
    except (JournalDamagedError, OSError):
        return _first_flaw(folder, files, identity)
    if missing_end(folder, files, identity, last.end.sequence - 1) is not None:
        return _first_flaw(folder, files, identity)
    return last if last.error is None or (last.is_torn and last.offset) else _first_flaw(folder, files, identity)


def _first_flaw(folder: Path, files: Files, identity: Identity) -> Checked:
    """Check everything, and return the first segment that is flawed, else the last."""
    checked: Checked | None = None
    for one in check_segments(folder, files, identity):
        if isinstance(one.error, JournalVersionError):
            raise one.error  # that is no damage
        if one.error is not None:
            if checked is None:  # where the only segment has no header, it lost one that was safe
                return attrs.evolve(one, is_torn=one.is_torn and one.offset > 0)
            # Where nothing of a segment is good, the journal ends with the one before.
            return one if one.offset else attrs.evolve(checked, error=one.error, is_torn=one.is_torn)
        checked = one
    assert checked is not None
    return checked


def _cut_back(folder: Path, files: Files, identity: Identity, checked: Checked, quarantine: Quarantine) -> list[str]:
    """Take everything behind the last good record out of the journal; return the readers that had passed some of it.

    Readers and snapshots come first: a crash in between leaves them behind the end, never beyond it.
    """
    last = checked.end.sequence - 1
    rewound = rewind_cursors(folder, files, last)
    for path in Snapshots(folder, files, identity.id, lambda: last).beyond(last):
        quarantine.move(path)
    for segment in reversed(list_segments(folder, files)):
        if segment.named > checked.segment.named:
            quarantine.move(segment.path)
    segment = checked.segment
    if checked.offset == 0:
        quarantine.move(segment.path)
    elif len(segment.data()) > checked.offset:
        quarantine.cut(segment, checked.offset)
    return rewound
