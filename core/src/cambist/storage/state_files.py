"""State in a folder, one file for each name: the storage of ``files:`` URLs, which needs nothing to be installed."""

from __future__ import annotations

import contextlib
import errno
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cambist.errors import ConfigError, JournalError, StorageError
from cambist.storage.journal.files import Files
from cambist.storage.state_format import file_name, is_shortened, name_of, pack, unpack
from cambist.storage.urls import path_in_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.bars import BarStore
    from cambist.ports.storage import RunStore

__all__ = ["FileStateStore", "FileStorage"]

_LOCK = "lock"
#: What is being written; a process that is killed leaves at most this one.
_UNFINISHED = "unfinished.tmp"
_WAIT_SECONDS = 60.0


class FileStateStore:
    """Named bytes in files of a folder; see `cambist.api.StateStore`.

    Parameters
    ----------
    folder
        Made with the first `put`, together with those above it.
    files
        What touches the disk; tests put faults here.

    Raises
    ------
    StorageError
        There is a file of that name, or the folder cannot be looked at.

    Notes
    -----
    A `put` writes a new file, makes it safe (``fdatasync``, on macOS ``F_FULLFSYNC``), gives it the name of the old
    one, and makes the folder safe: whoever reads meanwhile, or after a crash, finds the old bytes or the new ones.
    Writers queue for a lock of the system, which the dead do not hold; readers need none, nor the right to write.

    Every file has a checksum, and says of which name it is. One that is damaged or foreign, was renamed, or is of a
    newer version is never taken for what was kept: `get` raises `StateUnusableError`, `put` replaces it, and `delete`
    removes it. Other files in the folder are left alone.
    """

    def __init__(self, folder: str | Path, *, files: Files | None = None) -> None:
        self.folder = Path(folder)
        self._files = files or Files()
        with self._explained("read"):
            if self.folder.exists() and not self.folder.is_dir():
                raise StorageError(f"{self.folder}: this is a file; state needs a folder. Give another path.")

    def put(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`; StorageError where it cannot be, and then what was there stands."""
        content = pack(name, bytes(data))
        with self._writing():
            self._files.write_whole(self.folder / file_name(name), content, self.folder / _UNFINISHED)

    def get(self, name: str) -> bytes | None:
        """Return what was kept last, or None.

        Raises
        ------
        StateUnusableError
            What is there is not what was kept, or was kept by a newer version.
        StorageError
            It cannot be read.
        """
        path = self.folder / file_name(name)
        content = self._content(path)
        return None if content is None else unpack(path, content, name)[1]

    def delete(self, name: str) -> None:
        """Forget a name; StorageError where it cannot be removed."""
        path = self.folder / file_name(name)
        with self._explained("removed"):
            if not path.exists():
                return
        with self._writing():
            self._files.remove(path)
            self._files.sync_folder(self.folder)

    def names(self) -> list[str]:
        """Return every name, sorted.

        Raises
        ------
        StateUnusableError
            A name is too long for that of a file, and the file that should hold it is damaged.
        """
        found = set()
        for path in self._paths():
            name = name_of(path.name)
            if name is None and is_shortened(path.name):
                content = self._content(path)
                name = None if content is None else unpack(path, content)[0]
            if name is not None:  # else it is no file of ours, or was deleted meanwhile
                found.add(name)
        return sorted(found)

    def _paths(self) -> list[Path]:
        with self._explained("read"):
            try:
                return list(self.folder.iterdir())
            except FileNotFoundError:
                return []

    def _content(self, path: Path) -> bytes | None:
        with self._explained("read"):
            try:
                return self._files.read(path)
            except FileNotFoundError:
                return None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Be the only writer."""
        with self._explained("written"):
            self._files.make_folder(self.folder)
            lock = self._locked()
            try:
                # Whoever has the lock and finds something unfinished knows that nobody will finish it.
                self._files.remove(self.folder / _UNFINISHED)
                yield
            except OSError:
                with contextlib.suppress(OSError):  # a disk that is full must not stay so because of us
                    self._files.remove(self.folder / _UNFINISHED)
                raise
            finally:
                self._files.unlock(lock)

    def _locked(self) -> int:
        until = time.monotonic() + _WAIT_SECONDS
        while (lock := self._try_to_lock()) is None:
            if time.monotonic() > until:
                raise StorageError(
                    f"{self.folder / _LOCK}: another process has been writing state here for {_WAIT_SECONDS:.0f} s. "
                    "Wait for it, or end it."
                )
            time.sleep(0.01)
        return lock

    def _try_to_lock(self) -> int | None:
        try:
            return self._files.lock(self.folder / _LOCK)
        except JournalError:  # of a system without such locks
            raise StorageError(
                f"{self.folder}: state cannot be kept in files on this system, which does not keep writers apart. "
                "Keep it in a database: sqlite:///state.db"
            ) from None

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        """Say where, and what to do, when the file system refuses."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(
                f"{error.filename or self.folder}: state cannot be {verb}: {reason}. {_remedy(error)}"
            ) from error


class FileStorage:
    """The storage of a ``files:`` URL: state, and nothing else.

    Parameters
    ----------
    url
        ``files:folder`` or ``files:///folder`` for one beside the run, ``files:////folder`` for an absolute path.

    Raises
    ------
    ConfigError
        The URL names no folder.
    StorageError
        There is a file of that name.
    """

    def __init__(self, url: str) -> None:
        path = path_in_url(url)
        if not url.startswith("files:") or not path:
            raise ConfigError(
                f"the storage URL {url!r} names no folder. Write files:///folder for one beside the run, or "
                "files:////folder (four slashes) for an absolute path."
            )
        self.state = FileStateStore(path)

    @property
    def runs(self) -> RunStore:
        """Not here."""
        raise ConfigError("files: storage holds state, not runs. Give a database: sqlite:///runs.db")

    @property
    def bars(self) -> BarStore:
        """Not here."""
        raise ConfigError("files: storage holds state, not bars. Give a folder for them: parquet:///bars")

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _remedy(error: OSError) -> str:
    return _REMEDIES.get(error.errno or 0, "Look into it, then try again; what was kept before stands.")


_REMEDIES = {
    errno.ENOSPC: "Make room; what was kept before stands.",
    errno.EDQUOT: "Make room within the quota, or raise it; what was kept before stands.",
    errno.EROFS: "Make the disk writable, or give another folder.",
    errno.EACCES: "Grant the permission for the folder and its files, or give another folder.",
    errno.EPERM: "Grant the permission for the folder and its files, or give another folder.",
    errno.EIO: "Check the disk; what was kept before stands if it can still be read.",
}
