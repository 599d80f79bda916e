"""The book of one symbol: users' orders in the matcher, the market's own levels beside it until both meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model import Side, TimeInForce
from cambist.simulation import BookOrder, BookRested, BookTrade, SelfTrade
from cambist_simulator.exchange.book_view import MARKET, BookView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from cambist.simulation import BookEvent

__all__ = ["MARKET", "MarketBook"]

_BUY, _SELL = Side.BUY, Side.SELL


class MarketBook(BookView):
    """A book in which many levels of the market itself cost next to nothing.

    The market's own displayed sizes are kept as numbers by price. They become orders of the matcher only where a
    user's order meets them: those that an arriving order can reach, and those at a price at which a user's order
    rests (a *line*), since there it matters who was first.
    """

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
