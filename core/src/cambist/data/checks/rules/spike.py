"""Closes that leave the prices around them for one bar."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import MEMORY, typical_move
from cambist.ports.data_rules import Finding, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["SpikeRule"]

#: The least distance from the neighbors, as a logarithm, and how many times the usual move it must be.
_LEAST, _WILD = 0.04, 30.0
#: How much of the way the price may fail to come back.
_BACK = 0.3


class SpikeRule:
    """Finds closes far from those on either side, which agree: a robust z-score over 30 and at least 4 %.

    The distance is that from the middle of both neighbors, in logarithms; its unit the median absolute move of the 64
    bars before, times 1.4826. The verdict waits for the next bar: no price tells by itself whether it will come back.
    """

    name: ClassVar[str] = "spike"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = MEMORY + 2
    future: ClassVar[int | None] = 1
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each; `expected` is the middle of the neighbors."""
        if len(view) < 3:
            return
        into, out = view.moves[:-1], view.moves[1:]
        far = (into * out < 0.0) & (np.minimum(np.abs(into), np.abs(out)) > _LEAST * (1.0 - _BACK))
        rows = np.flatnonzero(far) + 1
        close = view.columns["close"]
        for row, usual in zip(rows.tolist(), typical_move(view, rows).tolist(), strict=True):
            before, value, after = (float(close[row + step]) for step in (-1, 0, 1))
            middle = sqrt(before * after)
            distance = abs(log(value / middle))
            if distance > max(_LEAST, _WILD * usual) and abs(log(after / before)) < _BACK * distance:
                text = f"close {value:g} between {before:g} and {after:g} ({distance / usual:.0f} times the usual move)"
                yield Finding(row, text, "close", value, expected=middle)
