"""Prices that go on at another level: another currency, another contract, another company."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import MEMORY, UNITS, near_ratio
from cambist.data.checks.rules.split import lasting_jumps, split_of
from cambist.ports.data_rules import Finding, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["LevelShiftRule"]

#: How many times the usual move, and how much at least, the level must shift.
_WILD, _LEAST = 15.0, 0.25
_UNIT_SLACK = 0.35


class LevelShiftRule:
    """Finds lasting jumps that are no split and no change of unit, far beyond what the price does otherwise."""

    name: ClassVar[str] = "level-shift"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = MEMORY + 2
    future: ClassVar[int | None] = 10
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for the first bar at the new level."""
        for row, size, usual in lasting_jumps(view):
            factor, recorded = split_of(view, row, size, usual)
            if recorded or not np.isnan(factor) or not np.isnan(near_ratio(size, UNITS, _UNIT_SLACK)):
                continue
            if abs(size) > max(_WILD * usual, _LEAST):
                value, before = float(view.columns["open"][row]), float(view.columns["close"][row - 1])
                text = (
                    f"open {value:g} after a close of {before:g}, and prices stay there ({abs(size) / usual:.0f} times "
                    "the usual move): another currency, contract or company?"
                )
                yield Finding(row, text, "open", value, expected=value / before)
