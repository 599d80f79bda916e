"""When an order acts, and how a trailing stop follows the price: pure functions of terms and prices.

The simulated venue asks them along its path through a bar, the emulator at each price of a live venue that knows
market and limit orders alone.
"""

from __future__ import annotations

from math import inf, isnan, nextafter
from typing import TYPE_CHECKING

from cambist.model.orders import LIMITED, TOUCHED, OrderType, Side

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order, Trail

__all__ = ["first_stop", "is_reached", "level", "trailed"]

_T = OrderType
_SELL = Side.SELL


def level(order: Order, triggered: bool, *, fill_on_touch: bool = True) -> tuple[float, bool]:
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
    if kind is _T.LIMIT or (triggered and kind in LIMITED):
        limit = order.limit_price
        return (limit if fill_on_touch else nextafter(limit, 0.0 if buys else inf)), buys
    if kind is _T.MARKET or triggered:
        return inf, True
    if kind is _T.MARKET_ON_CLOSE:
        return -inf, True
    return order.stop_price, buys if kind in TOUCHED else not buys


def is_reached(price: float, at: float, falling: bool) -> bool:
    """Tell whether an order that acts at `at` does so where the market stands at `price`."""
    return price <= at if falling else price >= at


def first_stop(order_side: Side, trail: Trail, instrument: Instrument, price: float) -> tuple[float, float]:
    """Return the stop and the limit (NaN without one) of a trailing order that begins to follow at `price`."""
    return _behind(order_side, trail, instrument, price)


def trailed(order: Order, price: float) -> tuple[float, float] | None:
    """Return the new stop and limit of a trailing order after the market stood at `price`.

    A stop never moves away from the market: it goes up under a sell order, down over a buy order.

    Returns
    -------
    tuple or None
        None where nothing changes.
    """
    trail = order.trail
    if trail is None:
        return None
    stop, limit = _behind(order.side, trail, order.instrument, price)
    before = order.stop_price
    if not isnan(before) and (stop <= before if order.side is _SELL else stop >= before):
        return None
    return stop, limit


def _behind(side: Side, trail: Trail, instrument: Instrument, price: float) -> tuple[float, float]:
    """Return stop and limit at their distance from `price`, on the tick and never nearer than asked."""
    distance = price * trail.percent if isnan(trail.amount) else trail.amount
    sells = side is _SELL
    grid = instrument.price_grid
    stop = price - distance if sells else price + distance
    if grid is not None:
        stop = grid.below(stop) if sells else grid.above(stop)
    limit = stop - trail.limit_offset if sells else stop + trail.limit_offset
    if grid is not None and not isnan(limit):
        limit = grid.below(limit) if sells else grid.above(limit)
    return stop, limit
