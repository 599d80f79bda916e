"""The journal of a backtest: what a live run would write, for rehearsals and for tests of what reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cambist.engine import Kernel, MarketKernel, OpeningKernel
from cambist.engine.journaled import (
    JournaledKernel,
    JournaledMarketKernel,
    JournaledOpeningKernel,
    Journaling,
    Recorder,
)
from cambist.errors import ParameterError
from cambist.storage.journal import Journal, JournalOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    Raises
    ------
    ParameterError
        If the folder holds a journal already: one is of one run.
    """

    def __init__(self, folder: str, kernel: Kernel) -> None:
        assert isinstance(kernel, Journaling)
        self._journal = Journal(folder, JournalOptions(pending_seconds=3_600.0))
        if self._journal.last:
            self._journal.close()
            raise ParameterError(
                f"the journal {folder!r} holds {self._journal.last} records of another run. Name a new folder."
            )
        kernel.recorder = Recorder(kernel, self._append)

    def _append(self, drafts: Sequence[Draft]) -> int:
        if self._journal.last - self._journal.durable > _AHEAD:
            self._journal.wait()
        return self._journal.append(drafts)

    def close(self) -> None:
        """Return when everything is safe.

        Raises
        ------
        JournalWriteError
            If it never will be.
        """
        try:
            self._journal.wait()
        finally:
            self._journal.close()
