"""The simulated venue on recorded order books: orders of ours stand in the line."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.model.events import OrderRejected
from cambist.model.orders import LIMITED, Liquidity, OrderType, Side, TimeInForce
from cambist.simulation.book import BookCanceled, BookOrder, BookRejected, BookTrade
from cambist.simulation.replay import BookReplay
from cambist.simulation.ticks import TickVenue, waits_for_trigger
from cambist.simulation.working import FLEETING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.book import BookEvent
    from cambist.simulation.market_venue import Shown
    from cambist.simulation.matching import VenueAccount
    from cambist.simulation.queue import CancelModel
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Market, Working

__all__ = ["BookVenue"]

_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_BUY, _SELL = Side.BUY, Side.SELL
_GTC = TimeInForce.GTC
_SIDES = {1: _BUY, -1: _SELL}
_ENDS = {"unfilled": "could not trade at once"}


class _Line:
    """The recorded book of one instrument, and which of its orders is which of ours.

    Attributes
    ----------
    working, numbers
        Orders by their number in the book, and those numbers by order id.
    again
        Ids of orders of which the book thinks that they have traded in full, and which have not.
    """

    def __init__(self, instrument: Instrument, cancels: CancelModel) -> None:
        assert instrument.price_grid is not None
        self.replay = BookReplay(cancels)
        self.working: dict[int, Working] = {}
        self.numbers: dict[int, int] = {}
        self.again: list[int] = []
        self._count = 0
        self._tick, self._step = instrument.price_grid, instrument.size_grid

    def ticks(self, price: float) -> int:
        return round(price * self._tick.denominator / self._tick.numerator)

    def lots(self, size: float) -> int:
        return round(size * self._step.denominator / self._step.numerator)

    def price(self, ticks: int) -> float:
        return ticks * self._tick.numerator / self._tick.denominator

    def size(self, lots: int) -> float:
        return lots * self._step.numerator / self._step.denominator

    def best(self, side: Side) -> float:
        """Return the best price of a side, NaN where there is none."""
        ticks = self.replay.best(side)
        return nan if ticks is None else self.price(ticks)

    def enter(self, working: Working) -> int:
        """Return the number under which an order comes to the book."""
        self._count += 1
        self.working[self._count] = working
        self.numbers[working.order.id] = self._count
        return self._count

    def leave(self, order_id: int) -> None:
        number = self.numbers.pop(order_id, None)
        if number is not None:
            del self.working[number]
            self.replay.cancel(number)


class BookVenue(TickVenue):
    """`TickVenue` with a recorded order book for some of the instruments.

    Parameters
    ----------
    instruments, account, deliver, clock, rules, shown
        See `TickVenue`; the instruments of which there are books have a tick size.

    Raises
    ------
    ParameterError
        If the rules slip prices or limit volume: an order walks through the book's levels.

    Notes
    -----
    An order comes to the book the moment it arrives at the venue, and trades at once with what is displayed there,
    level by level. What remains of a limit stands in line behind the size displayed at its price; see `BookReplay`,
    which also says who trades first when trades and changes of the book come. What remains of a market order is
    canceled. An order of ours never trades with another of ours: the one that comes is canceled (``"self_trade"``).

    Stops wait outside: ``rules.stop_trigger`` says what sets them off, trades or the far side of the book, and what
    they then send comes to the book like any other order.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: VenueAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
        *,
        shown: Shown,
    ) -> None:
        best = attrs.evolve(shown, quoted=(*shown.quoted, *shown.booked))  # a book tells them too
        super().__init__(instruments, account, deliver, clock, rules, shown=best)
        for name, value in (
            ("volume_limit", self._volume_limit),
            ("slippage", self.rules.slippage if self._slips else None),
        ):
            if value is not None:
                raise ParameterError(
                    f"{name} is {value!r}; in a recorded book an order walks through the sizes that are displayed. "
                    "Leave it out."
                )
        self._lines = {symbol: _Line(self.markets[symbol].instrument, shown.cancels) for symbol in shown.booked}

    def queue_ahead(self, order: Order) -> float:
        """Return the size that stands before an order at its price; NaN where it does not stand in a book."""
        line = self._lines.get(order.instrument.symbol)
        own = None if line is None else line.replay.get(line.numbers.get(order.id, 0))
        return nan if line is None or own is None else line.size(own.ahead)

    def to_match(self, symbol: str) -> object:
        """Return what is true while the events of an instrument must be matched: always, for a book."""
        return True if symbol in self._lines else super().to_match(symbol)

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Accept an order, and send it to the book."""
        super().submit(approved)
        self._come(approved.order, approved.order.updated_at)

    def wake(self, working: Working, price: float, ts: int) -> None:
        """Let a child that waited for its parent come to the book."""
        super().wake(working, price, ts)
        self._come(working.order, ts)

    def shrink(self, working: Working, size: float, ts: int) -> None:
        """Give an order a smaller size; it keeps its place."""
        super().shrink(working, size, ts)
        self._amend_in_book(working, ts)

    def _reprice(self, working: Working) -> None:
        super()._reprice(working)
        self._amend_in_book(working, working.since)

    def _come(self, order: Order, ts: int) -> None:
        line, working = self._lines.get(order.instrument.symbol), self._working.get(order.id)
        if line is not None and working is not None and order.id in working.market.working:
            self._place(line, working, ts)

    def _place(self, line: _Line, working: Working, ts: int, *, at_any_price: bool = False) -> None:
        """Send an order to the book; a stop that was not reached, or an order for the close, waits."""
        order = working.order
        if not (at_any_price or order.type in (_MARKET, _LIMIT) or working.triggered):
            return
        lots = line.lots(working.remaining)
        if order.reduce_only:
            lots = min(lots, line.lots(self._reducible(working, ts)))
            if not lots:
                return  # it has ended
        limited = order.type is _LIMIT or order.type in LIMITED
        fleeting = order.time_in_force in FLEETING
        post_only = order.instructions is not None and order.instructions.post_only
        sent = BookOrder(
            id=line.enter(working),
            owner=order.strategy,
            side=order.side,
            size=lots,
            price=line.ticks(order.limit_price) if limited else None,
            time_in_force=order.time_in_force if fleeting else _GTC,
            post_only=post_only and limited and not fleeting,
        )
        self._take_in(line, working.market, line.replay.submit(sent), ts)

    def _amend_in_book(self, working: Working, ts: int) -> None:
        """Give an order that stands in the book the terms that it has by now."""
        order = working.order
        line = self._lines.get(order.instrument.symbol)
        number = 0 if line is None else line.numbers.get(order.id, 0)
        own = None if line is None else line.replay.get(number)
        if line is not None and own is not None:
            size = own.order.size + line.lots(working.remaining) - own.remaining
            events = line.replay.amend(number, size=size, price=line.ticks(order.limit_price))
            self._take_in(line, working.market, events, ts)

    def _remove(self, working: Working) -> None:
        super()._remove(working)
        line = self._lines.get(working.order.instrument.symbol)
        if line is not None:
            line.leave(working.order.id)

    # Events.

    def match_book(
        self,
        symbol: str,
        ts: int,
        is_snapshot: bool,
        sides: Sequence[int],
        prices: Sequence[float],
        sizes: Sequence[float],
    ) -> None:
        """Take one update of a book, and what it does to our orders; see `cambist.model.BookUpdate`."""
        line, market = self._begin(symbol, ts)
        replay = line.replay
        if is_snapshot:
            given: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
            for side, price, size in zip(sides, prices, sizes, strict=True):
                given[side].append((line.ticks(price), line.lots(size)))
            self._take_in(line, market, replay.snapshot(given[1], given[-1]), ts)
        else:
            for side, price, size in zip(sides, prices, sizes, strict=True):
                events = replay.level(_SIDES[side], line.ticks(price), line.lots(size))
                if events:
                    self._take_in(line, market, events, ts)
        self._end_event(line, market, ts, None)

    def match_tick(self, symbol: str, ts: int, price: float, size: float, side: int = 0) -> None:
        """Take one trade, and what it does to our orders."""
        if symbol not in self._lines:
            super().match_tick(symbol, ts, price, size, side)
            return
        line, market = self._begin(symbol, ts)
        lots = line.lots(size)
        if lots:
            taker = _SIDES.get(side) or self._taker(line, price)
            self._take_in(line, market, line.replay.trade(taker, line.ticks(price), lots), ts)
        self._end_event(line, market, ts, price)

    def match_quote(self, symbol: str, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """Work the orders of one instrument against one quote; where there is a book, that says it all."""
        if symbol not in self._lines:
            super().match_quote(symbol, ts, bid, ask, bid_size, ask_size)

    @staticmethod
    def _taker(line: _Line, price: float) -> Side:
        """Return who took, where nobody tells: the side from whose best price the trade is farther away."""
        bid, ask = line.best(_BUY), line.best(_SELL)
        return _SELL if price <= bid or price - bid < ask - price else _BUY

    def _begin(self, symbol: str, ts: int) -> tuple[_Line, Market]:
        market = self._open(symbol, ts)
        self._fresh[symbol].clear()  # of no use: what comes stands in the book at once
        return self._lines[symbol], market

    def _end_event(self, line: _Line, market: Market, ts: int, traded_at: float | None) -> None:
        """Send again what the book wrongly thinks done, and set off and move stops."""
        while line.again:
            working = self._working.get(line.again.pop())
            if working is not None and (self._ties is None or self._ties.bound(working, working.remaining) > 0.0):
                self._place(line, working, ts)
        symbol = market.instrument.symbol
        if not market.working or self._trigger_on_last[symbol] is (traded_at is None):
            return
        reached = {_BUY: line.best(_SELL), _SELL: line.best(_BUY)}
        if traded_at is not None:
            reached = dict.fromkeys(reached, traded_at)
        for number, working in list(market.working.items()):
            if number in market.working and waits_for_trigger(working):
                price = reached[working.order.side]
                if (price <= working.level) if working.falling else (price >= working.level):
                    self._set_off(working, ts)
                    self._come(working.order, ts)
                else:
                    self._end_fleeting(market, working, ts)
        for working in list(market.trailing.values()):
            price = reached[working.order.side]
            if price == price and working.follows(on_closes=False):  # noqa: PLR0124 - NaN: that side is empty
                self._trail(working, price, ts)

    def _take_in(self, line: _Line, market: Market, events: Iterable[BookEvent], ts: int) -> None:
        """Tell of what happened to our orders in the book."""
        traded: list[int] = []
        for event in events:
            if isinstance(event, BookTrade):
                traded.append(event.order_id or event.maker_id)
                self._trade_in_book(line, market, event, ts)
                continue
            working = line.working.get(event.order_id)
            if working is None:
                continue
            if isinstance(event, BookCanceled):
                self.withdraw(working, ts, _ENDS.get(event.reason, event.reason))
            elif isinstance(event, BookRejected):
                if event.request == "submit":
                    self._end(working, OrderRejected(ts, working.order.id, "post_only"))
                else:
                    self.withdraw(working, ts, "post_only")
        for number in traded:
            working = line.working.get(number)
            if working is not None and line.replay.get(number) is None:  # more traded there than it was allowed to
                line.leave(working.order.id)
                line.again.append(working.order.id)

    def _trade_in_book(self, line: _Line, market: Market, trade: BookTrade, ts: int) -> None:
        """Book one trade of ours, as far as position, funds and ties allow."""
        working = line.working.get(trade.order_id or trade.maker_id)
        if working is not None:  # else it ended with what came before
            market.volume_left = line.size(trade.size)
            self._execute(market, working, line.price(trade.price), _TAKER if trade.order_id else _MAKER, ts)

    def _cut(self, market: Market, order: Order, size: float, price: float) -> float:
        if market.instrument.symbol in self._lines:
            return order.instrument.size_grid.nearest(market.volume_left)
        return super()._cut(market, order, size, price)

    def _trade_at_end(self, market: Market, working: Working, ts: int) -> None:
        line = self._lines.get(market.instrument.symbol)
        if line is None:
            super()._trade_at_end(market, working, ts)
            return
        self._place(line, working, ts, at_any_price=True)
        if working.order.id in market.working:
            self.withdraw(working, ts, "session_over")
