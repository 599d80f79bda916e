"""What a book of one symbol shows: displayed sizes, depth, and where users' orders wait."""

from __future__ import annotations

from heapq import merge
from itertools import islice, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from cambist.model import Side
from cambist.simulation import LimitOrderBook
from cambist_simulator.exchange.levels import Levels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

__all__ = ["MARKET", "BookView", "Depth"]

#: The owner of what belongs to no user.
MARKET = ""
_BUY, _SELL = Side.BUY, Side.SELL


class Depth(msgspec.Struct, frozen=True):
    """Levels of both sides as (price, size), best first.

    Attributes
    ----------
    update_id
        Number of the last change in them.
    """

    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


class BookView:
    """The state of a book, to be read; `MarketBook` is what changes it.

    Parameters
    ----------
    symbol
        As the venue names it.
    tick, step
        The grid of prices and of sizes.

    Attributes
    ----------
    last_price
        Of the last trade; None before the first.
    trades
        How many trades there were: the id of the last one.
    update_id
        Counts the changes of levels.
    """

    def __init__(self, symbol: str, tick: Decimal, step: Decimal) -> None:
        self.symbol, self.tick, self.step = symbol, tick, step
        self.matcher = LimitOrderBook(remembers=False)
        self.last_price: Decimal | None = None
        self.trades = 0
        self.update_id = 0
        self._flushed_id = 0
        self._levels = {_BUY: Levels(_BUY), _SELL: Levels(_SELL)}
        # By price: ids of the market's orders in a line, in the order in which they stand.
        self._lines: dict[Side, dict[int, list[int]]] = {_BUY: {}, _SELL: {}}
        self._changed: dict[Side, dict[int, None]] = {_BUY: {}, _SELL: {}}
        self._pieces = 0

    def ticks(self, price: Decimal) -> int:
        """Return a price as ticks, rounded toward zero."""
        return int(price / self.tick)

    def lots(self, size: Decimal) -> int:
        """Return a size as lots, rounded toward zero."""
        return int(size / self.step)

    # What it shows.

    def best_ticks(self, side: Side) -> int | None:
        """Return the best price of a side in ticks; None where it is empty."""
        own = self._levels[side].best
        users = self.matcher.best_bid if side is _BUY else self.matcher.best_ask
        if own is None or users is None:
            return users if own is None else own
        return max(own, users) if side is _BUY else min(own, users)

    @property
    def best_bid(self) -> Decimal | None:
        """The highest bid."""
        ticks = self.best_ticks(_BUY)
        return None if ticks is None else ticks * self.tick

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest ask."""
        ticks = self.best_ticks(_SELL)
        return None if ticks is None else ticks * self.tick

    def crosses(self, side: Side, ticks: int) -> bool:
        """Tell whether an order with that limit would trade on arrival."""
        best = self.best_ticks(side.opposite)
        return best is not None and (best <= ticks if side is _BUY else best >= ticks)

    def displayed(self, side: Side, ticks: int) -> int:
        """Return the lots displayed at a price."""
        return self._levels[side].at(ticks) or self.matcher.displayed_at(side, ticks)

    def market_lots(self, side: Side, ticks: int) -> int:
        """Return the lots at a price that are the market's own."""
        line = self._lines[side].get(ticks)
        return self._levels[side].at(ticks) if line is None else sum(map(self._left, line))

    def size_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the size displayed at a price."""
        return self.displayed(side, self.ticks(price)) * self.step

    def own_prices(self, side: Side, better_than: int | None = None) -> list[int]:
        """Return the prices at which the market itself displays something, best first; all, or the better ones."""
        levels, lines = self._levels[side], self._lines[side]
        found = levels.prices() if better_than is None else levels.better(better_than)
        if lines:
            sign = side.sign
            found += [
                ticks
                for ticks, line in lines.items()
                if any(map(self._left, line)) and (better_than is None or (ticks - better_than) * sign > 0)
            ]
            found.sort(reverse=side is _BUY)
        return found

    def has_users(self, side: Side, ticks: int) -> bool:
        """Tell whether users' orders wait at a price."""
        return ticks in self._lines[side]

    def best_user(self, side: Side) -> int | None:
        """Return the best price, ticks, at which users' orders wait; None where there are none."""
        return self.matcher.best_bid if side is _BUY else self.matcher.best_ask

    def user_lots(self, side: Side, *, at: int | None = None, better_than: int | None = None) -> int:
        """Return the lots of users' orders at a price, or at better ones than one, hidden ones included."""
        if not self._lines[side] or (at is not None and at not in self._lines[side]):
            return 0
        found, sign = 0, side.sign
        for one in self.matcher.walk(side):
            if at is not None and (one.price - at) * sign < 0:
                break
            if better_than is not None and (one.price - better_than) * sign <= 0:
                break
            if one.order.owner != MARKET and (at is None or one.price == at):
                found += one.remaining
        return found

    def user_prices(self, side: Side, low: int, high: int) -> list[int]:
        """Return the prices between two, neither included, at which users' orders wait."""
        return [ticks for ticks in self._lines[side] if low < ticks < high]

    def top(self, side: Side) -> tuple[Decimal, Decimal] | None:
        """Return the best price of a side with its displayed size; None where it is empty."""
        ticks = self.best_ticks(side)
        return None if ticks is None else (ticks * self.tick, self.displayed(side, ticks) * self.step)

    def depth(self, levels: int | None = None) -> Depth:
        """Return displayed sizes, the best `levels` of each side or all of them."""
        shown = self.matcher.depth(levels)
        tick, step = self.tick, self.step

        def merged(side: Side) -> tuple[tuple[Decimal, Decimal], ...]:
            found = list(islice(self._levels[side].items(), levels))
            users = shown.bids if side is _BUY else shown.asks
            if users:
                found = sorted(found + [(one.price, one.size) for one in users], reverse=side is _BUY)[:levels]
            return tuple((ticks * tick, lots * step) for ticks, lots in found)

        return Depth(self.update_id, merged(_BUY), merged(_SELL))

    def facing(self, side: Side, owner: str | None, limit: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield (ticks, lots), best first, of what faces an order: hidden sizes included, the owner's own not.

        Parameters
        ----------
        side
            Of the order that would arrive.
        owner
            Whose it would be; None to count his own too.
        limit
            Its limit in ticks; None for any price.
        """
        other = side.opposite
        users = ((one.price, one.remaining) for one in self.matcher.walk(other) if one.order.owner != owner)
        best_first = merge(self._levels[other].within(limit), users, key=itemgetter(0), reverse=other is _BUY)
        return takewhile(lambda level: self.reaches(side, limit, level[0]), best_first)

    def walls(self, side: Side, limit: int | None) -> list[tuple[int, int]]:
        """Return (ticks, lots), worst first, of what the market alone displays within reach of an order."""
        return list(self._levels[side.opposite].within(limit))[::-1]

    @staticmethod
    def is_better(side: Side, ticks: int, other: int) -> bool:
        """Tell whether an order of `side` would trade at one price before another."""
        return ticks < other if side is _BUY else ticks > other

    @staticmethod
    def reaches(side: Side, limit: int | None, ticks: int) -> bool:
        """Tell whether an order of `side` with that limit (None: any) trades at a price."""
        return limit is None or (ticks <= limit if side is _BUY else ticks >= limit)

    @property
    def is_alone(self) -> bool:
        """Whether no order of a user rests in it."""
        return not self._lines[_BUY] and not self._lines[_SELL]

    def _left(self, piece: int) -> int:
        resting = self.matcher.get(piece)
        return 0 if resting is None else resting.remaining
