"""Reads a recording as far as it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.errors import JournalDamagedError, JournalError, JournalVersionError
from cambist.storage.recording.blocks import (
    FILE,
    FOLDER,
    FORMAT,
    HEAD,
    READ,
    RecordingHead,
    file_header,
    number_of,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RecordingFolder"]


class RecordingFolder:
    """The recording beside a journal.

    Parameters
    ----------
    folder
        Of the journal.

    Attributes
    ----------
    head
        What it is of.
    flaw
        Why `rows` ended before the last file did, with the place; ``""`` where it did not.

    Raises
    ------
    JournalError
        If there is no recording, or its head cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder) / FOLDER
        self.head = self._read_head()
        self.flaw = ""

    def _read_head(self) -> RecordingHead:
        path = self.folder / HEAD
        try:
            head = msgspec.json.decode(path.read_bytes(), type=RecordingHead)
        except FileNotFoundError:
            raise JournalError(
                "there is no recording beside this journal, and without what the market did nothing can be replayed",
                code="no_recording",
                path=path,
                remedy="Run with record=True (--record) next time.",
            ) from None
        except (OSError, msgspec.DecodeError) as error:
            raise JournalDamagedError(
                f"the head of the recording cannot be read: {error}",
                code="bad_recording",
                path=path,
                remedy="Restore the file from a backup.",
            ) from error
        if head.format not in READ:
            raise JournalVersionError(
                f"the recording is of format {head.format}, this version reads format {FORMAT}",
                code="foreign_version",
                path=path,
                remedy="Use the version of Cambist that wrote it, or a newer one.",
            )
        return head

    def rows(self) -> Iterator[list[Any]]:
        """Iterate over the rows, to the first flaw: behind it something is missing, and `flaw` tells of it."""
        self.flaw = ""
        self._ends: list[tuple[Path, int]] = []
        self._count = 0
        for path in self._files():
            data = path.read_bytes()
            self._ends.append((path, 0))
            if data[: FILE.size] != file_header(self.head.journal, self._count + 1, self.head.format):
                torn = len(data) < FILE.size
                what = "the header is torn" if torn else f"this is not the file of event {self._count + 1}"
                self.flaw = f"{path}: {what}"
                return
            at = FILE.size
            while at < len(data):
                self._ends[-1] = path, at
                found = unpack(data, at, self._count + 1, self.head.format)
                if isinstance(found, str):
                    self.flaw = f"{path}, byte {at}: {found}"
                    return
                rows, at = found
                self._count += len(rows)
                self._ends[-1] = path, at
                yield from rows

    def _files(self) -> list[Path]:
        numbered = [(number, path) for path in self.folder.iterdir() if (number := number_of(path.name)) is not None]
        return [path for _, path in sorted(numbered)]

    def cut_flaw(self) -> int:
        """Remove what stands behind the last whole row, and return how many rows there are.

        It is for a recording that is about to go on: what was not written to its end cannot be read by anybody.
        """
        for _ in self.rows():
            pass
        if self.flaw:
            path, end = self._ends[-1]
            if end > FILE.size:
                with path.open("r+b") as file:
                    file.truncate(end)
            else:
                path.unlink()
            files = self._files()
            for behind in files[files.index(path) + 1 if path in files else len(self._ends) - 1 :]:
                behind.unlink()
        return self._count
