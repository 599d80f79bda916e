"""Highs and lows far beyond what the bar and its neighbors traded at."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import MEMORY, typical_move
from cambist.ports.data_rules import Finding, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["WickRule"]

#: The least length of the wick, as a logarithm, and how many times the usual move it must be.
_LEAST, _WILD = 0.25, 30.0


class WickRule:
    """Finds highs and lows further than 28 % and 30 usual moves from both open and close of their bar."""

    name: ClassVar[str] = "wick"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = MEMORY + 2
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each; `expected` is the open or close that is nearer."""
        open_, high, low, close = (view.columns[name] for name in ("open", "high", "low", "close"))
        rows = np.flatnonzero(high > low * 1.25)
        for row, usual in zip(rows.tolist(), typical_move(view, rows).tolist(), strict=True):
            top, bottom = float(max(open_[row], close[row])), float(min(open_[row], close[row]))
            for name, value, near in (("high", float(high[row]), top), ("low", float(low[row]), bottom)):
                length = abs(log(value / near))
                if length > max(_LEAST, _WILD * usual):
                    times = f"{length / usual:.0f} times the usual move"
                    text = f"{name} {value:g} of a bar that traded at {bottom:g} and {top:g} ({times})"
                    yield Finding(row, text, name, value, expected=near)
