"""Splits of shares that the prices before them were not adjusted for."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import MEMORY, SPLITS, jumps, near_ratio, typical_move
from cambist.ports.data_rules import Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["SplitRule", "lasting_jumps", "split_of"]

#: Smaller jumps happen without a split.
_LEAST = 0.2
#: How many times the usual move a jump must be.
_WILD = 10.0
#: So many bars on either side tell the level; fewer at the ends of a series, but so many.
_SIDE, _FEWEST = 5, 3
#: Prices move on the day of a split as well.
_SLACK, _MOST_SLACK = 0.02, 0.08
#: A split is recorded within so many bars of where prices jump, and prices differ from it by so much at most.
_NEAR, _RECORDED_SLACK = 10, 0.15


def lasting_jumps(view: SeriesView) -> Iterator[tuple[int, float, float]]:
    """Yield row, size (as a logarithm) and usual move of each jump from a close to the next open that lasts.

    It lasts if the medians of the 5 closes on either side are as far apart, so that two of them may be others.
    """
    if len(view) < 2 * _FEWEST:
        return
    rows = jumps(view, _LEAST)
    rows = rows[(rows >= _FEWEST) & (rows <= len(view) - _FEWEST)]
    logs = view.log_close
    opens = view.columns["open"]
    closes = view.columns["close"]
    for row, usual in zip(rows.tolist(), typical_move(view, rows).tolist(), strict=True):
        size = log(float(opens[row]) / float(closes[row - 1]))
        lasting = float(np.median(logs[row : row + _SIDE]) - np.median(logs[max(0, row - _SIDE) : row]))
        if abs(size) >= _LEAST and abs(size) > _WILD * usual and abs(lasting - size) < 0.4 * abs(size):
            yield row, size, usual


def split_of(view: SeriesView, row: int, size: float, usual: float) -> tuple[float, bool]:
    """Return the factor by which prices before `row` are to be multiplied, NaN where no split fits; and whether one is
    recorded there.
    """
    recorded = view.extra.get("splits")
    if recorded is not None:
        near = np.arange(max(0, row - _NEAR), min(len(view), row + _NEAR + 1))
        for place in near[np.nan_to_num(recorded[near]) > 0.0].tolist():
            ratio = float(recorded[place])
            if ratio != 1.0 and abs(abs(size) - abs(log(ratio))) < _RECORDED_SLACK:
                # The other way round the prices before were adjusted, and this one was not: no factor mends that.
                factor = 1.0 / ratio
                return (factor if size * log(factor) > 0.0 else float("nan")), True
    return near_ratio(size, SPLITS, min(max(_SLACK, 2.0 * usual), _MOST_SLACK)), False


class SplitRule:
    """Finds lasting jumps of the price in the ratio of a split, and such that are near a split which is recorded."""

    name: ClassVar[str] = "split"
    stage: ClassVar[Stage] = Stage.SOUND
    past: ClassVar[int] = MEMORY + 2
    future: ClassVar[int | None] = _NEAR
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for the first bar after each; `expected` is the factor for the prices before."""
        for row, size, usual in lasting_jumps(view):
            factor, recorded = split_of(view, row, size, usual)
            if recorded or not np.isnan(factor):
                value = float(view.columns["open"][row])
                before = float(view.columns["close"][row - 1])
                why = "near a recorded split" if recorded else f"as after a split {_ratio(factor)}"
                text = f"open {value:g} after a close of {before:g}, {why}: bars before are not adjusted"
                severity = Severity.ERROR if recorded else Severity.WARNING
                yield Finding(row, text, "open", value, severity, factor)


def _ratio(factor: float) -> str:
    return f"{1.0 / factor:g}:1" if factor < 1.0 else f"1:{factor:g}"
