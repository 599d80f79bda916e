"""What a size at a price is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist_simulator.exchange.listing import Listing

__all__ = ["Contract"]


class Contract:
    """Values sizes of a listing.

    Parameters
    ----------
    listing
        With its contract size.
    inverse
        Whether a contract is an amount of quote money, settled in coin: then its value is one of coin.
    """

    __slots__ = ("_inverse", "_size")

    def __init__(self, listing: Listing, *, inverse: bool) -> None:
        self._inverse = inverse
        self._size = None if listing.contract_size == 1 and not inverse else listing.contract_size

    def value(self, price: Decimal, size: Decimal) -> Decimal:
        """Return quote money (spot, linear) or coin (inverse)."""
        if self._size is None:
            return price * size
        return self._size * size / price if self._inverse else self._size * size * price
