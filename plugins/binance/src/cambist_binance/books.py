"""Local order books: a snapshot and what has changed since, by the venue's own rules of what fits together.

The rules differ: on spot the update ids of events follow each other without a gap; on futures each event names the last
id of the one before. See "How to manage a local order book correctly" in the venue's documentation of either.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from cambist.model import BookUpdate
from cambist_binance.wire.words import MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model import Instrument
    from cambist_binance.wire.market import DepthSnapshot, DepthUpdate

__all__ = ["BookGapError", "BookState", "LocalBook"]


class BookGapError(Exception):
    """Something between what was seen and what came is missing, or the result is no book."""


class BookState(StrEnum):
    """Where a local book stands."""

    #: Changes are kept until a snapshot comes.
    BUFFERING = "buffering"
    LIVE = "live"


class _Ladder:
    """One side: sizes by price, and the prices in order."""

    __slots__ = ("prices", "sizes")

    def __init__(self) -> None:
        self.sizes: dict[float, float] = {}
        self.prices: list[float] = []

    def fill(self, levels: Iterable[tuple[float, float]]) -> None:
        self.sizes, self.prices = {}, []
        self.apply(levels)

    def apply(self, levels: Iterable[tuple[float, float]]) -> None:
        sizes, prices = self.sizes, self.prices
        for price, size in levels:
            if not (0.0 < price < inf and 0.0 <= size < inf):
                raise BookGapError(f"the book has a level that cannot be: {size:g} at {price:g}")
            if size > 0.0:
                if price not in sizes:
                    insort(prices, price)
                sizes[price] = size
            elif price in sizes:
                del sizes[price]
                del prices[bisect_left(prices, price)]


class LocalBook:
    """The book of one instrument.

    Parameters
    ----------
    futures
        Which of the two rules holds.

    Attributes
    ----------
    state
        While it is not live, nobody must see it.
    last
        Update id up to which it is known.
    """

    def __init__(self, instrument: Instrument, *, futures: bool) -> None:
        self.instrument, self._futures = instrument, futures
        self.state = BookState.BUFFERING
        self.last = 0
        self._bids, self._asks = _Ladder(), _Ladder()
        self._buffer: list[DepthUpdate] = []
        #: Whether the next event is the first behind the snapshot, for which the rule is another.
        self._fresh = False

    def reset(self) -> None:
        """Forget everything: what is known is of no use any more."""
        self.state, self.last, self._fresh = BookState.BUFFERING, 0, False
        self._bids, self._asks = _Ladder(), _Ladder()
        self._buffer.clear()

    def update(self, event: DepthUpdate) -> BookUpdate | None:
        """Take an event; return what it changes, None while there is no book or where it is an old one.

        Raises
        ------
        BookGapError
            It does not follow what is known. The book is buffering again, from this event on.
        """
        if self.state is BookState.BUFFERING:
            self._buffer.append(event)
            return None
        try:
            return self._apply(event)
        except BookGapError:
            self.reset()
            self._buffer.append(event)
            raise

    def start(self, snapshot: DepthSnapshot, now: int) -> list[BookUpdate] | None:
        """Take a snapshot; return it as an update, with those that followed it, or None where it is too old.

        Parameters
        ----------
        now
            When, ns, UTC, where the venue does not say.

        Raises
        ------
        BookGapError
            What was kept does not follow it without a gap; the book is empty again.
        """
        buffered = self._buffer
        if buffered and snapshot.last < buffered[0].first - (0 if self._futures else 1):
            return None
        self._buffer = []
        try:
            self._bids.fill(snapshot.bids)
            self._asks.fill(snapshot.asks)
        except BookGapError:
            self.reset()
            raise
        self.last, self._fresh, self.state = snapshot.last, True, BookState.LIVE
        ts = snapshot.at * MS or now
        updates = [BookUpdate(self.instrument, ts, True, _levels(snapshot.bids, snapshot.asks))]
        try:
            self._check()
            updates += [change for event in buffered if (change := self._apply(event)) is not None]
        except BookGapError:
            self.reset()
            raise
        return updates

    def levels(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return bids and asks, price and size, best first."""
        bids, asks = self._bids, self._asks
        return [(p, bids.sizes[p]) for p in reversed(bids.prices)], [(p, asks.sizes[p]) for p in asks.prices]

    def _apply(self, event: DepthUpdate) -> BookUpdate | None:
        if self._is_old(event):
            return None
        if not self._follows(event):
            previous = "" if event.previous is None else f" after {event.previous}"
            raise BookGapError(f"event {event.first} to {event.last}{previous} does not follow {self.last}")
        self._fresh, self.last = False, event.last
        self._bids.apply(event.bids)
        self._asks.apply(event.asks)
        self._check()
        return BookUpdate(self.instrument, event.at * MS, False, _levels(event.bids, event.asks))

    def _is_old(self, event: DepthUpdate) -> bool:
        if self._futures and self._fresh:
            return event.last < self.last
        return event.last <= self.last

    def _follows(self, event: DepthUpdate) -> bool:
        if not self._futures:
            return event.first <= self.last + 1
        if self._fresh:
            return event.first <= self.last <= event.last
        return event.previous == self.last

    def _check(self) -> None:
        bids, asks = self._bids.prices, self._asks.prices
        if bids and asks and bids[-1] >= asks[0]:
            raise BookGapError(f"the book is crossed: {bids[-1]} bid, {asks[0]} asked")


def _levels(
    bids: Iterable[tuple[float, float]], asks: Iterable[tuple[float, float]]
) -> tuple[tuple[int, float, float], ...]:
    return (*[(1, price, size) for price, size in bids], *[(-1, price, size) for price, size in asks])
