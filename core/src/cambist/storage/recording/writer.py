"""Writes a recording. It is no record that anything waits for: nothing is synced, and a run goes on without it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.errors import JournalError
from cambist.storage.recording.blocks import FOLDER, HEAD, RecordingHead, file_header, file_name, pack
from cambist.storage.recording.reader import RecordingFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import FileIO

__all__ = ["RecordingWriter"]

_log = logging.getLogger("cambist.recording")


class RecordingWriter:
    """Appends rows to a recording that begins, or goes on.

    Parameters
    ----------
    folder
        Of the journal; the recording becomes a folder in it.
    journal
        Id of the journal, 32 hexadecimal digits.
    about
        What a replay has to know beforehand; plain values.
    file_bytes
        A file that has become longer is followed by another.
    block_rows
        Rows that are compressed together. A process that is killed loses as many at most.
    goes_on
        Whether the recording may be there already; what a process that was killed left half written is cut off then.

    Attributes
    ----------
    count
        Rows taken so far.
    failure
        Why the recording ends early, ``""`` where it does not: a disk that is full stops the recording, not the run.
    """

    def __init__(
        self,
        folder: str | Path,
        journal: str,
        about: Mapping[str, Any],
        *,
        file_bytes: int = 64 * 2**20,
        block_rows: int = 4_096,
        goes_on: bool = False,
    ) -> None:
        self._folder, self._journal = Path(folder) / FOLDER, journal
        self._file_bytes, self._block_rows = file_bytes, block_rows
        self.count = 0
        if goes_on and (self._folder / HEAD).exists():
            self.count = self._find_end()
        else:
            self._folder.mkdir(exist_ok=goes_on)
            head = msgspec.json.encode(RecordingHead(journal, dict(about)))
            (self._folder / HEAD).write_bytes(msgspec.json.format(head) + b"\n")
        self.failure = ""
        self._rows: list[Sequence[Any]] = []
        self._file: FileIO | None = None
        self._length = 0

    def _find_end(self) -> int:
        """Return how many rows there are, and leave nothing behind the last whole one."""
        recording = RecordingFolder(self._folder.parent)
        if recording.head.journal != self._journal:
            raise JournalError(
                "the recording is of another journal",
                code="foreign_recording",
                path=self._folder,
                remedy="Move it away, or put it beside the journal of the same run.",
            )
        return recording.cut_flaw()

    def add(self, row: Sequence[Any]) -> None:
        """Take a row of plain values."""
        self.count += 1
        self._rows.append(row)
        if len(self._rows) >= self._block_rows:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        rows, self._rows = self._rows, []
        if not rows or self.failure:
            return
        first = self.count - len(rows) + 1
        try:
            self._write(pack(rows, first), first)
        except OSError as error:
            self.failure = f"the recording ends before its event {first}: {error.strerror or error}"
            _log.warning("%s (%s)", self.failure, self._folder)

    def _write(self, block: bytes, first: int) -> None:
        if self._file is not None and self._length >= self._file_bytes:
            self._file.close()
            self._file = None
        if self._file is None:
            self._file = (self._folder / file_name(first)).open("xb", buffering=0)
            block = file_header(self._journal, first) + block
            self._length = 0
        view = memoryview(block)
        while view:
            view = view[self._file.write(view) :]
        self._length += len(block)

    def close(self) -> None:
        """Write what was taken, and end."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
