"""Volumes that do not fit their bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import MEMORY, typical
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["VolumeRule"]

#: How many times the median of volumes, and how many times their mean, is an anomaly.
_WILD, _MEAN = 1_000.0, 100.0


class VolumeRule:
    """Finds bars whose price moved without volume, and volumes over 1,000 times the usual.

    Usual is the median of the 64 bars before, of which there must be 32, and it must be above zero: so a series without
    volumes has no anomaly. A volume must be 100 times the mean of them as well, so that one among many large and small
    ones is none.
    """

    name: ClassVar[str] = "volume"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = MEMORY
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each such bar."""
        volume = view.columns["volume"]
        rows = _suspects(volume, view.columns["high"] > view.columns["low"])
        for row, usual in zip(rows.tolist(), typical(volume, rows).tolist(), strict=True):
            value = float(volume[row])
            if usual > 0.0 and value == 0.0:
                yield Finding(
                    row, f"the price moved without volume, where {usual:g} is usual", "volume", 0.0, Severity.NOTE
                )
            elif 0.0 < _WILD * usual < value and value > _MEAN * float(np.mean(volume[max(0, row - MEMORY) : row])):
                text = f"volume {value:g} is {value / usual:,.0f} times the usual"
                yield Finding(row, text, "volume", value, Severity.NOTE, usual)


def _suspects(volume: NDArray[np.float64], moved: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows worth a closer look, from the 33rd on."""
    suspect = (volume == 0.0) & moved
    sums = np.zeros(len(volume) + 1)
    np.cumsum(volume, out=sums[1:])
    if len(volume) > MEMORY:
        # Sums lose some digits; so much that half the limit does not reach is not lost.
        suspect[MEMORY:] |= volume[MEMORY:] > 0.5 * _MEAN / MEMORY * (sums[MEMORY:-1] - sums[: -MEMORY - 1])
    suspect[: MEMORY // 2] = False
    rows: NDArray[np.int64] = np.flatnonzero(suspect)
    return rows
