"""Rows that come behind later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.rules.duplicate import repeats
from cambist.model.times import format_ns
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["OrderRule"]


class OrderRule:
    """Finds rows whose time is before that of a row above, and that no row above has."""

    name: ClassVar[str] = "order"
    stage: ClassVar[Stage] = Stage.RAW
    past: ClassVar[int] = 1_024
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each such row."""
        behind = ~view.is_ordered
        if not behind.any():
            return
        behind &= ~repeats(view.ts)
        latest = np.maximum.accumulate(view.ts)
        for row in np.flatnonzero(behind).tolist():
            text = f"comes behind {format_ns(int(latest[row]))}"
            yield Finding(row, text, severity=Severity.ERROR)
