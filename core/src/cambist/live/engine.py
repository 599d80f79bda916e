"""The live engine: everything that happens comes in here, one thing after another, and goes through the kernel.

What the kernel wants done leaves once its records are safe, in order. It does no I/O: a driver tells it what happened
and what the journal has made durable, and carries out requests.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.fold import KEEP
from cambist.engine.outbox import Outbox
from cambist.engine.timers import NEVER, Timers
from cambist.errors import JournalError, OrderStateError
from cambist.live.dispatch import FLATTEN
from cambist.live.fills import fill_number, fill_of
from cambist.live.instants import Instants
from cambist.live.memory import Memory
from cambist.live.orders import LiveOrders
from cambist.live.requests import Amend, Submit
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
    InstantClosed,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    QuoteReceived,
    TickReceived,
    TimerFired,
    TradingStateChanged,
)
from cambist.model.legs import leg_key, side_in
from cambist.model.orders import ApprovedOrder, Fill, Order, PositionSide, Side
from cambist.portfolio import MarginPortfolio
from cambist.portfolio.margin import LIQUIDATED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.live.requests import Request
    from cambist.live.resending import Resend
    from cambist.live.shield import Failure, Shielded
    from cambist.live.subscriptions import Listening
    from cambist.model.bars import Bar
    from cambist.model.books import BookUpdate
    from cambist.model.effects import Effect
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.market import Quote, Tick
    from cambist.model.reports import FillReport, OrderReport
    from cambist.model.trading_state import TradingChange
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


#: What makes or changes orders at the venue.
_ORDERS = frozenset({ApprovedOrder, CancelOrder, AmendOrder, SendAdopted, Submit, Amend})


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
    changed
        Told of each change of what may be traded, before the strategies are.
    lost
        Told that the journal takes no more: nothing is done from then on.
    """

    send: Callable[[Request], None]
    alarm: Callable[[str, str], None]
    foreign: Callable[[OrderReport | FillReport], None]
    stop: Callable[[str], None]
    failed: Callable[[Failure], None]
    changed: Callable[[TradingChange], None]
    lost: Callable[[JournalError], None]


