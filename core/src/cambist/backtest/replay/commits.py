"""What a journal says of a run, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.codec import CODEC
from cambist.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.ports.journal import JournalEntry

__all__ = ["Commit", "commits"]


@attrs.frozen
class Commit:
    """Records that were appended together: mostly what a kernel took in, and what it made of that."""

    entries: list[JournalEntry]

    @property
    def first(self) -> JournalEntry:
        """The first of them."""
        return self.entries[0]

    @property
    def begins(self) -> bool:
        """Whether a run starts in it, or goes on."""
        return any(entry.kind == "run_started" for entry in self.entries)

    def every(self, *kinds: str) -> Iterator[Any]:
        """Iterate over the fields of all records of some kinds."""
        return (CODEC.decode(entry) for entry in self.entries if entry.kind in kinds)

    def only(self, kind: str) -> Any:
        """Return the fields of the first record of a kind.

        Raises
        ------
        RecordError
            If there is none.
        """
        found = next(self.every(kind), None)
        if found is None:
            raise RecordError(
                f"there is no {kind!r} in the commit that begins here",
                code="does_not_fit",
                sequence=self.first.sequence,
                remedy="A replay needs the journal of a run from its first record on.",
            )
        return found


def commits(entries: Iterable[JournalEntry]) -> Iterator[Commit]:
    """Iterate over the commits of a journal."""
    together: list[JournalEntry] = []
    for entry in entries:
        together.append(entry)
        if entry.ends_commit:
            yield Commit(together)
            together = []
