"""What an exchange tells those who listen to it, in the order in which it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist.model import Side
    from cambist_simulator.exchange.orders import Execution, ExecutionType, OrderList, VenueOrder

__all__ = [
    "BalanceChanged",
    "BookChanged",
    "ConfigChanged",
    "ExchangeEvent",
    "ListChanged",
    "MarginCalled",
    "MarkChanged",
    "OrderChanged",
    "PositionChanged",
    "StatusChanged",
    "Traded",
]


class ExchangeEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened; `at` is ns, market time."""

    at: int


class OrderChanged(ExchangeEvent, frozen=True, kw_only=True):
    """Something happened to a user's order.

    Attributes
    ----------
    order
        A copy, as it stands right after; later changes do not show in it.
    what
        What happened.
    execution
        For TRADE and CALCULATED.
    reason
        A stable word for an order that was ended or refused; see `VenueOrder`.
    """

    order: VenueOrder
    what: ExecutionType
    execution: Execution | None = None
    reason: str = ""


class ListChanged(ExchangeEvent, frozen=True, kw_only=True):
    """A list of orders has another status; `list` is a copy."""

    list: OrderList


class BalanceChanged(ExchangeEvent, frozen=True, kw_only=True):
    """Balances of a user changed.

    Attributes
    ----------
    user
        A `User.id`.
    reason
        ``"order"``, ``"trade"``, ``"funding"``, ``"deposit"``, ``"withdrawal"``, ``"transfer"``, ``"liquidation"`` ...
    balances
        By asset: what is free and locked on spot; wallet balance and cross wallet balance on futures.
    changes
        By asset: by how much the sum (spot) or wallet (futures) changed, fees included.
    """

    user: str
    reason: str
    balances: dict[str, tuple[Decimal, Decimal]]
    changes: dict[str, Decimal]


class PositionChanged(ExchangeEvent, frozen=True, kw_only=True):
    """A futures position of a user changed; numbers as in `cambist_simulator.exchange.positions.Position`.

    Attributes
    ----------
    position_side
        ``"long"``, ``"short"``, or ``""`` in one-way mode.
    size
        Contracts, negative for short.
    """

    user: str
    reason: str
    symbol: str
    position_side: str
    size: Decimal
    entry_price: Decimal
    break_even_price: Decimal
    unrealized: Decimal
    realized: Decimal
    isolated_wallet: Decimal
    isolated: bool


class ConfigChanged(ExchangeEvent, frozen=True, kw_only=True):
    """A user's leverage in a symbol, or another setting of the account, changed."""

    user: str
    symbol: str = ""
    leverage: int | None = None
    multi_assets: bool | None = None


class MarginCalled(ExchangeEvent, frozen=True, kw_only=True):
    """A position is close to its liquidation."""

    user: str
    symbol: str
    position_side: str
    size: Decimal
    mark_price: Decimal
    unrealized: Decimal
    maintenance: Decimal
    wallet: Decimal
    isolated: bool


class Traded(ExchangeEvent, frozen=True, kw_only=True):
    """A trade took place in the public market.

    Attributes
    ----------
    id
        Counts the trades of the symbol.
    side
        Of the taker.
    """

    symbol: str
    id: int
    price: Decimal
    size: Decimal
    side: Side
    buy_order_id: int = 0
    sell_order_id: int = 0


class BookChanged(ExchangeEvent, frozen=True, kw_only=True):
    """Displayed sizes changed.

    Attributes
    ----------
    first_id, last_id, previous_id
        Numbers of the changes; `previous_id` is the `last_id` of the event before.
    bids, asks
        Changed levels with what is displayed there now; size zero where nothing is left.
    """

    symbol: str
    first_id: int
    last_id: int
    previous_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


class MarkChanged(ExchangeEvent, frozen=True, kw_only=True):
    """Mark and index price, and the funding to come, of a futures symbol."""

    symbol: str
    mark: Decimal
    index: Decimal
    funding_rate: Decimal
    next_funding: int


class StatusChanged(ExchangeEvent, frozen=True, kw_only=True):
    """A symbol is halted, resumed, or has new rules; `status` as in `Listing.status`."""

    symbol: str
    status: str
