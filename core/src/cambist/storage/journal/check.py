"""Whether a journal is what was written: segment by segment, each against the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import JournalDamagedError, JournalError
from cambist.storage.journal.cursors import list_cursors
from cambist.storage.journal.frames import HEADER_SIZE, later_write
from cambist.storage.journal.identity import NAME, Identity
from cambist.storage.journal.segments import RESTORE, list_segments
from cambist.storage.journal.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cambist.storage.journal.files import Files
    from cambist.storage.journal.segments import Segment

__all__ = ["Checked", "Place", "check_link", "check_segment", "check_segments", "missing_identity", "missing_segment"]

#: What is wrong with a header.
_HEADERS = frozenset({"torn_header", "bad_header", "foreign_file"})
_TORN_REMEDY = (
    "A crash left it, and nobody was told that it is safe: opening the journal sets it aside and goes on from the "
    "record before."
)


@attrs.frozen(slots=True)
class Place:
    """Between two records of a journal.

    Attributes
    ----------
    sequence, chain
        Number of the record behind it, and digest of the one before.
    """

    sequence: int
    chain: bytes


@attrs.frozen(slots=True)
class Checked:
    """One segment, and what was found in it.

    Attributes
    ----------
    segment
        Which.
    end
        Behind its last whole commit; where the next segment has to begin.
    offset
        The same in bytes of the plain file.
    error
        What is wrong, or None.
    is_torn
        Whether that is what a crash leaves: the end of a write of which nobody was told that it is safe.
    """

    segment: Segment
    end: Place
    offset: int
    error: JournalError | None = None
    is_torn: bool = False


def missing_identity(folder: Path) -> JournalDamagedError:
    """Return the error for a journal without ``journal.json``."""
    return JournalDamagedError(
        "the file is missing, and there are segments beside it",
        code="missing_identity",
        path=folder / NAME,
        remedy="Restore it from a backup, or open the journal with on_damage='last_good', which writes it anew.",
    )


def missing_segment(folder: Path, first: int, last: int | None) -> JournalDamagedError:
    """Return the error for records that should be there, up to `last` or up to nobody knows where."""
    return JournalDamagedError(
        f"the segment with {f'records {first} to {last}' if last else f'record {first}'} is missing",
        code="missing_segment",
        path=folder,
        sequence=first,
        remedy=RESTORE,
    )


def missing_end(folder: Path, files: Files, identity: Identity, last: int) -> JournalDamagedError | None:
    """Return the error for records behind the last one that a reader or a snapshot has passed, or None."""
    reached = [(state.sequence, f"the reader {state.name!r}") for state in list_cursors(folder, files)]
    snapshots = Snapshots(folder, files, identity.id, lambda: last).sequences()
    reached += [(sequence, "a snapshot") for sequence in snapshots[-1:]]
    furthest, who = max(reached, default=(0, ""))
    if furthest <= last:
        return None
    return JournalDamagedError(
        f"{who} has passed record {furthest}, and the journal ends with record {last}",
        code="missing_end",
        path=folder,
        sequence=last + 1,
        remedy=RESTORE,
    )


def check_link(segment: Segment, identity: Identity, expected: Place) -> None:
    """See to it that a segment is of this journal and begins where the one before ends.

    Raises
    ------
    JournalDamagedError, JournalVersionError
        If it does not.
    """
    header = segment.header()
    wrong: tuple[str, str] | None = None
    if header.journal != identity.id:
        wrong = "foreign_segment", f"the segment is of another journal ({header.journal.hex()})"
    elif header.first > expected.sequence:
        raise missing_segment(segment.path.parent, expected.sequence, header.first - 1)
    elif header.first < expected.sequence:
        wrong = "wrong_order", f"the segment begins with record {header.first}, which is in the one before already"
    elif header.chain != expected.chain:
        wrong = "bad_chain", "the segment was not written behind the one before it"
    if wrong is not None:
        raise JournalDamagedError(
            wrong[1], code=wrong[0], path=segment.path, offset=0, sequence=expected.sequence, remedy=RESTORE
        )


def check_segment(segment: Segment, identity: Identity, expected: Place, *, is_last: bool) -> Checked:
    """Read every record of a segment.

    Parameters
    ----------
    expected
        Where it has to begin.
    is_last
        Whether it is the last of its journal: only there can a crash leave half a write.
    """
    try:
        check_link(segment, identity, expected)
        frames = segment.frames()
    except JournalError as error:
        # The header is made safe before anything is written behind it: where nothing is, it may never have been.
        unfinished = error.code in _HEADERS and not segment.packed and segment.path.stat().st_size <= HEADER_SIZE
        return Checked(segment, expected, 0, error, is_last and unfinished)
    except OSError as failure:
        return Checked(segment, expected, 0, _unreadable(segment, failure, expected.sequence))
    for _ in frames:
        pass
    offset, sequence, chain = frames.commit
    end = Place(sequence, chain)
    flaw = frames.flaw
    if flaw is None and offset == frames.offset:
        return Checked(segment, end, offset)
    data = segment.data()
    at, number = (flaw.offset, flaw.sequence) if flaw else (offset, sequence)
    proof = later_write(data, at, number, frames.chain if flaw else chain)
    torn = is_last and proof is None
    code, what = (flaw.code, flaw.what) if flaw else ("torn_commit", "the file ends inside a commit")
    if proof is not None:
        what += f", and record {proof} behind it proves that it was safe once"
    elif not is_last:
        what += ", and the next segment proves that it was safe once"
    if torn and code != "torn_commit":
        code = "torn_record"
    remedy = _TORN_REMEDY if torn else RESTORE
    damage = JournalDamagedError(what, code=code, path=segment.path, offset=at, sequence=number, remedy=remedy)
    return Checked(segment, end, max(offset, HEADER_SIZE), damage, torn)


def _unreadable(segment: Segment, failure: OSError, sequence: int) -> JournalError:
    return JournalError(
        f"the segment cannot be read: {failure.strerror or failure}",
        code="unreadable",
        path=segment.path,
        sequence=sequence,
        remedy=f"Check the disk and who may read the file. {RESTORE}",
    )


def check_segments(folder: Path, files: Files, identity: Identity | None = None) -> Iterator[Checked]:
    """Check every segment of a journal; behind a damage go on with what the next one says of itself.

    Raises
    ------
    JournalError
        If the folder is no journal at all.
    """
    segments = list_segments(folder, files)
    identity = identity or Identity.read(folder, files)
    if identity is None:
        if segments:
            raise missing_identity(folder)
        raise JournalError(
            "there is no journal here", code="no_journal", path=folder, remedy="Name the folder of a journal."
        )
    segments = [one for one in segments if one.named >= identity.first]
    if not segments:
        raise missing_segment(folder, identity.first, None)
    place = Place(identity.first, identity.before)
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        checked = check_segment(segment, identity, place, is_last=is_last)
        if is_last:
            lost = missing_end(folder, files, identity, checked.end.sequence - 1)
            checked = attrs.evolve(checked, error=lost, is_torn=False) if lost else checked
        yield checked
        place = checked.end
        if checked.error is not None and number < len(segments) - 1:
            try:
                header = segments[number + 1].header()
            except (JournalError, OSError):
                continue
            if header.first >= place.sequence:
                place = Place(header.first, header.chain)
