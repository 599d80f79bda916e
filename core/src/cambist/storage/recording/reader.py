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
        files = sorted((number, path) for path in self.folder.iterdir() if (number := number_of(path.name)) is not None)
        expected = 1
        for _, path in files:
            data = path.read_bytes()
            if data[: FILE.size] != file_header(self.head.journal, expected, self.head.format):
                torn = len(data) < FILE.size
                self.flaw = f"{path}: {'the header is torn' if torn else f'this is not the file of event {expected}'}"
                return
            at = FILE.size
            while at < len(data):
                found = unpack(data, at, expected, self.head.format)
                if isinstance(found, str):
                    self.flaw = f"{path}, byte {at}: {found}"
                    return
                rows, at = found
                expected += len(rows)
                yield from rows
