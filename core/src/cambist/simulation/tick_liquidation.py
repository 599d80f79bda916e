"""A venue on trades and quotes that closes positions whose margin is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import Side
from cambist.simulation.book_venue import BookVenue
from cambist.simulation.liquidator import Liquidator
from cambist.simulation.ticks import TickVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Sized

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.simulation.liquidator import Adopt, MarginAccount, MarkPrices
    from cambist.simulation.market_venue import Shown
    from cambist.simulation.matching import HeldPosition
    from cambist.simulation.rules import VenueRules

__all__ = ["LiquidatingBookVenue", "LiquidatingTickVenue"]


class _Watched:
    """True while an instrument has orders at work, or a position that may have to be closed."""

    __slots__ = ("_position", "_working")

    def __init__(self, working: Sized, position: HeldPosition) -> None:
        self._working = working
        self._position = position

    def __bool__(self) -> bool:
        return bool(self._working) or self._position.size != 0.0


class LiquidatingTickVenue(TickVenue):
    """`TickVenue` with liquidation.

    Parameters
    ----------
    instruments, account, deliver, clock, rules, shown
        See `TickVenue`; `account` also knows margin.
    adopt
        See `Adopt`.
    marks
        Mark prices by symbol, where they differ from what the market shows.

    Notes
    -----
    The mark price is that of the series in `marks`, else the middle of the quote, else the last trade's price. Each
    event of an instrument that is held is looked at before any order meets it. Where the margin is used up by then,
    every working order of the instrument is canceled and the position closed by one order of the venue's: at the price
    of the trade, or with the far side of the quote, whatever their sizes, but never worse than the bankruptcy price:
    what is missing there is the venue's loss. Under ``liquidate_at="bankruptcy"`` it is always that. In an account
    that backs several positions the one that ties up the most goes first, where its own market stands.
    """

    keeps_guards = True

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: MarginAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
        *,
        adopt: Adopt,
        marks: Mapping[str, MarkPrices],
        shown: Shown,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules, shown=shown)
        self._margin = account
        self._liquidator = Liquidator(self, account, adopt)
        self._marks = marks

    def to_match(self, symbol: str) -> object:
        """Return what is true while the instrument has orders or is held."""
        return _Watched(self.markets[symbol].working, self._margin.positions[symbol])

    def match_tick(self, symbol: str, ts: int, price: float, size: float, side: int = 0) -> None:
        """Work the orders of one instrument against one trade, and its liquidation."""
        if self._margin.positions[symbol].size != 0.0:
            series = self._marks.get(symbol)
            if series is not None:
                self._look(symbol, ts, series.at(ts), {True: price, False: price})
            elif symbol not in self._quoted:
                self._look(symbol, ts, price, {True: price, False: price})
        super().match_tick(symbol, ts, price, size, side)

    def match_quote(self, symbol: str, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """Work the orders of one instrument against one quote, and its liquidation."""
        if self._margin.positions[symbol].size != 0.0:
            series = self._marks.get(symbol)
            mark = (bid + ask) / 2.0 if series is None else series.at(ts)
            self._look(symbol, ts, mark, {True: ask, False: bid})
        super().match_quote(symbol, ts, bid, ask, bid_size, ask_size)

    def _look(self, symbol: str, ts: int, mark: float, prices: Mapping[bool, float]) -> None:
        """Close what the margin does not carry any more, the mark price of `symbol` being `mark`.

        `prices` are those at which a buyer (True) and a seller would trade in it.
        """
        marks, margin = {symbol: mark}, self._margin
        held = margin.positions[symbol].size
        level = margin.liquidation_price(symbol, marks)
        if margin.terms.is_isolated and (mark <= level if held > 0.0 else mark >= level):
            self._liquidator.close(self.markets[symbol], prices[held < 0.0], ts, marks)
        while (worst := margin.worst_deficient(marks)) is not None:
            buys = margin.positions[worst].size < 0.0
            reached = prices[buys] if worst == symbol else self._price_on(worst, buys)
            self._liquidator.close(self.markets[worst], reached, ts, marks)


class LiquidatingBookVenue(LiquidatingTickVenue, BookVenue):
    """`LiquidatingTickVenue` with a recorded order book for some of the instruments; see `BookVenue`.

    A position in one of them is looked at after each update of the book, and closed at the best price of its far side.
    """

    def to_match(self, symbol: str) -> object:
        """Return what is true while the events of an instrument must be matched: always, for a book."""
        return True if symbol in self._lines else super().to_match(symbol)

    def match_quote(self, symbol: str, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """Work the orders of one instrument against one quote, and its liquidation; a book says it all."""
        if symbol not in self._lines:
            super().match_quote(symbol, ts, bid, ask, bid_size, ask_size)

    def match_book(
        self,
        symbol: str,
        ts: int,
        is_snapshot: bool,
        sides: Sequence[int],
        prices: Sequence[float],
        sizes: Sequence[float],
    ) -> None:
        """Take one update of a book, what it does to our orders, and its liquidation."""
        super().match_book(symbol, ts, is_snapshot, sides, prices, sizes)
        line = self._lines[symbol]
        bid, ask = line.best(Side.BUY), line.best(Side.SELL)
        if self._margin.positions[symbol].size != 0.0 and bid == bid and ask == ask:  # noqa: PLR0124 - NaN
            series = self._marks.get(symbol)
            self._look(symbol, ts, (bid + ask) / 2.0 if series is None else series.at(ts), {True: ask, False: bid})
