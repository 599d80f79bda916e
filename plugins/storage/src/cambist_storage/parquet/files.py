"""Files that a crash leaves whole, and a lock that it does not leave behind."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise StorageError(
                        f"{path}: another process has been writing this series for {_WAIT_SECONDS:.0f} s. "
                        "Wait for it, or end it."
                    ) from None
                time.sleep(0.01)
        yield
