"""An order book as a strategy sees it: what is displayed now, at every price that is known."""

from __future__ import annotations

from bisect import bisect_left, insort
from math import inf, isnan, nan
from typing import TYPE_CHECKING

from cambist.model.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from cambist.model.instrument import Instrument

__all__ = ["BookView"]


class _Side:
    """The levels of one side; keys ascend toward the best price."""

    __slots__ = ("keys", "sign", "sizes")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[float] = []
        self.sizes: dict[float, float] = {}

    def put(self, price: float, size: float) -> None:
        key, sizes = price * self.sign, self.sizes
        if size:
            if price not in sizes:
                insort(self.keys, key)
            sizes[price] = size
        elif sizes.pop(price, 0.0):
            del self.keys[bisect_left(self.keys, key)]

    def replace(self, levels: dict[float, float]) -> None:
        """Take a snapshot: what is better than its worst price and not in it is empty; all where it is empty."""
        worst = min((price * self.sign for price in levels), default=-inf)
        for key in self.keys[bisect_left(self.keys, worst) :]:
            if key * self.sign not in levels:
                self.put(key * self.sign, 0.0)
        for price, size in levels.items():
            self.put(price, size)

    def best(self, count: int) -> list[tuple[float, float]]:
        sizes, sign = self.sizes, self.sign
        return [(key * sign, sizes[key * sign]) for key in reversed(self.keys[-count:])]


class BookView:
    """The current book of one instrument, always the same object.

    It shows what was recorded; orders of ours are not in it.

    Attributes
    ----------
    symbol, instrument
        Of what.
    ts
        Of the last change, ns since the epoch, UTC; 0 before the first.
    intact
        Whether nothing is missing in it: False from a gap of a live stream on, until a snapshot comes.
    noting
        Called with the mark after each change, before anybody sees it; None while nobody keeps them.
    """

    __slots__ = ("_mark", "_sides", "instrument", "intact", "noting", "symbol", "ts")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.ts = 0
        self._sides = {1: _Side(1), -1: _Side(-1)}
        self._mark = nan
        self.intact = True
        self.noting: Callable[[float], None] | None = None

    def apply(
        self, ts: int, is_snapshot: bool, sides: Iterable[int], prices: Iterable[float], sizes: Iterable[float]
    ) -> None:
        """Take one update; see `cambist.model.BookUpdate`."""
        self.ts = ts
        own = self._sides
        if is_snapshot:
            self.intact = True
            given: dict[int, dict[float, float]] = {1: {}, -1: {}}
            for side, price, size in zip(sides, prices, sizes, strict=True):
                given[side][price] = size
            for side, levels in given.items():
                own[side].replace(levels)
        else:
            for side, price, size in zip(sides, prices, sizes, strict=True):
                own[side].put(price, size)
        bids, asks = own[1].keys, own[-1].keys
        if bids and asks:
            self._mark = (bids[-1] - asks[-1]) / 2.0  # keys of asks are negative
        elif isnan(self._mark) and (bids or asks):
            self._mark = bids[-1] if bids else -asks[-1]
        if self.noting is not None:
            self.noting(self._mark)

    def lose(self) -> None:
        """Forget the levels: something is missing, and nobody knows what; the mark stays where it was."""
        self.intact = False
        self._sides = {1: _Side(1), -1: _Side(-1)}

    @property
    def is_valid(self) -> bool:
        """Whether it can be traded on: nothing is missing, there are bids and asks, and they do not cross."""
        return self.intact and self.bid < self.ask  # never with NaN

    @property
    def bid(self) -> float:
        """Best bid; NaN where there is none."""
        keys = self._sides[1].keys
        return keys[-1] if keys else nan

    @property
    def ask(self) -> float:
        """Best ask; NaN where there is none."""
        keys = self._sides[-1].keys
        return -keys[-1] if keys else nan

    @property
    def bid_size(self) -> float:
        """Size displayed at the best bid; 0 where there is none."""
        return self._sides[1].sizes.get(self.bid, 0.0)

    @property
    def ask_size(self) -> float:
        """Size displayed at the best ask; 0 where there is none."""
        return self._sides[-1].sizes.get(self.ask, 0.0)

    @property
    def mid(self) -> float:
        """The price halfway between bid and ask; NaN where one is missing."""
        return (self.bid + self.ask) / 2.0

    @property
    def spread(self) -> float:
        """Ask less bid; NaN where one is missing."""
        return self.ask - self.bid

    @property
    def time(self) -> datetime:
        """When, UTC."""
        return to_datetime(self.ts)

    def bids(self, count: int = 10) -> Sequence[tuple[float, float]]:
        """Return price and size of the best `count` bids, best first."""
        return self._sides[1].best(count)

    def asks(self, count: int = 10) -> Sequence[tuple[float, float]]:
        """Return price and size of the best `count` asks, best first."""
        return self._sides[-1].best(count)

    def size_at(self, price: float) -> float:
        """Return the size displayed at a price, of whichever side; 0 where there is none."""
        return self._sides[1].sizes.get(price) or self._sides[-1].sizes.get(price, 0.0)

    def mark(self) -> float:
        """Return the price at which a position is valued: halfway between bid and ask, when there last were both.

        Before there ever were, it is the best price that was first known.
        """
        return self._mark

    def __repr__(self) -> str:
        return f"<Book {self.symbol} {self.time} {self.bid:g} / {self.ask:g}>"
