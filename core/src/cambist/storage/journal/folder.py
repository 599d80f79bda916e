"""A journal that is only looked at: by another process, while it is being written, or afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cambist.errors import JournalError
from cambist.storage.journal.check import check_segments, missing_identity
from cambist.storage.journal.cursors import list_cursors
from cambist.storage.journal.files import Files
from cambist.storage.journal.identity import NAME, Identity
from cambist.storage.journal.records import Records
from cambist.storage.journal.segments import list_segments
from cambist.storage.journal.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.journal import JournalEntry
    from cambist.storage.journal.check import Checked
    from cambist.storage.journal.cursors import CursorState

__all__ = ["JournalFolder"]


class JournalFolder:
    """Reads a journal without locking it and without changing anything.

    It cannot know what is safe, only what is whole: it shows every commit that is on the disk, the last of which a loss
    of power may still take. What must not go ahead of the journal reads by `Journal.read` in the process that writes.

    Parameters
    ----------
    folder
        Of the journal.

    Raises
    ------
    JournalError
        If there is no journal.
    """

    def __init__(self, folder: str | Path, *, files: Files | None = None) -> None:
        self.folder = Path(folder)
        self._files = files or Files()
        if self._read_identity() is None:
            if self.folder.is_dir() and list_segments(self.folder, self._files):
                raise missing_identity(self.folder)
            raise JournalError(
                "there is no journal here",
                code="no_journal",
                path=self.folder,
                remedy="Name the folder of a journal; it has a file journal.json.",
            )
        self._records = Records(self.folder, self._files, self._identity, lambda: None)

    @staticmethod
    def is_at(folder: str | Path) -> bool:
        """Tell whether a folder says of itself that it is a journal's."""
        return (Path(folder) / NAME).exists()

    def _read_identity(self) -> Identity | None:
        return Identity.read(self.folder, self._files)

    def _identity(self) -> Identity:
        identity = self._read_identity()
        if identity is None:
            raise missing_identity(self.folder)
        return identity

    @property
    def id(self) -> str:
        """Id of the journal, 32 hexadecimal digits."""
        return self._identity().journal

    @property
    def first(self) -> int:
        """Number of the oldest record that was not removed."""
        return self._identity().first

    @property
    def snapshots(self) -> Snapshots:
        """The snapshots; none can be saved from here."""
        return Snapshots(self.folder, self._files, self._identity().id, lambda: 0)

    def read(self, from_sequence: int = 1) -> Iterator[JournalEntry]:
        """Iterate over the records from a number on, to the end of the last whole commit."""
        return self._records.read(from_sequence)

    def cursors(self) -> list[CursorState]:
        """Return how far each registered reader has come."""
        return list_cursors(self.folder, self._files)

    def check(self) -> Iterator[Checked]:
        """Check every record, and yield what was found in each segment."""
        return check_segments(self.folder, self._files)
