"""What the rest of the market does: its displayed sizes, and its trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.simulation import BookTrade
from cambist_simulator.exchange.market_book import MARKET

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist.model import Side
    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.matching import Matching

__all__ = ["Outside"]


class Outside:
    """Lets the market move.

    Parameters
    ----------
    floor, matching
        Where it does, and who books what that does to users.
    """

    def __init__(self, floor: Floor, matching: Matching) -> None:
        self._floor, self._matching = floor, matching

    def set_level(self, market: Market, side: Side, price: Decimal, size: Decimal) -> bool:
        """Give the market's own displayed size at a price; tell whether users' orders traded."""
        book = market.book
        events = book.set_level(side, int(price / book.tick), int(size / book.step))
        if not events:
            return False
        self._matching.apply(market, events)
        return True

    def trade(self, market: Market, side: Side, size: Decimal, price: Decimal, *, takes: bool) -> None:
        """Let an outside taker trade.

        Users' orders at better prices trade first, at their own prices; then, at `price`, what stands in line before a
        user's order, the user's order, and so on. Whatever users did not trade is one public trade at `price`.
        """
        book = market.book
        ticks, lots = book.ticks(price), book.lots(size)
        if takes:
            book.clear_better(side, ticks)
        events = book.take_users(side, ticks, lots)
        self._matching.apply(market, events)
        rest = lots - sum(one.size for one in events if type(one) is BookTrade and one.maker_owner != MARKET)
        if rest > 0:
            if takes:
                book.reduce(side.opposite, ticks, rest)
            self._matching.print_trade(market, side, rest * book.step, ticks * book.tick, 0, 0)
