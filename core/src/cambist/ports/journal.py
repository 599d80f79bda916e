"""What a journal keeps, and how others read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Draft", "JournalCursor", "JournalEntry", "JournalReader"]


class Draft(msgspec.Struct, frozen=True, gc=False):
    """Something that is to be journalled.

    Attributes
    ----------
    kind
        Name of its type, at most 255 bytes of UTF-8.
    ts
        Engine time, ns, UTC. It need not ascend: the sequence number alone orders records.
    body
        The record, encoded.
    version
        Of the type, from 1.
    """

    kind: str
    ts: int
    body: bytes
    version: int = 1


class JournalEntry(msgspec.Struct, frozen=True, gc=False):
    """Something that is in a journal.

    Attributes
    ----------
    sequence
        Its number, from 1, without a gap.
    ts, kind, version, body
        As they were given; see `Draft`.
    ends_commit
        Whether it is the last of those that were appended together. They are there together, or not at all.
    """

    sequence: int
    ts: int
    kind: str
    version: int
    body: bytes
    ends_commit: bool


class JournalCursor(Protocol):
    """How far a reader has come. What is behind it may be removed, what is ahead of it stays."""

    @property
    def sequence(self) -> int:
        """The last record that was dealt with; 0 before the first."""

    @property
    def rewound_from(self) -> int | None:
        """Where the cursor stood when records were taken out of the journal that it had passed; None where never.

        What was made of those records has to be made anew.
        """

    def advance(self, sequence: int) -> None:
        """Note durably that everything up to `sequence` was dealt with."""


class JournalReader(Protocol):
    """A journal as those see it who project it into something else, such as a database."""

    @property
    def first(self) -> int:
        """Number of the oldest record that is still there; one above `durable` where there is none."""

    @property
    def durable(self) -> int:
        """Number of the newest record that survives whatever happens; 0 before the first."""

    def read(self, from_sequence: int = 1) -> Iterator[JournalEntry]:
        """Iterate over the durable records from `from_sequence` on, oldest first, to the newest there is by then.

        Raises
        ------
        JournalError
            If that record was removed, or is not there yet and is not the next one.
        """

    def cursor(self, name: str) -> JournalCursor:
        """Return the cursor of that name; a new one stands before the oldest record."""

    def on_durable(self, listener: Callable[[int], None]) -> None:
        """Have `listener` called with new values of `durable`, in a thread of the journal's own.

        It must return soon and must not raise. It spares a reader the waiting, and no more: a journal that cannot know,
        because another process writes it, never calls, so that whoever follows one looks now and then all the same.
        """
