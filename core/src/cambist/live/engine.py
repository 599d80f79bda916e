"""The live engine: everything that happens comes in here, one thing after another, and goes through the kernel.

What the kernel wants done leaves once its records are safe, in order. It does no I/O: a driver tells it what happened
and what the journal has made durable, and carries out requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.failures import strategy_error
from cambist.engine.outbox import Outbox
from cambist.engine.timers import NEVER, Timers
from cambist.errors import OrderStateError, StrategyError
from cambist.live.dispatch import FLATTEN
from cambist.live.fills import fill_number
from cambist.live.instants import Instants
from cambist.live.orders import LiveOrders
from cambist.live.resending import RESENDS
from cambist.live.watched import Outlets
from cambist.model.effects import (
    AmendOrder,
    CancelOrder,
    ChangeMargin,
    MoveCash,
    ReportRefusal,
    ReportTradingState,
    SetTimer,
    StopRun,
)
from cambist.model.events import (
    BarClosed,
    BookLost,
    BookReceived,
    CashMoved,
    InstantClosed,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    QuoteReceived,
    TickReceived,
    TimerFired,
    TradingStateChanged,
)
from cambist.model.orders import ApprovedOrder, Fill, Liquidity, Order, Side
from cambist.model.portfolio import CashFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.live.requests import Request
    from cambist.live.resending import Resend
    from cambist.live.subscriptions import Listening
    from cambist.model.bars import Bar
    from cambist.model.books import BookUpdate
    from cambist.model.effects import Effect
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.market import Quote, Tick
    from cambist.model.reports import FillReport, OrderReport
    from cambist.ports.venue import VenueTerms
    from cambist.strategies.book_view import BookView

__all__ = ["Doors", "LiveEngine", "Tactics"]

_FINEST = ("ticks", "quotes", "book")


def _finest(stream: tuple[str, Instrument]) -> int:
    return _FINEST.index(stream[0])


@attrs.frozen(eq=False)
class SendAdopted:
    """Send an order that the run itself made, beside its strategies."""

    order: Order


@attrs.frozen(kw_only=True)
class Tactics:
    """What the order manager may decide by itself; see `LiveOrders`."""

    resend: Mapping[str, Resend] = RESENDS
    unprotected: int = 2_000_000_000


@attrs.frozen(eq=False)
class Doors:
    """Where things leave the engine.

    Attributes
    ----------
    send
        Takes requests to the venue; their records are safe.
    alarm
        Told of what a person should know: a stable word, and a sentence.
    foreign
        Told of reports of orders that are not ours.
    stop
        Told why the run is to end.
    failed
        Told of a strategy that raised.
    """

    send: Callable[[Request], None]
    alarm: Callable[[str, str], None]
    foreign: Callable[[OrderReport | FillReport], None]
    stop: Callable[[str], None]
    failed: Callable[[StrategyError], None]


class LiveEngine:
    """A kernel at one venue.

    Parameters
    ----------
    kernel
        With its recorder; see `cambist.engine.journaled`.
    listening
        What the run listens to.
    terms
        Of the venue.
    clock
        Answers the engine's time, ns, UTC, which never goes back.
    doors
        Where things leave.
    step_timeout
        See `Instants`.
    tactics
        Of the order manager.

    Attributes
    ----------
    orders
        The order manager.
    stirred
        Whether something was done that may have made something else due; whoever looks sets it back.
    """

    def __init__(
        self,
        kernel: Journaling,
        listening: Listening,
        terms: VenueTerms,
        clock: Callable[[], int],
        doors: Doors,
        *,
        step_timeout: int = 5_000_000_000,
        tactics: Tactics = Tactics(),
    ) -> None:
        self._kernel, self._clock, self._doors = kernel, clock, doors
        self._outbox: Outbox[Effect | Request | SendAdopted] = Outbox()
        self._durable = 0
        self.stirred = False
        self._instants = Instants([timeframe for _, timeframe in listening.bars], step_timeout)
        self._lengths = [timeframe.ns for _, timeframe in listening.bars]
        #: What tells the price of an instrument to orders that are held here: its trades, else its quotes, else its
        #: book, and its bars where it has none of them.
        self._priced_by = {one.symbol: kind for kind, one in sorted(listening.streams, key=_finest, reverse=True)}
        self._timers = Timers()
        self._unsent: set[int] = set()
        self._withdrawn: set[int] = set()
        out = Outlets(self.take, self._request, doors.alarm, doors.foreign, kernel.recorder.resent)
        self.orders = LiveOrders(
            kernel.book,
            terms,
            out,
            self._value_of,
            resend=tactics.resend,
            unprotected=tactics.unprotected,
            reducible=lambda order: kernel.view_of(order.strategy).reducible_size(order),
        )
        self._actions: dict[type, Callable[[Any], None]] = {
            ApprovedOrder: self._submit,
            CancelOrder: self._cancel,
            AmendOrder: lambda one: self.orders.amend(one, self._clock()),
            ReportRefusal: lambda one: self.take(OrderRefused(self._clock(), one.order_id, one.reason)),
            SetTimer: lambda one: self._timers.set(one.name, one.due),
            SendAdopted: lambda one: self.orders.submit(one.order, self._clock()),
            ReportTradingState: lambda one: self.take(TradingStateChanged(self._clock(), one.change)),
            StopRun: lambda one: doors.stop(one.reason),
            MoveCash: lambda _one: self._unsupported("add_cash", "Transfer the money at the venue."),
            ChangeMargin: lambda _one: self._unsupported("add_margin and set_leverage", "Set it at the venue."),
        }

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""
        return self._clock()

    # What happens.

    def take(self, event: Event) -> None:
        """Take an event; what follows from it leaves once it is journalled.

        Raises
        ------
        JournalError
            If it cannot be journalled: nothing may be traded from then on.
        """
        kernel = self._kernel
        try:
            effects = kernel.step(event)
        except OrderStateError as error:
            self._doors.alarm("anomaly", str(error))
            effects = kernel.collect()
        except Exception as error:
            explained = strategy_error(error, kernel)
            if explained is None:
                raise
            explained.__cause__ = error
            self._doors.failed(explained)
            effects = kernel.collect()
        self.put(effects)

    def put(self, effects: Sequence[Effect]) -> None:
        """Take what the kernel wants done; it is done once its records are safe."""
        if not effects:
            return
        self.stirred = True
        for effect in effects:
            if type(effect) is ApprovedOrder:
                self._unsent.add(effect.order.id)
        self._outbox.put(self._kernel.recorder.sequence, effects)
        self._release()

    def adopt(self, instrument: Instrument, side: Side, size: float, price: float, identity: str) -> None:
        """Take a position as the run's own that the venue holds, or forget one that it does not hold.

        It is booked as an execution of its own at `price`. What is paid in full costs no cash: that is what it is at
        the venue already.

        Parameters
        ----------
        identity
            What the execution is known by, so that it is applied once.
        """
        kernel, now = self._kernel, self._clock()
        owner = kernel.seats[0].strategy.name
        order = kernel.adopt(instrument, side, size, "adopted", now, owner, reduce_only=False)
        if instrument.is_cash:
            amount = size * price * side.sign
            kind = "deposit" if amount > 0.0 else "withdrawal"
            self.take(CashMoved(now, CashFlow(now, kind, "", instrument.settle, amount)))
        fill = Fill(fill_number(identity), order.id, instrument, side, size, price, 0.0, Liquidity.TAKER, now)
        self.take(OrderFilled(now, order.id, fill))

    def redefine(self, today: Instrument) -> bool:
        """Let an instrument of the run go by today's rules; return whether they are others than before."""
        kernel: Any = self._kernel
        known: Instrument = kernel.portfolio.positions[today.symbol].instrument
        if not known.take_rules(today):
            return False
        kernel.gate.forget_instruments()
        kernel.recorder.redefined(self._clock(), known)
        return True

    def close_position(self, instrument: Instrument) -> bool:
        """Send a market order that ends what the run holds of an instrument; False where there is nothing to send."""
        kernel: Any = self._kernel
        size = kernel.portfolio.positions[instrument.symbol].size
        whole = instrument.round_size(abs(size))
        if whole <= 0.0:
            return False
        side = Side.SELL if size > 0.0 else Side.BUY
        owner = kernel.seats[0].strategy.name
        order = kernel.adopt(instrument, side, whole, FLATTEN, self._clock(), owner, reduce_only=not instrument.is_cash)
        self._outbox.put(kernel.recorder.sequence, [SendAdopted(order)])
        self._release()
        return True

    def bar(self, number: int, bar: Bar) -> None:
        """Take a final bar of a series."""
        now = self._clock()
        closes_at = bar.ts + self._lengths[number]
        symbol = self._kernel.instruments[number].symbol
        if symbol not in self._priced_by:
            self.orders.on_price(symbol, bar.close, now)
        self.orders.on_close(symbol, bar.close, now)
        self.take(BarClosed(now, number, bar))
        self.stirred = True
        if self._instants.arrived(number, closes_at, now):
            self._close_instant(closes_at, now)

    def unfinished(self, number: int, bar: Bar) -> None:
        """Take a bar that is not over: its close is a price, for orders that are held here."""
        symbol = self._kernel.instruments[number].symbol
        if symbol not in self._priced_by:
            self.orders.on_price(symbol, bar.close, self._clock())

    def tick(self, stream: int, tick: Tick) -> None:
        """Take a trade of a series; orders that are held here meet it first."""
        now, symbol = self._clock(), tick.instrument.symbol
        if self._priced_by[symbol] == "ticks":
            self.orders.on_price(symbol, tick.price, now)
        self.take(TickReceived(now, stream, tick))

    def quote(self, stream: int, quote: Quote) -> None:
        """Take best bid and ask of a series; orders that are held here meet them first."""
        now, symbol = self._clock(), quote.instrument.symbol
        if self._priced_by[symbol] == "quotes":
            self.orders.on_quote(symbol, quote.bid, quote.ask, now)
        self.take(QuoteReceived(now, stream, quote))

    def book(self, stream: int, update: BookUpdate) -> None:
        """Take what changed in a book; orders that are held here meet what it has become."""
        now = self._clock()
        self.take(BookReceived(now, stream, update))
        symbol = update.instrument.symbol
        if self._priced_by[symbol] == "book":
            view = self._book(stream)
            if view.is_valid:
                self.orders.on_quote(symbol, view.bid, view.ask, now)

    def book_lost(self, stream: int, reason: str) -> None:
        """Take that a book is not known any more, until a snapshot comes."""
        if self._book(stream).intact:
            self.take(BookLost(self._clock(), stream, reason))

    def book_known(self, stream: int) -> bool:
        """Tell whether changes of a book can be applied."""
        return self._book(stream).intact

    def _book(self, stream: int) -> BookView:
        kernel: Any = self._kernel
        view: BookView = kernel.views[stream]
        return view

    def time_passed(self) -> None:
        """Do what is due by now."""
        now = self._clock()
        for instant in self._instants.overdue(now):
            self._close_instant(instant, now)
        for due, name in self._timers.due(now):
            if self._timers.take(due, name):
                self.take(TimerFired(now, name, due))
        self.orders.on_time(now)

    def next_due(self) -> int | None:
        """Return when `time_passed` has something to do next, ns; None for not before something happens."""
        timer = None if self._timers.next_due == NEVER else self._timers.next_due
        due = [one for one in (self._instants.next_due(), timer, self.orders.evidence.next_due()) if one is not None]
        return min(due, default=None)

    def durable(self, sequence: int) -> None:
        """Take word that records up to `sequence` are safe."""
        self._durable = max(self._durable, sequence)
        self._release()

    @property
    def waiting(self) -> int:
        """Steps whose effects wait for the journal."""
        return len(self._outbox)

    def resume_orders(self) -> None:
        """Take the open orders of a run that goes on; the venue is asked about each that may have left."""
        self.orders.resume(list(self._kernel.book.open.values()), self._clock())

    def set_timers(self, timers: dict[str, int]) -> None:
        """Take the timers of a run that goes on."""
        for name, due in timers.items():
            self._timers.set(name, due)

    # What is to be done.

    def _release(self) -> None:
        for one in self._outbox.release(self._durable):
            action = self._actions.get(type(one))
            if action is None:
                self._doors.send(one)  # type: ignore[arg-type]  # what is no effect is a request
            else:
                action(one)

    def _request(self, request: Request) -> None:
        """Send a request once everything that led to it is safe."""
        self.stirred = True
        if self._kernel.recorder.sequence <= self._durable:
            self._doors.send(request)
        else:
            self._outbox.put(self._kernel.recorder.sequence, [request])

    def _submit(self, approved: ApprovedOrder) -> None:
        order = approved.order
        self._unsent.discard(order.id)
        if order.id in self._withdrawn:
            self._withdrawn.remove(order.id)
            self.take(OrderCanceled(self._clock(), order.id, "canceled before it was sent"))
        else:
            self.orders.submit(order, self._clock())

    def _cancel(self, effect: CancelOrder) -> None:
        if effect.order_id in self._unsent:
            self._withdrawn.add(effect.order_id)  # it is canceled when its turn to be sent comes
        else:
            self.orders.cancel(effect.order_id, self._clock())

    def _close_instant(self, closes_at: int, now: int) -> None:
        self._instants.close(closes_at)
        self.take(InstantClosed(now))

    def _unsupported(self, what: str, remedy: str) -> None:
        self._doors.alarm("unsupported", f"a strategy called {what}, which a live run cannot do. {remedy}")

    def _value_of(self, asset: str, amount: float) -> float:
        """Return what an amount of an asset is worth in the account's currency, by the last price of its instrument."""
        portfolio: Any = self._kernel.portfolio
        for position in portfolio.positions.values():
            instrument = position.instrument
            if instrument.base == asset and instrument.quote == portfolio.currency:
                price = position.price_source()
                return amount * price if price == price else 0.0  # noqa: PLR0124 - NaN
        return 0.0
