"""The book of one symbol: users' orders in the matcher, the market's own levels beside it until both meet."""

from __future__ import annotations

from heapq import merge
from itertools import islice, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from cambist.model import Side, TimeInForce
from cambist.simulation import BookOrder, BookRested, BookTrade, LimitOrderBook, SelfTrade
from cambist_simulator.exchange.levels import Levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from cambist.simulation import BookEvent

__all__ = ["MARKET", "Depth", "MarketBook"]

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


class MarketBook:
    """A book in which many levels of the market itself cost next to nothing.

    The market's own displayed sizes are kept as numbers by price. They become orders of the matcher only where a
    user's order meets them: those that an arriving order can reach, and those at a price at which a user's order
    rests (a *line*), since there it matters who was first.

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

    # Changes to tell.

    def touch(self, side: Side, ticks: int) -> None:
        """Note that what is displayed at a price has changed."""
        self._changed[side][ticks] = None
        self.update_id += 1

    def flush(self) -> tuple[int, int, tuple[tuple[Decimal, Decimal], ...], tuple[tuple[Decimal, Decimal], ...]] | None:
        """Return (first id, last id, bids, asks) of what changed since the last call; None where nothing did."""
        if self.update_id == self._flushed_id:
            return None
        first, self._flushed_id = self._flushed_id + 1, self.update_id
        return first, self.update_id, self._drain(_BUY), self._drain(_SELL)

    def _drain(self, side: Side) -> tuple[tuple[Decimal, Decimal], ...]:
        tick, step, changed = self.tick, self.step, self._changed[side]
        if not changed:
            return ()
        order = sorted(changed, reverse=side is _BUY) if len(changed) > 1 else tuple(changed)
        if self._lines[side]:
            shown = [self.displayed(side, ticks) for ticks in order]
        else:
            shown = self._levels[side].sizes(order)
        changed.clear()
        return tuple([(ticks * tick, lots * step) for ticks, lots in zip(order, shown, strict=True)])

    # The market's own.

    def set_level(self, side: Side, ticks: int, lots: int) -> None:
        """Give the market's own size at a price; it must cross nothing.

        Where users wait in the same line, more size joins the end of it, and less is taken from behind them first.
        """
        line = self._lines[side].get(ticks)
        if line is None:
            self._levels[side].set(ticks, lots)
        else:
            self._resize(side, ticks, line, lots)
        self.touch(side, ticks)

    @property
    def is_alone(self) -> bool:
        """Whether no order of a user rests in it."""
        return not self._lines[_BUY] and not self._lines[_SELL]

    def set_alone(self, changes: Iterable[tuple[Side, int, int]]) -> None:
        """Do `set_level` for many levels (side, ticks, lots) while no order of a user rests: it is most of a replay."""
        levels, changed, count = self._levels, self._changed, 0
        for side, ticks, lots in changes:
            if lots:
                facing = levels[_SELL if side is _BUY else _BUY]
                best = facing.best
                if best is not None and (best <= ticks if side is _BUY else best >= ticks):
                    self.clear_crossed(side.opposite, ticks)
            levels[side].set(ticks, lots)
            changed[side][ticks] = None
            count += 1
        self.update_id += count

    def clear(self) -> None:
        """Take the market's own levels out, all of them."""
        for side, levels in self._levels.items():
            for ticks in levels.clear():
                self.touch(side, ticks)
            for ticks, line in self._lines[side].items():
                self._resize(side, ticks, line, 0)
                self.touch(side, ticks)

    def take_users(self, side: Side, ticks: int, lots: int) -> list[BookEvent]:
        """Let an outside taker trade with users' orders up to a limit, and with what stands before them in line."""
        self._pieces -= 1
        order = BookOrder(
            id=self._pieces,
            owner=MARKET,
            side=side,
            size=lots,
            price=ticks,
            time_in_force=TimeInForce.IOC,
            self_trade=SelfTrade.ALLOW,
        )
        events = self.matcher.submit(order)
        self._after(side.opposite, [], events)
        return events

    def reduce(self, side: Side, ticks: int, lots: int) -> None:
        """Take lots off what the market alone displays at a price."""
        had = self._levels[side].at(ticks)
        if had:
            self._levels[side].set(ticks, max(0, had - lots))
            self.touch(side, ticks)

    def clear_crossed(self, side: Side, ticks: int) -> None:
        """Take the market's own levels out that an order of the other side at `ticks` would reach."""
        for price in [price for price, _ in self._levels[side].within(ticks)]:
            self._levels[side].set(price, 0)
            self.touch(side, price)
        for price, line in self._lines[side].items():
            if line and (price <= ticks if side is _SELL else price >= ticks):
                self._resize(side, price, line, 0)
                self.touch(side, price)

    def _left(self, piece: int) -> int:
        resting = self.matcher.get(piece)
        return 0 if resting is None else resting.remaining

    def _resize(self, side: Side, ticks: int, line: list[int], lots: int) -> None:
        """Bring the market's own size in a line to `lots`."""
        line[:] = [one for one in line if self.matcher.get(one) is not None]
        more = lots - sum(map(self._left, line))
        if more > 0:
            line.append(self._rest(side, ticks, more))
        while more < 0:
            last = self.matcher.get(line[-1])
            assert last is not None
            if last.remaining <= -more:
                more += last.remaining
                self.matcher.cancel(line.pop())
            else:
                self.matcher.amend(line[-1], size=last.order.size + more)
                more = 0

    def _rest(self, side: Side, ticks: int, lots: int) -> int:
        self._pieces -= 1
        self.matcher.submit(
            BookOrder(id=self._pieces, owner=MARKET, side=side, size=lots, price=ticks, self_trade=SelfTrade.ALLOW)
        )
        return self._pieces

    # Users' orders.

    def submit(self, order: BookOrder) -> list[BookEvent]:
        """Take a user's order; the market's levels that it can meet are brought to the matcher for it."""
        side, ticks = order.side, order.price
        takes = ticks is None or self.crosses(side, ticks)
        revealed = self._reveal(side.opposite, ticks, order.size) if takes else []
        if order.may_rest:
            assert ticks is not None
            self._join(side, ticks)
        events = self.matcher.submit(order)
        if takes:
            self._after(side.opposite, revealed, events)
        if order.may_rest:
            assert ticks is not None
            self._note_rest(side, ticks, events)
        return events

    def amend(self, order_id: int, side: Side, *, size: int, price: int, was: int) -> list[BookEvent]:
        """Give a user's resting order new terms; see `LimitOrderBook.amend`.

        Parameters
        ----------
        size
            In total, lots.
        price, was
            New and present price, ticks.
        """
        takes = self.crosses(side, price)
        revealed = self._reveal(side.opposite, price, size) if takes else []
        self._join(side, price)
        events = self.matcher.amend(order_id, size=size, price=price)
        if takes:
            self._after(side.opposite, revealed, events)
        self._note_rest(side, price, events)
        self.left(side, was)
        return events

    def cancel(self, order_id: int, side: Side, ticks: int) -> list[BookEvent]:
        """Withdraw a user's resting order."""
        events = self.matcher.cancel(order_id)
        self.left(side, ticks)
        return events

    def left(self, side: Side, ticks: int) -> None:
        """Note that a user's order at a price is gone, or smaller."""
        self.touch(side, ticks)
        self._return(side, ticks)

    def _reveal(self, side: Side, limit: int | None, lots: int) -> list[int]:
        """Bring the market's levels to the matcher that an order of `lots` with that limit could reach; return them."""
        found = []
        for ticks, size in self._levels[side].within(limit):
            found.append(ticks)
            lots -= size
            if lots <= 0:
                break
        for ticks in found:
            self._join(side, ticks)
        return found

    def _join(self, side: Side, ticks: int) -> None:
        """Make a price a line, the market first in it."""
        lines = self._lines[side]
        if ticks not in lines:
            lots = self._levels[side].take(ticks)
            lines[ticks] = [self._rest(side, ticks, lots)] if lots else []

    def _after(self, side: Side, revealed: list[int], events: list[BookEvent]) -> None:
        """Note trades with one side, and give lines back to the market in which no user is left."""
        met = dict.fromkeys(revealed)
        for one in events:
            if type(one) is BookTrade:
                self.touch(side, one.price)
                met[one.price] = None
        for ticks in met:
            self._return(side, ticks)

    def _note_rest(self, side: Side, ticks: int, events: list[BookEvent]) -> None:
        if events and type(events[-1]) is BookRested:
            self.touch(side, ticks)
        else:
            self._return(side, ticks)

    def _return(self, side: Side, ticks: int) -> None:
        """Give a line back to the market if no user is left in it."""
        line = self._lines[side].get(ticks)
        if line is None:
            return
        lots = sum(map(self._left, line)) if line else 0
        if self.matcher.displayed_at(side, ticks) == lots:
            for one in line:
                self.matcher.cancel(one)
            del self._lines[side][ticks]
            self._levels[side].set(ticks, lots)
