"""What a journal says of itself as a whole: its id, and where it begins."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from cambist.errors import JournalDamagedError, JournalVersionError
from cambist.storage.journal.frames import DIGEST, FORMAT

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.storage.journal.files import Files

__all__ = ["NAME", "Identity"]

NAME = "journal.json"


class Identity(msgspec.Struct, frozen=True):
    """The contents of ``journal.json``.

    Attributes
    ----------
    journal
        Id, 32 hexadecimal digits.
    format
        Version of the format.
    first, chain
        Number of the oldest record that was not removed, and digest of the one before it, hexadecimal.
    """

    journal: str
    format: int = FORMAT
    first: int = 1
    chain: str = "00" * DIGEST

    @classmethod
    def new(cls) -> Identity:
        """Return the identity of a journal that begins."""
        return cls(secrets.token_hex(16))

    @property
    def id(self) -> bytes:
        """Id as bytes."""
        return bytes.fromhex(self.journal)

    @property
    def before(self) -> bytes:
        """Digest of the record before the oldest."""
        return bytes.fromhex(self.chain)

    def write(self, folder: Path, files: Files) -> None:
        """Write it, durably."""
        files.write_whole(folder / NAME, msgspec.json.format(msgspec.json.encode(self)) + b"\n")

    @classmethod
    def read(cls, folder: Path, files: Files) -> Identity | None:
        """Return what the file says, or None where there is none.

        Raises
        ------
        JournalDamagedError, JournalVersionError
            If it says nothing that can be used.
        """
        path = folder / NAME
        try:
            found = msgspec.json.decode(files.read(path), type=cls)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise JournalDamagedError(
                f"the file cannot be read: {error}",
                code="bad_identity",
                path=path,
                remedy="Restore it from a backup, or move it away and open the journal with on_damage='last_good', "
                "which writes it anew.",
            ) from error
        if found.format != FORMAT:
            raise JournalVersionError(
                f"the journal is of format {found.format}, this version reads format {FORMAT}",
                code="foreign_version",
                path=path,
                remedy="Use the version of Cambist that wrote it, or a newer one.",
            )
        return found
