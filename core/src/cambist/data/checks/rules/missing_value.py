"""Values that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["MissingValueRule"]


class MissingValueRule:
    """Finds values that are NaN or infinite, one finding for each."""

    name: ClassVar[str] = "missing-value"
    stage: ClassVar[Stage] = Stage.RAW
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield the findings, column by column."""
        unsound = np.flatnonzero(~view.is_sound)
        for name, values in view.columns.items():
            for row in unsound[~np.isfinite(values[unsound])].tolist():
                yield Finding(row, f"{name} is {values[row]}", name, float(values[row]), Severity.ERROR)
