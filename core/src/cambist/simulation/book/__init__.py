"""An order book for orders of several owners: price-time priority over whole ticks and lots."""

from cambist.simulation.book.matching import LimitOrderBook
from cambist.simulation.book.records import (
    BookAmended,
    BookCanceled,
    BookDepth,
    BookEvent,
    BookLevel,
    BookOrder,
    BookReduced,
    BookRefreshed,
    BookRejected,
    BookRested,
    BookTrade,
    RestingOrder,
    SelfTrade,
)
from cambist.simulation.book.units import BookUnits

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
    "BookUnits",
    "LimitOrderBook",
    "RestingOrder",
    "SelfTrade",
]
