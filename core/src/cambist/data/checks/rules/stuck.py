"""Bars that repeat: a source that sends its last answer again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["StuckRule"]

#: So many bars in a row with the same prices and the same volume are no accident.
_COPIES = 5
#: So many in a row without a move, though something was traded.
_STILL = 60


class StuckRule:
    """Finds runs of bars that are copies (5 with one volume above zero), or whose price does not move (60).

    Bars without volume may stand still for as long as nobody trades.
    """

    name: ClassVar[str] = "stuck"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = _STILL
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield one finding a run, at the bar that makes it too long."""
        columns = view.columns
        close, volume = columns["close"], columns["volume"]
        # Most closes differ from the one before; only where they do not is the rest looked at.
        still = (close[1:] == close[:-1]) & (volume[1:] > 0.0)
        if len(view) < _COPIES or not still.any():
            return
        flat = still & (columns["high"][1:] == columns["low"][1:]) & (columns["high"][:-1] == columns["low"][:-1])
        copies = still & (volume[1:] == volume[:-1])
        for name in ("open", "high", "low"):
            copies &= columns[name][1:] == columns[name][:-1]
        found: list[tuple[int, int, Severity, str]] = [
            *((row, _COPIES, Severity.ERROR, "copies of one bar") for row in _reached(copies, _COPIES - 1)),
            *(
                (row, _STILL, Severity.WARNING, "bars without a move, with volume")
                for row in _reached(flat, _STILL - 1)
            ),
        ]
        for row, count, severity, what in sorted(found, key=lambda one: one[0]):
            price = float(close[row])
            yield Finding(row, f"{count} {what} in a row ({price:g})", "close", price, severity)


def _reached(same: NDArray[np.bool_], count: int) -> list[int]:
    """Return the rows at which `count` times in a row a row was the same as the one before; `same` begins at row 1."""
    places = np.arange(len(same))
    since = np.maximum.accumulate(np.where(same, -1, places))
    rows: list[int] = (np.flatnonzero(same & (places - since == count)) + 1).tolist()
    return rows
