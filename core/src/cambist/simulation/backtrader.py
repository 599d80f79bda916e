"""A venue that matches orders as the simulated broker of backtrader 1.9.78 does."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.errors import InputError
from cambist.model.events import OrderExpired, OrderRejected
from cambist.model.orders import TOUCHED, Liquidity, OrderType, TimeInForce
from cambist.simulation.backtrader_orders import CashAccount, MeetingVenue, end_of_its_day
from cambist.simulation.bar import MatchedBar
from cambist.simulation.working import FLEETING, LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Working

__all__ = ["BacktraderVenue", "CashAccount"]

_MARKET, _LIMIT, _ON_CLOSE = OrderType.MARKET, OrderType.LIMIT, OrderType.MARKET_ON_CLOSE
_TAKER = Liquidity.TAKER
_GTC = TimeInForce.GTC
#: Those that ask for no price, and are checked for funds at the close at which they were sent.
_PRICELESS = frozenset({_MARKET, _ON_CLOSE})


class BacktraderVenue(MeetingVenue):
    """Works orders of one account as backtrader's broker does with its defaults, for results that compare.

    Parameters
    ----------
    instruments
        What can be traded; paid in full, since futures settle by other rules there.
    account, deliver, clock, rules
        See `MatchingVenue`. ``rules.path`` and ``rules.fill_on_touch`` mean nothing here.

    Raises
    ------
    InputError
        For an instrument that is margined.

    Notes
    -----
    An order meets the first bar after the one at whose close it was sent. There all new orders are checked for
    funds, one after another, at the prices they ask for (the last close for market orders) against one running
    amount of cash: an order that cannot be paid is refused, and what it lacks is missing to those after it. Then
    every order is looked at once, oldest first, whatever its price: it expires, trades or waits. Nothing is set
    aside for orders that wait; one that opens a position and would leave less than no cash is ended when it
    trades. Selling short brings cash and needs none. A request made by a strategy while it hears of a fill is
    taken up after the bar.

    Fills and slipped prices stay inside the bar, unless `BacktraderSlippage` says otherwise. Each order may take what
    ``rules.volume_limit`` allows, in whole units where backtrader's fillers do so, no matter what other orders took.
    Fill times are the close of the bar; a market order under ``this_close`` trades at the close at which it was sent,
    one bar later and dated back.

    Trailing stops follow closes alone, after the order has met the bar; ``trail_on`` makes no difference. The day of
    an order for the close is that of the bar at whose close it was sent; where a bar has met it in that day, it
    trades at the last close of the day, one bar later and dated back, else at the first close after. Tied orders go by
    `cambist.simulation.backtrader_ties.QueueTies`, in which no child is held to ``reduce_only``.
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
        for market in self.markets.values():
            if not market.instrument.is_cash:
                raise InputError(
                    f"{market.instrument.symbol} is a {market.instrument.kind}; rules='backtrader' knows instruments "
                    "paid in full alone. Leave rules out, or describe it as a spot instrument."
                )
        # With several instruments an order may be for one whose bar the strategy's lines do not show yet.
        self.matches_together = len(self.markets) > 1
        self.trades_at_close = self._at_close or self.matches_together
        self._bars: dict[str, MatchedBar] = {}

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order; it is checked and accepted when the next bar comes."""
        order = approved.order
        reason = _not_there(order)
        if reason:
            self._deliver(OrderRejected(order.updated_at, order.id, reason))
            return
        self._enqueue(order)

    # One instant.

    def mark_close(
        self,
        symbol: str,
        opened: int,  # noqa: ARG002
        closed: int,
        open_: float,  # noqa: ARG002
        high: float,  # noqa: ARG002
        low: float,  # noqa: ARG002
        close: float,
        volume: float,  # noqa: ARG002
    ) -> None:
        """Note a bar's close: what is sent at it is checked for funds at it, and may trade at it."""
        market = self.markets[symbol]
        market.close, market.closed_at = close, closed
        for working in self._new.values():
            if working.market is market and working.since == closed:
                working.level = close

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
        """Note one bar, and work the orders against it where the run has no other instrument."""
        market = self.markets[symbol]
        market.close, market.closed_at = close, closed
        self._bars[symbol] = market.bar = MatchedBar(opened, closed, open_, high, low, close, volume)
        if not self.matches_together:
            self.match_together()

    def match_together(self) -> None:
        """Check the new orders, then look once at every order whose instrument has a bar."""
        bars = self._bars
        if not bars:
            return
        self._walking = True
        if self._queue_ties is not None:
            self._queue_ties.wake()
        self._check_new(next(iter(bars.values())).closed)
        for working in list(self._working.values()):
            order = working.order
            bar = bars.get(order.instrument.symbol)
            if bar is None or working.since > bar.opened or order.id not in self._working:
                continue
            if self._is_over(working, bar):
                self._end(working, OrderExpired(bar.closed, order.id))
            elif self._queue_ties is None or not self._queue_ties.sleeps(order.id):
                self._meet(working, bar)
        self._before.update(bars)
        bars.clear()
        self._end_walk()

    def _check_new(self, ts: int) -> None:
        """Accept the new orders that a running amount of cash can pay for, refuse the others."""
        cash = self._money.cash
        for working in list(self._new.values()):
            order = working.order
            del self._new[order.id]
            lost = "" if self._queue_ties is None else self._queue_ties.why_lost(order)
            if lost:
                self._remove(working)
                self._deliver(OrderRejected(ts, order.id, lost))
                continue
            first = self._first_stop(working, ts)
            price = _asked(working) if first is None else first.stop_price
            if price == price:  # noqa: PLR0124 - NaN where no bar of the instrument has closed
                cash -= self._cost(order, working.remaining, price, _TAKER, ts)
                if cash < 0.0:
                    self._refuse(working, ts)
                    continue
            self._accepted(order, ts)
            if first is not None and first.stop_price != order.stop_price:
                self._deliver(first)
            if order.type is _ON_CLOSE:
                working.level = nan  # no close of its day is remembered yet

    def _is_over(self, working: Working, bar: MatchedBar) -> bool:
        """Tell whether an order's time has passed; market orders live forever.

        A bar has one time in backtrader, which from a DataFrame is the one in its index: here the open time.
        """
        order = working.order
        if order.time_in_force is _GTC or order.type is _MARKET:
            return False
        if working.expires == LONG_AGO:
            working.expires = end_of_its_day(working, bar)
        return working.expires < bar.opened


def _not_there(order: Order) -> str:
    """Return why backtrader's broker would not know what to do with an order; ``""`` where it would."""
    if order.time_in_force in FLEETING:
        return f"unsupported_time_in_force: backtrader has no {str(order.time_in_force)!r} orders; send a 'gtc' order"
    if order.type in TOUCHED:
        return f"unsupported_order_type: backtrader has no {order.type} orders; send a limit order instead of touch"
    if order.instructions is not None and order.instructions.post_only:
        return "unsupported_post_only: backtrader has no post-only orders; leave post_only out"
    return ""


def _asked(working: Working) -> float:
    """Return the price at which an order is checked for funds: its trigger, its limit, or where the market stood."""
    order = working.order
    if order.type in _PRICELESS:
        return working.level
    return order.limit_price if order.type is _LIMIT else order.stop_price
