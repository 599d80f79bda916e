"""What users ask of an exchange, and the orders and executions that it keeps; no wire format, exact decimals."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from cambist.model import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from cambist.simulation import SelfTrade

__all__ = [
    "OPEN",
    "AmendTerms",
    "Execution",
    "ExecutionType",
    "ListTerms",
    "OrderList",
    "OrderTerms",
    "PriceSource",
    "Status",
    "VenueOrder",
]

_ZERO = Decimal(0)


class Status(StrEnum):
    """Where an order stands."""

    #: Waits for another order of its list.
    PENDING = "pending"
    #: In the book, or waits for its trigger.
    NEW = "new"
    #: Its trigger was reached, and another order (`VenueOrder.child_id`) works in its place.
    TRIGGERED = "triggered"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    #: Ended by the venue's rules: unfilled IOC, FOK or market size, good-till-date, post-only that would take.
    EXPIRED = "expired"
    #: Ended since it would have traded with its owner's own.
    EXPIRED_IN_MATCH = "expired_in_match"


OPEN = frozenset({Status.PENDING, Status.NEW, Status.PARTIALLY_FILLED})


class ExecutionType(StrEnum):
    """What has just happened to an order."""

    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    REPLACED = "replaced"
    REJECTED = "rejected"
    EXPIRED = "expired"
    TRIGGERED = "triggered"
    #: Size was taken off since it would have traded with its owner's own.
    TRADE_PREVENTION = "trade_prevention"
    #: A liquidation or auto-deleveraging by the venue.
    CALCULATED = "calculated"


class PriceSource(StrEnum):
    """The price that a trigger follows."""

    LAST = "last"
    MARK = "mark"


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A new order, as a user asks for it.

    Attributes
    ----------
    symbol
        As the venue names it.
    type
        MARKET, LIMIT, the four that wait for `stop_price` (STOP, STOP_LIMIT, MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED), or
        TRAILING_STOP and TRAILING_STOP_LIMIT.
    size
        In base units (spot), or contracts; None where `quote_size` or `close_position` says how much.
    quote_size
        Quote money to spend or to earn, for a market order on spot.
    price
        Limit.
    stop_price
        Trigger; of a trailing order the price at which it begins to follow, None for at once.
    trail
        Distance of a trailing stop, as a share of the price (0.01 is 1 %).
    trigger
        The price that `stop_price` is compared with.
    time_in_force, expires_at
        `expires_at` in ns, market time, for GTD.
    reduce_only, close_position
        Of futures.
    position_side
        ``"long"`` or ``"short"`` in hedge mode; ``""`` in one-way mode.
    display
        Size shown of an iceberg; None for all of it.
    client_id
        The user's name of it; ``""`` lets the exchange make one.
    """

    symbol: str
    side: Side
    type: OrderType
    size: Decimal | None = None
    quote_size: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    trigger: PriceSource = PriceSource.LAST
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: int = 0
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    position_side: str = ""
    display: Decimal | None = None
    self_trade: SelfTrade | None = None
    client_id: str = ""
    strategy_id: int | None = None
    strategy_type: int | None = None


class ListTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that belong together.

    Attributes
    ----------
    kind
        ``"oco"`` (two legs, one cancels the other), ``"oto"`` (a working order, then one pending) or ``"otoco"`` (a
        working order, then two pending ones).
    orders
        The working order or the legs first, the pending ones after.
    """

    kind: str
    symbol: str
    orders: tuple[OrderTerms, ...]
    client_id: str = ""


class AmendTerms(msgspec.Struct, frozen=True, kw_only=True):
    """New terms of a working order.

    Attributes
    ----------
    size, price
        The new ones; None keeps what is.
    keep_place
        Whether the order may only shrink and keeps its place in the line.
    client_id
        The new name of the order; ``""`` keeps its own.
    """

    size: Decimal | None = None
    price: Decimal | None = None
    keep_place: bool = False
    client_id: str = ""


class Execution(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade of an order; the other side is an execution of its own.

    Attributes
    ----------
    trade_id
        Counts the trades of the symbol; both sides share it.
    size, price, quote
        Base units or contracts, the price, and the money of it (size x price; contracts x contract size / price of an
        inverse contract).
    fee, fee_asset
        Paid where above zero.
    profit
        Realized by it, in the settlement asset; zero on spot.
    at
        ns, market time.
    """

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    size: Decimal
    price: Decimal
    quote: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    at: int
    profit: Decimal = _ZERO
    position_side: str = ""


class VenueOrder(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """An order as the exchange keeps it; the exchange writes it, everybody else reads or copies.

    Attributes
    ----------
    id
        Counts the orders of the exchange.
    user
        Whose; a `User.id`.
    terms
        As asked for, with what the exchange filled in (client id, size of a quote-sized order).
    status, reason
        `reason` is a stable word where the exchange ended or refused it: ``"post_only"``, ``"unfilled"``,
        ``"self_trade"``, ``"insufficient_funds"``, ``"liquidation"``, ``"maintenance"`` ...
    size, price, stop_price
        As amended; `stop_price` as trailed.
    filled, quote_filled, price_filled, prevented
        Base units or contracts; money; the sum of price x size; what self-trade prevention took off.
    conditional
        Whether it waits (or waited) for a trigger as an order of its own kind.
    child_id, parent_id
        Of the order that works in place of a triggered one, and of the one it was; 0 where there is none.
    assumed_price
        What its margin is reckoned with, on futures.
    system
        ``"liquidation"``, ``"adl"`` or ``"settlement"`` for an order that the venue itself made.
    created_at, updated_at, working_at
        ns, market time; `working_at` is -1 until it works.
    cancel_client_id
        The name that the last request to cancel it went by.
    list_id
        -1 where it belongs to none.
    shares_hold
        Whether the money for it is locked together with that for the other leg of its list.
    """

    id: int
    user: str
    terms: OrderTerms
    status: Status
    size: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    filled: Decimal = _ZERO
    quote_filled: Decimal = _ZERO
    price_filled: Decimal = _ZERO
    prevented: Decimal = _ZERO
    reason: str = ""
    triggered: bool = False
    conditional: bool = False
    child_id: int = 0
    parent_id: int = 0
    assumed_price: Decimal = _ZERO
    system: str = ""
    created_at: int = 0
    updated_at: int = 0
    working_at: int = -1
    client_id: str = ""
    cancel_client_id: str = ""
    list_id: int = -1
    shares_hold: bool = False
    amends: int = 0
    executions: list[Execution] = []

    @property
    def open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN

    @property
    def left(self) -> Decimal:
        """What may still trade."""
        return self.size - self.filled - self.prevented

    @property
    def average_price(self) -> Decimal:
        """Of all executions, by size; zero before the first."""
        return self.price_filled / self.filled if self.filled else _ZERO


class OrderList(msgspec.Struct, kw_only=True, eq=False):
    """A list of orders at the exchange; see `ListTerms`.

    Attributes
    ----------
    status
        ``"response"`` (refused), ``"exec_started"``, ``"updated"`` or ``"all_done"``.
    """

    id: int
    user: str
    kind: str
    symbol: str
    client_id: str
    order_ids: list[int]
    status: str
    at: int
