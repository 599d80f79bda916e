"""What processes of one machine have used up together of a venue's limits: they share an address, and often a key.

The counts lie in two small files, one for the address and one for the key, as a table of numbers behind a lock that is
held for microseconds, since every order passes here on its way out. A process that dies leaves nothing behind: what it
had under way is left out once it is gone.
"""

from __future__ import annotations

import logging
import mmap
import os
import sys
import tempfile
import time
from contextlib import suppress
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_ccxt.budget import Window

__all__ = ["SharedUse", "id_of", "shared_use"]

_log = logging.getLogger("cambist.ccxt")
_numbers = count(1)

# A file is a table of integers of 64 bits: until when nothing may go (ns), the id of each process (0 for nobody), and
# for each window its name, when it began (ns), what is used up by the venue's count, and what each process has under
# way.
_PROCESSES: Final = 32
_WINDOWS: Final = 16
_NAME: Final = 4
_PAUSED_UNTIL: Final = 0
_IDS: Final = 1
_ROWS: Final = _IDS + _PROCESSES
_BEGAN: Final = _NAME
_USED: Final = _NAME + 1
_PENDING: Final = _NAME + 2
_ROW: Final = _PENDING + _PROCESSES
_SIZE: Final = 8 * (_ROWS + _WINDOWS * _ROW)


class _Page:
    """One file; what is done with it is done behind the lock of `SharedUse`."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self.file).st_size < _SIZE:
            os.ftruncate(self.file, _SIZE)
        self._map = mmap.mmap(self.file, _SIZE)
        self.cells = memoryview(self._map).cast("q")
        #: The place of this process among those that count here; None where there is no room.
        self.place: int | None = None
        #: Whether nobody else counts here.
        self.is_alone = False

    def row(self, name: str) -> int | None:
        """Return where a window's row begins, a new one where it has none; None where there is no room."""
        written = name.encode()[: 8 * _NAME].ljust(8 * _NAME, b"\0")
        for at in range(_ROWS, _ROWS + _WINDOWS * _ROW, _ROW):
            there = self.cells[at : at + _NAME].tobytes()
            if there == written or not there.strip(b"\0"):
                self._map[8 * at : 8 * (at + _NAME)] = written
                return at
        return None

    def attend(self, me: int) -> None:
        """See who counts here, and be one of them."""
        ids = self.cells[_IDS:_ROWS].tolist()
        if self.place is None or ids[self.place] != me:
            free = [place for place, one in enumerate(ids) if not one or one == me or not _lives(one)]
            for place in free:
                self.leave(place)
                ids[place] = 0
            self.place = free[0] if free else None
            if self.place is not None:
                self.cells[_IDS + self.place] = ids[self.place] = me
        self.is_alone = sum(ids) == me

    def leave(self, place: int) -> None:
        """Forget what a process counted that is gone."""
        for at in range(_ROWS, _ROWS + _WINDOWS * _ROW, _ROW):
            self.cells[at + _PENDING + place] = 0
        self.cells[_IDS + place] = 0

    def elsewhere(self, row: int) -> int:
        """Return what other processes that live have under way of a window."""
        first = row + _PENDING
        pending = self.cells[first : first + _PROCESSES].tolist()
        if self.place is not None:
            pending[self.place] = 0
        return sum(cost for other, cost in enumerate(pending) if cost and _lives(self.cells[_IDS + other]))

    def close(self, me: int) -> None:
        """Leave, and let go of the file."""
        if self.place is not None and self.cells[_IDS + self.place] == me:
            self.leave(self.place)
        self.cells.release()
        self._map.close()
        os.close(self.file)


class SharedUse:
    """Keeps the windows of a budget in step with those of other processes, from `load` to `store`.

    Parameters
    ----------
    address, key
        Where the counts of the address and of the key lie. Whoever shares a key shares the address, so that the lock of
        the address is held for both.
    """

    def __init__(self, address: Path, key: Path) -> None:
        self._pages = (_Page(address), _Page(key))
        self._lock = self._pages[0].file
        self._rows: dict[str, tuple[_Page, int] | None] = {}
        self._me = id_of(os.getpid(), next(_numbers))
        self._closed = False

    def load(self, windows: Iterable[Window], now: int) -> int:
        """Lock, and bring windows up to date; return until when nothing may go, ns."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for page in self._pages:
            page.attend(self._me)
        for window in windows:
            window.refresh(now)
            if (found := self._row(window)) is None:
                continue
            page, row = found
            if page.cells[row + _BEGAN] == window.began:
                window.used = page.cells[row + _USED]
            window.elsewhere = 0 if page.is_alone else page.elsewhere(row)
        paused_until = self._pages[0].cells[_PAUSED_UNTIL]
        left = paused_until - time.time_ns() if paused_until else 0
        return now + left if left > 0 else 0

    def store(self, windows: Iterable[Window], paused: int) -> None:
        """Note what has changed, and for how long nothing may go from now on (ns), and unlock."""
        rows = self._rows
        for window in windows:
            if (found := rows[window.name]) is not None:
                page, row = found
                cells = page.cells
                cells[row + _BEGAN], cells[row + _USED] = window.began, window.used
                if page.place is not None:
                    cells[row + _PENDING + page.place] = window.pending
        if paused > 0:  # by this machine's clock, which all of them share
            cells = self._pages[0].cells
            cells[_PAUSED_UNTIL] = max(cells[_PAUSED_UNTIL], time.time_ns() + paused)
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _row(self, window: Window) -> tuple[_Page, int] | None:
        """Return where a window is counted: orders by the key, all else by the address; None where there is no room."""
        name = window.name
        if name not in self._rows:
            page = self._pages[name.startswith("orders")]
            row = page.row(name)
            self._rows[name] = None if row is None else (page, row)
        return self._rows[name]

    def close(self) -> None:
        """Let go of the files; they stay for others."""
        if not self._closed:
            self._closed = True
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            for page in reversed(self._pages):  # the lock goes with the file of the address
                page.close(self._me)


def shared_use(venue: str, where: str, key: str) -> SharedUse | None:
    """Return the counts of an address and a key at a venue, None where this machine cannot share them.

    Parameters
    ----------
    venue, where
        Name and address of the venue's API.
    key
        API key; its hash alone is part of a file's name.
    """
    if sys.platform == "win32":
        return None
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"cambist-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{folder} is somebody else's")
        return SharedUse(folder / f"use-{_digest(venue, where)}", folder / f"use-{_digest(venue, where, key)}")
    except OSError as error:
        _log.warning("the venue's limits are not shared with other processes of this machine: %s", error)
        return None


def _digest(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=10).hexdigest()


def id_of(pid: int, number: int) -> int:
    """Return what a session of a process is known by."""
    return pid << 24 | number


def _lives(one: int) -> bool:
    with suppress(PermissionError):  # it lives, and is somebody else's
        try:
            os.kill(one >> 24, 0)
        except ProcessLookupError:
            return False
    return True
