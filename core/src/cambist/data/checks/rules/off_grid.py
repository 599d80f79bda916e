"""Bars that do not open where the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.model.times import HOUR_NS, MINUTE_NS
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["OffGridRule", "is_clock_change", "phase_changes"]

_USUAL = 32
#: So many bars that follow each other at one place are a grid.
_GRID = 8


def phase_changes(view: SeriesView) -> Iterator[tuple[int, int]]:
    """Yield each row that opens at another place in the grid of its timeframe than most of the 32 before it.

    With how much later that place is, ns, the shorter way round. Of several such rows at one place, which follow each
    other, the first: from there on that is the grid. The first 8 rows tell too little.
    """
    length = view.timeframe.ns
    phases = view.ts % length
    for row in (np.flatnonzero(np.diff(phases)) + 1).tolist():
        if row < _GRID:
            continue
        before = phases[max(0, row - _USUAL) : row]
        places, counts = np.unique(before, return_counts=True)
        usual = int(places[counts.argmax()])
        if phases[row] != usual:
            yield row, _later(int(phases[row]), usual, length)


def _later(phase: int, usual: int, length: int) -> int:
    """Return how much later in the grid a phase is, ns, the shorter way round."""
    later = (phase - usual) % length
    return later if later <= length // 2 else later - length


def is_clock_change(later: int, length: int) -> bool:
    """Tell whether a change of phase is that of a clock which is put forward or back."""
    return length > HOUR_NS and abs(later) in (HOUR_NS, HOUR_NS // 2)


class OffGridRule:
    """Finds bars off the grid of the others; changes by an hour of longer bars are the `DstRule`'s.

    Over a whole series, every bar of a run of fewer than 8 that open elsewhere than those around. From the past alone,
    the first bar of such a run: the others may be the grid to come.
    """

    name: ClassVar[str] = "off-grid"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = _USUAL
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = True

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each such bar."""
        phases = view.ts % view.timeframe.ns
        starts = np.concatenate([[0], np.flatnonzero(np.diff(phases)) + 1])
        if len(starts) == 1:
            return
        sizes = np.diff(np.append(starts, len(view)))
        grids = np.flatnonzero(sizes >= _GRID)
        if not len(grids):
            grids = np.array([sizes.argmax()])
        # Each run is measured by the last grid before it, or by the first.
        near = grids[np.maximum(np.searchsorted(grids, np.arange(len(starts)), side="right") - 1, 0)]
        for run in np.flatnonzero(phases[starts] != phases[starts[near]]).tolist():
            later = _later(int(phases[starts[run]]), int(phases[starts[near[run]]]), view.timeframe.ns)
            yield from self._told(view, range(int(starts[run]), int(starts[run] + sizes[run])), later)

    def find_past(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for the first bar of each run."""
        for row, later in phase_changes(view):
            yield from self._told(view, (row,), later)

    @staticmethod
    def _told(view: SeriesView, rows: Iterable[int], later: int) -> Iterator[Finding]:
        if not is_clock_change(later, view.timeframe.ns):
            side = "after" if later > 0 else "before"
            text = f"opens {abs(later) / MINUTE_NS:g} minutes {side} the {view.timeframe} grid"
            for row in rows:
                yield Finding(row, text, severity=Severity.ERROR)
