"""A series that ended too long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cambist.model.times import format_ns
from cambist.ports.data_rules import Finding, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["StaleRule"]


class StaleRule:
    """Finds a last bar that closed longer ago than it may; only where a present and a limit are given.

    With a calendar, only the time counts in which bars could have come: a series that ends with the last session is not
    stale while the market is closed.
    """

    name: ClassVar[str] = "stale"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = None
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield one finding, or none."""
        if view.now is None or view.stale_after is None or not len(view):
            return
        row = len(view) - 1
        closed = int(view.ts[row]) + view.timeframe.ns
        due = closed
        if view.calendar is not None:
            later = view.calendar.opens[view.calendar.opens >= closed]
            number = view.calendar.session_number(closed) if view.calendar.start <= closed <= view.calendar.end else -1
            if number < 0 and len(later):
                due = int(later[0])
        if view.now - due > view.stale_after:
            yield Finding(row, f"is the last bar; it closed at {format_ns(closed)}, long before {format_ns(view.now)}")
