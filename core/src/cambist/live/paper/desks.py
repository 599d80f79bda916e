"""Where the orders of a paper run meet the market: against bars, or against trades, quotes and books."""

from __future__ import annotations

import time
from math import nan
from typing import TYPE_CHECKING, Any

from cambist.engine.sessions import Sessions
from cambist.engine.timers import NEVER
from cambist.live.dispatch import FLATTEN
from cambist.live.paper.marks import LiveMark
from cambist.model.books import BookUpdate
from cambist.model.events import AmendRejected, OrderCanceled
from cambist.model.market import Quote, Tick
from cambist.simulation import (
    BookVenue,
    FormingHedgingVenue,
    FormingLiquidatingVenue,
    FormingVenue,
    LiquidatingBookVenue,
    LiquidatingTickVenue,
    MarketGateway,
    OrderGateway,
    Shown,
    TickVenue,
    cancel_model,
    latency_model,
    rejection_model,
)
from cambist.simulation.working import LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.data.given_calendars import GivenCalendars
    from cambist.live.paper.account import PaperAccount
    from cambist.live.paper.settings import PaperSettings
    from cambist.model.bars import Bar
    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation import VenueRules

__all__ = ["KIND_OF", "BarDesk", "MarketDesk"]


#: What an event is called where a subscription names it.
KIND_OF = {Tick: "ticks", Quote: "quotes", BookUpdate: "book"}

#: How late an event may come, ns: so long after its end a session is over though nothing happens in the market.
_LATE = 2_000_000_000


class BarDesk:
    """Works orders against bars, as a backtest does.

    Time is the market's: a bar's close, until the next one is known. An order that a close led to is as of that close,
    however long it took to get here; see `order_time`.

    Parameters
    ----------
    account
        Of the run.
    settings, rules
        Of the venue.
    instruments
        That can be traded.
    deliver
        Takes what becomes of orders.
    calendars
        Answers by which calendar an instrument trades.
    marks
        Mark prices by symbol, where they are not the prices of the bars.

    Attributes
    ----------
    now
        Time of the venue, ns: the close of the newest bar.
    venue
        What works the orders.
    """

    def __init__(
        self,
        account: PaperAccount,
        settings: PaperSettings,
        rules: VenueRules,
        instruments: Sequence[Instrument],
        deliver: Callable[[OrderEvent], None],
        calendars: GivenCalendars,
        marks: Mapping[str, LiveMark],
    ) -> None:
        self.now = LONG_AGO
        self._account, self._marks = account, marks
        self._ended: dict[str, float] = {}
        self._closes = dict.fromkeys((one.symbol for one in instruments), LONG_AGO)
        self._opened = dict(self._closes)
        self._prompt: set[int] = set()

        def take(event: OrderEvent) -> None:
            self.now = (
                event.ts
            )  # what is sent in answer is as of then, at an open maybe before the close of another bar
            deliver(event)

        def make(clock: Callable[[], int]) -> FormingVenue:
            parts: Any = instruments, account.portfolio, take, clock, rules
            venue: FormingVenue
            if account.liquidates:
                kind = FormingHedgingVenue if account.is_hedged else FormingLiquidatingVenue
                venue = kind(*parts, adopt=account.adopt, marks=marks, seed=settings.seed)
            else:
                venue = FormingVenue(*parts)
            venue.calendars = calendars
            return venue

        latency, rejection = latency_model(settings.latency), rejection_model(settings.rejection)
        self.venue: Any
        if latency is None and rejection is None:
            self.venue = make(lambda: self.now)
        else:
            self.venue = OrderGateway(make, lambda: self.now, take, latency, rejection, settings.seed)
        self.venue.know_orders(account.book.find)

    def order_time(self, symbol: str, *, follows: bool) -> int:
        """Return as of when an order is that comes now.

        Parameters
        ----------
        symbol
            Of its instrument.
        follows
            Whether it follows from the newest bar. Any other comes while the next bar is forming, and meets the one
            behind it.
        """
        return self.now if follows else max(self.now, self._closes[symbol], 0) + 1

    def has_work(self, symbol: str) -> bool:
        """Tell whether an instrument has orders, or a position that may be liquidated."""
        return bool(self.venue.markets[symbol].working) or (
            self._account.liquidates and any(leg.size for leg in self._account.legs_of(symbol))
        )

    def opens(self, symbol: str, bar: Bar) -> bool:
        """Tell whether orders can meet the open of a bar that is still forming, which they do once."""
        return (
            self.venue.knows_opens
            and bar.ts > self._opened[symbol]
            and bar.ts >= self._closes[symbol] > LONG_AGO
            and self.has_work(symbol)
        )

    def meet_open(self, symbol: str, bar: Bar) -> None:
        """Let orders meet the open of a bar that is still forming."""
        self._opened[symbol] = bar.ts
        self.venue.meet_open(symbol, bar.ts, bar.open)

    def waits_for_price(self, symbol: str) -> bool:
        """Tell whether an order that ends a position waits for word of a price."""
        self._prompt &= self._account.book.open.keys()
        return any(self._account.book.get(number).instrument.symbol == symbol for number in self._prompt)

    def meet_price(self, symbol: str, bar: Bar) -> None:
        """Let such orders trade where a bar that is still forming stands."""
        self.venue.meet_price(symbol, bar.ts + 1, bar.close, self._prompt)

    def match(self, symbol: str, bar: Bar, closed: int) -> None:
        """Let orders meet a whole bar; one that was forming when the first of them came is none for them."""
        if bar.ts < self._closes[symbol]:
            return  # it was matched before
        row = symbol, bar.ts, closed, bar.open, bar.high, bar.low, bar.close, bar.volume
        if self._closes[symbol] > LONG_AGO and self.has_work(symbol):
            self.venue.match(*row)
        if self.venue.trades_at_close:
            self.venue.mark_close(*row)

    def known_until(self, symbol: str) -> int | None:
        """Return the close of the newest bar of an instrument, ns; None before the first."""
        close = self._closes[symbol]
        return None if close == LONG_AGO else close

    def know_until(self, symbol: str, close: int | None) -> None:
        """Take note of where the bars that orders can meet begin, ns; None for nobody knows."""
        self._closes[symbol] = LONG_AGO if close is None else close

    def closed(self, symbol: str, bar: Bar, closed: int) -> None:
        """Take note that a bar is over."""
        if closed > self._closes[symbol]:
            self._closes[symbol] = closed
            self.now = max(self.now, closed)
            self._ended[symbol] = bar.close

    def mark(self, symbol: str, mark: float) -> None:
        """Value the account by another mark price of an instrument."""
        self._account.mark(symbol, mark)

    @property
    def looks_again(self) -> bool:
        """Whether `end_instant` may close positions: those of several instruments back each other."""
        return bool(self.venue.matches_together)

    def end_instant(self) -> None:
        """Look at the account once more when the bars of an instant have been matched."""
        self.venue.match_together()

    def know(self, symbol: str) -> None:
        """Value the account at the close of the newest bar of an instrument, which is about to be shown."""
        if symbol in self._ended:
            mark = self._marks.get(symbol)
            self._account.price(symbol, self._ended.pop(symbol), nan if mark is None else mark.at(self.now))

    def resume(self, order: Order) -> None:
        """Work on with an order after a restart, from the next bar on that the desk is shown."""
        self.venue.resume(order, LONG_AGO)

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order."""
        if approved.order.tag == FLATTEN:
            self._prompt.add(approved.order.id)
        self.venue.submit(approved)

    def cancel(self, order: Order) -> None:
        """Withdraw what remains of an order."""
        order.updated_at = self.now  # asked for this very moment
        self.venue.cancel(order.id)

    def amend(self, order: Order, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms."""
        self.venue.amend(order.id, size, limit_price, stop_price)


