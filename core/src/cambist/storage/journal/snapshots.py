"""Snapshots: the state after some record, so that a start need not read what came before."""

from __future__ import annotations

import re
import zlib
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING

import attrs

from cambist.errors import InputError, JournalDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cambist.storage.journal.files import Files

__all__ = ["Snapshot", "Snapshots"]

FOLDER = "snapshots"
_NAME = re.compile(r"(\d{20})\.cbs")
_MAGIC = b"CAMBSNAP"
# Magic, id of the journal, number of the record, version, whether compressed.
_HEAD = Struct("<8s16sQHH")
_DIGEST = 16


@attrs.frozen(slots=True)
class Snapshot:
    """A state.

    Attributes
    ----------
    sequence
        The last record that is in it.
    version
        Of what `data` is written in.
    data
        The state, encoded.
    """

    sequence: int
    version: int
    data: bytes


class Snapshots:
    """The snapshots of one journal: caches, any of which may go as long as no record that it holds was removed.

    Parameters
    ----------
    folder, journal
        Of the journal, and its id.
    durable
        Answers the newest record that is safe.
    keep
        How many are kept.
    """

    def __init__(self, folder: Path, files: Files, journal: bytes, durable: Callable[[], int], keep: int = 2) -> None:
        self._folder, self._files = folder / FOLDER, files
        self._journal, self._durable, self._keep = journal, durable, keep

    def save(self, sequence: int, data: bytes, version: int = 1) -> None:
        """Keep the state after record `sequence`; the oldest beyond those that are kept goes.

        Raises
        ------
        InputError
            If that record is not safe yet: the snapshot could outlive it.
        """
        if not 0 < sequence <= self._durable():
            raise InputError(
                f"there can be no snapshot of record {sequence}; the newest record that is safe is {self._durable()}. "
                "Wait for it first."
            )
        files, folder = self._files, self._folder
        files.make_folder(folder)
        content = _HEAD.pack(_MAGIC, self._journal, sequence, version, 1) + zlib.compress(data, 1)
        files.write_whole(folder / f"{sequence:020d}.cbs", content + _digest(content))
        for old in self.sequences()[: -self._keep]:
            files.remove(folder / f"{old:020d}.cbs")

    def sequences(self) -> list[int]:
        """Return the records of which there are snapshots, ascending, sound or not."""
        if not self._folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def read(self, sequence: int) -> Snapshot:
        """Return one snapshot.

        Raises
        ------
        JournalDamagedError
            If it is not there, or not what was written.
        """
        path = self._folder / f"{sequence:020d}.cbs"
        try:
            content = self._files.read(path)
        except FileNotFoundError:
            content = b""
        wrong = ""
        if len(content) < _HEAD.size + _DIGEST or _digest(content[:-_DIGEST]) != content[-_DIGEST:]:
            wrong = "the snapshot does not have the checksum that was written with it"
        else:
            magic, journal, number, version, _ = _HEAD.unpack_from(content)
            if (magic, journal, number) != (_MAGIC, self._journal, sequence):
                wrong = "the snapshot is of another journal or record"
        if wrong:
            raise JournalDamagedError(
                wrong, code="bad_snapshot", path=path, sequence=sequence, remedy="Remove it; another start reads more."
            )
        return Snapshot(sequence, version, zlib.decompress(content[_HEAD.size : -_DIGEST]))

    def newest(self, version: int, up_to: int | None = None) -> Snapshot | None:
        """Return the newest sound snapshot of that version, at most of record `up_to`; None where there is none."""
        for sequence in reversed(self.sequences()):
            if up_to is not None and sequence > up_to:
                continue
            try:
                found = self.read(sequence)
            except JournalDamagedError:
                continue
            if found.version == version:
                return found
        return None

    def beyond(self, sequence: int) -> list[Path]:
        """Return the files of snapshots of later records."""
        return [self._folder / f"{one:020d}.cbs" for one in self.sequences() if one > sequence]


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()
