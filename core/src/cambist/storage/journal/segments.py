"""The files of a journal: their names, their order, reading one whole, and the compressed form of old ones."""

from __future__ import annotations

import lzma
import re
import zlib
from struct import Struct
from typing import TYPE_CHECKING

import attrs

from cambist.errors import JournalDamagedError, JournalError, JournalVersionError
from cambist.storage.journal.frames import DIGEST, FORMAT, HEADER_SIZE, Frames, SegmentHeader

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.storage.journal.files import Files

__all__ = ["COMPRESSIONS", "RESTORE", "Segment", "compress", "list_segments", "segment_name", "unpack"]

COMPRESSIONS = ("zlib", "lzma")
RESTORE = (
    "Restore the file from a backup, or open the journal with on_damage='last_good', which goes on from the last good "
    "record and keeps the rest aside."
)
_NAME = re.compile(r"(\d{20})\.(cbj|cbjz)")
_PACKED_MAGIC = b"CAMBJPCK"
# Magic, compression, size of the plain file, number of the last record, its digest, CRC-32 of the packed bytes.
_PACKED = Struct(f"<8sB7xQQ{DIGEST}sI{HEADER_SIZE}s")


def segment_name(first: int) -> str:
    """Return the name of the segment whose first record is number `first`."""
    return f"{first:020d}.cbj"


@attrs.define(eq=False)
class Segment:
    """One segment file.

    Attributes
    ----------
    path
        Of the file.
    named
        Number of the first record, as the name has it.
    packed
        Whether the file is compressed.
    """

    path: Path
    named: int
    packed: bool
    files: Files
    _header: SegmentHeader | None = None

    def header(self) -> SegmentHeader:
        """Return the checked header.

        Raises
        ------
        JournalDamagedError, JournalVersionError
            If the file is not a segment, its header is torn or altered, or a newer version wrote it.
        """
        if self._header is not None:
            return self._header
        data = self.files.read(self.path, 0, _PACKED.size if self.packed else HEADER_SIZE)
        if self.packed:
            data = self._packed_fields(data)[-1]
        header = SegmentHeader.decode(data)
        if isinstance(header, str):
            raise self._damaged(header)
        if header.version != FORMAT:
            raise JournalVersionError(
                f"the segment is of format {header.version}, this version reads format {FORMAT}",
                code="foreign_version",
                path=self.path,
                offset=8,
                remedy="Use the version of Cambist that wrote it, or a newer one.",
            )
        if header.first != self.named:
            raise JournalDamagedError(
                f"the segment begins with record {header.first}, and its name says {self.named}",
                code="wrong_order",
                path=self.path,
                sequence=header.first,
                remedy=f"It was renamed: call it {segment_name(header.first)} again. {RESTORE}",
            )
        self._header = header
        return header

    def _damaged(self, code: str) -> JournalDamagedError:
        what, remedy = {
            "foreign_file": (
                "this is no segment of a journal",
                f"Move it elsewhere; nothing but the journal belongs there. {RESTORE}",
            ),
            "torn_header": ("the file ends inside its header", RESTORE),
            "bad_header": ("the header does not have the checksum that was written with it", RESTORE),
            "bad_packing": ("the compressed segment does not have the checksum that was written with it", RESTORE),
        }[code]
        return JournalDamagedError(what, code=code, path=self.path, offset=0, sequence=self.named, remedy=remedy)

    def _packed_fields(self, data: bytes) -> tuple[int, int, int, bytes, int, bytes]:
        if data[:8] != _PACKED_MAGIC:
            raise self._damaged("foreign_file")
        if len(data) < _PACKED.size:
            raise self._damaged("torn_header")
        _, how, size, last, digest, checksum, header = _PACKED.unpack_from(data)
        return how, size, last, digest, checksum, header

    def data(self) -> bytes:
        """Return the whole segment, as it was before compression."""
        data = self.files.read(self.path)
        if not self.packed:
            return data
        how, size, _, _, checksum, _ = self._packed_fields(data)
        packed = data[_PACKED.size :]
        if zlib.crc32(packed) != checksum or how >= len(COMPRESSIONS):
            raise self._damaged("bad_packing")
        plain = zlib.decompress(packed) if COMPRESSIONS[how] == "zlib" else lzma.decompress(packed)
        if len(plain) != size:
            raise self._damaged("bad_packing")
        return plain

    def frames(self) -> Frames:
        """Return what reads the records, checked from the header on."""
        header = self.header()
        data = self.data()
        if data[:HEADER_SIZE] != header.encode():
            raise self._damaged("bad_packing" if self.packed else "bad_header")
        return Frames(data, header.first, header.chain, HEADER_SIZE)

    def last_digest(self) -> bytes:
        """Return the digest of the last record, as the file has it, without reading the others."""
        if self.packed:
            return self._packed_fields(self.files.read(self.path, 0, _PACKED.size))[3]
        size = self.path.stat().st_size
        if size <= HEADER_SIZE:
            return self.header().chain
        return self.files.read(self.path, max(HEADER_SIZE, size - DIGEST))


def list_segments(folder: Path, files: Files) -> list[Segment]:
    """Return the segments of a journal by name; a compressed one whose plain file is still there is not among them."""
    found: dict[int, Segment] = {}
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise JournalError(
            f"the journal cannot be read: {error.strerror}",
            code="no_journal",
            path=folder,
            remedy="Name the folder of a journal.",
        ) from error
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match:
            first = int(match[1])
            if first not in found or found[first].packed:
                found[first] = Segment(path, first, match[2] == "cbjz", files)
    return [found[first] for first in sorted(found)]


def compress(segment: Segment, how: str) -> None:
    """Put the compressed form of a closed segment in its place; a crash leaves one of the two, or both.

    Raises
    ------
    JournalDamagedError
        If the segment is not what was written: it is left as it is.
    """
    frames = segment.frames()
    for _ in frames:
        pass
    if frames.flaw is not None:
        flaw = frames.flaw
        raise JournalDamagedError(
            flaw.what, code=flaw.code, path=segment.path, offset=flaw.offset, sequence=flaw.sequence, remedy=RESTORE
        )
    plain = segment.data()
    packed = zlib.compress(plain, 6) if how == "zlib" else lzma.compress(plain, preset=6)
    head = _PACKED.pack(
        _PACKED_MAGIC,
        COMPRESSIONS.index(how),
        len(plain),
        frames.sequence - 1,
        frames.chain,
        zlib.crc32(packed),
        plain[:HEADER_SIZE],
    )
    target = segment.path.with_suffix(".cbjz")
    segment.files.write_whole(target, head + packed)
    # From here on a reader finds either; the plain file, when both are there.
    segment.files.remove(segment.path)
    segment.files.sync_folder(segment.path.parent)


def unpack(segment: Segment) -> Segment:
    """Put the plain form of a compressed segment in its place, and return it; a crash leaves one, or both."""
    plain = Segment(segment.path.with_suffix(".cbj"), segment.named, packed=False, files=segment.files)
    segment.files.write_whole(plain.path, segment.data())
    segment.files.remove(segment.path)
    segment.files.sync_folder(segment.path.parent)
    return plain
