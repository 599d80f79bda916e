"""Where a live run can be reached: the folder beside its journal, and the list of what runs on this machine."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
import weakref
from hashlib import blake2b
from pathlib import Path

import msgspec

from cambist.errors import ControlError
from cambist.storage.journal.files import Files

__all__ = ["ControlFolder", "HeldFile", "RunCard", "cards", "runtime_folder"]

#: The longest path of a socket that every system takes, bytes; Linux has room for 107, macOS for 103.
_LONGEST = 100
_CARD = "run.json"
_TRIES = 4
_FILES = Files()


class RunCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a live run says of itself to whoever wants to reach it.

    Attributes
    ----------
    pid, host, since
        The process, its machine, and since when it runs (ns, UTC, wall clock).
    journal, control
        Folders: of its journal, and the one beside it.
    socket
        Where it listens.
    venue, environment, name, run_file
        What was said of it at its start; `run_file` is ``""`` where there is none.
    """

    pid: int
    host: str
    since: int
    journal: str
    control: str
    socket: str
    venue: str = ""
    environment: str = ""
    name: str = ""
    run_file: str = ""


class HeldFile:
    """A file whose lock this process holds from when it is made until `release`, or its own end.

    Parameters
    ----------
    path
        Of the file; readable for its owner alone.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        _held.add(self)

    @classmethod
    def take(cls, path: Path) -> HeldFile | None:
        """Take the lock of a file; None where another holds it.

        Somebody who only looks whether it is held has it for an instant, too; hence several tries.
        """
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(0.05)
            descriptor = _FILES.lock(path)
            if descriptor is None:
                continue
            try:
                current = os.fstat(descriptor).st_ino == path.stat().st_ino
            except FileNotFoundError:  # whoever had it has just removed it
                current = False
            if current:
                os.fchmod(descriptor, 0o600)
                return cls(path, descriptor)
            os.close(descriptor)
        return None

    def write(self, data: bytes) -> None:
        """Replace what the file says; a new file in its place would have a lock of its own."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, data, 0)

    def release(self) -> None:
        """Remove the file, and let go of its lock; a second call does nothing."""
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)
            self.drop()

    def drop(self) -> None:
        """Let go of the lock without a word, as a process that dies does."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_held: weakref.WeakSet[HeldFile] = weakref.WeakSet()


def _forget_in_child() -> None:
    """Close the copies a forked child gets: it would hold the locks beyond the end of its parent."""
    for one in _held:
        one.drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def runtime_folder() -> Path:
    """Return the folder in which live runs of this user are listed, and made known to each other.

    It is ``$CAMBIST_RUNTIME_DIR``, else ``cambist`` in ``$XDG_STATE_HOME`` or ``~/.local/state``, which is the same for
    a shell and a service; where there is no home, one in the system's folder of temporary files.

    Raises
    ------
    ControlError
        If others may write there.
    """
    said = os.environ.get("CAMBIST_RUNTIME_DIR")
    if said:
        return _private(Path(said))
    state = os.environ.get("XDG_STATE_HOME")
    try:
        base = Path(state) if state else Path.home() / ".local" / "state"
        base.mkdir(parents=True, exist_ok=True)
        return _private(base / "cambist")
    except (OSError, RuntimeError):  # no home, or none that can be written
        return _private(Path(tempfile.gettempdir()) / f"cambist-{os.getuid()}")


def _private(folder: Path) -> Path:
    """Make a folder for this user alone, or make sure that it is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ControlError(f"{folder} is no folder. Remove it: a live run is operated from there.", code="unsafe_place")
    if found.st_uid != os.getuid():
        raise ControlError(
            f"{folder} belongs to another user (uid {found.st_uid}), who could operate what is run from there. Keep "
            "the journal in a folder of your own, or set CAMBIST_RUNTIME_DIR.",
            code="unsafe_place",
        )
    if found.st_mode & 0o022:
        raise ControlError(
            f"others may write in {folder} (mode {stat.S_IMODE(found.st_mode):o}), and so could operate the run. "
            f"Run: chmod 700 {folder}",
            code="unsafe_place",
        )
    return folder


class ControlFolder:
    """The folder beside a journal from which its run is operated: ``JOURNAL.control``, for its owner alone.

    Parameters
    ----------
    journal
        Folder of the journal.

    Attributes
    ----------
    path
        The folder.
    kill
        A file by whose being there trading is halted and everything canceled; see `KillSwitch`.
    report
        What the kill switch did the last time.
    """

    def __init__(self, journal: str | Path) -> None:
        self.journal = Path(journal).resolve()
        self.path = self.journal.with_name(f"{self.journal.name}.control")
        self.kill = self.path / "kill"
        self.report = self.path / "killed.json"

    def make(self) -> ControlFolder:
        """Make it.

        Raises
        ------
        ControlError
            If others may write there.
        """
        try:
            _private(self.path)
        except OSError as error:
            raise ControlError(f"{self.path} cannot be made: {error}.", code="unsafe_place") from error
        return self

    @property
    def socket(self) -> Path:
        """Where the run listens: in the folder, or in `runtime_folder` where that path is too long for a socket."""
        here = self.path / "socket"
        if len(os.fsencode(here)) <= _LONGEST:
            return here
        return runtime_folder() / f"{self._mark}.sock"

    @property
    def _mark(self) -> str:
        return blake2b(os.fsencode(self.journal), digest_size=8).hexdigest()

    def announce(self, *, venue: str, environment: str, name: str, run_file: str) -> list[HeldFile]:
        """Let this run be found; return what has to be released at its end.

        Raises
        ------
        ControlError
            If another process operates a run from here.
        """
        card = RunCard(
            pid=os.getpid(),
            host=socket.gethostname(),
            since=time.time_ns(),
            journal=str(self.journal),
            control=str(self.path),
            socket=str(self.socket),
            venue=venue,
            environment=environment,
            name=name,
            run_file=run_file,
        )
        listed = runtime_folder() / "runs"
        _private(listed)
        held: list[HeldFile] = []
        for path in (self.path / _CARD, listed / f"{self._mark}.json"):
            one = HeldFile.take(path)
            if one is None:
                for other in held:
                    other.drop()
                raise ControlError(f"another process operates a run from {self.path}.", code="in_use")
            one.write(msgspec.json.encode(card))
            held.append(one)
        return held

    def card(self) -> tuple[RunCard | None, bool]:
        """Return what the run here says of itself, if any was ever there, and whether it is alive."""
        return _read_card(self.path / _CARD)


def cards() -> list[tuple[RunCard, bool]]:
    """Return the live runs of this user on this machine that are known, and whether each is alive; newest first."""
    folder = runtime_folder() / "runs"
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        card, alive = _read_card(path)
        if card is not None:
            found.append((card, alive))
    return sorted(found, key=lambda one: -one[0].since)


def _read_card(path: Path) -> tuple[RunCard | None, bool]:
    try:
        data = path.read_bytes()
        card = msgspec.json.decode(data, type=RunCard)
    except (OSError, msgspec.DecodeError):
        return None, False
    return card, _is_held(path)


def _is_held(path: Path) -> bool:
    """Tell whether a process that lives holds the lock of a file."""
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
