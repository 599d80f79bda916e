"""From orders to the book and back: what the matcher answers becomes executions, states and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.model import Side, TimeInForce
from cambist.simulation import BookCanceled, BookOrder, BookReduced, BookTrade
from cambist_simulator.exchange.events import Traded
from cambist_simulator.exchange.market_book import MARKET
from cambist_simulator.exchange.orders import ExecutionType, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from cambist.simulation import BookEvent
    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["Matching"]

_IOC, _FOK, _BUY = TimeInForce.IOC, TimeInForce.FOK, Side.BUY


class Matching:
    """Works orders in their books.

    Parameters
    ----------
    floor
        Where they are.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        #: Lots that outside takers traded with the market itself.
        self.market_lots = 0
        #: Called before a leg of a list trades for the first time, and after one has ended.
        self.before_leg: Callable[[VenueOrder], None] = _nothing
        self.after_leg: Callable[[VenueOrder], None] = _nothing
        #: Called before an order meets others that may only reduce a position.
        self.before_match: Callable[[Market, BookOrder], None] = _nothing

    def work(self, order: VenueOrder, market: Market, cap: int | None = None) -> None:
        """Send an order to its book.

        Parameters
        ----------
        cap
            The worst price, in ticks, of an order without a limit; None for any.
        """
        book, terms = market.book, order.terms
        price, tif = order.price, terms.time_in_force
        rests = price is not None and tif is not _IOC and tif is not _FOK
        ticks = cap if price is None else book.ticks(price)
        order.working_at = self._floor.at
        new = BookOrder(
            id=order.id,
            owner=order.user,
            side=terms.side,
            size=book.lots(order.left),
            price=ticks,
            time_in_force=_IOC if price is None and tif is not _FOK else tif,
            display=book.lots(terms.display) if rests and terms.display is not None else None,
            self_trade=terms.self_trade or market.listing.self_trade,
        )
        if market.reducing.get(terms.side.opposite):
            self.before_match(market, new)
        self.apply(market, book.submit(new))

    def take_users(self, market: Market, side: Side, ticks: int, lots: int, *, at: int | None = None) -> int:
        """Let an outside taker trade with users up to a price, and with what stands before them; return lots left.

        Parameters
        ----------
        at
            The one price at which they trade, in ticks; None for those of the resting orders.
        """
        if market.reducing.get(side.opposite):
            self.before_match(market, BookOrder(id=-1, owner=MARKET, side=side, size=lots, price=ticks))
        events = market.book.take_users(side, ticks, lots)
        if at is not None:
            events = [msgspec.structs.replace(one, price=at) if type(one) is BookTrade else one for one in events]
        self.apply(market, events)
        return lots - sum(one.size for one in events if type(one) is BookTrade)

    def apply(self, market: Market, events: list[BookEvent]) -> None:
        """Do what follows from the answers of a book."""
        traded = False
        for event in events:
            kind = type(event)
            if kind is BookTrade:
                traded = True
                self._trade(market, event)  # type: ignore[arg-type]
            elif kind is BookCanceled:
                self._canceled(market, event)  # type: ignore[arg-type]
            elif kind is BookReduced:
                self._reduced(market, event)  # type: ignore[arg-type]
        if traded:
            self._floor.accounts.changed(market)

    def print_trade(self, market: Market, side: Side, size: Decimal, price: Decimal, buyer: int, seller: int) -> int:
        """Take a trade into the public record; return its number."""
        book = market.book
        book.trades += 1
        book.last_price = price
        market.moves.append(price)
        floor = self._floor
        floor.moved[book.symbol] = market
        if floor.listeners:
            floor.emit(
                Traded(
                    at=floor.at,
                    symbol=book.symbol,
                    id=book.trades,
                    price=price,
                    size=size,
                    side=side,
                    buy_order_id=buyer,
                    sell_order_id=seller,
                )
            )
        return book.trades

    def _trade(self, market: Market, event: BookTrade) -> None:
        floor, book = self._floor, market.book
        if event.owner == MARKET == event.maker_owner:
            self.market_lots += event.size
            return  # an outside taker met the market itself: the print of the whole is its business
        taker = floor.store.get(event.order_id) if event.owner != MARKET else None
        maker = floor.store.get(event.maker_id) if event.maker_owner != MARKET else None
        size, price = event.size * book.step, event.price * book.tick
        for order in (taker, maker):
            if order is not None and order.list_id >= 0:
                self.before_leg(order)
        taker_id, maker_id = (0 if one is None else one.id for one in (taker, maker))
        buyer, seller = (taker_id, maker_id) if event.side is _BUY else (maker_id, taker_id)
        number = self.print_trade(market, event.side, size, price, buyer, seller)
        for order, is_maker in ((taker, False), (maker, True)):
            if order is not None:
                self.fill(order, market, size, price, number, maker=is_maker)
            else:
                floor.accounts.trade_market(market, (event.side is _BUY) != is_maker, size, price)

    def fill(
        self, order: VenueOrder, market: Market, size: Decimal, price: Decimal, number: int, *, maker: bool
    ) -> None:
        """Book a trade of an order, and tell it."""
        floor = self._floor
        execution = floor.accounts.trade(order, market, size, price, number, maker=maker)
        order.executions.append(execution)
        order.filled += size
        order.quote_filled += execution.quote
        order.price_filled += price * size
        order.updated_at = floor.at
        floor.store.add_execution(order.user, execution)
        what = ExecutionType.CALCULATED if order.system else ExecutionType.TRADE
        if order.left:
            order.status = Status.PARTIALLY_FILLED
            floor.tell(order, what, execution)
            return
        order.status = Status.FILLED
        self._close(order)
        floor.tell(order, what, execution)
        if order.list_id >= 0:
            self.after_leg(order)

    def _canceled(self, market: Market, event: BookCanceled) -> None:
        order = self._floor.store.get(event.order_id)
        if order is None or event.order_id < 0:
            return
        if event.reason == "self_trade":
            order.prevented += event.size * market.book.step
            self._left_line(order, market)
            self.end(order, Status.EXPIRED_IN_MATCH, ExecutionType.TRADE_PREVENTION, event.reason)
        else:
            self.end(order, Status.EXPIRED, ExecutionType.EXPIRED, event.reason)

    def _reduced(self, market: Market, event: BookReduced) -> None:
        order = self._floor.store.get(event.order_id)
        assert order is not None
        order.prevented += event.size * market.book.step
        order.updated_at = self._floor.at
        self._left_line(order, market)
        self._floor.accounts.relock(order)
        self._floor.tell(order, ExecutionType.TRADE_PREVENTION, reason="self_trade")

    @staticmethod
    def _left_line(order: VenueOrder, market: Market) -> None:
        if order.price is not None:
            market.book.left(order.terms.side, market.book.ticks(order.price))

    # Ends.

    def end(self, order: VenueOrder, status: Status, what: ExecutionType, reason: str = "") -> None:
        """End an order that is in no book and waits for nothing any more."""
        order.status, order.reason, order.updated_at = status, reason, self._floor.at
        self._close(order)
        self._floor.tell(order, what, reason=reason)
        if order.list_id >= 0:
            self.after_leg(order)

    def _close(self, order: VenueOrder) -> None:
        self._floor.store.end(order)
        self._floor.accounts.relock(order)

    def withdraw(self, order: VenueOrder, status: Status, what: ExecutionType, reason: str = "") -> None:
        """Take an open order out of where it stands, and end it."""
        if order.working_at >= 0:
            market = self._floor.markets[order.terms.symbol]
            assert order.price is not None
            market.book.cancel(order.id, order.terms.side, market.book.ticks(order.price))
        elif order.status is not Status.PENDING:
            self._floor.triggers.remove(order)
        self.end(order, status, what, reason)

    def shrink(self, order: VenueOrder, market: Market, left: Decimal) -> None:
        """Make a working order smaller; it keeps its place."""
        book = market.book
        assert order.price is not None
        resting = book.matcher.get(order.id)
        assert resting is not None
        order.size = order.filled + order.prevented + left
        order.updated_at = self._floor.at
        ticks = book.ticks(order.price)
        size = book.lots(left) + resting.order.size - resting.remaining
        book.amend(order.id, order.terms.side, size=size, price=ticks, was=ticks)
        self._floor.accounts.relock(order)
        self._floor.tell(order, ExecutionType.REPLACED, reason="reduce_only")

    def cancel(self, order: VenueOrder, reason: str = "") -> None:
        """Cancel an open order."""
        self.withdraw(order, Status.CANCELED, ExecutionType.CANCELED, reason)


def _nothing(*_: object) -> None:
    """Do nothing: there are no lists, or no positions."""
