"""From a journal to the state of its run: from the newest snapshot on, or from the first record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cambist.engine.codec import CODEC
from cambist.engine.document import STATE_VERSION, decode_run, encode_run
from cambist.engine.fold import KEEP, RunState
from cambist.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.engine.codec import Codec
    from cambist.ports.journal import JournalEntry

__all__ = ["Source", "rebuild", "take_snapshot"]


class _Kept(Protocol):
    @property
    def data(self) -> bytes: ...


class _Snapshots(Protocol):
    def newest(self, version: int) -> _Kept | None: ...

    def save(self, sequence: int, data: bytes, version: int = ...) -> None: ...


class Source(Protocol):
    """A journal with its snapshots, such as `cambist.storage.journal.Journal` or `JournalFolder`."""

    @property
    def first(self) -> int:
        """Number of the oldest record."""

    @property
    def snapshots(self) -> _Snapshots:
        """States to start from."""

    def read(self, from_sequence: int = 1) -> Iterator[JournalEntry]:
        """Iterate over the records."""


def rebuild(journal: Source, *, codec: Codec = CODEC, keep: int = KEEP, use_snapshot: bool = True) -> RunState:
    """Return the state of a run after the last record of its journal.

    Parameters
    ----------
    keep
        See `RunState`.
    use_snapshot
        Whether to begin with the newest snapshot; where the oldest records were removed, there is no other way.

    Raises
    ------
    JournalError
        If the journal cannot be read, or says what cannot be.
    """
    state = RunState(codec, keep)
    if use_snapshot or journal.first > 1:
        kept = journal.snapshots.newest(STATE_VERSION)
        if kept is not None:
            state = decode_run(kept.data, codec)
        if state.keep != keep and journal.first == 1:
            state = RunState(codec, keep)  # what the snapshot has forgotten may be wanted
        if journal.first > state.sequence + 1:
            raise RecordError(
                f"the records before {journal.first} were removed, and no snapshot holds them",
                code="no_snapshot",
                sequence=state.sequence + 1,
                remedy="Restore the folder snapshots from a backup.",
            )
    return state.apply_all(journal.read(state.sequence + 1))


def take_snapshot(journal: Source, state: RunState, breathe: Callable[[], None] = lambda: None) -> None:
    """Keep a state beside the journal, so that the next start reads only what comes after it.

    Parameters
    ----------
    breathe
        See `encode_run`.
    """
    journal.snapshots.save(state.sequence, encode_run(state, breathe), STATE_VERSION)
