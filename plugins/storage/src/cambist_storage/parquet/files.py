"""Files that a crash leaves whole, and a lock that it does not leave behind."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cambist.api import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked", "replace", "sync_folder"]

_WAIT_SECONDS = 60.0


def replace(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path`, durably: a reader or a crash finds what was there, or all of it.

    The folder's entry is durable after `sync_folder`.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    if os.name == "nt":  # a folder cannot be opened there, and its names are durable without
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`: one writer at a time, among threads and processes; the system lets go of the dead.

    Raises
    ------
    StorageError
        Another writer held it for a minute.
    """
    with path.open("a") as file:
        until = time.monotonic() + _WAIT_SECONDS
        while not _taken(file.fileno()):
            if time.monotonic() > until:
                raise StorageError(
                    f"{path}: another process has been writing this series for {_WAIT_SECONDS:.0f} s. "
                    "Wait for it, or end it."
                )
            time.sleep(0.01)
        yield


def _taken(descriptor: int) -> bool:
    """Take the system's lock of a file, which goes with its descriptor; False where another has it."""
    try:
        import fcntl
    except ImportError:
        return _taken_on_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken_on_windows(descriptor: int) -> bool:
    msvcrt: Any = import_module("msvcrt")  # by name: type checkers know it on Windows alone
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # the byte need not be there
    except PermissionError:  # EACCES: another has it
        return False
    return True
