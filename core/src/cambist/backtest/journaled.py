"""The records of a backtest: the journal that a live run would write, and what sinks are told of it."""

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
from cambist.engine.told import events_of
from cambist.errors import ParameterError
from cambist.observe.event_sinks import SinkGroup, named_sinks
from cambist.observe.sinks import FullPolicy
from cambist.storage.journal import Journal, JournalOptions
from cambist.storage.recording import RecordingWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.backtest.driver import StopRequest
    from cambist.backtest.settings import BacktestSettings
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
#: How long a sink may take at the end with what waits for it, s.
_LAST = 60.0


def journaled(kernel: type[_Kernel]) -> type[_Kernel]:
    """Return the kernel that does the same and journals it."""
    return _JOURNALED[kernel]  # type: ignore[return-value]


class RunJournal:
    """A journal, or sinks, or both, and a kernel that writes to them.

    Sinks are told of what is in the journal, in its order; the run waits for one that is slow.

    Parameters
    ----------
    settings
        The folder of the journal, and the sinks.
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

    def __init__(
        self, settings: BacktestSettings, kernel: Kernel, about: Mapping[str, Any] | None, stop: StopRequest
    ) -> None:
        assert isinstance(kernel, Journaling)
        self._kernel, self._stop = kernel, stop
        folder = settings.journal
        self._journal = None if folder is None else _new_journal(folder)
        self._sinks = SinkGroup(named_sinks(settings.sinks), FullPolicy.BLOCK) if settings.sinks else None
        self._told = 0
        #: What went wrong with sinks, once they are closed.
        self.troubles: list[str] = []
        self._recording: RecordingWriter | None = None
        self._recorder: Recorder
        if about is None or self._journal is None:
            kernel.recorder = self._recorder = Recorder(kernel, self._append)
        else:
            self._recording = RecordingWriter(self._journal.folder, self._journal.id, about)
            kernel.recorder = self._recorder = RecordingRecorder(
                kernel, self._append, self._recording.add, lambda reason: stop.requested and stop.reason == reason
            )

    def _append(self, drafts: Sequence[Draft]) -> int:
        journal = self._journal
        if journal is None:
            self._told += len(drafts)
            last = self._told
        else:
            if journal.last - journal.durable > _AHEAD:
                journal.wait()
            last = journal.append(drafts)
        if self._sinks is not None:
            for event in events_of(drafts, last):
                self._sinks.tell(event)
        return last

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
            if self._journal is not None:
                self._end_journal(self._journal, whole=whole)
        finally:
            if self._recording is not None:
                self._recording.close()
            if self._journal is not None:
                self._journal.close()
            if self._sinks is not None:
                self.troubles = [f"{trouble}." for trouble in self._sinks.close(_LAST).values()]

    def _end_journal(self, journal: Journal, *, whole: bool) -> None:
        """Wait until it is safe, and say in it what was lost beside it."""
        journal.wait()
        if isinstance(self._recorder, RecordingRecorder) and whole:
            self._recorder.end()
        if self._recording is not None:
            self._recording.close()  # whether all of it could be written shows now
        if self.lost:
            alert = AlertRaised("warning", "recording_lost", self.lost, source="recording")
            self._recorder.alert(self._kernel.own_clock.now, alert)
            journal.wait()


def _new_journal(folder: str) -> Journal:
    journal = Journal(folder, JournalOptions(pending_seconds=3_600.0))
    if journal.last:
        journal.close()
        raise ParameterError(f"the journal {folder!r} holds {journal.last} records of another run. Name a new folder.")
    return journal


def _user() -> str:
    """Return who runs this process; ``""`` where the system does not know."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # the last of them from Python 3.13 on
        return ""
