"""How the market comes into a live engine: orders that are held here meet each price before strategies see it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from cambist.live.instants import Instants
from cambist.model.events import (
    BarClosed,
    BookLost,
    BookReceived,
    InstantClosed,
    MarkPriced,
    QuoteReceived,
    TickReceived,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.engine import LiveEngine
    from cambist.live.subscriptions import Listening
    from cambist.model.bars import Bar
    from cambist.model.books import BookUpdate
    from cambist.model.instrument import Instrument
    from cambist.model.market import Quote, Tick
    from cambist.strategies.book_view import BookView

__all__ = ["MarketInputs"]

_FINEST = ("ticks", "quotes", "book")


def _finest(stream: tuple[str, Instrument]) -> int:
    return _FINEST.index(stream[0])


class MarketInputs:
    """Takes bars, trades, quotes and books.

    Parameters
    ----------
    engine
        It has its order manager by now.
    clock
        Answers the engine's time, ns, UTC.
    listening
        What the run listens to.
    step_timeout
        See `Instants`.
    """

    def __init__(self, engine: LiveEngine, clock: Callable[[], int], listening: Listening, step_timeout: int) -> None:
        self._engine, self._kernel, self._orders, self._clock = engine, engine.kernel, engine.orders, clock
        self._sessions = engine.sessions
        self._everybody = [seat.strategy.name for seat in engine.kernel.seats]
        #: Whether all strategies are shown the same bars.
        self.is_shared = True
        self._seen: dict[int, set[str]] = {}
        self._instants = Instants([timeframe for _, timeframe in listening.bars], step_timeout)
        self._lengths = [timeframe.ns for _, timeframe in listening.bars]
        #: What tells the price of an instrument to orders that are held here: its trades, else its quotes, else its
        #: book, and its bars where it has none of them.
        self._priced_by = {one.symbol: kind for kind, one in sorted(listening.streams, key=_finest, reverse=True)}

    def bar(self, number: int, bar: Bar, strategies: tuple[str, ...] = (), *, more: bool = False) -> None:
        """Take a final bar of a series.

        Parameters
        ----------
        strategies
            For whom it is; all where none is named.
        more
            Whether others are to be shown another bar of that time.
        """
        now = self._clock()
        closes_at = bar.ts + self._lengths[number]
        self._sessions.passed(closes_at, now)
        symbol = self._kernel.instruments[number].symbol
        if symbol not in self._priced_by:
            self._orders.on_price(symbol, bar.close, now)
        self._orders.on_close(symbol, bar.close, now)
        self._engine.take(BarClosed(now, number, bar, strategies))
        self._engine.stirred = True
        if not self.is_shared:
            self._seen.setdefault(closes_at, set()).update(strategies or self._everybody)
        if not more and self._instants.arrived(number, closes_at, now):
            self._close_instant(closes_at, now)

    def unfinished(self, number: int, bar: Bar) -> None:
        """Take a bar that is not over: its close is a price, for orders that are held here."""
        symbol = self._kernel.instruments[number].symbol
        if symbol not in self._priced_by:
            self._orders.on_price(symbol, bar.close, self._clock())

    def tick(self, stream: int, tick: Tick) -> None:
        """Take a trade of a series; orders that are held here meet it first."""
        now, symbol = self._clock(), tick.instrument.symbol
        if tick.ts >= self._sessions.due:
            self._sessions.passed(tick.ts, now)
        if self._priced_by[symbol] == "ticks":
            self._orders.on_price(symbol, tick.price, now)
        self._engine.take(TickReceived(now, stream, tick))

    def quote(self, stream: int, quote: Quote) -> None:
        """Take best bid and ask of a series; orders that are held here meet them first."""
        now, symbol = self._clock(), quote.instrument.symbol
        if quote.ts >= self._sessions.due:
            self._sessions.passed(quote.ts, now)
        if self._priced_by[symbol] == "quotes":
            self._orders.on_quote(symbol, quote.bid, quote.ask, now)
        self._engine.take(QuoteReceived(now, stream, quote))

    def book(self, stream: int, update: BookUpdate) -> None:
        """Take what changed in a book; orders that are held here meet what it has become."""
        now = self._clock()
        self._engine.take(BookReceived(now, stream, update))
        symbol = update.instrument.symbol
        if self._priced_by[symbol] == "book":
            view = self._view(stream)
            if view.is_valid:
                self._orders.on_quote(symbol, view.bid, view.ask, now)

    def book_lost(self, stream: int, reason: str) -> None:
        """Take that a book is not known any more, until a snapshot comes."""
        if self.book_known(stream):
            self._engine.take(BookLost(self._clock(), stream, reason))

    def book_known(self, stream: int) -> bool:
        """Tell whether changes of a book can be applied."""
        return self._view(stream).intact

    def mark(self, symbol: str, price: float) -> None:
        """Take the price by which the venue values positions in an instrument; NaN where it is not known any more."""
        if symbol in self._kernel.portfolio.positions and not (price <= 0.0 or price == inf):
            self._engine.take(MarkPriced(self._clock(), symbol, price))

    def time_passed(self, now: int) -> None:
        """Close the instants that have waited long enough for the rest of their bars."""
        for instant in self._instants.overdue(now):
            self._close_instant(instant, now)

    def next_due(self) -> int | None:
        """Return when the next instant has waited long enough, ns; None where none waits."""
        return self._instants.next_due()

    def _close_instant(self, closes_at: int, now: int) -> None:
        self._instants.close(closes_at)
        self._engine.take(InstantClosed(now, self._who_saw(closes_at)))

    def _who_saw(self, closes_at: int) -> tuple[str, ...]:
        """Return who was shown a bar of an instant; nobody for all."""
        seen: set[str] = set()
        for instant in [one for one in self._seen if one <= closes_at]:
            seen |= self._seen.pop(instant)
        return () if len(seen) == len(self._everybody) else tuple(one for one in self._everybody if one in seen)

    def _view(self, stream: int) -> BookView:
        kernel: Any = self._kernel
        view: BookView = kernel.views[stream]
        return view
