"""Records and segment headers as bytes; ``docs/adr/0010-the-journal-on-disk.md`` says why they look like this.

A segment is a header and frames. All numbers are little endian. Behind the last frame of the last segment there may be
zeros: room that was made for the next ones.

======  =====  ==========================================================================================
header  bytes
======  =====  ==========================================================================================
0       8      ``CAMBJRNL``
8       2      version of the format
10      2      0
12      4      size of the header
16      16     id of the journal
32      8      number of the segment's first record
40      8      when the segment was made, ns, UTC
48      16     digest of the record before, zeros before the first
64      4      CRC-32 of the bytes before
======  =====  ==========================================================================================

======  =====  ==========================================================================================
frame   bytes
======  =====  ==========================================================================================
0       4      ``1E 43 4A 52``, by which frames are found again behind a damage
4       4      size of the body
8       8      number of the record
16      8      time, ns, UTC
24      2      version of the type
26      1      flags: 1 the last record of its commit, 2 all records before this one were durable
27      1      size of the kind
28             kind (UTF-8), body
then    16     BLAKE2b of the digest of the record before and of this frame
======  =====  ==========================================================================================
"""

from __future__ import annotations

import zlib
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING

import attrs

from cambist.ports.journal import JournalEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.ports.journal import Draft

__all__ = [
    "DIGEST",
    "ENDS_COMMIT",
    "FORMAT",
    "FRAME",
    "HEADER_SIZE",
    "MAGIC",
    "MARK",
    "MAX_BODY",
    "OPENS_WRITE",
    "Flaw",
    "Frames",
    "SegmentHeader",
    "encode",
    "later_write",
]

MAGIC = b"CAMBJRNL"
FORMAT = 1
MARK = b"\x1eCJR"
DIGEST = 16
FRAME = Struct("<4sIQqHBB")
ENDS_COMMIT = 1
OPENS_WRITE = 2
#: The largest body: more than any state, and little enough that a size that was altered is seen for what it is.
MAX_BODY = 64 * 1024 * 1024
_HEADER = Struct("<8sHHI16sQq16s")
HEADER_SIZE = _HEADER.size + 4
_SMALLEST = FRAME.size + DIGEST


@attrs.frozen(slots=True)
class Flaw:
    """Where bytes stop being what was written.

    Attributes
    ----------
    code
        ``"torn_record"``: the file ends inside a record. ``"bad_checksum"``, ``"bad_record"``: it does not.
    offset
        Of the record's first byte.
    sequence
        The number it should have.
    what
        For people.
    """

    code: str
    offset: int
    sequence: int
    what: str


@attrs.frozen(slots=True)
class SegmentHeader:
    """The first bytes of a segment.

    Attributes
    ----------
    journal
        Id of the journal, 16 bytes.
    first
        Number of the segment's first record.
    created
        When it was made, ns, UTC, by the clock of the wall.
    chain
        Digest of the record before.
    version
        Of the format.
    """

    journal: bytes
    first: int
    created: int
    chain: bytes
    version: int = FORMAT

    def encode(self) -> bytes:
        """Return the header as bytes."""
        data = _HEADER.pack(MAGIC, self.version, 0, HEADER_SIZE, self.journal, self.first, self.created, self.chain)
        return data + zlib.crc32(data).to_bytes(4, "little")

    @classmethod
    def decode(cls, data: bytes) -> SegmentHeader | str:
        """Return the header at the start of `data`, or what is wrong with it: a code of `JournalDamagedError`."""
        if len(data) < HEADER_SIZE and MAGIC.startswith(data[: len(MAGIC)]):
            return "torn_header"
        if not data.strip(b"\0"):  # the size of the file survived a loss of power, and its bytes did not
            return "torn_header"
        if not data.startswith(MAGIC):
            return "foreign_file"
        _, version, _, _, journal, first, created, chain = _HEADER.unpack_from(data)
        if zlib.crc32(data[: _HEADER.size]).to_bytes(4, "little") != data[_HEADER.size : HEADER_SIZE]:
            return "bad_header"
        return cls(journal, first, created, chain, version)


def encode(
    commits: Sequence[Sequence[Draft]], sequence: int, chain: bytes, flags: int = OPENS_WRITE
) -> tuple[bytes, int, bytes]:
    """Return commits as the bytes of one write.

    Parameters
    ----------
    commits
        Each of at least one record.
    sequence, chain
        Number of the first record, and digest of the one before.
    flags
        Of the first record; 0 where it goes behind others into the same write.

    Returns
    -------
    tuple
        The bytes, the number of the last record and its digest.
    """
    parts: list[bytes] = []
    pack = FRAME.pack
    for drafts in commits:
        last = len(drafts) - 1
        for position, draft in enumerate(drafts):
            kind, body = draft.kind.encode(), draft.body
            if position == last:
                flags |= ENDS_COMMIT
            head = pack(MARK, len(body), sequence, draft.ts, draft.version, flags, len(kind))
            frame = b"".join((head, kind, body))
            chain = blake2b(chain + frame, digest_size=DIGEST).digest()
            parts += (frame, chain)
            sequence += 1
            flags = 0
    return b"".join(parts), sequence - 1, chain


