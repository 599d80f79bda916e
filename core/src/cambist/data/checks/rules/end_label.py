"""Bars that carry the time of their end: to a strategy they would tell the future."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["EndLabelRule"]

#: A pause of so long ends a session.
_PAUSE = HOUR_NS
#: Markets open and close on the half hour.
_ROUND = 30 * MINUTE_NS
#: So many of the sessions must speak for it, and there must be so many.
_SHARE, _FEWEST = 0.6, 5


class EndLabelRule:
    """Finds a series whose sessions begin one bar after a round time and end at one.

    Bars of a market that opens at 9:30 and closes at 16:00 begin at 9:30 and end with one of 15:59; stamped by their
    end, they begin at 9:31 and end with one of 16:00. With a calendar, its sessions are what is compared; without one,
    whatever a pause of an hour separates, and times on the half hour are round.
    """

    name: ClassVar[str] = "end-label"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = None
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield one finding, of the first row, with the length of a bar as what is to be taken off; or none."""
        length = view.timeframe.ns
        if view.always or length >= _ROUND or len(view) < 2 * _FEWEST:
            return
        first, last = self._edges(view)
        if len(first) < _FEWEST:
            return
        begins, ends = float(np.mean(first)), float(np.mean(last))
        if begins >= _SHARE and ends >= _SHARE:
            text = (
                f"{begins:.0%} of the sessions begin one bar late and {ends:.0%} have a bar at their close: bars are "
                f"stamped by their end. Take {view.timeframe} off every time."
            )
            yield Finding(0, text, severity=Severity.ERROR, value=length / 1e9)

    @staticmethod
    def _edges(view: SeriesView) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return for each session whether it begins a bar late, and whether a bar carries its close."""
        ts, length = view.ts, view.timeframe.ns
        calendar = view.calendar
        if calendar is not None and calendar.start <= ts[0] and ts[-1] <= calendar.end:
            within = (calendar.opens >= ts[0] - DAY_NS) & (calendar.closes <= ts[-1])
            opens, closes = calendar.opens[within], calendar.closes[within]
            late = ~np.isin(opens, ts) & np.isin(opens + length, ts)
            return late, np.isin(closes, ts)
        # The first session may have begun before the first bar, and the last end after the last.
        pause = np.flatnonzero(view.steps >= max(_PAUSE, 2 * length))
        firsts, lasts = ts[pause + 1], ts[pause]
        return (firsts % _ROUND == length), (lasts % _ROUND == 0)
