"""What whoever runs the venue may do to it: fill one order, end one, hide one, show a book that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.api import ParameterError
from cambist.model import Side
from cambist_simulator.exchange.events import BookChanged
from cambist_simulator.exchange.orders import ExecutionType, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["Interference"]

_WHAT = {
    Status.CANCELED: ExecutionType.CANCELED,
    Status.EXPIRED: ExecutionType.EXPIRED,
    Status.REJECTED: ExecutionType.REJECTED,
}


class Interference:
    """Does what no user could ask for.

    Parameters
    ----------
    floor, matching
        Of the exchange.
    trade
        `Exchange.market_trade`.
    flush
        `Exchange.flush`.
    begin, settle
        Called before something is done (takes the time), and after it (does what follows).

    Attributes
    ----------
    hidden
        Ids of orders that queries do not find.
    """

    def __init__(
        self,
        floor: Floor,
        matching: Matching,
        trade: Callable[[str, Side, Decimal, Decimal], None],
        flush: Callable[[str], None],
        begin: Callable[[], None],
        settle: Callable[[], None],
    ) -> None:
        self._floor, self._matching = floor, matching
        self._trade, self._flush, self._begin, self._settle = trade, flush, begin, settle
        self.hidden: set[int] = set()
        self._crossed: dict[str, int] = {}
        #: Liquidates a user's positions in a symbol, on futures; tells whether there were any.
        self.liquidate_now: Callable[[str, Market], bool] = _nothing

    def order(self, order_id: int) -> VenueOrder:
        """Return an order of anybody.

        Raises
        ------
        ParameterError
            There is none of that number.
        """
        order = self._floor.store.get(order_id)
        if order is None:
            raise ParameterError(f"{self._floor.name} has no order {order_id}.")
        return order

    def orders(self, user: str | None = None) -> list[VenueOrder]:
        """Return the orders of a user, or of everybody, as they came; also those that are hidden."""
        return [one for one in self._floor.store if user is None or one.user == user]

    def latest(self) -> Iterator[VenueOrder]:
        """Yield orders of everybody, the newest first; not to be kept while orders change."""
        return reversed(self._floor.store)

    def count_open(self) -> int:
        """Return how many orders are open."""
        return self._floor.store.count_open()

    def __len__(self) -> int:
        """Return how many orders are kept."""
        return len(self._floor.store)

    def fill(self, order_id: int, size: Decimal) -> Decimal:
        """Let an outside taker trade until `size` of a resting order is filled; return how much was.

        What stands before the order in the book trades first, as it would with any taker. An order that does not rest
        is left as it is.
        """
        order = self.order(order_id)
        market = self._floor.markets[order.terms.symbol]
        book, side, before = market.book, order.terms.side, order.filled
        if not order.open or order.price is None or book.matcher.get(order_id) is None:
            return order.filled - before
        ticks = book.ticks(order.price)
        better = sum(
            one.remaining
            for one in book.matcher.orders(side)
            if (one.price > ticks if side is Side.BUY else one.price < ticks)
        )
        lots = better + book.matcher.size_ahead(order_id) + book.lots(min(size, order.left))
        self._trade(order.terms.symbol, side.opposite, lots * book.step, order.price)
        return order.filled - before

    def end(self, order_id: int, status: Status, reason: str) -> None:
        """End an open order as the venue might: canceled, expired or rejected."""
        order = self.order(order_id)
        if order.open:
            self._begin()
            self._matching.withdraw(order, status, _WHAT[status], reason)
            self._settle()

    def liquidate(self, user: str, symbol: str) -> bool:
        """Liquidate the position of a user in a symbol; return whether there was one. Spot has none."""
        market = self._floor.market(symbol)
        self._begin()
        found = self.liquidate_now(user, market)
        self._settle()
        return found

    def show_crossed(self, symbol: str, ticks: int) -> None:
        """Tell of a bid so many ticks above the best offer; 0 tells the truth about that price again.

        Nothing trades: only those who follow the changes of the book see it.
        """
        market = self._floor.market(symbol)
        book = market.book
        self._flush(symbol)
        shown = self._crossed.pop(symbol, None)
        best = book.best_ticks(Side.SELL)
        if shown is not None:
            book.touch(Side.BUY, shown)
            self._flush(symbol)
        if not ticks or best is None:
            return
        self._crossed[symbol] = best + ticks
        book.touch(Side.BUY, best + ticks)
        changed = book.flush()
        assert changed is not None
        first, last, _, _ = changed
        level = ((best + ticks) * book.tick, max(book.displayed(Side.SELL, best), 1) * book.step)
        self._floor.emit(
            BookChanged(
                at=self._floor.at,
                symbol=symbol,
                first_id=first,
                last_id=last,
                previous_id=first - 1,
                bids=(level,),
                asks=(),
            )
        )


def _nothing(user: str, market: Market) -> bool:  # noqa: ARG001 - futures need them
    return False
