"""A last bar that is not over."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.model.times import format_ns
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["OpenBarRule"]


class OpenBarRule:
    """Finds bars that close after the present: their values will change yet."""

    name: ClassVar[str] = "open-bar"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each such bar; none without a present."""
        if view.now is None:
            return
        for row in np.flatnonzero(view.ts + view.timeframe.ns > view.now).tolist():
            closes = format_ns(int(view.ts[row]) + view.timeframe.ns)
            yield Finding(row, f"is still open: it closes at {closes}", severity=Severity.ERROR)
