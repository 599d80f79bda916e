"""Dividends and adjusted closes that do not fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cambist.data.checks.measures import UNITS, near_ratio
from cambist.model.times import DAY_NS
from cambist.ports.data_rules import Finding, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.ports.data_rules import SeriesView

__all__ = ["AdjustmentRule"]

#: How far a step of the adjustment may be from the dividend, as a share of it and of the price.
_SHARE, _LEAST = 0.2, 0.002
#: The same dividend twice within so long is one too many.
_TWICE = 10 * DAY_NS
#: Only who pays about the same each time can be told to have paid in another unit.
_STEADY = 3.0


class AdjustmentRule:
    """Finds dividends that the adjusted closes do not show, steps without a dividend, repeats and errors of unit.

    A dividend of ``d`` after a close of ``c`` makes every adjusted close before smaller by ``d / c`` (the convention of
    the Center for Research in Security Prices). Asks for the columns ``adj_close`` and ``dividends``; without them it
    finds nothing.
    """

    name: ClassVar[str] = "adjustment"
    stage: ClassVar[Stage] = Stage.ORDERED
    past: ClassVar[int] = 0
    future: ClassVar[int | None] = None
    hindsight: ClassVar[bool] = False

    def find(self, view: SeriesView) -> Iterator[Finding]:
        """Yield a finding for each row at which one of these is so."""
        adjusted, dividends = view.extra.get("adj_close"), view.extra.get("dividends")
        if adjusted is None or dividends is None or len(view) < 2:
            return
        close = view.columns["close"]
        paid = np.nan_to_num(dividends)
        step, wanted = np.zeros(len(view)), np.zeros(len(view))
        with np.errstate(divide="ignore", invalid="ignore"):
            step[1:] = 1.0 - (adjusted[:-1] / close[:-1]) / (adjusted[1:] / close[1:])
            wanted[1:] = paid[1:] / close[:-1]
        # Comparisons with NaN are false: where a price is missing, nothing is found.
        differs = np.abs(step - wanted) > np.maximum(_SHARE * wanted, _LEAST)
        # Of bars longer than a day, the step may come with the bar after the dividend.
        late = np.zeros(len(view), np.bool_)
        late[:-1] = differs[:-1] & differs[1:] & (wanted[1:] == 0.0) & (np.abs(step[:-1]) < _LEAST)
        late[:-1] &= np.abs(step[1:] - wanted[:-1]) <= np.maximum(_SHARE * wanted[:-1], _LEAST)
        differs[late] = False
        differs[1:][late[:-1]] = False
        for row in np.flatnonzero(differs | (paid > 0.0)).tolist():
            text = _what_is_wrong(view, paid, row)
            if differs[row]:
                text = (
                    f"a dividend of {paid[row]:g} is {wanted[row]:.2%} of the close before, and the adjusted closes "
                    f"step by {step[row]:.2%}"
                )
            if text:
                yield Finding(row, text, "dividends", float(paid[row]))


def _what_is_wrong(view: SeriesView, paid: NDArray[np.float64], row: int) -> str:
    """Say what is wrong with a dividend that the adjusted closes agree with; ``""`` for nothing."""
    value = float(paid[row])
    until = int(np.searchsorted(view.ts, view.ts[row] + _TWICE, side="right"))
    if value and bool((paid[row + 1 : until] == value).any()):
        return f"a dividend of {value:g} that comes again within ten days"
    others = np.delete(paid, row)
    others = others[others > 0.0]
    steady = len(others) > 1 and others.max() < _STEADY * others.min()
    if value and steady and not np.isnan(near_ratio(float(np.log(value / np.median(others))), UNITS, 0.5)):
        return f"a dividend of {value:g}, where {np.median(others):g} is usual: another unit?"
    return ""
