"""What the parts of an exchange share: its markets, orders, accounts, and whom to tell."""

from __future__ import annotations

from copy import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import OrderChanged
from cambist_simulator.exchange.orders import PriceSource
from cambist_simulator.exchange.timers import Timers
from cambist_simulator.exchange.triggers import Triggers

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model import Side
    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.listing import Listing, Segment
    from cambist_simulator.exchange.market_book import MarketBook
    from cambist_simulator.exchange.order_store import OrderStore
    from cambist_simulator.exchange.orders import Execution, ExecutionType, OrderList, OrderTerms, VenueOrder
    from cambist_simulator.exchange.users import Users

__all__ = ["Accounts", "Floor", "Market"]

_ZERO = Decimal(0)


class Market(msgspec.Struct, eq=False):
    """A symbol as it stands.

    Attributes
    ----------
    mark, index
        Of futures; None before the first.
    funding_rate, next_funding
        The payment to come, and when, ns.
    moves
        Trade prices that no trigger has seen yet.
    reducing
        By side: ids of working orders that may only reduce a position.
    """

    listing: Listing
    book: MarketBook
    mark: Decimal | None = None
    index: Decimal | None = None
    funding_rate: Decimal = _ZERO
    next_funding: int = 0
    moves: list[Decimal] = []
    reducing: dict[Side, dict[int, None]] = {}

    def price(self, source: PriceSource) -> Decimal | None:
        """Return the price that a trigger compares with; the mark is the last price until there is one."""
        return self.book.last_price if source is PriceSource.LAST or self.mark is None else self.mark

    @property
    def reference(self) -> Decimal | None:
        """What limit prices are compared with: the mark of futures, else the last price."""
        return self.mark if self.mark is not None else self.book.last_price


class Accounts(Protocol):
    """What orders do to money: the part that differs between spot and futures."""

    def prepare(self, order: VenueOrder, market: Market) -> None:
        """Check the terms that only this segment knows, and fill in the size where they leave it open."""

    def admit(self, order: VenueOrder, market: Market) -> int | None:
        """Lock what an order needs that is to work or to wait now.

        Returns
        -------
        int or None
            For an order without a limit: the worst price, in ticks, that it is good for; None for any.

        Raises
        ------
        RefusedError
            Where the money is not there; nothing changed then.
        """

    def check(self, order: VenueOrder, market: Market) -> None:
        """Raise what `admit` would, and change nothing."""

    def readmit(self, order: VenueOrder, market: Market, size: Decimal, price: Decimal | None) -> None:
        """Raise where the money for an order's new terms is not there; change nothing."""

    def relock(self, order: VenueOrder) -> None:
        """Take note of what is left of an order that is smaller, has another price, or has ended."""

    def trade(
        self, order: VenueOrder, market: Market, size: Decimal, price: Decimal, trade_id: int, *, maker: bool
    ) -> Execution:
        """Book a trade of a user's order; called before the order itself counts it."""

    def trade_market(self, market: Market, buys: bool, size: Decimal, price: Decimal) -> None:
        """Book the market's own side of a trade with a user."""

    def closable(self, order: VenueOrder) -> Decimal:
        """Return the contracts that an order which closes a position has to close."""

    def changed(self, market: Market) -> None:
        """Do what trades that were just booked mean for other orders of those who traded."""

    def report(self) -> None:
        """Tell the balances that changed since the last call."""


class Floor:
    """The state of an exchange, and what its parts call each other by.

    Attributes
    ----------
    at
        Time of the request or the step under way, ns, market time.
    """

    accounts: Accounts

    def __init__(self, name: str, segment: Segment, clock: VenueClock, users: Users, store: OrderStore) -> None:
        self.name, self.segment, self.clock, self.users = name, segment, clock, users
        self.markets: dict[str, Market] = {}
        self.store = store
        self.triggers = Triggers()
        self.timers = Timers()
        self.lists: dict[int, OrderList] = {}
        self.next_list = 0
        self.listeners: list[Callable[[ExchangeEvent], None]] = []
        self.at = 0
        self.moved: dict[str, Market] = {}
        self.before_orders: dict[str, Callable[[Side, int | None], None]] = {}

    def market(self, symbol: str) -> Market:
        """Return a market.

        Raises
        ------
        RefusedError
            If the exchange does not list it.
        """
        found = self.markets.get(symbol)
        if found is None:
            raise RefusedError(Why.UNKNOWN_SYMBOL, symbol=symbol)
        return found

    def keep_list(self, made: OrderList) -> None:
        """Keep a list, and no more of those that are done than orders are kept."""
        self.lists[made.id] = made
        while len(self.lists) > self.store.keep:
            done = next((one.id for one in self.lists.values() if one.status == "all_done"), None)
            if done is None:
                return
            del self.lists[done]

    def announce(self, terms: OrderTerms) -> None:
        """Tell who makes up the market that an order is about to come that may take."""
        callback = self.before_orders.get(terms.symbol)
        market = self.markets.get(terms.symbol)
        if callback is not None and market is not None and not terms.post_only:
            price = terms.price
            callback(terms.side, None if price is None or not price.is_finite() else market.book.ticks(price))

    def emit(self, event: ExchangeEvent) -> None:
        """Tell everybody who listens."""
        for listener in self.listeners:
            listener(event)

    def tell(
        self, order: VenueOrder, what: ExecutionType, execution: Execution | None = None, reason: str = ""
    ) -> None:
        """Tell what happened to an order."""
        if self.listeners:
            then = copy(order)
            then.executions = order.executions.copy()
            self.emit(OrderChanged(at=self.at, order=then, what=what, execution=execution, reason=reason))
