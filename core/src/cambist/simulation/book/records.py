"""What goes into an order book and what comes out of it; prices count ticks, sizes count lots."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cambist.errors import OrderError
from cambist.model.orders import Side, TimeInForce

__all__ = [
    "BookAmended",
    "BookCanceled",
    "BookDepth",
    "BookEvent",
    "BookLevel",
    "BookOrder",
    "BookReduced",
    "BookRefreshed",
    "BookRejected",
    "BookRested",
    "BookTrade",
    "RestingOrder",
    "SelfTrade",
]

_FLEETING = frozenset({TimeInForce.IOC, TimeInForce.FOK})


class SelfTrade(StrEnum):
    """What happens where an order would trade with one of the same owner; that of the arriving order counts."""

    #: They trade.
    ALLOW = "allow"
    #: What remains of the arriving order is canceled.
    CANCEL_NEWEST = "cancel_newest"
    #: The resting order is canceled, hidden size included, and the arriving one goes on.
    CANCEL_OLDEST = "cancel_oldest"
    #: Both are canceled.
    CANCEL_BOTH = "cancel_both"
    #: Both shrink by the smaller of what remains of them, without a trade; one that shrinks to nothing is canceled.
    DECREMENT = "decrement"


class BookOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it comes to the book.

    Attributes
    ----------
    id
        Unique among all orders the book ever saw.
    owner
        Who sent it; orders of one owner are subject to `self_trade`.
    side
        Which way it trades.
    size
        Lots, above zero.
    price
        Limit in ticks, above zero, or None for a market order.
    time_in_force
        IOC and FOK never rest, nor does a market order. The book has no clock: who runs it cancels a DAY or GTD order
        when its time has passed.
    post_only
        It is rejected where it would trade on arrival.
    display
        Lots of it that others see at a time, or None for all.
    self_trade
        See `SelfTrade`.

    Raises
    ------
    OrderError
        For terms that no book can work.
    """

    id: int
    owner: str
    side: Side
    size: int
    price: int | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    display: int | None = None
    self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST

    def __post_init__(self) -> None:
        for name, value in (("size", self.size), ("price", self.price), ("display", self.display)):
            if value is not None and (type(value) is not int or value <= 0):
                raise OrderError(
                    f"book order {self.id}: {name} is {value!r}; it counts whole {_UNITS[name]}, at least 1. "
                    "BookUnits converts from decimals."
                )
        if (self.post_only or self.display is not None) and not self.may_rest:
            what = "post_only" if self.post_only else "display"
            kind = "market" if self.price is None else str(self.time_in_force)
            raise OrderError(f"book order {self.id}: {what} means nothing to a {kind} order, which never rests.")
        if self.display is not None and self.display > self.size:
            raise OrderError(f"book order {self.id}: display {self.display} is above its size {self.size}.")

    @property
    def may_rest(self) -> bool:
        """Whether what does not trade at once waits in the book."""
        return self.price is not None and self.time_in_force not in _FLEETING


_UNITS = {"size": "lots", "price": "ticks", "display": "lots"}


class BookEvent(msgspec.Struct, frozen=True):
    """Something that happened to an order in the book.

    Attributes
    ----------
    order_id, owner
        Whose; of a trade, the arriving order's.
    """

    order_id: int
    owner: str


class BookTrade(BookEvent, frozen=True):
    """The arriving order `order_id` traded with a resting one, at the resting one's price.

    Attributes
    ----------
    maker_id, maker_owner
        The resting order.
    side
        Of the arriving order, the taker.
    price, size
        Ticks and lots.
    """

    maker_id: int
    maker_owner: str
    side: Side
    price: int
    size: int


class BookRested(BookEvent, frozen=True):
    """What remains of the order waits in the book: `size` lots at `price`, `displayed` of them for all to see."""

    side: Side
    price: int
    size: int
    displayed: int


class BookRefreshed(BookEvent, frozen=True):
    """The order's displayed size was used up: it shows `displayed` lots more, behind everybody at its price."""

    displayed: int


class BookReduced(BookEvent, frozen=True):
    """The order shrank by `size` lots without a trade with its owner's own; `remaining` are left."""

    size: int
    remaining: int


class BookAmended(BookEvent, frozen=True):
    """The order has new terms; it `kept_place`, or came anew.

    Attributes
    ----------
    price, size
        Ticks, and lots in total, what is filled already included.
    """

    price: int
    size: int
    kept_place: bool


class BookCanceled(BookEvent, frozen=True):
    """`size` lots, all that remained of the order, are withdrawn.

    Attributes
    ----------
    reason
        ``"canceled"`` on request, ``"unfilled"`` (market, IOC and FOK orders) or ``"self_trade"``.
    """

    size: int
    reason: str


class BookRejected(BookEvent, frozen=True):
    """A request was refused and nothing changed.

    Attributes
    ----------
    request
        ``"submit"``, ``"amend"`` or ``"cancel"``.
    reason
        ``"duplicate_id"``, ``"would_take"`` (post-only), ``"unknown_order"``, or ``"size_filled"`` (an amendment to
        no more than what is filled already).
    """

    request: str
    reason: str


class RestingOrder(msgspec.Struct, eq=False):
    """An order that waits in the book; the book writes it, everybody else reads.

    Attributes
    ----------
    order
        As it came, or as amended.
    price
        Ticks.
    remaining
        Lots still to trade, hidden ones included.
    displayed
        Lots of the slice in the queue.
    """

    order: BookOrder
    price: int
    remaining: int
    displayed: int


class BookLevel(msgspec.Struct, frozen=True):
    """One price: ticks, displayed lots, and how many orders."""

    price: int
    size: int
    orders: int


class BookDepth(msgspec.Struct, frozen=True):
    """Levels of both sides, best first."""

    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
