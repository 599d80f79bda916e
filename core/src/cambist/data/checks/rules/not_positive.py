"""Prices that no market knows, and volumes below zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["NotPositiveRule"]


class NotPositiveRule:
    """Finds prices that are zero or below, and volumes below zero, one finding for each."""

    name: ClassVar[str] = "not-positive"
    stage: ClassVar[Stage] = Stage.RAW
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield the findings, column by column."""
        unsound = np.flatnonzero(~view.is_sound)
        for name, values in view.columns.items():
            some = values[unsound]
            wrong = (some < 0.0) if name == "volume" else (some <= 0.0)
            for row in unsound[wrong & np.isfinite(some)].tolist():
                yield Finding(row, f"{name} is {values[row]:g}", name, float(values[row]), Severity.ERROR)
