"""What is told of a run while it goes on: everything that its journal holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EventSink", "RunEvent"]


@attrs.frozen(slots=True)
class RunEvent:
    """Something that happened in a run, or that it wants done.

    Attributes
    ----------
    sequence
        Its number in the journal, from 1. A live run tells what is on the disk; in a run without a journal it counts
        what a journal would hold.
    ts
        Engine time, ns, UTC.
    kind
        What it is: ``"order_submitted"``, ``"order_filled"``, ``"account_valued"`` and more; see the page about the
        journal.
    fields
        Plain values, fit for JSON: prices, sizes and money are decimals as text, times are ns. What is not known is
        None. All sinks of a run are shown the same mapping: it is to be read, not changed.
    """

    sequence: int
    ts: int
    kind: str
    fields: Mapping[str, Any]


class EventSink(Protocol):
    """Takes the events of a run, one after the other, in their order.

    It listens, and no more: what it does, and whether it fails, changes nothing in the run. Each sink has a thread of
    its own behind a bounded queue. A backtest waits for a slow sink; a paper or live run does not, and leaves out the
    oldest of what it could not take in time.

    Making one opens nothing; what it needs, it opens at the first event.
    """

    def take(self, event: RunEvent) -> None:
        """Take one event.

        It may block. It raises where it could not: that is counted and told, and the next event follows.
        """

    def close(self) -> None:
        """Let go of everything; there are no more events. Also where there was none, and a second time."""