class MarketDesk:
    """Works orders against single trades, quotes and books.

    The parameters and attributes are those of `BarDesk`; `now` is the time of the newest event, `kinds` is what orders
    meet.

    Attributes
    ----------
    goes_by_marks
        Whether positions are valued and liquidated by the venue's mark prices, as long as they are told. As in a
        backtest, the account is valued by those of the time of the newest event.
    """

    def __init__(
        self,
        account: PaperAccount,
        settings: PaperSettings,
        rules: VenueRules,
        instruments: Sequence[Instrument],
        deliver: Callable[[OrderEvent], None],
        calendars: GivenCalendars,
        *,
        kinds: Sequence[str],
    ) -> None:
        self.now = LONG_AGO
        self._heard_at = time.monotonic_ns()
        self._sessions = Sessions(instruments, calendars)
        self._account = account
        self.goes_by_marks = account.liquidates and settings.marks == "venue"
        self._marks: dict[str, LiveMark] = {}
        self._quotes: dict[str, Quote] = {}
        self._ends: dict[str, int] = {}
        symbols = [one.symbol for one in instruments]
        shown = Shown(
            quoted=symbols if "quotes" in kinds else (),
            traded=symbols if "ticks" in kinds else (),
            booked=symbols if "book" in kinds else (),
            price_on=self._price_on,
            session_end=self._sessions.end_after,
            cancels=cancel_model(settings.book_cancels),
        )
        kind = BookVenue if shown.booked else TickVenue

        def make(clock: Callable[[], int]) -> TickVenue:
            parts: Any = instruments, account.portfolio, deliver, clock, rules
            if account.liquidates:
                liquidating = LiquidatingBookVenue if shown.booked else LiquidatingTickVenue
                venue: TickVenue = liquidating(*parts, adopt=account.adopt, marks=self._marks, shown=shown)
            else:
                venue = kind(*parts, shown=shown)
            venue.calendars = calendars
            return venue

        latency, rejection = latency_model(settings.latency), rejection_model(settings.rejection)
        self.venue: Any
        if latency is None and rejection is None:
            self.venue = make(lambda: self.now)
        else:
            self.venue = MarketGateway(make, lambda: self.now, deliver, latency, rejection, settings.seed)
        self.venue.know_orders(account.book.find)
        self._busy = {symbol: self.venue.to_match(symbol) for symbol in symbols}
        self._deliver, self._kinds = deliver, frozenset(kinds)
        self._early: dict[str, list[ApprovedOrder]] = {symbol: [] for symbol in shown.booked}

    def order_time(self, symbol: str, *, follows: bool) -> int:  # noqa: ARG002 - it meets the next event in any case
        """Return as of when an order is that comes now."""
        return max(self.now, 0)

    def match(self, event: Tick | Quote | BookUpdate) -> None:
        """Let orders meet an event, if it is of a kind that they are to meet."""
        symbol = event.instrument.symbol
        if symbol not in self._busy or KIND_OF[type(event)] not in self._kinds:
            return
        self.now = ts = max(self.now, event.ts)
        self._heard_at = time.monotonic_ns()
        self._end_session(symbol, ts)
        if isinstance(event, Tick):
            if self._busy[symbol]:
                side = 0 if event.side is None else event.side.sign
                self.venue.match_tick(symbol, ts, event.price, event.size, side)
            self._account.price(symbol, event.price)
        elif isinstance(event, Quote):
            self._quotes[symbol] = event
            if self._busy[symbol]:
                self.venue.match_quote(symbol, ts, event.bid, event.ask, event.bid_size, event.ask_size)
            self._account.price(symbol, 0.5 * (event.bid + event.ask))
        elif event.levels:
            self.venue.match_book(symbol, ts, event.is_snapshot, *zip(*event.levels, strict=True))
            for approved in self._early.pop(symbol, ()):
                self.venue.submit(approved)

    def mark(self, symbol: str, price: float) -> None:
        """Take a mark price, NaN for one that is not known any more; the next event goes by it."""
        if price == price:  # noqa: PLR0124 - NaN
            self._marks.setdefault(symbol, LiveMark()).note(self.now, price, price, price)
        elif self._marks.pop(symbol, None) is not None:
            self._account.mark(symbol, nan)

    def valued(self) -> dict[str, float]:
        """Value the account by the mark prices that are known by now, and return them by symbol."""
        found = {symbol: mark.at(self.now) for symbol, mark in self._marks.items()}
        for symbol, price in found.items():
            self._account.mark(symbol, price)
        return found

    def quiet_ends(self) -> bool:
        """Tell whether a session has ended since the last event, by what the market's time must be by now."""
        passed = time.monotonic_ns() - self._heard_at - _LATE
        return self.now + passed >= min(self._ends.values(), default=NEVER)

    def end_quiet(self) -> None:
        """End the sessions that have ended since the last event."""
        now = self.now + time.monotonic_ns() - self._heard_at - _LATE
        for symbol in list(self._ends):
            self._end_session(symbol, now)

    def _end_session(self, symbol: str, ts: int) -> None:
        """End the session of an instrument that is over by `ts`."""
        end = self._ends.get(symbol)
        if end is None:
            self._ends[symbol] = self._sessions.end_after(symbol, ts)
        elif ts >= end:
            self._ends[symbol] = self._sessions.end_after(symbol, ts)
            self.now = max(self.now, end)
            self.venue.arrive(end - 1)
            self.venue.end_session(symbol, end)

    def _price_on(self, symbol: str, buys: bool) -> float:
        quote = self._quotes.get(symbol)
        if quote is None:
            return self._account.portfolio.positions[symbol].last_price or nan
        return quote.ask if buys else quote.bid

    def resume(self, order: Order) -> None:
        """Work on with an order after a restart; in a book it stands at the end of the line."""
        symbol = order.instrument.symbol
        end = self._sessions.end_after(symbol, order.created_at)  # which may have gone by
        self._ends[symbol] = min(end, self._ends.get(symbol, end))
        self.venue.resume(order, LONG_AGO)

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order; as long as its book has not come, it is on its way."""
        early = self._early.get(approved.order.instrument.symbol)
        if early is None:
            self.venue.submit(approved)
        else:
            early.append(approved)

    def cancel(self, order: Order) -> None:
        """Withdraw what remains of an order."""
        early = self._early.get(order.instrument.symbol, ())
        if not any(one.order is order for one in early):
            order.updated_at = self.now  # asked for this very moment
            self.venue.cancel(order.id)
            return
        self._early[order.instrument.symbol] = [one for one in early if one.order is not order]
        self._deliver(OrderCanceled(self.now, order.id))

    def amend(self, order: Order, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms."""
        if any(one.order is order for one in self._early.get(order.instrument.symbol, ())):
            self._deliver(AmendRejected(self.now, order.id, "its market has not been heard of yet"))
        else:
            self.venue.amend(order.id, size, limit_price, stop_price)
