"""Files that fail on purpose, in place of `cambist.storage.journal.Files`."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from typing import TYPE_CHECKING

from cambist.storage.journal.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

__all__ = ["Crash", "CrashingFiles", "FaultyFiles"]


class FaultyFiles(Files):
    """Files of a disk that fills up, fails, or is slow.

    Attributes
    ----------
    room
        Bytes that may still be written; the one after them is refused with `error`, and what fits before it is
        written, as a full disk does. None for no end.
    error
        Number of the error, such as ``errno.ENOSPC``.
    sync_error
        What making data safe fails with, or None.
    at_a_time
        How many bytes one write takes at most; None for all.
    read_only
        Whether nothing can be made or changed.
    gate
        Making data safe waits until it is set.
    syncs
        How often data was made safe.
    """

    def __init__(self) -> None:
        self.room: int | None = None
        self.error = errno.ENOSPC
        self.sync_error: int | None = None
        self.at_a_time: int | None = None
        self.read_only = False
        self.gate = threading.Event()
        self.gate.set()
        self.syncs = 0

    def _guard(self) -> None:
        if self.read_only:
            raise _failure(errno.EROFS)

    def make_folder(self, path: Path) -> None:
        """Make a folder, unless the disk is read-only and it is not there."""
        if not path.is_dir():
            self._guard()
        super().make_folder(path)

    def create(self, path: Path) -> int:
        """Make a file, unless the disk is read-only."""
        self._guard()
        return super().create(path)

    def open(self, path: Path) -> int:
        """Open a file, unless the disk is read-only."""
        self._guard()
        return super().open(path)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, unless the disk is read-only."""
        self._guard()
        super().replace(source, target)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write as much as there is room for, at most `at_a_time` bytes."""
        return self._written(super().write(descriptor, self._what_fits(data)))

    def write_safely(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write as much as there is room for, at most `at_a_time` bytes, and make it safe, as `sync` does."""
        written = self._written(os.pwrite(descriptor, self._what_fits(data), offset))
        self.sync(descriptor)
        return written

    def _what_fits(self, data: bytes | memoryview) -> bytes | memoryview:
        self._guard()
        if self.room is not None:
            if self.room <= 0:
                raise _failure(self.error)
            data = data[: self.room]
        return data[: self.at_a_time]

    def _written(self, count: int) -> int:
        if self.room is not None:
            self.room -= count
        return count

    def sync(self, descriptor: int) -> None:
        """Wait for the gate, then make data safe, or fail."""
        self.gate.wait()
        if self.sync_error is not None:
            raise _failure(self.sync_error)
        super().sync(descriptor)
        self.syncs += 1


def _failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Crash(OSError):  # noqa: N818 - it is what happens
    """The machine is dead: nothing is done from here on."""


