"""Bars whose prices leave their own range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.ports.data_rules import PRICES, Finding, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.ports.data_rules import SeriesView

__all__ = ["HighLowRule"]

#: Below this share of the price it is the rounding of whoever made the bars.
_ROUNDING = 1e-6


class HighLowRule:
    """Finds bars whose high is below another of their prices, or whose low is above one."""

    name: ClassVar[str] = "high-low"
    stage: ClassVar[Stage] = Stage.RAW
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = 0
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for a high that is too low, and one for a low that is too high."""
        # Whatever breaks a bound is not sound; of these there are few.
        unsound = np.flatnonzero(~view.is_sound)
        if not len(unsound):
            return
        prices = np.array([view.columns[name][unsound] for name in PRICES])
        whole = np.isfinite(prices).all(axis=0) & (prices > 0.0).all(axis=0)
        highest, lowest = prices.max(axis=0), prices.min(axis=0)
        for name, bound, side in (("high", highest, "below"), ("low", lowest, "above")):
            values = view.columns[name][unsound]
            for place in np.flatnonzero((values != bound) & whole).tolist():
                row, value, expected = int(unsound[place]), float(values[place]), float(bound[place])
                rounding = abs(value - expected) <= _ROUNDING * expected
                text = f"{name} {value:g} is {side} another price of the bar, {expected:g}"
                text += " (a rounding error)" if rounding else ""
                yield Finding(row, text, name, value, Severity.ERROR, expected)
