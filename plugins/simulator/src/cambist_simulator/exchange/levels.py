"""What the market itself displays on one side of a book, as long as no user stands in the same line."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

from cambist.model import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Levels"]


class Levels:
    """Lots by price in ticks, best first; a change is cheap, since recorded books change them by the thousand."""

    __slots__ = ("_keys", "_lots", "_sign")

    def __init__(self, side: Side) -> None:
        # Keys ascend toward the best price, so that best levels come and go at the end of the list.
        self._sign = 1 if side is Side.BUY else -1
        self._keys: list[int] = []
        self._lots: dict[int, int] = {}

    @property
    def best(self) -> int | None:
        """The best price; None when nothing is displayed."""
        return self._keys[-1] * self._sign if self._keys else None

    def at(self, ticks: int) -> int:
        """Return the lots at a price, 0 where there are none."""
        return self._lots.get(ticks * self._sign, 0)

    def sizes(self, prices: Iterable[int]) -> list[int]:
        """Return the lots at each of some prices."""
        sign, lots = self._sign, self._lots.get
        return [lots(ticks * sign, 0) for ticks in prices]

    def set(self, ticks: int, lots: int) -> None:
        """Put so many lots at a price, in place of those that were there."""
        key = ticks * self._sign
        if lots:
            if key not in self._lots:
                insort(self._keys, key)
            self._lots[key] = lots
        elif key in self._lots:
            del self._lots[key]
            del self._keys[bisect_left(self._keys, key)]

    def take(self, ticks: int) -> int:
        """Take a price out; return the lots that were there."""
        lots = self.at(ticks)
        self.set(ticks, 0)
        return lots

    def clear(self) -> list[int]:
        """Take out everything; return the prices."""
        prices = [key * self._sign for key in self._keys]
        self._keys.clear()
        self._lots.clear()
        return prices

    def items(self) -> Iterator[tuple[int, int]]:
        """Yield (price, lots), best first."""
        return ((key * self._sign, self._lots[key]) for key in reversed(self._keys))

    def prices(self) -> list[int]:
        """Return all prices, best first."""
        sign = self._sign
        return [key * sign for key in reversed(self._keys)]

    def better(self, ticks: int) -> list[int]:
        """Return the prices that are better than one, best first."""
        key = ticks * self._sign
        return [one * self._sign for one in reversed(self._keys[bisect_right(self._keys, key) :])]

    def within(self, limit: int | None) -> Iterator[tuple[int, int]]:
        """Yield those which an order of the other side with limit `limit` (None: any price) would trade with."""
        if limit is None:
            yield from self.items()
            return
        worst = limit * self._sign
        for key in reversed(self._keys):
            if key < worst:
                return
            yield key * self._sign, self._lots[key]
