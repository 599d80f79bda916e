"""Bars of times at which the market is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.model.times import HOUR_NS
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["SessionRule"]

#: From so large a share of bars on, it is the time zone that is wrong.
_SHARE = 0.2


class SessionRule:
    """Finds bars outside every session of the calendar; many of them are one finding, with the shift that mends it.

    Only with a calendar. From the past alone, each bar is judged by itself.
    """

    name: ClassVar[str] = "session"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = True

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield one finding a bar, or one for the series."""
        outside = _outside(view, 0)
        count = int(np.count_nonzero(outside))
        if count > _SHARE * len(view) and len(view) > 20:
            shift, left = self._best_shift(view)
            text = f"{count:,} of {len(view):,} bars lie outside the sessions of {_name(view)}"
            if left < 0.5 * count:
                text += f"; {left:,} would, were every time {shift:+g} hours: the time zone is wrong"
            yield Finding(int(outside.argmax()), text, severity=Severity.ERROR, value=float(shift))
            return
        yield from self._each(view, outside)

    def find_past(self, view: SeriesView) -> Iterator[Finding]:
        """Yield one finding for each bar outside."""
        yield from self._each(view, _outside(view, 0))

    @staticmethod
    def _each(view: SeriesView, outside: NDArray[np.bool_]) -> Iterator[Finding]:
        for row in np.flatnonzero(outside).tolist():
            yield Finding(row, f"no session of {_name(view)} trades then")

    @staticmethod
    def _best_shift(view: SeriesView) -> tuple[int, int]:
        """Return the hours that leave the fewest bars outside, and how many these are."""
        some = view.rows(np.linspace(0, len(view) - 1, min(len(view), 2_000)).astype(np.int64))
        counts = {hours: int(np.count_nonzero(_outside(some, hours * HOUR_NS))) for hours in range(-14, 15)}
        best = min(counts, key=lambda hours: (counts[hours], abs(hours)))
        return best, round(counts[best] * len(view) / len(some))


def _name(view: SeriesView) -> str:
    return view.calendar.name if view.calendar is not None else ""


def _outside(view: SeriesView, shift: int) -> NDArray[np.bool_]:
    """Tell for each bar, put off by `shift` ns, whether no session trades then; False where the calendar ends."""
    outside = np.zeros(len(view), np.bool_)
    calendar = view.calendar
    if calendar is not None:
        times = view.ts + shift
        known = (times >= calendar.start) & (times <= calendar.end)
        outside[known] = calendar.bar_sessions(times[known], view.timeframe.ns) < 0
    return outside
