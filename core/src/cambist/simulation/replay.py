"""Our orders in a recorded order book: what would have become of them had they stood in that line."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from cambist.errors import ParameterError
from cambist.model.orders import Side, TimeInForce
from cambist.simulation.book.records import (
    BookAmended,
    BookCanceled,
    BookDepth,
    BookEvent,
    BookLevel,
    BookOrder,
    BookRejected,
    BookRested,
    BookTrade,
)
from cambist.simulation.queue import CancelModel, cancels_behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BookReplay", "QueuedOrder"]

_BUY = Side.BUY
_FOK = TimeInForce.FOK
#: Id and owner of everybody else, in trades.
_MARKET_ID, _MARKET = 0, ""


class QueuedOrder(msgspec.Struct, eq=False):
    """An order of ours that waits in the recorded book; the replay writes it, everybody else reads.

    Attributes
    ----------
    order, price
        Its terms; the price in ticks.
    remaining
        Lots still to trade.
    ahead
        Lots of others that stand before it at its price.
    """

    order: BookOrder
    price: int
    remaining: int
    ahead: int


class _Level(msgspec.Struct, eq=False):
    """A recorded level, and what happened there since the record last told its size."""

    size: int = 0
    traded: int = 0
    taken: int = 0

    @property
    def left(self) -> int:
        """What the record lets us expect."""
        return max(0, self.size - self.traded)

    @property
    def live(self) -> int:
        """What we can still trade with."""
        return max(0, self.size - self.traded - self.taken)


class _RecordedSide:
    """The recorded levels of one side; keys ascend toward the best price."""

    __slots__ = ("_keys", "_levels", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = 1 if side is _BUY else -1
        self._keys: list[int] = []
        self._levels: dict[int, _Level] = {}

    def get(self, price: int) -> _Level | None:
        return self._levels.get(price * self.sign)

    def put(self, price: int, size: int) -> _Level:
        key = price * self.sign
        if key not in self._levels:
            insort(self._keys, key)
        level = self._levels[key] = _Level(size)
        return level

    def drop(self, price: int) -> None:
        key = price * self.sign
        if self._levels.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def live(self) -> Iterator[tuple[int, _Level]]:
        """Yield the levels that are not used up, best first."""
        for key in reversed(self._keys):
            if self._levels[key].live:
                yield key * self.sign, self._levels[key]

    def down_to(self, worst: int | None) -> list[int]:
        """Return the prices not worse than `worst` (None: all)."""
        start = 0 if worst is None else bisect_left(self._keys, worst * self.sign)
        return [key * self.sign for key in self._keys[start:]]


class BookReplay:
    """Plays a recorded book (L2: sizes by price, and trades) and works orders of ours in it.

    The record goes on as it went: others do not react to us. Prices count ticks, sizes lots; see `BookUnits`. Feed it
    what was recorded, in the order in which it was received, and send orders between: every call returns what happened
    to ours, oldest first. In a `BookTrade` the other party has the id 0 and the owner ``""``.

    Parameters
    ----------
    cancels
        Who leaves when a level shrinks without a trade: `cancels_behind` (pessimistic) or `cancels_spread`
        (proportional), or a function of your own.

    Notes
    -----
    * On arrival an order trades with the recorded levels it reaches, up to their displayed sizes. What it took is
      gone until the record tells the level's size anew. It never trades with another of ours: what would is canceled.
    * What rests stands behind the displayed size of its level, 0 where the record knows of none.
    * A trade at its price takes from those ahead first, and fills it with what goes beyond. A trade at a worse price
      went through it and fills it first, up to the size of the trade: our fills are never more than what was traded.
    * The level's next size tells how many left without a trade: what is missing beyond the trades since the last size.
      A feed has to bring trades before the level they took from; where it brings them after, they count twice.
    * Size of the other side that comes to stand at or through our price trades with us.
    """

    def __init__(self, cancels: CancelModel = cancels_behind) -> None:
        self._cancels = cancels
        self._sides = {side: _RecordedSide(side) for side in Side}
        self._own: dict[int, QueuedOrder] = {}
        self._seen: set[int] = set()

    # What it holds.

    def get(self, order_id: int) -> QueuedOrder | None:
        """Return a resting order of ours; None when it does not rest."""
        return self._own.get(order_id)

    @property
    def open_orders(self) -> list[QueuedOrder]:
        """Our resting orders, oldest first."""
        return list(self._own.values())

    def best(self, side: Side) -> int | None:
        """Return the best recorded price of a side, ticks, that is not used up; None where there is none."""
        return next((price for price, _ in self._sides[side].live()), None)

    def depth(self, levels: int | None = None) -> BookDepth:
        """Return the recorded sizes that are not used up, best first; how many orders they are of nobody told (0).

        Raises
        ------
        ParameterError
            If `levels` is below 1.
        """
        if levels is not None and levels < 1:
            raise ParameterError(f"levels is {levels}; ask for at least 1, or leave it out for all of them.")
        bids, asks = (
            tuple(BookLevel(price, level.live, 0) for price, level in islice(self._sides[side].live(), levels))
            for side in (Side.BUY, Side.SELL)
        )
        return BookDepth(bids, asks)

    # The record.

    def snapshot(self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> list[BookEvent]:
        """Take the whole book, or the best levels of it, as (price, size).

        Levels better than the worst one listed and not listed themselves are empty; what lies beyond it stays as it
        was, since a snapshot of limited depth says nothing of it. A side without any level is empty.
        """
        events: list[BookEvent] = []
        for side, given in ((Side.BUY, dict(bids)), (Side.SELL, dict(asks))):
            worst = (min if side is _BUY else max)(given, default=None)
            for price in self._sides[side].down_to(worst):
                if price not in given:
                    self.level(side, price, 0)
            for price, size in given.items():
                events += self.level(side, price, size)
        return events

    def level(self, side: Side, price: int, size: int) -> list[BookEvent]:
        """Take the new displayed size of one level; 0 empties it.

        Raises
        ------
        ParameterError
            For a price or a size that no level can have.
        """
        _check(price, size, least=0)
        recorded = self._sides[side]
        level = recorded.get(price)
        left = 0 if level is None else level.left
        if size < left:
            for own in self._at(side, price):
                own.ahead = min(self._cancels(own.ahead, left - size, left), size)
        if size == 0:
            recorded.drop(price)
            return []
        level = recorded.put(price, size)
        events: list[BookEvent] = []
        came = max(0, size - left)  # who stood there before has traded with us already
        for own in self._reached_from(side, price) if came else ():
            own.ahead = 0  # whoever stood before us is gone, or these would not stand here
            got = min(own.remaining, came)
            came -= got
            level.taken += got
            if got:
                self._fill(own, got, side, events)
        return events

    def trade(self, taker: Side, price: int, size: int) -> list[BookEvent]:
        """Take a recorded trade: `taker` is the side of whoever did not wait.

        Raises
        ------
        ParameterError
            For a price or a size that no trade can have.
        """
        _check(price, size, least=1)
        side = taker.opposite
        events: list[BookEvent] = []
        volume = size
        for own in self._reached_from(taker, price):
            if own.price == price:
                break
            own.ahead = 0
            got = min(own.remaining, volume)
            volume -= got
            if got:
                self._fill(own, got, taker, events)
        level = self._sides[side].get(price)
        if level is not None:
            level.traded = min(level.size, level.traded + size)
        left = 0 if level is None else level.left
        self._pass_through(self._at(side, price), volume, left, taker, events)
        return events

    def _pass_through(
        self, line: list[QueuedOrder], volume: int, left: int, taker: Side, events: list[BookEvent]
    ) -> None:
        """Let `volume` lots trade along a line of others with ours among them; `left` others remain on the record."""
        gone = 0  # lots of others that traded
        for own in line:
            passed = min(volume, max(0, own.ahead - gone))
            gone += passed
            volume -= passed
            got = min(volume, own.remaining) if own.ahead <= gone else 0
            volume -= got
            if got:
                self._fill(own, got, taker, events)
        gone += volume
        for own in line:
            own.ahead = min(max(0, own.ahead - gone), left)

    # Requests.

    def submit(self, order: BookOrder) -> list[BookEvent]:
        """Send an order of ours; one that hides a part of its size is rejected (``"hidden_size"``)."""
        reason = ""
        if order.id in self._seen or order.id == _MARKET_ID:
            reason = "duplicate_id"
        elif order.display is not None:
            reason = "hidden_size"
        elif order.post_only and self._crosses(order):
            reason = "would_take"
        self._seen.add(order.id)
        if reason:
            return [BookRejected(order.id, order.owner, "submit", reason)]
        if order.time_in_force is _FOK and sum(level.live for _, level in self._reach(order)) < order.size:
            return [BookCanceled(order.id, order.owner, order.size, "unfilled")]
        events: list[BookEvent] = []
        self._arrive(order, order.size, events)
        return events

    def cancel(self, order_id: int) -> list[BookEvent]:
        """Withdraw what remains of an order of ours."""
        own = self._own.pop(order_id, None)
        if own is None:
            return [BookRejected(order_id, "", "cancel", "unknown_order")]
        return [BookCanceled(order_id, own.order.owner, own.remaining, "canceled")]

    def amend(self, order_id: int, *, size: int | None = None, price: int | None = None) -> list[BookEvent]:
        """Give an order of ours new terms, by the rules of `LimitOrderBook.amend`.

        Raises
        ------
        OrderError
            For numbers that no order can have; see `BookOrder`.
        """
        own = self._own.get(order_id)
        if own is None:
            return [BookRejected(order_id, "", "amend", "unknown_order")]
        order = own.order
        new_size = order.size if size is None else size
        new_price = own.price if price is None else price
        amended = msgspec.structs.replace(order, size=new_size, price=new_price)
        remaining = own.remaining + amended.size - order.size
        if remaining <= 0:
            return [BookRejected(order_id, order.owner, "amend", "size_filled")]
        kept = new_price == own.price and new_size <= order.size
        if not kept and order.post_only and self._crosses(amended):
            return [BookRejected(order_id, order.owner, "amend", "would_take")]
        events: list[BookEvent] = [BookAmended(order_id, order.owner, new_price, new_size, kept)]
        if kept:
            own.order, own.remaining = amended, remaining
            return events
        del self._own[order_id]
        self._arrive(amended, remaining, events)
        return events

    def _arrive(self, order: BookOrder, remaining: int, events: list[BookEvent]) -> None:
        for price, level in self._reach(order):
            got = min(remaining, level.live)
            level.taken += got
            remaining -= got
            events.append(BookTrade(order.id, order.owner, _MARKET_ID, _MARKET, order.side, price, got))
            if not remaining:
                return
        # Nothing recorded is left within reach of it, or something of ours stands before the rest.
        if self._meets_own(order):
            events.append(BookCanceled(order.id, order.owner, remaining, "self_trade"))
        elif not order.may_rest:
            events.append(BookCanceled(order.id, order.owner, remaining, "unfilled"))
        else:
            assert order.price is not None
            joined = self._sides[order.side].get(order.price)
            ahead = 0 if joined is None else joined.live
            self._own[order.id] = QueuedOrder(order, order.price, remaining, ahead)
            events.append(BookRested(order.id, order.owner, order.side, order.price, remaining, remaining))

    def _fill(self, own: QueuedOrder, size: int, taker: Side, events: list[BookEvent]) -> None:
        who = own.order
        own.remaining -= size
        if not own.remaining:
            del self._own[who.id]
        events.append(BookTrade(_MARKET_ID, _MARKET, who.id, who.owner, taker, own.price, size))

    # Who meets whom.

    def _reach(self, order: BookOrder) -> Iterator[tuple[int, _Level]]:
        """Yield the levels an order would trade with: up to its limit, and short of our own orders."""
        sign = 1 if order.side is _BUY else -1
        ends = [own.price * sign for own in self._own.values() if own.order.side is not order.side]
        end = min(ends, default=None)
        for price, level in self._sides[order.side.opposite].live():
            if order.price is not None and price * sign > order.price * sign:
                return
            if end is not None and price * sign >= end:
                return
            yield price, level

    def _meets_own(self, order: BookOrder) -> bool:
        """Tell whether an order would trade with another of ours."""
        return bool(self._reached_from(order.side, order.price, but=order.id))

    def _crosses(self, order: BookOrder) -> bool:
        return self._meets_own(order) or next(self._reach(order), None) is not None

    def _reached_from(self, side: Side, price: int | None, but: int = _MARKET_ID) -> list[QueuedOrder]:
        """Return our resting orders that one of `side` with limit `price` would trade with, best and oldest first."""
        sign = 1 if side is _BUY else -1
        found = [
            own
            for number, own in self._own.items()
            if own.order.side is not side and number != but and (price is None or own.price * sign <= price * sign)
        ]
        return sorted(found, key=lambda own: own.price * sign)

    def _at(self, side: Side, price: int) -> list[QueuedOrder]:
        """Return our resting orders of one side at one price, oldest first."""
        return [own for own in self._own.values() if own.price == price and own.order.side is side]


def _check(price: int, size: int, least: int) -> None:
    if price < 1 or size < least:
        raise ParameterError(
            f"{size} lots at {price} ticks cannot be; a price is at least 1 tick and a size here at least {least}."
        )
