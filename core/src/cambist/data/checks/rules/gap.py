"""Bars that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.model.times import DAY_NS, format_ns
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["GapRule", "missing_times"]

#: Without a calendar: the longest weekend of a market that closes, and what is more than any holiday.
_LONG, _VERY_LONG = 5 * DAY_NS, 30 * DAY_NS
#: No more bars than this are looked for in one gap.
_MOST = 1_000_000


def missing_times(view: SeriesView, before: int, after: int) -> NDArray[np.int64]:
    """Return the open times of the bars that are missing between two that follow each other, ns.

    Those of the grid from `before` on; with a calendar, as far as its market trades then.
    """
    length = view.timeframe.ns
    times = np.arange(before + length, min(after - length + 1, before + _MOST * length), length, dtype=np.int64)
    calendar = view.calendar
    if calendar is None or not len(times):
        return times if view.always else times[:0]
    known = (times >= calendar.start) & (times <= calendar.end)
    times = times[known]
    if length < DAY_NS:
        sessions = calendar.bar_sessions(times, length)
        trading = sessions >= 0
        trading[trading] &= ~(
            (calendar.break_starts[sessions[trading]] <= times[trading])
            & (times[trading] + length <= calendar.break_ends[sessions[trading]])
        )
        return times[trading]
    return times[calendar.bar_sessions(times, length) >= 0]


class GapRule:
    """Finds where bars are missing, one finding for each gap, at the bar after it.

    With a calendar, bars of its sessions; of a market that never closes, bars of the grid. Without either, pauses of
    five days and more are noted, and of more than thirty warned of.
    """

    name: ClassVar[str] = "gap"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = 1
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield the findings; `value` is how many bars are missing, or NaN where nobody knows."""
        told = view.calendar is not None or view.always
        least = 2 * view.timeframe.ns if told else max(_LONG, 2 * view.timeframe.ns)
        for row in (np.flatnonzero(view.steps >= least) + 1).tolist():
            before, after = int(view.ts[row - 1]), int(view.ts[row])
            if not told:
                severity = Severity.WARNING if after - before > _VERY_LONG else Severity.NOTE
                days = (after - before) / DAY_NS
                yield Finding(row, f"comes {days:.0f} days after the bar before", severity=severity)
                continue
            count = len(missing_times(view, before, after))
            if count:
                bars = "bar is" if count == 1 else "bars are"
                text = f"{count:,} {bars} missing since {format_ns(before)}"
                yield Finding(row, text, value=float(count))