class Frames:
    """Reads the frames of a buffer, each checked against the one before, until they end or are flawed.

    Parameters
    ----------
    data
        The bytes.
    sequence, chain
        Number of the first record in `data` from `offset` on, and digest of the one before.
    offset
        Where to begin.
    at
        What `offset` 0 of `data` is in the file; flaws are told in places of the file.

    Attributes
    ----------
    offset, sequence, chain
        Where the next frame begins, the number it must have, and the digest of the last good one.
    flaw
        Why reading ended before the end of the bytes, or None.
    commit
        `offset`, `sequence` and `chain` behind the last whole commit.
    """

    __slots__ = ("_at", "_data", "chain", "commit", "flaw", "offset", "sequence")

    def __init__(self, data: bytes, sequence: int, chain: bytes, offset: int = 0, at: int = 0) -> None:
        self._data, self._at = data, at
        self.offset, self.sequence, self.chain = offset, sequence, chain
        self.commit = (offset, sequence, chain)
        self.flaw: Flaw | None = None

    def __iter__(self) -> Iterator[JournalEntry]:
        data, size = self._data, len(self._data)
        unpack, head_size = FRAME.unpack_from, FRAME.size
        offset, sequence, chain = self.offset, self.sequence, self.chain
        while offset < size:
            if size - offset < _SMALLEST:
                self._end("torn_record", "the file ends inside a record")
                return
            mark, body_size, number, ts, version, flags, kind_size = unpack(data, offset)
            if mark != MARK or number != sequence or body_size > MAX_BODY:
                self._end("bad_record", "these bytes are no record of that number")
                return
            kind_at = offset + head_size
            body_at = kind_at + kind_size
            end = body_at + body_size
            if end + DIGEST > size:
                self._flaw("torn_record", "the file ends inside a record")
                return
            digest = data[end : end + DIGEST]
            if blake2b(chain + data[offset:end], digest_size=DIGEST).digest() != digest:
                self._flaw("bad_checksum", "the record does not have the checksum that was written with it")
                return
            ends = flags & ENDS_COMMIT == ENDS_COMMIT
            entry = JournalEntry(sequence, ts, str(data[kind_at:body_at], "utf-8"), version, data[body_at:end], ends)
            self.offset = offset = end + DIGEST
            self.sequence = sequence = sequence + 1
            self.chain = chain = digest
            if ends:
                self.commit = (offset, sequence, chain)
            yield entry

    def _end(self, code: str, what: str) -> None:
        """Take that here begins no record: that is a flaw, unless it is the room for those to come."""
        if self._data.count(0, self.offset) < len(self._data) - self.offset:
            self._flaw(code, what)

    def _flaw(self, code: str, what: str) -> None:
        self.flaw = Flaw(code, self._at + self.offset, self.sequence, what)


def later_write(data: bytes, offset: int, sequence: int, chain: bytes) -> int | None:
    """Return the number of a record behind `offset` that proves that record `sequence` was durable, or None.

    Such a record is sound, comes later, and was written by a later write: the writer begins one only when what it
    wrote before is safe. So a flaw with such a record behind it is no torn write. A record is sound if the digest
    stored in front of it makes its own; or the one that record `sequence` should have, behind the record whose digest
    is `chain`, where that is what was altered.
    """
    expected = b""
    if len(data) - offset >= _SMALLEST:
        _, body_size, _, _, _, _, kind_size = FRAME.unpack_from(data, offset)
        end = offset + FRAME.size + kind_size + body_size
        expected = blake2b(chain + data[offset:end], digest_size=DIGEST).digest() if end < len(data) else b""
    at = data.find(MARK, offset + 1)
    while at >= 0:
        if len(data) - at < _SMALLEST:
            return None
        _, body_size, number, _, _, flags, kind_size = FRAME.unpack_from(data, at)
        end = at + FRAME.size + kind_size + body_size
        if flags & OPENS_WRITE and number > sequence and end + DIGEST <= len(data):
            for before in (data[at - DIGEST : at], expected):
                if blake2b(before + data[at:end], digest_size=DIGEST).digest() == data[end : end + DIGEST]:
                    return int(number)
        at = data.find(MARK, at + 1)
    return None
