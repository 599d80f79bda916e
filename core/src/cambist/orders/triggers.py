"""When an order acts, and how a trailing stop follows the price: pure functions of terms and prices.

The simulated venue asks them along its path through a bar, the emulator at each price of a live venue that knows
market and limit orders alone.
"""

from __future__ import annotations

from math import inf, isnan, nan, nextafter
from typing import TYPE_CHECKING

from cambist.model.orders import LIMITED, TOUCHED, OrderType, Side

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order, Trail

__all__ = ["first_stop", "is_reached", "level", "limit_behind", "trailed"]

_MARKET, _LIMIT, _ON_CLOSE = OrderType.MARKET, OrderType.LIMIT, OrderType.MARKET_ON_CLOSE
_SELL = Side.SELL


def level(order: Order, triggered: bool, fill_on_touch: bool = True) -> tuple[float, bool]:
    """Return the price at which an order acts, and whether it acts when the price falls to it.

    Parameters
    ----------
    order
        Its terms.
    triggered
        Whether its stop was reached.
    fill_on_touch
        Whether a limit acts when the price only touches it. If not, the level lies a hair beyond the limit.

    Returns
    -------
    tuple
        Infinite for what acts at any price, minus infinite for what acts at none.
    """
    kind = order.type
    buys = order.side is not _SELL
    if kind is _LIMIT or (triggered and kind in LIMITED):
        limit = order.limit_price
        return (limit if fill_on_touch else nextafter(limit, 0.0 if buys else inf)), buys
    if kind is _MARKET or triggered:
        return inf, True
    if kind is _ON_CLOSE:
        return -inf, True
    return order.stop_price, buys if kind in TOUCHED else not buys


def is_reached(price: float, at: float, falling: bool) -> bool:
    """Tell whether an order that acts at `at` does so where the market stands at `price`."""
    return price <= at if falling else price >= at


def first_stop(side: Side, trail: Trail, instrument: Instrument, price: float) -> float:
    """Return the stop of a trailing order that begins to follow at `price`, on the tick and never nearer than asked."""
    distance = price * trail.percent if isnan(trail.amount) else trail.amount
    grid = instrument.price_grid
    if side is _SELL:
        return price - distance if grid is None else grid.below(price - distance)
    return price + distance if grid is None else grid.above(price + distance)


def limit_behind(side: Side, trail: Trail, instrument: Instrument, stop: float) -> float:
    """Return the limit of a trailing order whose stop is at `stop`; NaN where it has none."""
    if isnan(trail.limit_offset):
        return nan
    grid = instrument.price_grid
    if side is _SELL:
        return stop - trail.limit_offset if grid is None else grid.below(stop - trail.limit_offset)
    return stop + trail.limit_offset if grid is None else grid.above(stop + trail.limit_offset)


def trailed(order: Order, price: float) -> tuple[float, float] | None:
    """Return the new stop and limit of a trailing order after the market stood at `price`.

    A stop never moves away from the market: it goes up under a sell order, down over a buy order.

    Returns
    -------
    tuple or None
        None where nothing changes.
    """
    trail, before = order.trail, order.stop_price
    if trail is None:
        return None
    stop = first_stop(order.side, trail, order.instrument, price)
    if stop <= before if order.side is _SELL else stop >= before:  # never where it has not begun
        return None
    return stop, limit_behind(order.side, trail, order.instrument, stop)
