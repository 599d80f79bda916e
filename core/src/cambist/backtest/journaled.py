"""The journal of a backtest: what a live run would write, for rehearsals and for tests of what reads it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, TypeVar

from cambist.engine import Kernel, MarketKernel, OpeningKernel
from cambist.engine.journaled import (
    JournaledKernel,
    JournaledMarketKernel,
    JournaledOpeningKernel,
    Journaling,
    Recorder,
)
from cambist.engine.recorded import RecordingRecorder
from cambist.engine.records import AlertRaised, OperatorCommand
from cambist.errors import ParameterError
from cambist.storage.journal import Journal, JournalOptions
from cambist.storage.recording import RecordingWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.backtest.driver import StopRequest
    from cambist.engine.records import AccountValued
    from cambist.ports import Draft

__all__ = ["RunJournal", "journaled"]

_Kernel = TypeVar("_Kernel", bound=Kernel)
_JOURNALED: dict[type[Kernel], type[Kernel]] = {
    Kernel: JournaledKernel,
    OpeningKernel: JournaledOpeningKernel,
    MarketKernel: JournaledMarketKernel,
}
#: How many records a run may be ahead of the disk: it makes them faster than any market does.
_AHEAD = 50_000


def journaled(kernel: type[_Kernel]) -> type[_Kernel]:
    """Return the kernel that does the same and journals it."""
    return _JOURNALED[kernel]  # type: ignore[return-value]


class RunJournal:
    """A journal, and a kernel that writes to it.

    Parameters
    ----------
    folder
        For the journal.
    kernel
        Whose.
    about
        What the recording beside it is to say of the run; None for no recording.
    stop
        What may have ended the run from outside.

    Raises
    ------
    ParameterError
        If the folder holds a journal already: one is of one run.
    """

    def __init__(self, folder: str, kernel: Kernel, about: Mapping[str, Any] | None, stop: StopRequest) -> None:
        assert isinstance(kernel, Journaling)
        self._kernel, self._stop = kernel, stop
        self._journal = Journal(folder, JournalOptions(pending_seconds=3_600.0))
        if self._journal.last:
            self._journal.close()
            raise ParameterError(
                f"the journal {folder!r} holds {self._journal.last} records of another run. Name a new folder."
            )
        self._recording: RecordingWriter | None = None
        self._recorder: Recorder
        if about is None:
            kernel.recorder = self._recorder = Recorder(kernel, self._append)
        else:
            self._recording = RecordingWriter(folder, self._journal.id, about)
            kernel.recorder = self._recorder = RecordingRecorder(
                kernel, self._append, self._recording.add, lambda reason: stop.requested and stop.reason == reason
            )

    def _append(self, drafts: Sequence[Draft]) -> int:
        if self._journal.last - self._journal.durable > _AHEAD:
            self._journal.wait()
        return self._journal.append(drafts)

    @property
    def lost(self) -> str:
        """Why the recording ends early; ``""`` where it does not, or there is none."""
        return "" if self._recording is None else self._recording.failure

    def valued(self, ts: int, accounts: Sequence[AccountValued]) -> None:
        """Note what the account is worth, or the accounts are, beside the steps."""
        self._recorder.valued(ts, accounts)

    def close(self, *, whole: bool) -> None:
        """Return when everything is safe.

        Parameters
        ----------
        whole
            Whether the run came to an end of its own, and was not broken off in the midst of a step.

        Raises
        ------
        JournalWriteError
            If it never will be.
        """
        try:
            if self._stop.from_outside:
                stopped = OperatorCommand("stop", {"reason": self._stop.reason}, _user(), "done")
                self._recorder.commanded(self._kernel.own_clock.now, stopped)
            self._journal.wait()
            if isinstance(self._recorder, RecordingRecorder) and whole:
                self._recorder.end()
            if self._recording is not None:
                self._recording.close()  # whether all of it could be written shows now
            if self.lost:
                alert = AlertRaised("warning", "recording_lost", self.lost, source="recording")
                self._recorder.alert(self._kernel.own_clock.now, alert)
                self._journal.wait()
        finally:
            if self._recording is not None:
                self._recording.close()
            self._journal.close()


def _user() -> str:
    """Return who runs this process; ``""`` where the system does not know."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # the last of them from Python 3.13 on
        return ""
