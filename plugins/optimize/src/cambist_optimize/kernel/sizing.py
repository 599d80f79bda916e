"""How large entries are whose signals say no size: the sizers of the engine that ask for nothing but the account."""

from __future__ import annotations

from math import floor, gcd, inf, isfinite, isnan, nan
from typing import TYPE_CHECKING

from cambist import AllIn, FixedSize
from cambist.api import PercentOfCash, PercentOfEquity, Target
from cambist_optimize.kernel.compiling import compiled, inlined
from cambist_optimize.kernel.fills import fee_of
from cambist_optimize.kernel.layout import (
    AMOUNT,
    AVERAGE,
    BUFFER,
    CASH,
    IS_CASH,
    LOT,
    MAX_SIZE,
    MIN_NOTIONAL,
    MIN_SIZE,
    MULTIPLIER,
    SIZE,
    SIZER,
    STEP_DENOMINATOR,
    STEP_NUMERATOR,
)
from cambist_optimize.kernel.prices import below, missing_funds, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cambist import Instrument

    Floats = NDArray[np.float64]

__all__ = ["FROM_SIGNALS", "sized", "sizing_of"]

#: What the amount is: units whatever they cost, a fraction of the cash, of the equity, money, units as far as they are
#: paid for; or all there is.
_UNITS, _OF_CASH, _OF_EQUITY, _MONEY, _PAID_UNITS, _ALL = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
#: The signals say it.
FROM_SIGNALS = (_UNITS, nan, 0.0, 0.0)
#: See `cambist.strategies.sizers.affordable` and `cambist.engine.view`.
_GUESSES, _REACH, _NOISE = 6, 2.0**60, 1e-12


