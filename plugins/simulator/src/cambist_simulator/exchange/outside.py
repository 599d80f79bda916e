"""What the rest of the market does: its displayed sizes, and its trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model import Side

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

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

    def set_levels(self, market: Market, changes: Iterable[tuple[Side, int, int]]) -> bool:
        """Give the market's own displayed sizes (side, ticks, lots); tell whether they crossed what others display.

        Where one does, levels of the market's own other side are taken to be gone, and users' orders trade with it.
        """
        book, crossed = market.book, False
        if book.is_alone:
            book.set_alone(changes)
            return False
        set_level, crosses = book.set_level, book.crosses
        for side, ticks, lots in changes:
            if lots and crosses(side, ticks):
                crossed = True
                book.clear_crossed(side.opposite, ticks)
                set_level(side, ticks, self._matching.take_users(market, side, ticks, lots))
            else:
                set_level(side, ticks, lots)
        return crossed

    def cross(self, market: Market, price: Decimal) -> bool:
        """Let users' orders that are better than a price trade at it; tell whether there were any."""
        book, traded = market.book, False
        ticks = book.ticks(price)
        for side in (Side.BUY, Side.SELL):
            lots = book.user_lots(side.opposite, better_than=ticks)
            if lots:
                book.clear_crossed(side.opposite, ticks - side.sign)
                self._matching.take_users(market, side, ticks - side.sign, lots, at=ticks)
                traded = True
        return traded

    def user_prices(self, market: Market, side: Side, low: int, high: int) -> list[int]:
        """Return the prices between two, neither included, that matter to users; see `Exchange.user_prices`."""
        book, tick = market.book, market.book.tick
        stops = self._floor.triggers.between(book.symbol, low * tick, high * tick)
        if not stops:
            return book.user_prices(side, low, high)
        found = {*book.user_prices(side, low, high), *(int(stop / tick) for stop in stops)}
        # A trailing stop may be between two ticks.
        found.update(-int(-stop // tick) for stop in stops)
        return [ticks for ticks in found if low < ticks < high]

    def trade(self, market: Market, side: Side, ticks: int, lots: int, *, takes: bool) -> None:
        """Let an outside taker trade.

        Users' orders at better prices trade first, at their own prices; then, at `ticks`, what stands in line before a
        user's order, the user's order, and so on. Whatever users did not trade is one public trade at `ticks`.
        """
        book = market.book
        if takes:
            book.clear_crossed(side.opposite, ticks - side.sign)
        before = self._matching.market_lots
        left = lots if book.is_alone else self._matching.take_users(market, side, ticks, lots)
        if left and takes:
            book.reduce(side.opposite, ticks, left)
        rest = left + self._matching.market_lots - before
        if rest:
            self._matching.print_trade(market, side, rest * book.step, ticks * book.tick, 0, 0)
