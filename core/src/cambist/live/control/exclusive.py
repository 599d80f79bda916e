"""One run an account: what keeps two live runs from trading the same one."""

from __future__ import annotations

import os
import socket
import time
from hashlib import blake2b
from pathlib import Path
from typing import Self

import msgspec

from cambist.errors import AccountInUseError
from cambist.live.control.places import HeldFile, _private, runtime_folder

__all__ = ["AccountLock", "fingerprint"]


def fingerprint(key: str) -> str:
    """Return what an API key is known by where the key itself must not be written: 16 hexadecimal digits of its hash.

    Keys are random and long, so that none can be found from it.
    """
    return blake2b(key.strip().encode(), digest_size=8, person=b"cambist account"[:16]).hexdigest()


class _Holder(msgspec.Struct, frozen=True):
    """Who has an account."""

    pid: int
    host: str
    since: int
    journal: str


class AccountLock:
    """Holds an account of a venue for this process, from `take` to `release` or its end; use it in ``with``.

    Parameters
    ----------
    venue
        Its name, such as ``"binance-spot"``; two of one account at different markets do not get in each other's way.
    account
        Of the key; see `fingerprint`.
    journal
        Folder of the run that is to trade it, for whoever comes second.
    """

    def __init__(self, venue: str, account: str, journal: str | Path) -> None:
        self._venue, self._account, self._journal = venue, account, Path(journal).resolve()
        self._held: HeldFile | None = None

    def take(self) -> Self:
        """Take it.

        Raises
        ------
        AccountInUseError
            If another process has it; names that one.
        """
        folder = _private(runtime_folder() / "accounts")
        path = folder / f"{self._venue}-{self._account}.lock"
        held = HeldFile.take(path)
        if held is None:
            raise AccountInUseError(
                f"this account of {self._venue} is traded by {_describe(path)}. Stop that run first, or give this one "
                "an account of its own: two runs on one account undo each other's orders."
            )
        held.write(msgspec.json.encode(_Holder(os.getpid(), socket.gethostname(), time.time_ns(), str(self._journal))))
        self._held = held
        return self

    def release(self) -> None:
        """Let another run have it; a second call does nothing."""
        # The file stays: whoever waits for it would otherwise lock one that nobody finds any more.
        if self._held is not None:
            self._held.write(b"")
            self._held.drop()
            self._held = None

    def __enter__(self) -> Self:
        return self.take()

    def __exit__(self, *_: object) -> None:
        self.release()


def _describe(path: Path) -> str:
    try:
        holder = msgspec.json.decode(path.read_bytes(), type=_Holder)
    except (OSError, msgspec.DecodeError):  # it is just writing its name
        return "another process"
    seconds = max(0, time.time_ns() - holder.since) // 1_000_000_000
    return f"process {holder.pid} on {holder.host}, for {seconds} s, with the journal {holder.journal}"
