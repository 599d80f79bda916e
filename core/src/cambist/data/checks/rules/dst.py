"""Times of a clock that is put forward and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.rules.off_grid import is_clock_change, phase_changes
from cambist.model.times import DAY_NS, HOUR_NS, MINUTE_NS, to_datetime
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["DstRule"]

_USUAL = 32


class DstRule:
    """Finds where bars change with summer time: longer ones by an hour of the grid, shorter ones by an hour twice.

    Bars of a day that open at midnight of their place do so by UTC at another hour in summer: that is worth a note.
    Bars of a market that never closes have an hour twice each autumn where their times are local: that is an error.
    """

    name: ClassVar[str] = "dst"
    stage: ClassVar[Stage] = Stage.RAW
    past: ClassVar[int] = _USUAL
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each change."""
        length = view.timeframe.ns
        if length > HOUR_NS:
            for row, later in phase_changes(view):
                if is_clock_change(later, length):
                    text = (
                        f"opens {later / MINUTE_NS:+g} minutes from the bars before: days of a clock with summer time"
                    )
                    yield Finding(row, text, severity=Severity.NOTE)
            return
        back = view.steps == length - HOUR_NS
        if length == HOUR_NS:
            back = view.steps == 0
        for row in (np.flatnonzero(back) + 1).tolist():
            at = int(view.ts[row])
            # A clock goes back on a Sunday, in autumn; south of the equator in April.
            if (at // DAY_NS + 3) % 7 == 6 and to_datetime(at).month in (4, 9, 10, 11):
                yield Finding(row, "an hour comes twice: the times are those of a local clock", severity=Severity.ERROR)
