"""What the rest of the market does: its displayed sizes, and its trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    def set_level(self, market: Market, side: Side, ticks: int, lots: int) -> None:
        """Give the market's own displayed size at a price that crosses what others display.

        Levels of the market's own other side are taken to be gone, and users' orders trade with it.
        """
        market.book.clear_crossed(side.opposite, ticks)
        left = self._matching.take_users(market, side, ticks, lots)
        market.book.set_level(side, ticks, left)

    def trade(self, market: Market, side: Side, size: Decimal, price: Decimal, *, takes: bool) -> None:
        """Let an outside taker trade.

        Users' orders at better prices trade first, at their own prices; then, at `price`, what stands in line before a
        user's order, the user's order, and so on. Whatever users did not trade is one public trade at `price`.
        """
        book = market.book
        ticks, lots = book.ticks(price), book.lots(size)
        if takes:
            book.clear_crossed(side.opposite, ticks - side.sign)
        before = self._matching.market_lots
        left = self._matching.take_users(market, side, ticks, lots)
        if left and takes:
            book.reduce(side.opposite, ticks, left)
        rest = left + self._matching.market_lots - before
        if rest:
            self._matching.print_trade(market, side, rest * book.step, ticks * book.tick, 0, 0)
