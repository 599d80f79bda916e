"""One writer at a time: the lock of a journal, and who has it."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import weakref
from typing import TYPE_CHECKING

import msgspec

from cambist.errors import JournalLockedError

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.storage.journal.files import Files

__all__ = ["Lock", "Owner"]

LOCK_NAME = "lock"


class Owner(msgspec.Struct, frozen=True):
    """A process that has, or had, a journal open for writing.

    Attributes
    ----------
    pid, host
        Which process, on which machine.
    since
        Since when, ns, UTC, by the clock of the wall.
    """

    pid: int
    host: str
    since: int

    def describe(self, now: int) -> str:
        """Say who it is, for people."""
        seconds = max(0, now - self.since) // 1_000_000_000
        return f"process {self.pid} on {self.host}, for {seconds} s"


class Lock:
    """Holds the lock of a journal from when it is made until `release`, or the end of the process.

    The system holds it for the process, so that the lock of one that died is free whatever its file says.

    Attributes
    ----------
    left_by
        The process that died, or was killed, with the journal open before; None where it was closed.

    Raises
    ------
    JournalLockedError
        If another process has it, or this one has it already.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        path = folder / LOCK_NAME
        descriptor = files.lock(path)
        owner = _owner(files, path)
        if descriptor is None:
            who = "another process" if owner is None else owner.describe(time.time_ns())
            raise JournalLockedError(
                f"the journal is open for writing in {who}",
                code="locked",
                path=folder,
                remedy="End that process, or give this one a journal of its own: two may not trade one account.",
            )
        self.left_by = owner
        self._descriptor: int | None = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(Owner(os.getpid(), socket.gethostname(), time.time_ns())), 0)
        except OSError:
            self.drop()
            raise
        _held.add(self)

    def release(self) -> None:
        """Let another process have it, and leave word that nothing was left behind."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # on a full disk the file says that we died, which harms nobody
                os.ftruncate(self._descriptor, 0)
            self.drop()

    def drop(self) -> None:
        """Let go of the lock without a word, as a process that dies does."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _owner(files: Files, path: Path) -> Owner | None:
    try:
        return msgspec.json.decode(files.read(path), type=Owner)
    except (OSError, msgspec.DecodeError):  # nobody, or somebody who is just writing it
        return None


_held: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_in_child() -> None:
    """Close the copies a forked child gets: it would hold the lock beyond the end of its parent."""
    for lock in _held:
        lock.drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
