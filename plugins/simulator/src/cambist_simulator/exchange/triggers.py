"""Orders that wait for a price, and which of them a price sets off."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.model import OrderType, Side
from cambist_simulator.exchange.orders import PriceSource

if TYPE_CHECKING:
    from cambist_simulator.exchange.orders import OrderTerms, VenueOrder

__all__ = ["Triggers", "is_conditional", "is_trailing", "rises"]

_BUY, _SELL = Side.BUY, Side.SELL
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_TOUCHED = frozenset({OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})
_TRAILING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_CONDITIONAL = _STOPS | _TOUCHED | _TRAILING


def is_conditional(terms: OrderTerms) -> bool:
    """Tell whether an order waits for a price."""
    return terms.type in _CONDITIONAL


def is_trailing(terms: OrderTerms) -> bool:
    """Tell whether its stop follows the price; other conditional types do so where they have a `trail`."""
    return terms.type in _TRAILING or (terms.trail is not None and terms.type in _CONDITIONAL)


def rises(terms: OrderTerms) -> bool:
    """Tell whether an order with a fixed stop is set off by a price at or above it, else by one at or below."""
    return (terms.type in _STOPS) == (terms.side is _BUY)


class _Trail(msgspec.Struct, eq=False):
    """A trailing stop.

    Attributes
    ----------
    activation
        Price from which it follows; None once it does.
    from_below
        Whether the price must rise to get there.
    extreme
        Best price since it follows.
    """

    order: VenueOrder
    activation: Decimal | None
    from_below: bool
    extreme: Decimal


class _Waiting:
    """The waiting orders of one symbol by one kind of price."""

    def __init__(self) -> None:
        # (stop price, order id), ascending.
        self.rising: list[tuple[Decimal, int]] = []
        self.falling: list[tuple[Decimal, int]] = []
        self.trailing: dict[int, _Trail] = {}

    def due(self, price: Decimal) -> list[int]:
        """Take out the orders that a price sets off: the nearest stops first, then trailing ones by age."""
        found: list[int] = []
        if self.rising and self.rising[0][0] <= price:
            count = bisect_right(self.rising, price, key=_stop)
            found += [order_id for _, order_id in self.rising[:count]]
            del self.rising[:count]
        if self.falling and self.falling[-1][0] >= price:
            first = bisect_left(self.falling, price, key=_stop)
            found += [order_id for _, order_id in sorted(self.falling[first:], key=_farthest_down)]
            del self.falling[first:]
        if self.trailing:
            gone = [order_id for order_id, trail in self.trailing.items() if _follow(trail, price)]
            for order_id in gone:
                del self.trailing[order_id]
            found += gone
        return found


class Triggers:
    """All waiting orders of an exchange."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, PriceSource], _Waiting] = {}

    def add(self, order: VenueOrder, price: Decimal | None, tick: Decimal) -> None:
        """Let an order wait; `price` is what its kind of price is now, None where there is none yet."""
        waiting = self._waiting.setdefault((order.terms.symbol, order.terms.trigger), _Waiting())
        terms = order.terms
        if not is_trailing(terms):
            assert order.stop_price is not None
            insort(waiting.rising if rises(terms) else waiting.falling, (order.stop_price, order.id))
            return
        activation = terms.stop_price
        if activation is None and price is None:
            # The first price there is begins it.
            trail = _Trail(order, Decimal(0), True, Decimal(0))
        else:
            trail = _Trail(order, activation, price is None or (activation or price) > price, price or Decimal(0))
        waiting.trailing[order.id] = trail
        if trail.activation is None:
            order.stop_price = _stop_of(trail, tick)

    def remove(self, order: VenueOrder) -> None:
        """Let an order wait no longer."""
        waiting = self._waiting.get((order.terms.symbol, order.terms.trigger))
        if waiting is None:
            return
        if waiting.trailing.pop(order.id, None) is None and order.stop_price is not None:
            side = waiting.rising if rises(order.terms) else waiting.falling
            at = bisect_left(side, (order.stop_price, order.id))
            if at < len(side) and side[at][1] == order.id:
                del side[at]

    def between(self, symbol: str, low: Decimal, high: Decimal) -> list[Decimal]:
        """Return the trade prices between two, neither included, at which an order waits to be set off."""
        waiting = self._waiting.get((symbol, PriceSource.LAST))
        if waiting is None:
            return []
        stops = [stop for stop, _ in (*waiting.rising, *waiting.falling)]
        following = (one.order.stop_price for one in waiting.trailing.values() if one.activation is None)
        stops += [stop for stop in following if stop is not None]
        return [stop for stop in stops if low < stop < high]

    def due(self, symbol: str, source: PriceSource, price: Decimal, tick: Decimal) -> list[int]:
        """Take out the orders that a price sets off."""
        waiting = self._waiting.get((symbol, source))
        if waiting is None:
            return []
        found = waiting.due(price)
        for trail in waiting.trailing.values():
            if trail.activation is None:
                trail.order.stop_price = _stop_of(trail, tick)
        return found


def _follow(trail: _Trail, price: Decimal) -> bool:
    """Let a trailing stop follow a price; tell whether it is set off."""
    if trail.activation is not None:
        if price < trail.activation if trail.from_below else price > trail.activation:
            return False
        trail.activation, trail.extreme = None, price
        return False
    terms = trail.order.terms
    assert terms.trail is not None
    if terms.side is _SELL:
        trail.extreme = max(trail.extreme, price)
        return price <= trail.extreme * (1 - terms.trail)
    trail.extreme = min(trail.extreme, price)
    return price >= trail.extreme * (1 + terms.trail)


def _stop_of(trail: _Trail, tick: Decimal) -> Decimal:
    terms = trail.order.terms
    assert terms.trail is not None
    exact = trail.extreme * (1 - terms.trail if terms.side is _SELL else 1 + terms.trail)
    return int(exact / tick) * tick


def _stop(waiting: tuple[Decimal, int]) -> Decimal:
    return waiting[0]


def _farthest_down(waiting: tuple[Decimal, int]) -> tuple[Decimal, int]:
    return -waiting[0], waiting[1]
