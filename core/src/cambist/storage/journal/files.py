"""The operations on files that a journal is made of: what touches the disk, and where tests put faults."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from cambist.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Files", "write_all", "write_all_safely"]

_BINARY = getattr(os, "O_BINARY", 0)
_WRITE = os.O_WRONLY | getattr(os, "O_CLOEXEC", 0) | _BINARY
#: File systems that do not know F_FULLFSYNC answer with one of these.
_NO_FULL_SYNC = frozenset({errno.ENOTSUP, errno.EINVAL, errno.ENOTTY, errno.ENODEV})
#: Of a write that is safe when it returns; 0 where the system has none.
_SAFE = getattr(os, "RWF_DSYNC", 0)
#: Systems and file systems that do not know it answer with one of these, and have written nothing.
_NO_SAFE_WRITE = frozenset({errno.ENOTSUP, errno.EINVAL, errno.ENOSYS})


class Files:
    """Files of the local system. Every method raises `OSError` where the system refuses."""

    _writes_safely = bool(_SAFE)

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it, durably; one that is there is no error."""
        missing = [one for one in (path, *path.parents) if not one.is_dir()]
        path.mkdir(parents=True, exist_ok=True)
        for one in missing:
            with contextlib.suppress(PermissionError):  # of a folder that may be written and not be looked at
                self.sync_folder(one.parent)

    def create(self, path: Path) -> int:
        """Make a new file and return a descriptor that writes to it; one that is there is an error."""
        return os.open(path, _WRITE | os.O_CREAT | os.O_EXCL, 0o644)

    def open(self, path: Path) -> int:
        """Return a descriptor that writes to a file that is there."""
        return os.open(path, _WRITE)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write some of `data` behind what was written before, and return how many bytes that were."""
        return os.write(descriptor, data)

    def write_safely(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write some of `data` at a byte of the file; return how many that were once they survive a loss of power.

        That is one call of the system where it has such a call. Whoever comes back from the disk may have to wait for
        the interpreter, which other threads have meanwhile: once is better than twice.
        """
        if self._writes_safely:
            try:
                return os.pwritev(descriptor, (data,), offset, _SAFE)
            except OSError as error:
                if error.errno not in _NO_SAFE_WRITE:
                    raise
                self._writes_safely = False
        written = os.pwrite(descriptor, data, offset)
        self.sync(descriptor)
        return written

    def sync(self, descriptor: int) -> None:
        """Return when what was written survives a loss of power."""
        _sync_data(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        os.close(descriptor)

    def truncate(self, path: Path, size: int) -> None:
        """Cut a file after `size` bytes, durably."""
        descriptor = os.open(path, os.O_WRONLY | _BINARY)
        try:
            os.ftruncate(descriptor, size)
            _sync_data(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of whatever had it."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is not there is no error."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Return when the names in a folder survive a loss of power."""
        if os.name == "nt":  # a folder cannot be opened there, and its names are durable without
            return
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            if not _sync_fully(descriptor):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, path: Path, offset: int = 0, size: int = -1) -> bytes:
        """Return what a file holds from `offset` on, at most `size` bytes of it."""
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    # Made of the operations above, so that a fault in one of them is a fault here.

    def write_whole(self, path: Path, data: bytes, beside: Path | None = None) -> None:
        """Replace a file as a whole: a reader or a crash finds the old bytes or the new ones.

        They are written to `beside` first, which is in the same folder; by default its name is that of `path` with
        ``.tmp`` behind it.
        """
        beside = beside or path.with_name(path.name + ".tmp")
        self.remove(beside)
        descriptor = self.create(beside)
        try:
            write_all(self, descriptor, data)
            self.sync(descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                self.close(descriptor)
            raise
        self.close(descriptor)
        self.replace(beside, path)
        self.sync_folder(path.parent)

    def lock(self, path: Path) -> int | None:
        """Return a descriptor that holds the lock of a file for this process, or None where another has it."""
        try:
            import fcntl
        except ImportError:
            raise JournalError(
                "a journal cannot be locked on this system",
                code="no_locks",
                path=path,
                remedy="Write journals on Linux or macOS; other systems run backtests and read journals.",
            ) from None
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:  # some network file systems have no locks to give
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return descriptor

    def unlock(self, descriptor: int) -> None:
        """Let go of a lock, even where a process that was forked meanwhile has its descriptor too."""
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            self.close(descriptor)


def write_all(files: Files, descriptor: int, data: bytes) -> None:
    """Write all of `data`, however little the system takes at a time."""
    rest = memoryview(data)[files.write(descriptor, data) :]
    while rest:
        rest = rest[_some(files.write(descriptor, rest)) :]


def write_all_safely(files: Files, descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of `data` at a byte of the file, however little the system takes at a time; return when it is safe."""
    written = files.write_safely(descriptor, data, offset)
    while written < len(data):
        rest = memoryview(data)[written:]
        written += _some(files.write_safely(descriptor, rest, offset + written))


def _some(written: int) -> int:
    if written <= 0:
        raise OSError(errno.EIO, "the system took no byte of what was to be written")
    return written


def _sync_data(descriptor: int) -> None:
    """Make safe what a file holds, and its size."""
    if _sync_fully(descriptor):
        return
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def _sync_fully(descriptor: int) -> bool:
    """Have the drive write its cache too, where that takes a call of its own; tell whether it was done.

    On macOS fsync leaves the data in the drive's cache, and F_FULLFSYNC does not (man 2 fcntl there). Elsewhere fsync
    does both, and there is no such constant.
    """
    try:
        import fcntl
    except ImportError:
        return False
    command = getattr(fcntl, "F_FULLFSYNC", None)
    if command is None:
        return False
    try:
        fcntl.fcntl(descriptor, command)
    except OSError as error:
        if error.errno not in _NO_FULL_SYNC:
            raise
        return False
    return True
