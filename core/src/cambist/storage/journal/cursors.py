"""How far each reader of a journal has come: one small file for each, replaced as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from cambist.errors import InputError, JournalDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cambist.storage.journal.files import Files

__all__ = ["Cursor", "CursorState", "list_cursors", "rewind_cursors"]

FOLDER = "cursors"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class CursorState(msgspec.Struct, frozen=True):
    """The contents of a cursor's file; see `cambist.ports.journal.JournalCursor`."""

    name: str
    sequence: int
    rewound_from: int | None = None


class Cursor:
    """A registered reader; implements `cambist.ports.journal.JournalCursor`.

    Parameters
    ----------
    folder
        Of the journal.
    name
        Lower case letters, digits, dot, hyphen and underscore.
    start
        Where a new one stands.
    durable
        Answers the newest record that is safe.
    """

    def __init__(self, folder: Path, files: Files, name: str, start: int, durable: Callable[[], int]) -> None:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"a reader cannot be called {name!r}. Use at most 64 lower case letters, digits, '.', '-' and '_'."
            )
        self._path = folder / FOLDER / f"{name}.json"
        self._files, self._durable = files, durable
        files.make_folder(self._path.parent)
        known = _read(self._path, files)
        if known is None:
            known = CursorState(name, start)
            _write(self._path, files, known)
        self._state = known

    @property
    def name(self) -> str:
        """Of the reader."""
        return self._state.name

    @property
    def sequence(self) -> int:
        """The last record that was dealt with."""
        return self._state.sequence

    @property
    def rewound_from(self) -> int | None:
        """Where it stood when records that it had passed were taken out; None where never."""
        return self._state.rewound_from

    def advance(self, sequence: int) -> None:
        """Note durably that everything up to `sequence` was dealt with, and that nothing is to be made anew.

        Raises
        ------
        InputError
            If it goes back, or beyond what is safe.
        """
        durable = self._durable()
        if not self._state.sequence <= sequence <= durable:
            raise InputError(
                f"the cursor {self.name!r} stands at {self._state.sequence} and cannot go to {sequence}: it moves "
                f"forward alone, and at most to {durable}, the newest record that is safe."
            )
        state = CursorState(self.name, sequence)
        _write(self._path, self._files, state)
        self._state = state

    def forget(self) -> None:
        """Remove the cursor: nothing waits for this reader any longer."""
        self._files.remove(self._path)
        self._files.sync_folder(self._path.parent)


def _write(path: Path, files: Files, state: CursorState) -> None:
    files.write_whole(path, msgspec.json.encode(state))


def _read(path: Path, files: Files) -> CursorState | None:
    try:
        return msgspec.json.decode(files.read(path), type=CursorState)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise JournalDamagedError(
            f"the cursor cannot be read: {error}",
            code="bad_cursor",
            path=path,
            remedy="Remove the file: the reader begins anew, with the oldest record.",
        ) from error


def list_cursors(folder: Path, files: Files) -> list[CursorState]:
    """Return every registered cursor, by name."""
    found = [_read(path, files) for path in sorted((folder / FOLDER).glob("*.json"))]
    return [state for state in found if state is not None]


def rewind_cursors(folder: Path, files: Files, last: int) -> list[str]:
    """Take every cursor beyond `last` back to it; return the names of those that were."""
    rewound = []
    for state in list_cursors(folder, files):
        if state.sequence > last:
            path = folder / FOLDER / f"{state.name}.json"
            _write(path, files, CursorState(state.name, last, state.rewound_from or state.sequence))
            rewound.append(state.name)
    return rewound
