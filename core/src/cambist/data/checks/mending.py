"""How one bar is mended with nothing but itself and the close before: the same over columns and on a stream."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from cambist.data.checks.policy import Action
from cambist.ports.data_rules import PRICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.ports.data_rules import Finding

__all__ = ["mend"]


def mend(action: Action, values: dict[str, float], found: Sequence[Finding], before: float) -> dict[str, float] | None:
    """Return the mended values of a bar, or None where it is left out.

    Parameters
    ----------
    action
        One that needs no later bar.
    values
        ``open, high, low, close, volume``.
    found
        What one rule found in it.
    before
        The close before; NaN where there is none.
    """
    if action is Action.DROP:
        return None
    if action is Action.FILL:
        return _filled(values, found, before)
    mended = dict(values)
    for one in found:
        names = (one.column,) if one.column else PRICES
        for name in names:
            mended[name] = one.expected if action is Action.CLIP else mended[name] * one.expected
    return _within(mended) if action is Action.RESCALE else mended


def _filled(values: dict[str, float], found: Sequence[Finding], before: float) -> dict[str, float] | None:
    """Put the close before in place of prices at fault, and nothing in place of a volume."""
    if not (isfinite(before) and before > 0.0):
        return None
    mended = dict(values)
    for one in found:
        for name in (one.column,) if one.column else PRICES:
            mended[name] = 0.0 if name == "volume" else before
            if name == "close" and one.column == "close":
                # The high or the low of a bar whose close is wrong is mostly wrong with it.
                mended["high"] = mended["low"] = before
    return _within(mended)


def _within(values: dict[str, float]) -> dict[str, float]:
    """Take high and low to the other prices, where these leave them."""
    prices = [values[name] for name in PRICES]
    if all(isfinite(price) for price in prices):
        values["high"], values["low"] = max(prices), min(prices)
    return values
