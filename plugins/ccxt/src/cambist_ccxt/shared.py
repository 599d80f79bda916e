"""What processes of one machine have used up together of a venue's limits: they share an address, and often a key.

The counts lie in two small files, one for the address and one for the key, behind a lock that is held for
microseconds. A process that dies leaves nothing behind: what it had under way is left out once it is gone.
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

import msgspec

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_ccxt.budget import Window

__all__ = ["SharedUse", "shared_use"]

_log = logging.getLogger("cambist.ccxt")
_SIZE: Final = 16_384
_numbers = count()
_HEAD: Final = 4


class _Slot(msgspec.Struct):
    """A window: when it began, what is used up by the venue's count, and what each process has under way."""

    began: int = 0
    used: int = 0
    pending: dict[str, int] = {}


class _State(msgspec.Struct):
    windows: dict[str, _Slot] = {}
    paused_until: int = 0


_decode = msgspec.json.Decoder(_State).decode
_encode = msgspec.json.Encoder().encode


class _Page:
    """One file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._file).st_size < _SIZE:
            os.ftruncate(self._file, _SIZE)
        self._map = mmap.mmap(self._file, _SIZE)

    def lock(self) -> _State:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        length = int.from_bytes(self._map[:_HEAD])
        try:
            return _decode(self._map[_HEAD : _HEAD + length]) if 0 < length <= _SIZE - _HEAD else _State()
        except msgspec.MsgspecError:  # a process died in the middle of a word
            return _State()

    def unlock(self, state: _State | None) -> None:
        if state is not None:
            data = _encode(state)
            if len(data) <= _SIZE - _HEAD:
                self._map[: _HEAD + len(data)] = len(data).to_bytes(_HEAD) + data
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        self._map.close()
        os.close(self._file)


class SharedUse:
    """Keeps the windows of a budget in step with those of other processes, while it is entered.

    Parameters
    ----------
    address, key
        Where the counts of the address and of the key lie.
    """

    def __init__(self, address: Path, key: Path) -> None:
        self._pages = (_Page(address), _Page(key))
        self._me = f"{os.getpid()}.{next(_numbers)}"
        self._closed = False

    def load(self, windows: Iterable[Window], now: int) -> int:
        """Lock, and bring windows up to date; return until when nothing may go, ns."""
        self._states = tuple(page.lock() for page in self._pages)
        for window in windows:
            window.refresh(now)
            slot = self._slots(window).get(window.name)
            if slot is None:
                window.elsewhere = 0
                continue
            if slot.began == window.began:
                window.used = slot.used
            window.elsewhere = sum(cost for pid, cost in slot.pending.items() if pid != self._me and _lives(pid))
        left = self._states[0].paused_until - time.time_ns()
        return now + left if left > 0 else 0

    def store(self, windows: Iterable[Window], paused: int) -> None:
        """Note what has changed, and for how long nothing may go from now on (ns), and unlock."""
        for window in windows:
            slot = self._slots(window).setdefault(window.name, _Slot())
            slot.began, slot.used = window.began, window.used
            slot.pending = {pid: cost for pid, cost in slot.pending.items() if pid != self._me and cost and _lives(pid)}
            if window.pending:
                slot.pending[self._me] = window.pending
        if paused > 0:  # by this machine's clock, which all of them share
            self._states[0].paused_until = max(self._states[0].paused_until, time.time_ns() + paused)
        for page, state in zip(self._pages, self._states, strict=True):
            page.unlock(state)

    def _slots(self, window: Window) -> dict[str, _Slot]:
        """Return where a window is counted: orders by the key, all else by the address."""
        return self._states[window.name.startswith("orders")].windows

    def close(self) -> None:
        """Let go of the files; they stay for others."""
        if not self._closed:
            self._closed = True
            for page in self._pages:
                page.close()


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
        return SharedUse(folder / f"limits-{_digest(venue, where)}", folder / f"limits-{_digest(venue, where, key)}")
    except OSError as error:
        _log.warning("the venue's limits are not shared with other processes of this machine: %s", error)
        return None


def _digest(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=10).hexdigest()


def _lives(pid: str) -> bool:
    with suppress(PermissionError):  # it lives, and is somebody else's
        try:
            os.kill(int(pid.partition(".")[0]), 0)
        except (ProcessLookupError, ValueError):
            return False
    return True
