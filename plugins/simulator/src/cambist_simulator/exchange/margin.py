"""The arithmetic of futures margin: values, tiers, and the price at which it is used up. No state.

A contract settled in quote money (linear) is worth size x contract size x price; one settled in coin (inverse) is
worth size x contract size / price. Counting in ``x``, which is the price or one over it, both are linear: a buy is
signed ``+value`` or ``-value``, a position's `cost` is the sum of the signed values that opened it, its profit the
signed value now minus that cost.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist_simulator.exchange.rounding import fine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist_simulator.exchange.listing import Bracket, Listing

__all__ = [
    "Leg",
    "entry_price",
    "is_inverse",
    "liquidation_price",
    "maintenance",
    "most_at_leverage",
    "signed_value",
    "tier",
    "value",
    "zero_price",
]

_ZERO, _ONE = Decimal(0), Decimal(1)
#: (signed size, cost, tiers) of a position for `liquidation_price`.
Leg = tuple[Decimal, Decimal, "Sequence[Bracket]"]


def is_inverse(listing: Listing) -> bool:
    """Tell whether contracts are settled in coin."""
    return listing.settle == listing.base


def value(listing: Listing, size: Decimal, price: Decimal) -> Decimal:
    """Return what so many contracts are worth at a price, in the settlement asset; of the sign of `size`."""
    if is_inverse(listing):
        return fine(size * listing.contract_size / price)
    return size * listing.contract_size * price


def signed_value(listing: Listing, size: Decimal, price: Decimal) -> Decimal:
    """Return what a position gains by (negative: loses by) being worth what it is at a price.

    Parameters
    ----------
    size
        Contracts, negative for short.
    """
    worth = value(listing, size, price)
    return -worth if is_inverse(listing) else worth


def entry_price(listing: Listing, size: Decimal, cost: Decimal) -> Decimal:
    """Return the average price of a position, 0 where there is none."""
    if not size or not cost:
        return _ZERO
    contracts = abs(size) * listing.contract_size
    return contracts / abs(cost) if is_inverse(listing) else abs(cost) / contracts


def tier(brackets: Sequence[Bracket], worth: Decimal) -> Bracket | None:
    """Return the tier of a position of that value; the last one above all; None where there are no tiers."""
    for bracket in brackets:
        if worth <= bracket.cap:
            return bracket
    return brackets[-1] if brackets else None


def maintenance(brackets: Sequence[Bracket], worth: Decimal) -> Decimal:
    """Return the maintenance margin of a position of that value (not negative): value x rate - maintenance amount."""
    bracket = tier(brackets, worth)
    return _ZERO if bracket is None else max(worth * bracket.maintenance_rate - bracket.cumulative, _ZERO)


def most_at_leverage(brackets: Sequence[Bracket], leverage: int) -> Decimal | None:
    """Return the largest value of a position that a leverage allows; None where there is no limit."""
    if not brackets:
        return None
    return max((one.cap for one in brackets if one.max_leverage >= leverage), default=_ZERO)


def liquidation_price(listing: Listing, legs: Sequence[Leg], backing: Decimal) -> Decimal:
    """Return the price at which margin has fallen to the maintenance margin; 0 where there is none.

    Parameters
    ----------
    legs
        The position, or the long and the short one of a hedged account in cross margin.
    backing
        Wallet balance less the maintenance margin of all other positions, plus their profit; of an isolated position
        its own wallet.

    Notes
    -----
    Binance, "How to Calculate Liquidation Price of USD-M (COIN-M) Futures Contracts"; with the tiers that hold at the
    price itself.
    """
    sign = -_ONE if is_inverse(listing) else _ONE
    tiers = [tier(brackets, abs(cost)) for _, cost, brackets in legs]
    x = _ZERO
    for _ in range(64):
        above, below = backing, _ZERO
        for (size, cost, _), bracket in zip(legs, tiers, strict=True):
            rate, cumulative = (bracket.maintenance_rate, bracket.cumulative) if bracket is not None else (_ZERO, _ZERO)
            above += cumulative - cost
            below += abs(size) * rate - sign * size
        if not below:
            return _ZERO
        x = above / (below * listing.contract_size)
        if x <= 0:
            return _ZERO
        now = [tier(brackets, abs(size) * listing.contract_size * x) for size, _, brackets in legs]
        if now == tiers:
            break
        tiers = now
    return 1 / x if is_inverse(listing) else x


def zero_price(listing: Listing, size: Decimal, cost: Decimal, backing: Decimal) -> Decimal:
    """Return the price at which a position has used up all its backing (bankruptcy price); 0 where there is none."""
    sign = -_ONE if is_inverse(listing) else _ONE
    x = (cost - backing) / (sign * size * listing.contract_size)
    if x <= 0:
        return _ZERO
    return 1 / x if is_inverse(listing) else x
