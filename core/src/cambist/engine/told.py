"""Records of a journal as sinks are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.engine.codec import CODEC
from cambist.ports.journal import JournalEntry
from cambist.ports.sink import RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.ports.journal import Draft

__all__ = ["event_of", "events_of"]


def event_of(entry: JournalEntry) -> RunEvent:
    """Return an entry as an event; its record has every field, also those that a journal leaves out.

    Raises
    ------
    RecordError
        Nobody knows its kind.
    """
    record = CODEC.decode(entry)
    fields = {name: msgspec.to_builtins(value) for name, value in msgspec.structs.asdict(record).items()}
    return RunEvent(entry.sequence, entry.ts, entry.kind, fields)


def events_of(drafts: Sequence[Draft], last: int) -> Iterator[RunEvent]:
    """Yield records that belong together as events; `last` is the number of the last of them."""
    for sequence, one in enumerate(drafts, last - len(drafts) + 1):
        yield event_of(JournalEntry(sequence, one.ts, one.kind, one.version, one.body, sequence == last))
