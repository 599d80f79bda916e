"""A venue that matches orders as the simulated broker of backtrader 1.9.78 does."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Protocol

from cambist.errors import InputError
from cambist.model.events import CancelRejected, OrderExpired, OrderRejected, OrderTriggered
from cambist.model.orders import Liquidity, OrderType, Side, TimeInForce
from cambist.model.times import DAY_NS
from cambist.simulation.bar import MatchedBar
from cambist.simulation.matching import MatchingVenue, VenueAccount
from cambist.simulation.slippage import BacktraderSlippage
from cambist.simulation.working import FLEETING, LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.rules import VenueRules
    from cambist.simulation.working import Working

__all__ = ["BacktraderVenue", "CashAccount"]

_MARKET, _LIMIT, _STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_GTC = TimeInForce.GTC
_SELL = Side.SELL
_TYPES = frozenset({_MARKET, _LIMIT, _STOP, OrderType.STOP_LIMIT})


class CashAccount(VenueAccount, Protocol):
    """What this venue must know of the account that trades."""

    @property
    def cash(self) -> float:
        """What bought instruments and fees were paid from; proceeds of short sales included."""
        ...


class BacktraderVenue(MatchingVenue):
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
        self._at_close = self.trades_at_close
        # With several instruments an order may be for one whose bar the strategy's lines do not show yet.
        self.matches_together = len(self.markets) > 1
        self.trades_at_close = self._at_close or self.matches_together
        self._money = account
        filler = self.rules.volume_limit
        self._room = None if filler is None else getattr(filler, "compatible_room", filler.room)
        slippage = self.rules.slippage
        switches = slippage if isinstance(slippage, BacktraderSlippage) else BacktraderSlippage()
        self._slip_open, self._slip_match = switches.slip_open, switches.slip_match
        self._slip_limit, self._slip_out = switches.slip_limit, switches.slip_out
        self._new: dict[int, Working] = {}
        self._bars: dict[str, MatchedBar] = {}
        self._walking = False
        self._waiting: list[Callable[[], None]] = []

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order; it is checked and accepted when the next bar comes."""
        order = approved.order
        if order.time_in_force in FLEETING:
            self._deliver(OrderRejected(order.updated_at, order.id, "unsupported_time_in_force"))
            return
        if order.type not in _TYPES or order.oco or order.parent:
            self._deliver(OrderRejected(order.updated_at, order.id, "unsupported_order_type"))
            return
        working = self._keep(order)
        market = working.market
        # For a market order, `level` holds the close at which it was sent.
        now_closed = market.closed_at == order.updated_at
        working.level = market.close if now_closed else self._account.positions[order.instrument.symbol].price_source()
        self._new[order.id] = working

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order, unless it was sent at this very close: backtrader misses that."""
        if self._walking:
            self._waiting.append(lambda: self.cancel(order_id))
        elif order_id in self._new:
            self._deliver(CancelRejected(self._clock(), order_id, "the order was sent at this very close"))
        else:
            super().cancel(order_id)

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give a working order new terms, which are not checked for funds; it keeps its place."""
        if self._walking:
            self._waiting.append(lambda: self.amend(order_id, size, limit_price, stop_price))
        else:
            super().amend(order_id, size, limit_price, stop_price)

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
        self._check_new(next(iter(bars.values())).closed)
        for working in list(self._working.values()):
            bar = bars.get(working.order.instrument.symbol)
            if bar is None or working.since > bar.opened:
                continue
            if self._is_over(working, bar):
                self._remove(working)
                self._deliver(OrderExpired(bar.closed, working.order.id))
            else:
                self._meet(working, bar)
        bars.clear()
        self._walking = False
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            request()

    def _check_new(self, ts: int) -> None:
        """Accept the new orders that a running amount of cash can pay for, refuse the others."""
        new, self._new = self._new, {}
        cash = self._money.cash
        for working in new.values():
            order = working.order
            price = working.level if order.type is _MARKET else _asked(order)
            if price == price:  # noqa: PLR0124 - NaN where no bar of the instrument has closed
                cash -= self._cost(order, working.remaining, price, _TAKER, ts)
                if cash < 0.0:
                    self._refuse(working, ts)
                    continue
            self._accepted(order, ts)

    def _cost(self, order: Order, size: float, price: float, who: Liquidity, ts: int) -> float:
        """Return what a fill takes from cash, fee included; negative where a sale brings some."""
        value = order.instrument.notional(size, price)
        fee = self._fee_of(order, size, price, who, ts)
        return fee - value if order.side is _SELL else fee + value

    def _is_over(self, working: Working, bar: MatchedBar) -> bool:
        """Tell whether an order's time has passed; market orders live forever.

        A bar has one time in backtrader, which from a DataFrame is the one in its index: here the open time.
        """
        order = working.order
        if order.time_in_force is _GTC or order.type is _MARKET:
            return False
        if working.expires == LONG_AGO:  # a day order: through the day of the bar at whose close it was sent
            sent = working.since - (bar.closed - bar.opened)
            working.expires = sent - sent % DAY_NS + DAY_NS - 1
        return working.expires < bar.opened

    # One order.

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
        elif kind is _LIMIT or working.triggered:
            self._meet_limit(working, bar)
        else:
            stop = order.stop_price
            at_open = bar.open >= stop if buys else bar.open <= stop
            if not at_open and (edge < stop if buys else edge > stop):
                return
            if kind is _STOP:
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

    def _execute(self, working: Working, price: float | None, who: Liquidity, bar: MatchedBar) -> None:
        """Trade what volume and cash allow: closing always, opening while cash stays above zero."""
        if price is None:
            return
        order = working.order
        instrument = order.instrument
        size = working.remaining
        clamped = False
        if order.reduce_only:
            reducible = self._reducible(working, bar.closed)
            clamped = reducible < size
            size = min(size, reducible)
        if self._room is not None:
            size = min(size, instrument.round_size(max(self._room(order, price, bar), 0.0)))
        if size <= 0.0:
            return
        ts = working.since if order.type is _MARKET and self._at_close else bar.closed
        opening = size - self._closing(order, size)
        short_of_cash = opening > 0.0 and self._money.cash < self._cost(order, size, price, who, ts)
        if short_of_cash:
            size = instrument.size_grid.nearest(size - opening)
        if size > 0.0:
            self._book(working, size, price, self._fee_of(order, size, price, who, ts), who, ts, bar.closed)
        if order.id in self._working:
            if short_of_cash:
                self._refuse(working, bar.closed)
            elif clamped:
                self._end_reduced(working, bar.closed)

    def _closing(self, order: Order, size: float) -> float:
        """Return how much of a fill of `size` shrinks the position."""
        held = self._account.positions[order.instrument.symbol].size
        against = held if order.side is _SELL else -held
        return min(size, against) if against > 0.0 else 0.0


def _asked(order: Order) -> float:
    """Return the price at which an order is checked for funds: its trigger, else its limit."""
    return order.limit_price if order.type is _LIMIT else order.stop_price


def _came_back(order: Order, bar: MatchedBar) -> bool:
    """Tell whether the price is taken to have come back to the limit after it met the stop inside the bar."""
    limit = order.limit_price
    if order.side is _SELL:
        return bar.open <= bar.close and limit <= bar.close
    return bar.open > bar.close and limit >= bar.close