def sizing_of(sizer: object, instrument: Instrument) -> tuple[float, float, float, float] | None:
    """Return a sizer as a row of sizing, see `cambist_optimize.kernel.layout`; None for one that is not known."""
    grid = instrument.size_grid
    lot = float(grid.numerator // gcd(grid.numerator, grid.denominator))
    if type(sizer) is FixedSize:
        units = sizer.units if sizer.tranches == 1 else instrument.round_size(sizer.units / sizer.tranches)
        return _UNITS, float(units), 0.0, 0.0
    if type(sizer) is PercentOfCash:
        return _OF_CASH, float(sizer.fraction), float(sizer.buffer), lot if sizer.whole else 0.0
    if type(sizer) is PercentOfEquity:
        return _OF_EQUITY, float(sizer.fraction), float(sizer.buffer), 0.0
    if type(sizer) is AllIn:
        return _ALL, inf, float(sizer.buffer), lot if sizer.whole else 0.0
    if type(sizer) is Target:
        if sizer.percent is not None:
            return _OF_EQUITY, float(sizer.percent), float(sizer.buffer), 0.0
        kind, amount = (_MONEY, sizer.value) if sizer.units is None else (_PAID_UNITS, sizer.units)
        return kind, float(amount or 0.0), float(sizer.buffer), 0.0
    return None


@inlined
def sized(rules: Floats, state: Floats, sizing: Floats, price: float, sign: float) -> float:
    """Return the size of an entry at a close; NaN where numbers outgrow the loop.

    What is held the other way is being closed, by an order that has not traded yet.
    """
    if sizing[SIZER] == _UNITS:
        return sizing[AMOUNT]
    return _paid(rules, state, sizing, price, sign)


@compiled
def _paid(rules: Floats, state: Floats, sizing: Floats, price: float, sign: float) -> float:
    """`affordable`, of what a sizer asks for."""
    kind, amount = sizing[SIZER], sizing[AMOUNT]
    unit = 1.0 * rules[MULTIPLIER] * price
    most = amount
    if kind != _PAID_UNITS and kind != _ALL:  # noqa: PLR1714 - compiled code
        value = amount
        if kind == _OF_CASH:
            value = state[CASH] * amount
        elif kind == _OF_EQUITY:
            value = _equity(rules, state, price) * amount
        if not value > 0.0:
            return 0.0
        most = value / unit
    most = min(most, rules[MAX_SIZE])
    start = most if most < inf else _equity(rules, state, price) / unit
    size = _tradable(rules, _largest(rules, state, (price, sizing[BUFFER], sign), start, most), price, 0.0)
    return _tradable(rules, size, price, sizing[LOT]) if sizing[LOT] > 0.0 else size


@inlined
def _equity(rules: Floats, state: Floats, price: float) -> float:
    held = state[SIZE]
    if held == 0.0:
        return state[CASH]
    base = 0.0 if rules[IS_CASH] > 0.0 else state[AVERAGE]
    return state[CASH] + held * rules[MULTIPLIER] * (price - base)


@inlined
def _on_step(rules: Floats, size: float) -> float:
    return below(size, rules[STEP_NUMERATOR], rules[STEP_DENOMINATOR])


@inlined
def _nearest(rules: Floats, size: float) -> float:
    return nearest(size, rules[STEP_NUMERATOR], rules[STEP_DENOMINATOR])


@compiled
def _tradable(rules: Floats, size: float, price: float, lot: float) -> float:
    size = _on_step(rules, min(size, rules[MAX_SIZE]))
    if lot > 0.0:
        size = floor(size) // lot * lot
    if size < rules[MIN_SIZE] or size * rules[MULTIPLIER] * price < rules[MIN_NOTIONAL]:
        return 0.0
    return size


@compiled
def _excess(rules: Floats, state: Floats, terms: tuple[float, float, float], size: float) -> float:
    """Return what lacks for a size, at the worse of the two ends between which the price may move."""
    price, buffer, sign = terms
    if buffer == 0.0:
        return _missing(rules, state, sign * size, price)
    up = _missing(rules, state, sign * size, price * (1.0 + buffer))
    return max(up, _missing(rules, state, sign * size, price * (1.0 - buffer)))


@compiled
def _missing(rules: Floats, state: Floats, signed: float, price: float) -> float:
    """`AccountView.missing_to_trade`, with the order that closes what is held."""
    fee, held = fee_of(rules, abs(signed), price, False), state[SIZE]
    missing = missing_funds(rules, state, signed, price, fee, _NOISE)
    if held == 0.0:
        return missing
    reserved = fee_of(rules, abs(held), price, False)
    return max(missing, missing_funds(rules, state, signed - held, price, fee + reserved, _NOISE))


@compiled
def _largest(rules: Floats, state: Floats, terms: tuple[float, float, float], start: float, most: float) -> float:
    """`cambist.strategies.sizers.affordable.largest`."""
    step = rules[STEP_NUMERATOR] / rules[STEP_DENOMINATOR]
    if not (isfinite(start) and start > 0.0 and most > 0.0):
        return 0.0
    start = max(_on_step(rules, start), step)
    ceiling = _on_step(rules, min(most, start * _REACH))
    if isnan(ceiling):  # too far away to be reached before a number outgrows the loop
        ceiling = inf
    if ceiling == 0.0:
        return 0.0
    fits, high = 0.0, min(start, ceiling)
    over = _excess(rules, state, terms, high)
    while not over > 0.0:
        if high >= ceiling:
            return high
        fits, high = high, min(_on_step(rules, 2.0 * high), ceiling)
        if isnan(high) or isnan(over):
            return nan
        over = _excess(rules, state, terms, high)
    slope = (_excess(rules, state, terms, 2.0 * high) - over) / high
    guesses = _GUESSES if slope > 0.0 else 0
    while True:
        apart = max(step, high * 2.0**-50)
        if high - fits < 1.5 * apart:
            return fits
        size = _on_step(rules, high - over / slope if guesses > 0 else (fits + high) / 2.0)
        guesses -= 1
        low_end, high_end = _nearest(rules, fits + apart), _nearest(rules, high - apart)
        if isnan(size) or isnan(low_end) or isnan(high_end):
            return nan
        size = min(max(size, low_end), high_end)
        now = _excess(rules, state, terms, size)
        if now > 0.0:
            high, over = size, now
        else:
            fits = size
