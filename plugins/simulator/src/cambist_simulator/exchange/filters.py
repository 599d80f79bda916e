"""The rules of a listing that an order's numbers must keep; a refusal names the filter and the rule in it.

``details["filter"]`` is one of ``price``, ``lot_size``, ``market_lot_size``, ``notional``, ``percent_price``,
``max_orders``, ``max_conditional_orders``, ``iceberg_parts``, ``trailing_delta``, ``max_position`` and ``max_amends``;
``details["rule"]`` is ``min``, ``max``, ``step``, ``up`` or ``down``, and ``details["value"]`` what broke it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from cambist.model import Side
from cambist_simulator.exchange.errors import RefusedError, Why

if TYPE_CHECKING:
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.orders import OrderTerms

__all__ = ["MOST", "check_band", "check_iceberg", "check_lot", "check_notional", "check_price", "check_trail", "refuse"]

#: No number of an order is larger: decimals of 28 digits stay exact below.
MOST = Decimal(10) ** 15
_ZERO, _BUY = Decimal(0), Side.BUY


def refuse(which: str, rule: str, value: object, **details: object) -> NoReturn:
    """Raise what a broken filter raises."""
    raise RefusedError(Why.FILTER, f"{which}: {value} breaks {rule}", filter=which, rule=rule, value=value, **details)


def check_price(listing: Listing, price: Decimal, field: str = "price") -> None:
    """Check a limit or stop price against range and tick."""
    if not _ZERO < price < MOST:
        refuse("price", "min" if price <= 0 else "max", price, field=field)
    if listing.min_price is not None and price < listing.min_price:
        refuse("price", "min", price, field=field)
    if listing.max_price is not None and price > listing.max_price:
        refuse("price", "max", price, field=field)
    if price % listing.tick_size:
        refuse("price", "step", price, field=field)


def check_lot(listing: Listing, size: Decimal, *, market: bool) -> None:
    """Check a size; market orders have limits of their own on top."""
    _check_size("lot_size", size, listing.min_size, listing.max_size or MOST, listing.step_size)
    if market:
        step = listing.market_step_size or listing.step_size
        _check_size("market_lot_size", size, listing.market_min_size or _ZERO, listing.market_max_size or MOST, step)


def _check_size(which: str, size: Decimal, least: Decimal, most: Decimal, step: Decimal) -> None:
    if size <= 0 or size < least:
        refuse(which, "min", size)
    if size > most:
        refuse(which, "max", size)
    if size % step:
        refuse(which, "step", size)


def check_notional(listing: Listing, value: Decimal, *, market: bool) -> None:
    """Check price x size in quote money."""
    if market and not listing.notional_at_market:
        return
    if listing.min_notional is not None and value < listing.min_notional:
        refuse("notional", "min", value)
    if value > (listing.max_notional or MOST):
        refuse("notional", "max", value)


def check_band(listing: Listing, side: Side, price: Decimal, reference: Decimal | None) -> None:
    """Check how far a limit price is from the last (or mark) price; nothing to check before there is one."""
    if reference is None:
        return
    which = 0 if side is _BUY else 1
    up, down = listing.up_multiplier, listing.down_multiplier
    if up is not None and price > reference * up[which]:
        refuse("percent_price", "up", price)
    if down is not None and price < reference * down[which]:
        refuse("percent_price", "down", price)


def check_trail(listing: Listing, terms: OrderTerms) -> None:
    """Check the distance of a trailing stop."""
    if terms.trail is None:
        return
    if not _ZERO < terms.trail < 1:
        refuse("trailing_delta", "min" if terms.trail <= 0 else "max", terms.trail)
    if listing.trailing_range is not None:
        least, most = listing.trailing_range
        if terms.trail < least:
            refuse("trailing_delta", "min", terms.trail)
        if terms.trail > most:
            refuse("trailing_delta", "max", terms.trail)


def check_iceberg(listing: Listing, size: Decimal, display: Decimal) -> None:
    """Check the visible slice of an iceberg, and into how many of them it falls."""
    if not _ZERO < display <= size:
        refuse("iceberg_parts", "min" if display <= 0 else "max", display)
    if display % listing.step_size:
        refuse("lot_size", "step", display)
    if listing.max_iceberg_parts is not None and -(-size // display) > listing.max_iceberg_parts:
        refuse("iceberg_parts", "max", display)
