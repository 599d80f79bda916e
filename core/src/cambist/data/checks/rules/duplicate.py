"""Rows whose time is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["DuplicateRule", "firsts", "repeats"]


def firsts(ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the first row of the same time, shape ``(n,)``."""
    _, first, place = np.unique(ts, return_index=True, return_inverse=True)
    found: NDArray[np.int64] = first[place.reshape(-1)]
    return found


def repeats(ts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for each row whether a row above has its time."""
    return firsts(ts) < np.arange(len(ts))


class DuplicateRule:
    """Finds rows that repeat the time of a row above, and tells whether they say the same."""

    name: ClassVar[str] = "duplicate"
    stage: ClassVar[Stage] = Stage.RAW
    past: ClassVar[int] = 1_024
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each such row."""
        if view.is_ordered.all():
            return
        first = firsts(view.ts)
        for row in np.flatnonzero(first < np.arange(len(view))).tolist():
            differing = [
                name
                for name, values in view.columns.items()
                if not np.array_equal(values[row], values[first[row]], equal_nan=True)
            ]
            what = f"with another {', '.join(differing)}" if differing else "with the same values"
            yield Finding(row, f"repeats the time of a row above, {what}", severity=Severity.ERROR)
