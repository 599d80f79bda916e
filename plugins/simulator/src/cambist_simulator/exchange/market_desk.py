"""What whoever plays the market asks of an exchange: sizes, trades, and where users wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.api import ParameterError
from cambist_simulator.exchange.desk import Desk
from cambist_simulator.exchange.events import BookChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from cambist.model import Side
    from cambist_simulator.exchange.floor import Market

__all__ = ["MarketDesk"]


class MarketDesk(Desk):
    """The part of an exchange that lets its markets move."""

    @property
    def at(self) -> int:
        """Time of the last request or step, ns, market time."""
        return self._floor.at

    def set_level(self, symbol: str, side: Side, price: Decimal, size: Decimal) -> None:
        """Let the market itself display `size` at a price, in place of what it displayed there; 0 for nothing.

        Users' orders at the price are not counted in it, and those that it crosses trade.
        """
        book = self._floor.market(symbol).book
        ticks, lots = _on_grid(price, book.tick, "price"), _on_grid(size, book.step, "size")
        if lots and book.crosses(side, ticks):
            self.set_levels(symbol, ((side, ticks, lots),), flush=False)
        else:
            book.set_level(side, ticks, lots)

    def set_levels(self, symbol: str, changes: Iterable[tuple[Side, int, int]], *, flush: bool = True) -> None:
        """Let the market itself display other sizes, and tell of them as one change.

        Parameters
        ----------
        changes
            (side, ticks, lots): as `set_level`, in whole ticks and lots.
        flush
            Whether to tell now what changed.
        """
        market = self._floor.markets[symbol]
        self._open()
        if self._outside.set_levels(market, changes):
            self._conditional.settle()
        if flush:
            self._flush(market)

    def cross_users(self, symbol: str, price: Decimal) -> None:
        """Let users' orders that are better than a price trade at it with the market, as in an opening auction."""
        self._open()
        if self._outside.cross(self._floor.market(symbol), price):
            self._conditional.settle()

    def user_prices(self, symbol: str, side: Side, low: int, high: int) -> list[int]:
        """Return the prices between two (ticks, neither included) at which a trade would matter to users.

        Those at which their orders of `side` rest, and those at which a waiting order is set off.
        """
        return self._outside.user_prices(self._floor.market(symbol), side, low, high)

    def before_orders(self, symbol: str, callback: Callable[[Side, int | None], None]) -> None:
        """Call somebody before an order of a user comes that may take: with its side, and its limit in ticks if any.

        A market that is made up around a price decides then what the order meets.
        """
        self._floor.market(symbol)
        self._floor.before_orders[symbol] = callback

    def clear_book(self, symbol: str) -> None:
        """Take everything that the market itself displays out of a book; users' orders stay."""
        self._floor.market(symbol).book.clear()

    def market_trade(self, symbol: str, side: Side, size: Decimal, price: Decimal, *, takes: bool = True) -> None:
        """Let somebody from outside trade at a price.

        Parameters
        ----------
        side
            His, the taker's.
        size, price
            Users' orders at better prices trade first, at their own prices, and those at `price` when it is their
            turn; the rest of `size` is one public trade at `price`.
        takes
            Whether that rest comes out of what the market displays there, and whatever it displays at better prices
            is gone; False where levels are set by a recording of their own.
        """
        book = self._floor.market(symbol).book
        lots, ticks = _on_grid(size, book.step, "size"), _on_grid(price, book.tick, "price")
        if not lots or not ticks:
            raise ParameterError(f"a trade of {size} at {price} is none; give more than 0 of both.")
        self.trade_at(symbol, side, ticks, lots, takes=takes)

    def trade_at(self, symbol: str, side: Side, ticks: int, lots: int, *, takes: bool = True) -> None:
        """Let somebody from outside trade; as `market_trade`, in whole ticks and lots above zero."""
        self._open()
        self._outside.trade(self._floor.market(symbol), side, ticks, lots, takes=takes)
        self._conditional.settle()

    def flush(self, symbol: str | None = None) -> None:
        """Tell what changed in a book, or in all, since the last call: one `BookChanged` for each that did."""
        self._open()
        for market in self._floor.markets.values() if symbol is None else (self._floor.market(symbol),):
            self._flush(market)

    def _flush(self, market: Market) -> None:
        found = market.book.flush()
        if found is not None:
            first, last, bids, asks = found
            self._floor.emit(
                BookChanged(
                    at=self._floor.at,
                    symbol=market.book.symbol,
                    first_id=first,
                    last_id=last,
                    previous_id=first - 1,
                    bids=bids,
                    asks=asks,
                )
            )


def _on_grid(value: Decimal, step: Decimal, what: str) -> int:
    """Return a number of steps."""
    count = int(value / step)
    if count < 0 or count * step != value:
        raise ParameterError(f"the {what} {value} is below 0 or no multiple of {step}; round it to the grid first.")
    return count
