"""The files of a recording: a header, then blocks of rows, each packed and with a checksum."""

from __future__ import annotations

import re
import zlib
from struct import Struct
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.storage.recording.columns import from_columns, to_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FILE",
    "FOLDER",
    "FORMAT",
    "HEAD",
    "READ",
    "RecordingHead",
    "file_header",
    "file_name",
    "number_of",
    "pack",
    "unpack",
]

#: Beside the segments of the journal.
FOLDER = "recording"
#: The file that says what the recording is of.
HEAD = "recording.json"
#: Of what is written. In the first format the rows of a block were packed as they are; it is read as well.
FORMAT = 2
READ = (1, FORMAT)
_NAME = re.compile(r"(\d{20})\.cbr")
_MAGIC = b"CAMBREC\0"
#: Magic, version, id of the journal, number of the first row.
FILE = Struct("<8sI16sQ")
#: Length of the packed rows, how many there are, number of the first; then the CRC-32 of these and of the packed rows.
_BLOCK = Struct("<IIQ")
_CRC = Struct("<I")
_LEVEL = 1  # half the size of no compression, at a third of the time of the level that zlib takes by itself
_decode_rows = msgspec.msgpack.Decoder(list[list[Any]]).decode


class RecordingHead(msgspec.Struct, frozen=True):
    """The contents of ``recording.json``.

    Attributes
    ----------
    journal
        Id of the journal that it belongs to, 32 hexadecimal digits.
    about
        What a replay has to know beforehand: see `cambist.backtest.replay.setup.About`.
    format
        Version of the format.
    """

    journal: str
    about: dict[str, Any] = {}
    format: int = FORMAT


def file_name(first: int) -> str:
    """Return the name of the file whose first row is number `first`."""
    return f"{first:020d}.cbr"


def number_of(name: str) -> int | None:
    """Return the number of the first row of a file; None for the name of something else."""
    found = _NAME.fullmatch(name)
    return None if found is None else int(found[1])


def file_header(journal: str, first: int, version: int = FORMAT) -> bytes:
    """Return what a file begins with."""
    return FILE.pack(_MAGIC, version, bytes.fromhex(journal), first)


def pack(rows: Sequence[Sequence[Any]], first: int) -> bytes:
    """Return rows as a block; `first` is the number of the first."""
    packed = zlib.compress(to_columns(rows), _LEVEL)
    head = _BLOCK.pack(len(packed), len(rows), first)
    return head + _CRC.pack(zlib.crc32(packed, zlib.crc32(head))) + packed


def unpack(data: bytes, at: int, first: int, version: int = FORMAT) -> tuple[list[list[Any]], int] | str:
    """Return the rows of the block at `at` and where the next one begins; in words what is wrong where that cannot be.

    Parameters
    ----------
    first
        Number that its first row must have.
    version
        Of the format.
    """
    start = at + _BLOCK.size + _CRC.size
    if len(data) < start:
        return "the last block was not written to its end"
    length, count, number = _BLOCK.unpack_from(data, at)
    if len(data) < start + length:
        return "the last block was not written to its end"
    packed = data[start : start + length]
    (told,) = _CRC.unpack_from(data, at + _BLOCK.size)
    if told != zlib.crc32(packed, zlib.crc32(data[at : at + _BLOCK.size])):
        return "the checksum of a block is wrong"
    if number != first:
        return f"event {first} is expected and the block begins with {number}"
    plain = zlib.decompress(packed)
    rows = _decode_rows(plain) if version == 1 else from_columns(plain)
    assert len(rows) == count
    return rows, start + length
