"""Positions in futures: what trades make of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist_simulator.exchange.margin import signed_value
from cambist_simulator.exchange.rounding import fine, nearest

if TYPE_CHECKING:
    from cambist_simulator.exchange.listing import Listing

__all__ = ["Booked", "Holding", "Position"]

_ZERO = Decimal(0)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A position as it stands at the present mark price, for those who ask.

    Attributes
    ----------
    position_side
        ``"long"``, ``"short"``, or ``""`` in one-way mode.
    size
        Contracts, negative for short.
    entry_price, break_even_price
        Average price; the price at which fees are earned as well. Zero without a position.
    value
        At the mark price, in the settlement asset, of the sign of `size`.
    unrealized, realized
        Profit at the mark price; profit booked so far, since the account exists.
    liquidation_price
        Zero where there is none.
    leverage, isolated
        Settings of the user in the symbol.
    isolated_wallet, isolated_margin
        What backs it alone, and that plus its profit; zero in cross margin.
    initial_margin, order_margin, maintenance
        Of the position, of open orders that would add to it, and the least that must be left.
    most_value
        The largest value that the leverage allows; None for any.
    bankruptcy_price
        At which all its backing is used up.
    adl_rank
        How soon it is deleveraged: 0 (last) to 4, by profit and leverage among those of its side.
    """

    user: str
    symbol: str
    position_side: str
    size: Decimal
    entry_price: Decimal
    break_even_price: Decimal
    mark: Decimal
    value: Decimal
    unrealized: Decimal
    realized: Decimal
    liquidation_price: Decimal
    bankruptcy_price: Decimal
    leverage: int
    isolated: bool
    isolated_wallet: Decimal
    isolated_margin: Decimal
    initial_margin: Decimal
    order_margin: Decimal
    maintenance: Decimal
    most_value: Decimal | None
    adl_rank: int
    updated_at: int


class Booked(msgspec.Struct, frozen=True):
    """What a trade did to a holding.

    Attributes
    ----------
    profit
        Realized, rounded as payments are.
    residue
        What rounding left over, so that profit and residue together are exact.
    opened
        Contracts of it that opened or added, not negative.
    share_closed
        Of the holding before, 0 to 1.
    """

    profit: Decimal
    residue: Decimal
    opened: Decimal
    share_closed: Decimal


class Holding(msgspec.Struct, kw_only=True, eq=False):
    """A position as the ledger keeps it; see `cambist_simulator.exchange.margin` for `cost`.

    Attributes
    ----------
    fees
        Paid for what is open now.
    isolated_wallet
        What backs it alone, where it is isolated.
    """

    symbol: str
    position_side: str
    size: Decimal = _ZERO
    cost: Decimal = _ZERO
    fees: Decimal = _ZERO
    realized: Decimal = _ZERO
    isolated_wallet: Decimal = _ZERO
    updated_at: int = 0

    def trade(self, listing: Listing, signed: Decimal, price: Decimal, fee: Decimal) -> Booked:
        """Book a trade of `signed` contracts, negative for sold ones."""
        before = self.size
        closing = _ZERO
        if before and (before > 0) != (signed > 0):
            closing = min(abs(signed), abs(before))
        opened = abs(signed) - closing
        direction = 1 if signed > 0 else -1
        profit = residue = share = _ZERO
        # Rounded as a whole, so that both sides of a trade book the same whatever it does to their positions.
        worth = signed_value(listing, signed, price)
        if closing:
            share = closing / abs(before)
            released = self.cost
            if closing != abs(before):
                released = fine(self.cost * closing / abs(before))
            closed = signed_value(listing, closing * direction, price) if opened else worth
            worth -= closed
            exact = -closed - released
            profit = nearest(exact)
            residue = exact - profit
            self.cost -= released
            self.fees -= self.fees * share
        if opened:
            self.cost += worth
            self.fees += fee * opened / abs(signed)
        self.size = before + signed
        self.realized += profit
        return Booked(profit, residue, opened, share)

    def unrealized(self, listing: Listing, mark: Decimal | None) -> Decimal:
        """Return its profit at a mark price; none before there is one."""
        if mark is None or not self.size:
            return _ZERO
        return signed_value(listing, self.size, mark) - self.cost
