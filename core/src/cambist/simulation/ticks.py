"""The simulated venue on trades and quotes."""

from __future__ import annotations

from math import inf, isnan, nan
from typing import TYPE_CHECKING

from cambist.errors import DataError, ParameterError
from cambist.model.events import OrderExpired, OrderRejected
from cambist.model.orders import LIMITED, Liquidity, OrderType, Side, TimeInForce
from cambist.model.times import format_ns
from cambist.simulation.fillers import PercentFiller
from cambist.simulation.rules import MarketFill, StopTrigger, VenueRules
from cambist.simulation.venue import SimulatedVenue
from cambist.simulation.working import FLEETING, LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.market_venue import Shown
    from cambist.simulation.matching import VenueAccount
    from cambist.simulation.working import Market, Working

__all__ = ["TickVenue", "waits_for_trigger"]

_MARKET, _LIMIT, _ON_CLOSE = OrderType.MARKET, OrderType.LIMIT, OrderType.MARKET_ON_CLOSE
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_SELL = Side.SELL
_DAY = TimeInForce.DAY


class TickVenue(SimulatedVenue):
    """Works orders of one account against single trades and quotes.

    Parameters
    ----------
    instruments, account, deliver, clock, rules
        See `SimulatedVenue`. ``rules.path`` means nothing here, ``rules.market_fill`` must be ``next_open``.
    shown
        Of which instruments there are trades and quotes, and more.

    Raises
    ------
    ParameterError
        For rules that cannot be kept on this data.

    Notes
    -----
    An order meets the first event after the one at which it was sent, whatever its time. What trades at once (market
    orders, triggered stops, limits that are already marketable) trades with a quote's far side where the instrument
    has quotes, else at the next trade's price, and slips. A limit order that has met an event rests, and trades at its
    limit: when a quote's far side reaches it, when a trade goes through it, or (``fill_on_touch``) at a trade at it.
    ``rules.stop_trigger`` says what sets off a stop. In an instrument with trades and quotes nothing takes before the
    next quote.

    The session of a day order, and of an order for the close, is the one in which it comes to the venue, or the next
    one. At its end the one expires and the other trades, whole, where the market stands: with the far side of the last
    quote, or at the last trade's price.

    Sizes are without bound, unless ``rules.volume_limit`` is set: then all our fills with one event take no more than
    that fraction of the trade's size, or of the size that the quote displays on that side. Each event offers its size
    anew.
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
        super().__init__(instruments, account, deliver, clock, rules)
        if self.rules.market_fill is not MarketFill.NEXT_OPEN:
            raise ParameterError(
                f"market_fill is {str(self.rules.market_fill)!r}; on trades and quotes a market order meets the next "
                "event. Leave it out."
            )
        filler = self.rules.volume_limit
        if filler is not None and not isinstance(filler, PercentFiller):
            raise ParameterError(
                f"volume_limit is {filler!r}, which looks at bars; on trades and quotes give a fraction: 1.0 is all."
            )
        if self._slip_in is not None:
            raise ParameterError(
                f"slippage is {self.rules.slippage!r}, which looks at bars; on trades and quotes give a fraction of "
                "the price, or an amount."
            )
        self._volume_limit = None if filler is None else filler.share
        self._quoted, traded = frozenset(shown.quoted), frozenset(shown.traded)
        self._shown = self._quoted | traded
        self._trigger_on_last = {symbol: self._on_last(symbol, traded) for symbol in self._shown}
        self._price_on = shown.price_on or self._last_price
        self._session_end = shown.session_end
        self._fresh: dict[str, set[int]] = {symbol: set() for symbol in self.markets}

    def _on_last(self, symbol: str, traded: frozenset[str]) -> bool:
        """Tell whether trades set off the stops of an instrument."""
        trigger = self.rules.stop_trigger
        there = traded if trigger is StopTrigger.LAST else self._quoted
        if trigger is not StopTrigger.AUTO and symbol not in there:
            kind = "trades" if trigger is StopTrigger.LAST else "quotes"
            raise ParameterError(
                f"stop_trigger is {str(trigger)!r}, and there are no {kind} of {symbol}. Leave it out, or add them."
            )
        return trigger is StopTrigger.LAST or (trigger is StopTrigger.AUTO and symbol in traded)

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Accept an order; one of an instrument without trades and quotes has nothing to meet."""
        order = approved.order
        symbol = order.instrument.symbol
        if symbol not in self._shown:
            reason = f"no_market: this run has no trades or quotes of {symbol} for orders to meet; give some"
            self._deliver(OrderRejected(order.updated_at, order.id, reason))
        else:
            super().submit(approved)

    def _last_price(self, symbol: str, _buys: bool) -> float:
        return self._account.positions[symbol].last_price

    def _enter(self, market: Market, working: Working) -> None:
        super()._enter(market, working)
        order, symbol = working.order, market.instrument.symbol
        if order.time_in_force is _DAY and working.expires == LONG_AGO:
            working.expires = self._session_end(symbol, working.since) - 1
        if order.type is _ON_CLOSE:
            working.session_end = self._session_end(symbol, working.since)
        self._fresh[symbol].add(order.id)

    def _reprice(self, working: Working) -> None:
        super()._reprice(working)
        self._fresh[working.market.instrument.symbol].add(working.order.id)

    # Events.

    def to_match(self, symbol: str) -> object:
        """Return what is true while the events of an instrument must be matched; always the same object."""
        return self.markets[symbol].working

    def match_book(
        self,
        symbol: str,
        ts: int,
        is_snapshot: bool,
        sides: Sequence[int],
        prices: Sequence[float],
        sizes: Sequence[float],
    ) -> None:
        """Take one update of a book, which `BookVenue` alone has."""
        raise NotImplementedError

    def queue_ahead(self, order: Order) -> float:  # noqa: ARG002 - nothing stands in a line here
        """Return the size that stands before an order at its price; NaN where it does not stand in a book."""
        return nan

    def arrive(self, ts: int) -> None:
        """Take up what has arrived by `ts`; here every request is carried out at once."""

    def end_session(self, symbol: str, ts: int) -> None:
        """End the session of an instrument: day orders expire, and orders for the close trade.

        Parameters
        ----------
        ts
            When, ns: its first moment outside.
        """
        market = self.markets[symbol]
        for number, working in list(market.closing.items()):
            if number in market.closing and working.session_end <= ts:
                self._trade_at_end(market, working, ts)
        for working in list(self._working.values()) if market.timed else ():  # children that wait among them
            order = working.order
            if working.market is market and order.id in self._working and order.time_in_force is _DAY:
                expires = working.expires
                if LONG_AGO < expires < ts:
                    self._end(working, OrderExpired(ts, order.id))

    def _trade_at_end(self, market: Market, working: Working, ts: int) -> None:
        """Let an order for the close trade where the market stands; what it may not trade ends."""
        order = working.order
        price = self._price_on(order.instrument.symbol, order.side is not _SELL)
        if not isnan(price):
            market.volume_left = inf  # everybody's orders meet at the close, and nobody tells how many
            self._execute(market, working, self._slipped(working, price), _TAKER, ts)
        if order.id in market.working:
            self.withdraw(working, ts, "session_over")

    def match_tick(self, symbol: str, ts: int, price: float, size: float, side: int = 0) -> None:  # noqa: ARG002
        """Work the orders of one instrument against one trade.

        Parameters
        ----------
        ts
            When, ns.
        price, size, side
            Of the trade; the side is the taker's: 1 bought, -1 sold, 0 not known. Only a book asks for it.
        """
        market = self._open(symbol, ts)
        market.volume_left = inf if self._volume_limit is None else size * self._volume_limit
        quoted = symbol in self._quoted
        fresh = self._fresh[symbol] if quoted else self._take_fresh(symbol)
        for number, working in list(market.working.items()):
            if number not in market.working:
                continue
            if quoted:
                self._pass_by(market, working, price, ts)
                continue
            if (price <= working.level) if working.falling else (price >= working.level):
                self._meet(market, working, price, ts, number in fresh)
            self._end_fleeting(market, working, ts)
        if market.trailing and self._trigger_on_last[symbol]:
            self._follow(market, price, ts)

    def _pass_by(self, market: Market, working: Working, price: float, ts: int) -> None:
        """Let a trade set off a stop, or trade with a resting limit; what takes waits for a quote."""
        order = working.order
        if waits_for_trigger(working):
            if self._trigger_on_last[market.instrument.symbol] and (
                (price <= working.level) if working.falling else (price >= working.level)
            ):
                self._set_off(working, ts)
        elif _rests_at_limit(working) and order.id not in self._fresh[market.instrument.symbol]:
            limit = order.limit_price
            through = price < limit if order.is_buy else price > limit
            if through or (self._touch and price == limit):
                self._act(market, working, limit, limit, ts, _MAKER)

    def _set_off(self, working: Working, ts: int) -> None:
        """Trigger a stop, which then acts on the next quote like an order that comes with it."""
        order = working.order
        self._fresh[order.instrument.symbol].add(order.id)
        self._trigger(working, ts)

    def match_quote(self, symbol: str, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """Work the orders of one instrument against one quote.

        Parameters
        ----------
        ts
            When, ns.
        bid, ask, bid_size, ask_size
            Best prices and the sizes they are good for.

        Raises
        ------
        DataError
            If a volume limit is set and a size is not known.
        """
        market = self._open(symbol, ts)
        limit = self._volume_limit
        left = {True: inf, False: inf} if limit is None else {True: ask_size * limit, False: bid_size * limit}
        if limit is not None and (isnan(ask_size) or isnan(bid_size)):
            raise DataError(
                f"{symbol}: the quote of {format_ns(ts)} tells no sizes, and volume_limit is {limit}. "
                "Leave volume_limit out, or give quotes with bid_size and ask_size."
            )
        fresh, on_last = self._take_fresh(symbol), self._trigger_on_last[symbol]
        for number, working in list(market.working.items()):
            if number not in market.working:
                continue
            buys = working.order.side is not _SELL
            price = ask if buys else bid
            market.volume_left = left[buys]
            if not (on_last and waits_for_trigger(working)) and (
                (price <= working.level) if working.falling else (price >= working.level)
            ):
                self._meet(market, working, price, ts, number in fresh)
            left[buys] = market.volume_left
            self._end_fleeting(market, working, ts)
        if market.trailing and not on_last:
            for working in list(market.trailing.values()):
                if working.follows(on_closes=False):
                    self._trail(working, bid if working.order.side is _SELL else ask, ts)

    def _open(self, symbol: str, ts: int) -> Market:
        """Begin an event."""
        market = self.markets[symbol]
        if market.timed:
            self._expire(market, ts)
        if market.blocked:
            market.blocked.clear()  # every order meets every event once, whatever it got of the one before
        return market

    def _take_fresh(self, symbol: str) -> set[int]:
        """Return the orders for which this is the first event they may trade with; what comes meanwhile waits."""
        fresh, self._fresh[symbol] = self._fresh[symbol], set()
        return fresh

    def _meet(self, market: Market, working: Working, price: float, ts: int, is_fresh: bool) -> None:
        """Let an order act that the price has reached: a resting limit at its limit, everything else at the price."""
        order = working.order
        rests = not is_fresh and _rests_at_limit(working)
        at = order.limit_price if rests else price
        self._act(market, working, at, at, ts, _MAKER if rests else _TAKER)

    def _end_fleeting(self, market: Market, working: Working, ts: int) -> None:
        """End an immediate-or-cancel order that has met its event."""
        order = working.order
        if order.time_in_force in FLEETING and order.id in market.working:
            self.withdraw(working, ts, "could not trade at once")

    def _level(self, order: Order, triggered: bool) -> tuple[float, bool]:
        at, falling = super()._level(order, triggered)
        acts_at_limit = order.type is _LIMIT or (triggered and order.type in LIMITED)
        if acts_at_limit and order.instrument.symbol in self._quoted:
            return order.limit_price, falling  # the far side of a quote at the limit is no mere touch
        return at, falling


def _rests_at_limit(working: Working) -> bool:
    """Tell whether an order trades at its limit once it has met an event."""
    kind = working.order.type
    return kind is _LIMIT or (working.triggered and kind in LIMITED)


def waits_for_trigger(working: Working) -> bool:
    """Tell whether an order is a stop that was not reached yet."""
    return not working.triggered and working.order.type not in (_MARKET, _LIMIT)
