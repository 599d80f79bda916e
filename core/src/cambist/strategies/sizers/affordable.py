"""The largest size that an account can pay for, and the smallest that an instrument takes."""

from __future__ import annotations

from math import floor, gcd, inf, isfinite
from typing import TYPE_CHECKING

from cambist.model.orders import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.instrument import Instrument
    from cambist.strategies.desk import TradingDesk

__all__ = ["CUSHION", "affordable", "largest", "reference_price", "tradable", "value_size"]

#: How far, as a fraction, the price may move before the fill by default.
CUSHION = 0.01
_BUY = Side.BUY
#: Guesses on a straight line before the search halves: fees bend it, if at all, a little.
_GUESSES = 6
#: How many times the size looked at first is looked at last: where a rebate pays for everything, nothing else ends it.
_REACH = 2.0**60


def reference_price(desk: TradingDesk, instrument: Instrument, price: float) -> float:
    """Return the price to reckon with: the order's own, else the last close; NaN before the first."""
    return price if price == price else desk.price(instrument)  # noqa: PLR0124 - NaN


def value_size(
    desk: TradingDesk, instrument: Instrument, side: Side, value: float, price: float, buffer: float
) -> float:
    """Return the size worth `value` at `price`, or the largest that can be paid for; 0 without a price."""
    price = reference_price(desk, instrument, price)
    unit = instrument.notional(1.0, price) if price > 0.0 else 0.0
    if not (unit > 0.0 and value > 0.0):
        return 0.0
    return affordable(desk, instrument, side, price, buffer, most=value / unit)


def affordable(
    desk: TradingDesk, instrument: Instrument, side: Side, price: float, buffer: float, *, most: float = inf
) -> float:
    """Return the largest size, up to `most`, that is paid for, fees included.

    Parameters
    ----------
    price
        What the order is reckoned at, above zero; see `reference_price`.
    buffer
        The fill may be anywhere from ``price * (1 - buffer)`` to ``price * (1 + buffer)``. What must be paid is
        highest at one of the two: a long position held on credit loses when the price falls.

    Returns
    -------
    float
        On the instrument's step and within its bounds; 0 where nothing can be bought.
    """
    prices = (price * (1.0 + buffer), price * (1.0 - buffer)) if buffer else (price,)
    sign = 1.0 if side is _BUY else -1.0

    def missing(size: float) -> float:
        return max(desk.missing_funds(instrument, sign * size, at, buffer) for at in prices)

    if instrument.max_size is not None:
        most = min(most, float(instrument.max_size))
    start = most if most < inf else desk.equity_in(instrument) / instrument.notional(1.0, price)
    return tradable(instrument, largest(instrument, missing, start, most), price)


def largest(instrument: Instrument, excess: Callable[[float], float], start: float, most: float = inf) -> float:
    """Return the largest size on the grid, up to `most`, at which `excess` is not above zero.

    Parameters
    ----------
    excess
        Answers by how much a size is too large: 0 or less where it is not, and from there on growing with the size.
    start
        Where to look first.
    """
    grid, step = instrument.size_grid, float(instrument.step_size)
    if not (isfinite(start) and start > 0.0 and most > 0.0):
        return 0.0
    start = max(grid.below(start), step)
    ceiling = grid.below(min(most, start * _REACH))
    if ceiling == 0.0:
        return 0.0
    fits, high = 0.0, min(start, ceiling)
    over = excess(high)
    while not over > 0.0:
        if high >= ceiling:
            return high
        fits, high = high, min(grid.below(2.0 * high), ceiling)
        over = excess(high)
    # Beyond what fits, the excess is all but straight: two points of it point at the last size that does.
    slope = (excess(2.0 * high) - over) / high
    guesses = _GUESSES if slope > 0.0 else 0
    while True:
        apart = max(step, high * 2.0**-50)  # no step is finer than doubles are
        if high - fits < 1.5 * apart:
            return fits
        size = grid.below(high - over / slope if guesses > 0 else (fits + high) / 2.0)
        guesses -= 1
        size = min(max(size, grid.nearest(fits + apart)), grid.nearest(high - apart))
        now = excess(size)
        if now > 0.0:
            high, over = size, now
        else:
            fits = size


def tradable(instrument: Instrument, size: float, price: float, *, whole: bool = False) -> float:
    """Return `size` on the instrument's step and not above its largest; 0 where it is too small to be an order.

    Parameters
    ----------
    whole
        Round down to whole units, whatever the step is.
    """
    if instrument.max_size is not None:
        size = min(size, float(instrument.max_size))
    size = instrument.round_size(size)
    if whole:
        grid = instrument.size_grid
        lot = grid.numerator // gcd(grid.numerator, grid.denominator)  # on a step of 0.3, every third unit
        size = float(floor(size) // lot * lot)
    if instrument.min_size is not None and size < float(instrument.min_size):
        return 0.0
    if instrument.min_notional is not None and instrument.notional(size, price) < float(instrument.min_notional):
        return 0.0
    return size
