"""Asks a live run, from another process."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cambist.config.layers import read_document
from cambist.errors import ControlError, NotRunningError
from cambist.live.control.places import ControlFolder, RunCard, cards
from cambist.live.control.protocol import Answer, Request, decode_answer, encode

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["ControlClient", "find_run", "running"]


def running() -> list[RunCard]:
    """Return the live runs of this user on this machine, newest first."""
    return [card for card, alive in cards() if alive]


def find_run(target: str | Path | None = None) -> RunCard:
    """Return the live run that is meant.

    Parameters
    ----------
    target
        Its run file, or the folder of its journal; None for the only one that runs.

    Raises
    ------
    NotRunningError
        If it does not run, or nothing does.
    ControlError
        If several could be meant.
    """
    alive = running()
    if target is None:
        if not alive:
            raise NotRunningError("no live run of yours is running on this machine.")
        return _only(alive, "several live runs are running")
    path = Path(target)
    if path.suffix.lower() == ".toml":
        named = {str(folder) for folder in _journals(path)}
        found = [card for card in alive if card.run_file == str(path.resolve()) or card.journal in named]
        if found:
            return _only(found, f"several live runs were started from {path}")
        raise NotRunningError(f"no live run of {path} is running on this machine.{_others(alive)}")
    card, lives = ControlFolder(path).card()
    if card is None or not lives:
        died = "" if card is None else f" Process {card.pid} was it, and has died."
        raise NotRunningError(f"no live run with the journal {path} is running on this machine.{died}{_others(alive)}")
    return card


def _journals(run_file: Path) -> list[Path]:
    """Return the journals that a run file names."""
    document = read_document(run_file)
    tables = {name: document.tables.get(name) for name in ("live", "paper")}
    said = {name: table.get("journal") for name, table in tables.items() if isinstance(table, dict)}
    named = {name: one for name, one in said.items() if isinstance(one, str)}
    return [(document.folder_of((name, "journal")) / one).resolve() for name, one in named.items()]


def _only(found: list[RunCard], many: str) -> RunCard:
    if len(found) > 1:
        names = ", ".join(card.journal for card in found)
        raise ControlError(f"{many}: name one of their journals: {names}.", code="ambiguous")
    return found[0]


def _others(alive: list[RunCard]) -> str:
    names = ", ".join(card.run_file or card.journal for card in alive)
    return f" Running: {names}." if names else ""


class ControlClient:
    """A connection to a live run; use it in ``with``.

    Parameters
    ----------
    card
        Of the run; see `find_run`.
    by
        Who asks, for the journal; None for the user and the machine.
    timeout
        How long an answer may take, s.

    Raises
    ------
    NotRunningError
        If nobody listens.

    Examples
    --------
    ::

        with ControlClient(find_run("live-journal")) as run:
            print(run.call("status")["phase"])
    """

    def __init__(self, card: RunCard, *, by: str | None = None, timeout: float = 120.0) -> None:
        self.card = card
        self._by = by if by is not None else f"{_user()}@{socket.gethostname()}"
        self._number = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(card.socket)
        except OSError as error:
            self._socket.close()
            raise NotRunningError(f"process {card.pid} does not listen at {card.socket}: {error.strerror}.") from None
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def call(self, do: str, **arguments: Any) -> Any:
        """Have something done, and return what came of it; see the reference of the control protocol.

        Raises
        ------
        ControlError
            If it was not done, with the run's code and words.
        NotRunningError
            If the run ended meanwhile.
        """
        self._number += 1
        given = {name: value for name, value in arguments.items() if value is not None}
        request = Request(do=do, arguments=given, by=self._by, id=self._number)
        try:
            self._socket.sendall(encode(request))
            line = self._file.readline()
        except TimeoutError:
            raise ControlError(f"process {self.card.pid} does not answer.", code="no_answer") from None
        except OSError as error:
            raise NotRunningError(f"the run hung up: {error.strerror}.") from None
        if not line:
            raise NotRunningError("the run has ended.", code="ended")
        answer: Answer = decode_answer(line)
        if not answer.ok:
            raise ControlError(answer.error, code=answer.code)
        return answer.result

    def wait_for_end(self) -> None:
        """Return when the run has hung up, which it does at its end."""
        try:
            while self._file.readline():
                pass
        except OSError:
            pass


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        import os

        return f"uid {os.getuid()}"