class CrashingFiles(Files):
    """Files of a machine that dies at a chosen operation.

    A write at which it dies may get some of its bytes onto the disk. From then on every operation raises `Crash`
    without doing anything, and reading still works.

    Parameters
    ----------
    at
        Number of the operation at which it dies, from 1; None for never.
    part
        How much of the write at which it dies is done, from 0 to 1.

    Attributes
    ----------
    operations
        How many operations that change something there were.
    """

    def __init__(self, at: int | None = None, part: float = 0.0) -> None:
        self.at, self.part = at, part
        self.operations = 0
        self.is_dead = False
        self._lock = threading.Lock()
        self._locks: list[int] = []
        self._paths: dict[int, Path] = {}
        #: Size of each file up to which it is safe, and files whose names are not.
        self._safe: dict[Path, int] = {}
        self._unnamed: set[Path] = set()
        #: What each name stood for when its folder was made safe last, where it stands for something else now.
        self._before: dict[Path, bytes] = {}
        #: The file in which the machine died while it wrote, where in it, and what was there before.
        self._overwritten: tuple[Path, int, bytes] | None = None

    def _step(self, dying: Callable[[], object] | None = None) -> None:
        with self._lock:
            if not self.is_dead:
                self.operations += 1
                if self.operations != self.at:
                    return
                self.is_dead = True
                if dying is not None:
                    dying()
        raise Crash(errno.EIO, "the machine has died")

    def make_folder(self, path: Path) -> None:
        """Make a folder."""
        if not path.is_dir():
            self._step()
        super().make_folder(path)

    def create(self, path: Path) -> int:
        """Make a file whose name is not safe yet."""
        self._step()
        descriptor = super().create(path)
        self._paths[descriptor] = path
        self._safe[path] = 0
        self._unnamed.add(path)
        return descriptor

    def open(self, path: Path) -> int:
        """Open a file; all of it is safe."""
        self._step()
        descriptor = super().open(path)
        self._paths[descriptor] = path
        self._safe.setdefault(path, path.stat().st_size)
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write, or some of it where the machine dies."""
        some = data[: int(len(data) * self.part)]
        self._step(lambda: Files.write(self, descriptor, some))
        return super().write(descriptor, data)

    def write_safely(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write, and make that safe; where the machine dies, some of it is written and none is safe."""

        def dying() -> None:
            path = self._paths[descriptor]
            self._overwritten = path, offset, path.read_bytes()[offset : offset + len(data)]
            os.pwrite(descriptor, data[: int(len(data) * self.part)], offset)

        self._step(dying)
        written = super().write_safely(descriptor, data, offset)
        path = self._paths[descriptor]
        self._safe[path] = max(self._safe[path], offset + written)
        return written

    def sync(self, descriptor: int) -> None:
        """Make safe what a file holds."""
        self._step()
        super().sync(descriptor)
        path = self._paths[descriptor]
        self._safe[path] = path.stat().st_size

    def close(self, descriptor: int) -> None:
        """Close; the dead do that too."""
        self._paths.pop(descriptor, None)
        if descriptor in self._locks:
            self._locks.remove(descriptor)
        super().close(descriptor)

    def truncate(self, path: Path, size: int) -> None:
        """Cut a file."""
        self._step()
        super().truncate(path, size)
        self._safe[path] = size

    def replace(self, source: Path, target: Path) -> None:
        """Rename a file."""
        self._step()
        is_new = not target.exists()
        if not is_new:
            self._note(target)
        super().replace(source, target)
        if source in self._safe:
            self._safe[target] = self._safe.pop(source)
        self._paths = {one: target if path == source else path for one, path in self._paths.items()}
        self._unnamed.discard(source)
        if is_new:
            self._unnamed.add(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        if path.exists():
            self._step()
            self._note(path)
        super().remove(path)
        self._safe.pop(path, None)
        self._unnamed.discard(path)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder safe."""
        self._step()
        super().sync_folder(path)
        self._unnamed = {one for one in self._unnamed if one.parent != path}
        self._before = {one: content for one, content in self._before.items() if one.parent != path}

    def _note(self, path: Path) -> None:
        """Keep what a name stands for, if that is safe: until the folder is, a loss of power may bring it back."""
        if path not in self._unnamed and path not in self._before:
            content = path.read_bytes()
            self._before[path] = content[: self._safe.get(path, len(content))]

    def lock(self, path: Path) -> int | None:
        """Take a lock, which goes with the machine."""
        descriptor = super().lock(path)
        if descriptor is not None:
            self._locks.append(descriptor)
        return descriptor

    def die(self) -> None:
        """Die now, if that has not happened yet, and let go of every lock."""
        with self._lock:
            self.is_dead = True
        for descriptor in self._locks:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._locks.clear()

    def lose_power(self, chance: Random) -> None:
        """Have the disk forget some of what was not made safe: bytes, new names, and that a name was given away."""
        for path, content in self._before.items():
            if chance.random() < 0.5:
                path.write_bytes(content)
                self._safe[path] = len(content)
        if self._overwritten is not None and self._overwritten[0].exists():
            path, offset, content = self._overwritten
            if content and path.stat().st_size > offset:
                _put_back(path, offset, content, chance)
        for path, safe in self._safe.items():
            if not path.exists():
                continue
            if path in self._unnamed and chance.random() < 0.5:
                path.unlink()
                continue
            size = path.stat().st_size
            if size <= safe:
                continue
            if chance.random() < 0.5:
                os.truncate(path, chance.randint(safe, size))
            else:  # the size was written, and not every block
                hole = chance.randint(safe, size - 1)
                with path.open("r+b") as file:
                    file.seek(hole)
                    file.write(bytes(chance.randint(1, size - hole)))


def _put_back(path: Path, offset: int, content: bytes, chance: Random) -> None:
    """Have some of what was written over `content` be as it was before."""
    begin = chance.randint(0, len(content) - 1)
    end = chance.randint(begin + 1, len(content))
    with path.open("r+b") as file:
        file.seek(offset + begin)
        file.write(content[begin:end])
