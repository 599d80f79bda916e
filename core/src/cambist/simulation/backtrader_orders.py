"""What one order does with a bar, by the rules of backtrader's broker."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Protocol

from cambist.model.events import OrderAmended, OrderTriggered, StopTrailed
from cambist.model.orders import AT_MARKET, TRAILING, Liquidity, OrderType, Side
from cambist.model.times import DAY_NS
from cambist.orders.triggers import trailed
from cambist.simulation.backtrader_queue import QueueVenue
from cambist.simulation.matching import VenueAccount
from cambist.simulation.slippage import BacktraderSlippage
from cambist.simulation.working import LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.simulation.bar import MatchedBar
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Working

__all__ = ["CashAccount", "MeetingVenue", "end_of_its_day"]

_MARKET, _LIMIT, _ON_CLOSE = OrderType.MARKET, OrderType.LIMIT, OrderType.MARKET_ON_CLOSE
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_SELL = Side.SELL


class CashAccount(VenueAccount, Protocol):
    """What this venue must know of the account that trades."""

    @property
    def cash(self) -> float:
        """What bought instruments and fees were paid from; proceeds of short sales included."""
        ...


class MeetingVenue(QueueVenue):
    """Lets an order meet a bar as a whole, at one price; its subclasses say which orders meet which bars, and when.

    The parameters are those of `MatchingVenue`.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: CashAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
    ) -> None:
        super().__init__(instruments, account, deliver, clock, rules)
        self._at_close = self.trades_at_close
        self._money = account
        filler = self.rules.volume_limit
        self._room = None if filler is None else getattr(filler, "compatible_room", filler.room)
        slippage = self.rules.slippage
        switches = slippage if isinstance(slippage, BacktraderSlippage) else BacktraderSlippage()
        self._slip_open, self._slip_match = switches.slip_open, switches.slip_match
        self._slip_limit, self._slip_out = switches.slip_limit, switches.slip_out
        # The last bars that were met, by symbol: an order for the close trades in the one before.
        self._before: dict[str, MatchedBar] = {}

    def _meet(self, working: Working, bar: MatchedBar) -> None:
        """Let an order meet a bar: it trades at one price, or waits."""
        order = working.order
        kind = order.type
        buys = order.side is not _SELL
        edge = bar.high if buys else bar.low
        if kind is _MARKET:
            if isnan(working.level):  # sent before its instrument had a close: the first open is the nearest thing
                working.level, working.since = bar.open, bar.opened
            price = working.level if self._at_close else bar.open
            self._execute(working, self._slipped(order, price, edge, bar, at_open=True), _TAKER, bar)
        elif kind is _ON_CLOSE:
            self._meet_close(working, bar)
        elif kind is _LIMIT or working.triggered:
            self._meet_limit(working, bar)
        else:
            if isnan(order.stop_price):  # of a child that was sent before its instrument had a close
                working.level = bar.open
                first = self._first_stop(working, bar.closed)
                if first is not None:
                    self._deliver(first)
            self._meet_stop(working, bar)
            if kind in TRAILING and order.id in self._working:
                self._follow(working, bar)

    def _meet_stop(self, working: Working, bar: MatchedBar) -> None:
        """Let an order trade, or become a limit order, if the price reaches its stop."""
        order = working.order
        buys = order.side is not _SELL
        stop, edge = order.stop_price, bar.high if buys else bar.low
        at_open = bar.open >= stop if buys else bar.open <= stop
        if not at_open and (edge < stop if buys else edge > stop):
            return
        if order.type in AT_MARKET:
            price = bar.open if at_open else stop
            self._execute(working, self._slipped(order, price, edge, bar, at_open=at_open), _TAKER, bar)
            return
        working.triggered = True
        self._deliver(OrderTriggered(bar.closed, order.id))
        if at_open:
            self._meet_limit(working, bar)
        elif order.limit_price >= stop if buys else order.limit_price <= stop:
            self._execute(working, self._slipped(order, stop, edge, bar, is_limit=True), _TAKER, bar)
        elif _came_back(order, bar):
            self._execute(working, order.limit_price, _MAKER, bar)

    def _follow(self, working: Working, bar: MatchedBar) -> None:
        """Let the stop of an order follow the close; in the bar that triggers it, its limit still does."""
        order = working.order
        moved = trailed(order, bar.close)
        if moved is None:
            return
        stop, limit = moved
        if working.triggered:
            self._deliver(OrderAmended(bar.closed, order.id, order.size, limit, stop))
        else:
            self._deliver(StopTrailed(bar.closed, order.id, stop, limit))

    def _meet_close(self, working: Working, bar: MatchedBar) -> None:
        """Let an order for the close trade if its day is over, at the last close of it that the order has met."""
        if working.session_end == LONG_AGO:
            working.session_end = end_of_its_day(working, bar)
        if bar.opened <= working.session_end:
            working.level = bar.close
        elif isnan(working.level):
            self._execute(working, bar.close, _TAKER, bar)
        else:
            self._execute(working, working.level, _TAKER, bar, self._before[working.order.instrument.symbol])

    def _meet_limit(self, working: Working, bar: MatchedBar) -> None:
        """Let an order trade at its limit or better."""
        order = working.order
        limit = order.limit_price
        if order.side is _SELL:
            if bar.open >= limit:
                price = self._slipped(order, bar.open, limit, bar, at_open=True, is_limit=True)
                self._execute(working, price, _TAKER, bar)
            elif bar.high >= limit:
                self._execute(working, limit, _MAKER, bar)
        elif bar.open <= limit:
            price = self._slipped(order, bar.open, min(bar.high, limit), bar, at_open=True, is_limit=True)
            self._execute(working, price, _TAKER, bar)
        elif bar.low <= limit:
            self._execute(working, limit, _MAKER, bar)

    def _slipped(
        self,
        order: Order,
        price: float,
        worst: float,
        bar: MatchedBar,
        *,
        at_open: bool = False,
        is_limit: bool = False,
    ) -> float | None:
        """Slip a price, but not beyond `worst`; None where it then is no price at all, see `BacktraderSlippage`."""
        if not self._slips or (at_open and not self._slip_open):
            return price
        buys = order.side is not _SELL
        if self._slip_in is None:
            slipped = self._slip(order.instrument, price, order.size, buys)
        else:
            slipped = self._slip_in(bar, order.instrument, price, order.size, buys)
        if slipped <= worst if buys else slipped >= worst:
            return slipped
        if not self._slip_match and not (is_limit and self._slip_limit):
            return None
        return slipped if self._slip_out else worst

    def _execute(
        self,
        working: Working,
        price: float | None,
        who: Liquidity,
        bar: MatchedBar,
        traded_in: MatchedBar | None = None,
    ) -> None:
        """Trade what volume and cash allow: closing always, opening while cash stays above zero.

        `bar` is the one being worked, `traded_in` the one whose volume and time count where that is another.
        """
        if price is None:
            return
        order = working.order
        instrument = order.instrument
        size = working.remaining
        clamped = False
        traded_in = traded_in or bar
        if order.reduce_only and not order.parent:
            reducible = self._reducible(working, bar.closed)
            clamped = reducible < size
            size = min(size, reducible)
        if self._room is not None:
            size = min(size, instrument.round_size(max(self._room(order, price, traded_in), 0.0)))
        if size <= 0.0:
            return
        ts = working.since if order.type is _MARKET and self._at_close else traded_in.closed
        opening = size - self._closing(order, size)
        short_of_cash = opening > 0.0 and self._money.cash < self._cost(order, size, price, who, ts)
        if short_of_cash:
            size = instrument.size_grid.nearest(size - opening)
        if size > 0.0:
            self._book(working, size, price, self._fee_of(order, size, price, who, ts), who, ts, bar.closed)
            if self._queue_ties is not None:
                self._queue_ties.after_fill(order, bar.closed)
        if order.id in self._working:
            if short_of_cash:
                self._refuse(working, bar.closed)
            elif clamped:
                self._end_reduced(working, bar.closed)
        elif size > 0.0 and self._queue_ties is not None:
            self._queue_ties.after_completion(order, bar.closed)

    def _closing(self, order: Order, size: float) -> float:
        """Return how much of a fill of `size` shrinks the position."""
        held = self._account.positions[order.instrument.symbol].size
        against = held if order.side is _SELL else -held
        return min(size, against) if against > 0.0 else 0.0

    def _cost(self, order: Order, size: float, price: float, who: Liquidity, ts: int) -> float:
        """Return what a fill takes from cash, fee included; negative where a sale brings some."""
        value = order.instrument.notional(size, price)
        fee = self._fee_of(order, size, price, who, ts)
        return fee - value if order.side is _SELL else fee + value


def end_of_its_day(working: Working, bar: MatchedBar) -> int:
    """Return the last moment of the UTC day in which the bar opened at whose close an order was sent."""
    sent = working.since - (bar.closed - bar.opened)
    return sent - sent % DAY_NS + DAY_NS - 1


def _came_back(order: Order, bar: MatchedBar) -> bool:
    """Tell whether the price is taken to have come back to the limit after it met the stop inside the bar."""
    limit = order.limit_price
    if order.side is _SELL:
        return bar.open <= bar.close and limit <= bar.close
    return bar.open > bar.close and limit >= bar.close
