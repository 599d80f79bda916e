"""Through what a script moves one symbol: whole ticks and lots in, exact decimals out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model import Side
from cambist_simulator.exchange.events import Traded
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.market.history import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.listing import Listing

__all__ = ["Hand"]

_BUY, _SELL = Side.BUY, Side.SELL


class Hand:
    """Moves one symbol of an exchange.

    Parameters
    ----------
    exchange
        Where it is listed.
    symbol
        As the venue names it.

    Attributes
    ----------
    grid
        Its ticks and lots, as they were when this was made.

    Raises
    ------
    RefusedError
        If it is not listed.
    """

    def __init__(self, exchange: Exchange, symbol: str) -> None:
        self.exchange, self.symbol = exchange, symbol
        self.grid = Grid(exchange.listing(symbol))
        self._book = exchange.book(symbol)

    @property
    def listing(self) -> Listing:
        """The rules of now."""
        return self.exchange.listing(self.symbol)

    @property
    def trades(self) -> bool:
        """Whether the symbol trades now."""
        return self.listing.status is SymbolStatus.TRADING

    # What is there.

    @property
    def update_id(self) -> int:
        """Number of the last change of the book."""
        return self._book.update_id

    def own(self, side: Side) -> list[int]:
        """Return the prices at which the market itself displays something, best first, ticks."""
        return self._book.own_prices(side)

    def better(self, side: Side, ticks: int) -> list[int]:
        """Return those of them that are better than a price."""
        return self._book.own_prices(side, better_than=ticks)

    def lots_at(self, side: Side, ticks: int) -> int:
        """Return what the market itself displays at a price."""
        return self._book.market_lots(side, ticks)

    def best_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the best bid and the best ask."""
        return self._book.best_bid, self._book.best_ask

    def resting(self, side: Side, ticks: int) -> int:
        """Return the lots of users' orders at a price, hidden ones included."""
        return self._book.user_lots(side, at=ticks)

    def reached(self, side: Side) -> int | None:
        """Return the best price, ticks, at which users' orders of a side wait; None where there are none."""
        return self._book.best_user(side)

    def waiting(self, start: int, end: int) -> list[int]:
        """Return the prices between two, neither included, at which orders of users wait, in the order of the way."""
        low, high = min(start, end), max(start, end)
        if high - low < 2:
            return []
        found = self.exchange.user_prices(self.symbol, _SELL if end > start else _BUY, low, high)
        return sorted(found, reverse=end < start)

    # What is done.

    def show(self, changes: Iterable[tuple[Side, int, int]]) -> None:
        """Display other sizes of the market's own: (side, ticks, lots), absolute; tell of all as one change."""
        self.exchange.set_levels(self.symbol, changes)

    def clear(self) -> None:
        """Display nothing."""
        self.exchange.clear_book(self.symbol)

    def go_first(self, side: Side, ticks: int) -> None:
        """Let the market's own size at a price stand behind users' orders: it is gone until it is displayed anew."""
        if self._book.has_users(side, ticks):
            self.exchange.set_levels(self.symbol, ((side, ticks, 0),), flush=False)

    def trade(self, side: Side, ticks: int, lots: int) -> None:
        """Let an outside taker trade at a price; see `Exchange.market_trade`. Nothing happens in a halt."""
        if self.trades:
            self.exchange.trade_at(self.symbol, side, ticks, lots)
            self.exchange.flush(self.symbol)

    def print_trade(self, side: Side, ticks: int, lots: int) -> None:
        """The same, but what the market displays stays as it is."""
        self.exchange.trade_at(self.symbol, side, ticks, lots, takes=False)
        self.exchange.flush(self.symbol)

    def take(self, side: Side, lots: int, limit: int | None = None) -> int:
        """Let an outside taker walk the book, to a limit if he has one; return the lots that he traded."""
        left = lots
        while left > 0:
            best = self._book.best_ticks(side.opposite)
            if best is None or (limit is not None and (best > limit if side is _BUY else best < limit)):
                break
            size = min(left, self._book.displayed(side.opposite, best))
            self.exchange.trade_at(self.symbol, side, best, size)
            left -= size
        return lots - left

    def sweep(self, side: Side, limit: int) -> None:
        """Let outside takers take everything up to a price, that included."""
        self.take(side, 1 << 62, limit)

    def cross(self, ticks: int) -> None:
        """Let users' orders that a price has left behind trade there."""
        if self.trades:
            self.exchange.cross_users(self.symbol, self.grid.price(ticks))

    def status(self, status: SymbolStatus) -> None:
        """Halt the symbol, or let it trade."""
        self.exchange.set_status(self.symbol, status)

    def mark(self, mark: Decimal, index: Decimal, rate: Decimal, next_funding: int) -> None:
        """Set the mark price, the index price, and the funding to come; see `Exchange.set_mark`."""
        self.exchange.set_mark(self.symbol, mark, index, rate, next_funding)

    # Who is told.

    def on_print(self, callback: Callable[[int], None]) -> None:
        """Call somebody with the lots of each public trade of the symbol."""
        symbol, step = self.symbol, self.grid.step

        def heard(event: ExchangeEvent) -> None:
            if type(event) is Traded and event.symbol == symbol:
                callback(int(event.size / step))

        self.exchange.listen(heard)

    def on_arrival(self, callback: Callable[[Side, int | None], None]) -> None:
        """Call somebody before an order of a user arrives that may take: its side, and its limit in ticks if any."""
        self.exchange.before_orders(self.symbol, callback)
