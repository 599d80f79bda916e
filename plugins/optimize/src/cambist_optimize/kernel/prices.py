"""Prices and sizes on their grids, slipped prices, what a fill needs: the formulas of the engine, for numbers alone.

Each says where the formula is; the property tests hold the two together to the last bit.
"""

from __future__ import annotations

from math import floor, isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.layout import (
    AVERAGE,
    CASH,
    IS_CASH,
    IS_SIMPLE,
    MARGIN_RATE,
    MULTIPLIER,
    SIZE,
    SLIP_AMOUNT,
    SLIP_RATE,
    TICK_DENOMINATOR,
    TICK_NUMERATOR,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FUNDS_TOLERANCE", "below", "missing_funds", "nearest", "on_tick", "slipped"]

_GRID_TOLERANCE = 1e-6
_FLOAT_NOISE = 2.0**-50
#: Integers up to here are doubles.
_EXACT = 2.0**53
_MANY = 2.0**49
#: What may be missing at a fill and at the gate, as a fraction of what is needed.
FUNDS_TOLERANCE = 1e-9


@inlined
def below(value: float, numerator: float, denominator: float) -> float:
    """`Grid.below`; NaN where the numbers outgrow doubles."""
    steps = value * denominator / numerator
    whole = np.rint(steps)
    if abs(steps - whole) > _GRID_TOLERANCE + abs(steps) * _FLOAT_NOISE:
        whole = floor(steps)
    if not (abs(steps) < _MANY and abs(whole * numerator) < _EXACT):
        return nan
    return whole * numerator / denominator


@compiled
def nearest(value: float, numerator: float, denominator: float) -> float:
    """`Grid.nearest`; NaN where the numbers outgrow doubles."""
    steps = value * denominator / numerator
    whole = np.rint(steps)
    if not (abs(steps) < _MANY and abs(whole * numerator) < _EXACT):
        return nan
    return whole * numerator / denominator


@inlined
def slipped(rules: NDArray[np.float64], price: float, sign: float) -> float:
    """`PercentSlippage.slip`, `FixedSlippage.slip`, or the price as it is; `sign` is 1.0 for a buy, -1.0 for a sell."""
    rate, amount = rules[SLIP_RATE], rules[SLIP_AMOUNT]
    if rate >= 0.0:
        moved = price * (1.0 + sign * rate)
    elif amount >= 0.0:
        moved = price + sign * amount
        if not moved > 0.0:
            return price
    else:
        return price
    numerator, denominator = rules[TICK_NUMERATOR], rules[TICK_DENOMINATOR]
    if numerator == 0.0:
        return moved
    return max(-sign * below(-sign * moved, numerator, denominator), numerator / denominator)


@compiled
def on_tick(rules: NDArray[np.float64], price: float, sign: float) -> float:
    """Round a price down to its grid where `sign` is 1.0, up where it is -1.0."""
    numerator, denominator = rules[TICK_NUMERATOR], rules[TICK_DENOMINATOR]
    if numerator == 0.0 or isnan(price):
        return price
    return sign * below(sign * price, numerator, denominator)


@inlined
def missing_funds(
    rules: NDArray[np.float64], state: NDArray[np.float64], signed: float, price: float, fee: float, tolerance: float
) -> float:
    """`Portfolio.missing_funds` of an account with one instrument."""
    before, cash, multiplier = state[SIZE], state[CASH], rules[MULTIPLIER]
    after = before + signed
    if rules[IS_SIMPLE] > 0.0 and before >= 0.0 and after >= 0.0:
        if signed <= 0.0:
            return 0.0
        missing = signed * multiplier * price + fee - cash
        return missing if missing > tolerance * abs(cash) else 0.0
    if abs(after) <= abs(before) and after * before >= 0.0:
        return 0.0
    equity, margin = cash - fee, abs(after * multiplier * price) * rules[MARGIN_RATE]
    if before != 0.0:
        if rules[IS_CASH] > 0.0:
            equity += before * multiplier * price
        else:
            equity += before * multiplier * (price - state[AVERAGE])
    missing = margin - equity
    return missing if missing > tolerance * margin else 0.0