class LiveEngine:
    """A kernel at one venue.

    Parameters
    ----------
    kernel
        With its recorder and its shield.
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
    keep
        See `Memory`.
    tactics
        Of the order manager.

    Attributes
    ----------
    kernel, orders
        The kernel, and the order manager.
    owners
        By symbol, the name of the strategy to which positions belong that are taken over.
    trades
        Whether orders leave; not before the run is in step with its venue, see `begin_trading`.
    is_lost
        Whether the journal takes no more, and so nothing is done any more.
    stirred
        Whether something was done that may have made something else due; whoever looks sets it back.
    """

    owners: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        kernel: Shielded,
        listening: Listening,
        terms: VenueTerms,
        clock: Callable[[], int],
        doors: Doors,
        *,
        step_timeout: int = 5_000_000_000,
        keep: int = KEEP,
        tactics: Tactics = Tactics(),
    ) -> None:
        self.kernel = self._kernel = kernel
        self._clock, self._doors, self._shield = clock, doors, kernel.shield
        self.trades, self.is_lost, self._resumed = False, False, False
        self._early: list[Effect | Request | SendAdopted] = []
        self._outbox: Outbox[Effect | Request | SendAdopted] = Outbox()
        self._durable = 0
        self._memory = Memory(kernel, keep)
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
            ReportTradingState: self._tell_trading,
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

        Once the journal takes no more, nothing is taken: what cannot be journalled must not be traded.
        """
        if self.is_lost:
            return
        kernel = self._kernel
        try:
            effects = kernel.step(event)
        except OrderStateError as error:
            self._doors.alarm("anomaly", str(error))
            effects = kernel.collect()
        except JournalError as error:
            self._lose(error)
            return
        failures = self._shield.take_failures()
        if failures:
            self._drop_orders({failure.strategy for failure in failures}, effects)
        self.put(effects)
        for failure in failures:
            self._doors.failed(failure)

    def _lose(self, error: JournalError) -> None:
        self.is_lost = True
        self._doors.lost(error)

    def _drop_orders(self, strategies: set[str], effects: Sequence[Effect]) -> None:
        """Keep what a strategy ordered just before it raised from leaving: it may be half of what it meant."""
        for effect in effects:
            if type(effect) is ApprovedOrder and effect.order.strategy in strategies:
                self._withdrawn.add(effect.order.id)

    def begin_trading(self) -> None:
        """Let orders leave; until this is called they wait, whoever wants them, and no timer fires."""
        self.trades = True
        early, self._early = self._early, []
        for one in early:
            self._act(one)

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

    def adopt(self, report: FillReport, tag: str, *, by_venue: bool = False) -> bool:
        """Book an execution that no order of this run made; return False where it is booked.

        It goes by an order of its own, which is never sent: of the strategy that trades the position, else of the one
        that `owners` names for the instrument, else of the first.

        Parameters
        ----------
        tag
            Of that order.
        by_venue
            Whether the venue itself traded.
        """
        kernel, now = self._kernel, self._clock()
        instrument = self._instrument(report.symbol)
        if instrument is None or self.is_booked(report):
            return False
        side = PositionSide(report.position_side) if report.position_side else None
        owner = "" if by_venue else self._owner(leg_key(instrument.symbol, side))
        order = kernel.adopt(
            instrument, report.side, float(report.size), tag, now, owner, reduce_only=False, position_side=side
        )
        if by_venue:
            self._note_closing(report, leg_key(instrument.symbol, side))
        self.take(OrderFilled(now, order.id, fill_of(order, report, self._value_of)))
        return True

    def _note_closing(self, report: FillReport, key: str) -> None:
        """Have the account know why its next fill is the venue's doing."""
        portfolio = self._kernel.portfolio
        if not isinstance(portfolio, MarginPortfolio):
            return
        if report.system == LIQUIDATED:
            price, fee = float(report.price), float(report.fee)
            portfolio.note_liquidation(key, float(report.size), report.ts, price, fee, price)
        else:
            portfolio.note_closing(key, report.system)

    def _owner(self, key: str) -> str:
        """Return the name of the strategy to which what is taken over of a position belongs."""
        kernel: Any = self._kernel
        trade = kernel.portfolio.trades.open.get(key)
        if trade is not None:
            return str(trade.strategy)
        first: str = kernel.seats[0].strategy.name
        return self.owners.get(kernel.portfolio.legs[key].instrument.symbol, first)

    def is_booked(self, report: FillReport) -> bool:
        """Whether an execution was applied."""
        instrument = self._instrument(report.symbol)
        if instrument is None:
            return False
        numbers = (float(report.size), float(report.price), 0.0)
        probe = Fill(fill_number(report.trade_id), 0, instrument, report.side, *numbers, report.liquidity, report.ts)
        return self._kernel.book.knows(probe)

    @property
    def activity(self) -> tuple[int, int, int]:
        """What changes with each execution, each movement of money and each order: nothing happened while it stays."""
        kernel = self._kernel
        newest = kernel.book.orders[-1].id if kernel.book.orders else 0
        return len(kernel.fills), len(kernel.portfolio.cash_flows), newest

    def last_fill_of(self, symbol: str) -> int:
        """Return when the last execution of an instrument took place, ns, UTC, that is kept; 0 where none is."""
        return max((fill.ts for fill in self._kernel.fills if fill.instrument.symbol == symbol), default=0)

    def _instrument(self, symbol: str) -> Instrument | None:
        position = self._kernel.portfolio.positions.get(symbol)
        return None if position is None else position.instrument

    def redefine(self, today: Instrument) -> bool:
        """Let an instrument of the run go by today's rules; return whether they are others than before."""
        kernel: Any = self._kernel
        known: Instrument = kernel.portfolio.positions[today.symbol].instrument
        if not known.take_rules(today):
            return False
        kernel.gate.forget_instruments()
        kernel.recorder.redefined(self._clock(), known)
        return True

    def close_position(self, instrument: Instrument, strategy: str = "") -> bool:
        """Send market orders that end what the run holds of an instrument; False where there is nothing to send.

        Parameters
        ----------
        strategy
            Whose share alone is closed; all of the position where none is named.
        """
        portfolio: Any = self._kernel.portfolio
        legs = [key for key, leg in portfolio.legs.items() if leg.instrument.symbol == instrument.symbol]
        sent = [self._close_leg(key, instrument, strategy) for key in legs]
        self._release()
        return any(sent)

    def _close_leg(self, key: str, instrument: Instrument, strategy: str) -> bool:
        kernel: Any = self._kernel
        held = kernel.portfolio.legs[key].size
        size = kernel.shares.of(strategy).legs[key].size if strategy else held
        position_side = side_in(key, instrument.symbol)
        shrinks = size * held > 0.0  # another strategy may hold the opposite
        if instrument.is_cash:
            size = min(size, max(held, 0.0))  # fees out of what was bought are nobody's share
        whole = instrument.round_size(abs(size))
        if whole <= 0.0:
            return False
        reduces = not instrument.is_cash and position_side is None and shrinks and whole <= abs(held)
        try:
            order = kernel.adopt(
                instrument,
                Side.SELL if size > 0.0 else Side.BUY,
                whole,
                FLATTEN,
                self._clock(),
                strategy or self._owner(key),
                reduce_only=reduces,
                position_side=position_side,
            )
        except JournalError as error:
            self._lose(error)
            return False
        self._outbox.put(kernel.recorder.sequence, [SendAdopted(order)])
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
        for due, name in self._timers.due(now) if self.trades else ():
            if self._timers.take(due, name):
                self.take(TimerFired(now, name, due))
        self.orders.on_time(now)
        self._memory.tidy()

    def next_due(self) -> int | None:
        """Return when `time_passed` has something to do next, ns; None for not before something happens."""
        timer = None if self._timers.next_due == NEVER or not self.trades else self._timers.next_due
        due = [one for one in (self._instants.next_due(), timer, self.orders.evidence.next_due()) if one is not None]
        return min(due, default=None)

    def durable(self, sequence: int) -> None:
        """Take word that records up to `sequence` are safe."""
        self._durable = max(self._durable, sequence)
        self._release()

    @property
    def waiting(self) -> int:
        """Steps whose effects wait for the journal."""
        return len(self._outbox) + len(self._early)

    def resume_orders(self) -> None:
        """Take the open orders of a run that goes on, once; the venue is asked about each that may have left."""
        if self._resumed:
            return
        self._resumed = True
        self.orders.resume(list(self._kernel.book.open.values()), self._clock())

    def set_timers(self, timers: dict[str, int]) -> None:
        """Take the timers of a run that goes on."""
        for name, due in timers.items():
            self._timers.set(name, due)

    # What is to be done.

    def _release(self) -> None:
        if self.is_lost:
            return
        for one in self._outbox.release(self._durable):
            if type(one) in _ORDERS and not self.trades:
                self._early.append(one)
            else:
                self._act(one)

    def _act(self, one: Effect | Request | SendAdopted) -> None:
        action = self._actions.get(type(one))
        if action is None:
            self._doors.send(one)  # type: ignore[arg-type]  # what is no effect is a request
        else:
            action(one)

    def _tell_trading(self, report: ReportTradingState) -> None:
        self._doors.changed(report.change)
        self.take(TradingStateChanged(self._clock(), report.change))

    def _request(self, request: Request) -> None:
        """Send a request once everything that led to it is safe."""
        if self.is_lost:
            return
        self.stirred = True
        if self._kernel.recorder.sequence <= self._durable and (self.trades or type(request) not in _ORDERS):
            self._doors.send(request)
        else:
            self._outbox.put(self._kernel.recorder.sequence, [request])
            self._release()

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
        elif effect.order_id in self._kernel.book.open:  # else it has ended meanwhile
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
