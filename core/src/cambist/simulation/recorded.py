"""Fills that took place elsewhere, booked with the bars they belong to."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from cambist.simulation.venue_front import VenueFront
from cambist.simulation.working import EveryBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.simulation.bar_venue import BarVenue, WorkingOrders

__all__ = ["Due", "FillBooker"]


class Due(Protocol):
    """Something that is to be booked.

    Attributes
    ----------
    due
        Close of the bar with which it is booked, ns.
    """

    @property
    def due(self) -> int:
        """See above."""
        ...


class _Lane(EveryBar):
    """The orders of one instrument, and what is to be booked of any: while there is some, every bar counts."""

    def __init__(self, queue: deque[Due], market: WorkingOrders) -> None:
        self._queue = queue
        self._market = market
        super().__init__(self)

    def __len__(self) -> int:
        """Return how many orders are at work, and things to be booked."""
        return len(self._queue) + len(self._market.working)

    def __bool__(self) -> bool:
        return bool(self._queue) or bool(self._market.working)


class FillBooker(VenueFront):
    """Stands before a simulated venue, and books what is due when the bar comes with which it belongs.

    Parameters
    ----------
    venue
        Matches everybody's orders.
    entries
        What is to be booked, in that order: `due` ascends.
    book
        Books one of them.
    after_orders
        Book after the orders of the instant have been matched, and not before.
    """

    def __init__(
        self, venue: BarVenue, entries: Iterable[Due], book: Callable[[Due], None], *, after_orders: bool
    ) -> None:
        super().__init__(venue)
        self._queue = deque(entries)
        self._book = book
        self._after_orders = after_orders
        self._lanes = {symbol: _Lane(self._queue, market) for symbol, market in venue.markets.items()}
        self._alone = len(self._lanes) == 1
        self._closed = 0

    @property
    def markets(self) -> Mapping[str, _Lane]:
        """What is at work and to be booked, by symbol."""
        return self._lanes

    @property
    def keeps_guards(self) -> bool:
        """Whether every bar must be matched: while something is to be booked, at least."""
        return bool(self._queue) or self.venue.keeps_guards

    @property
    def matches_together(self) -> bool:
        """Whether `match_together` must be called."""
        return self.venue.matches_together or (self._after_orders and not self._alone)

    def match(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Book what is due, and work the orders of one instrument against one bar."""
        if not self._after_orders:
            self._book_due(closed)
        if self.venue.markets[symbol].working or self.venue.keeps_guards:
            self.venue.match(symbol, opened, closed, open_, high, low, close, volume)
        self._closed = closed
        if self._after_orders and self._alone:
            self._book_due(closed)

    def match_together(self) -> None:
        """Work the orders against every bar noted since the last call."""
        if self.venue.matches_together:
            self.venue.match_together()
        if self._after_orders:
            self._book_due(self._closed)

    def _book_due(self, now: int) -> None:
        queue, book = self._queue, self._book
        while queue and queue[0].due <= now:
            book(queue.popleft())
