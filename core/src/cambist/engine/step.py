"""The kernel: ``step(event) -> effects``, and the order of its stages."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from itertools import count as count_from
from math import nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.accounts import LiveShares, MarkPrices, accounts_of, views_of
from cambist.engine.adoption import Adopter
from cambist.engine.agenda import Agenda
from cambist.engine.clock import Clock, ManualClock
from cambist.engine.desk import Desk
from cambist.engine.money import MarginNews
from cambist.engine.monitors import Monitors
from cambist.engine.trading_control import TradingControl
from cambist.engine.warm_after import warm_after
from cambist.engine.watched import Watching
from cambist.errors import InputError
from cambist.indicators.series import BarView, Series
from cambist.indicators.slower import shown_series
from cambist.model.effects import SetTimer
from cambist.model.events import (
    AmendRejected,
    BarClosed,
    CancelRejected,
    CashMoved,
    DividendPaid,
    InstantClosed,
    MarginChanged,
    MarkPriced,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
    RunStarted,
    RunStopped,
    SharesSplit,
    StopTrailed,
    TimerFired,
)
from cambist.model.portfolio import StockSplit
from cambist.observe import log_context
from cambist.orders.book import OrderBook, split_trails
from cambist.strategies.data import DataSet
from cambist.strategies.strategy import Strategy
from cambist.strategies.whole_lots import use_lots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.engine.accounts import ExpectedFee
    from cambist.engine.view import AccountView
    from cambist.indicators.series import SeriesCursor
    from cambist.model.bars import Bars
    from cambist.model.calendar import Calendar
    from cambist.model.effects import Effect
    from cambist.model.events import Event, OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.timeframe import Timeframe
    from cambist.portfolio import AccountGroup, Bookkeeper, Books
    from cambist.risk import RiskGate
    from cambist.simulation.market_rules import RuledMarkets

__all__ = ["BOOKKEEPING", "WARMING", "Kernel", "Seat", "audience", "named", "no_calendar"]

WARMING = "during warm-up: the indicators are not known yet. Trade in on_bar"
_ENDING = "after the last bar: nothing is left to fill them"


@attrs.define(eq=False, slots=True)
class Seat:
    """One strategy in a run: its desk, its own lines, and which of its hooks it has.

    Attributes
    ----------
    strategy, desk
        The strategy and what it talks to.
    cursors, bars
        For each series, in declared order: what moves its lines, and the view handed to `on_bar`.
    warm_after
        For each series, how many bars must have been seen before `on_bar` is called.
    seen
        For each series, bars seen; kept in step mode only.
    on_bar, on_warmup_bar
        For each series, what its bars are handed to.
    """

    strategy: Strategy
    desk: Desk
    cursors: tuple[SeriesCursor, ...]
    bars: tuple[BarView, ...]
    warm_after: Sequence[int] = ()
    seen: list[int] = attrs.field(factory=list)
    on_bar: tuple[Callable[[BarView], None], ...] = ()
    on_warmup_bar: tuple[Callable[[BarView], None], ...] = ()

    def begin(self) -> None:
        """Take the lines as they are, the strategy having started."""
        for cursor in self.cursors:
            cursor.end_building()  # also of series whose first bar is a while off
        self.warm_after = warm_after(self.cursors)
        self.seen = [0] * len(self.cursors)
        warming = self.strategy.on_warmup_bar
        self.on_bar = tuple(cursor.telling(self.strategy.on_bar, self.show_cold) for cursor in self.cursors)
        self.on_warmup_bar = tuple(cursor.telling(warming, warming) for cursor in self.cursors)

    def show_cold(self, bar: BarView) -> None:
        """Show the strategy a bar at which not every line is known, with its orders refused."""
        before, self.desk.refusing = self.desk.refusing, WARMING
        self.strategy.on_warmup_bar(bar)
        self.desk.refusing = before

    def tell(self, hook: Callable[[Any], None], value: Any, instrument: Instrument | None) -> None:
        """Call a hook about an instrument: of that one are orders sent from it, unless they name another."""
        before, self.desk.instrument = self.desk.instrument, instrument
        hook(value)
        self.desk.instrument = before

    def hook(self, name: str) -> Callable[..., None] | None:
        """Return the strategy's own method of that name, or None where it kept the empty one."""
        method: Callable[..., None] = getattr(self.strategy, name)
        return None if getattr(method, "__func__", None) is getattr(Strategy, name) else method


@attrs.frozen(eq=False, slots=True)
class _Listener:
    """What a strategy wants to hear of its orders; None stands for a hook it did not write."""

    on_order: Callable[[Any], None] | None
    on_fill: Callable[[Any], None] | None
    on_trade: Callable[[Any], None] | None
    view: AccountView

    @classmethod
    def of(cls, seat: Seat, view: AccountView) -> _Listener | None:
        hooks = seat.hook("on_order"), seat.hook("on_fill"), seat.hook("on_trade")
        return cls(*hooks, view) if any(hooks) else None


def _shown(series: Sequence[Series], rule: str) -> Sequence[Series]:
    """Return what a strategy sees of the series of a run, which a rule of its own may put others in the place of."""
    return [shown_series(one, rule) for one in series] if rule else series


def _nowhere(_order: Order) -> float:
    """Answer for an order that stands in no line."""
    return nan


def no_calendar(_instrument: Instrument) -> None:
    """Answer for an instrument without a calendar."""


class Kernel(Watching):
    """One account, its risk gate, its order book and its strategies, as a fold over events.

    It reads no clock, no socket and no file, never awaits, and has one seeded source of chance. The order of the
    stages at one instant is: fills and other order events, each delivered at once; then for each bar in declared
    order its lines and `on_bar`; then `on_step`; then timers.

    Parameters
    ----------
    strategies
        Fresh strategies, see `Strategy.fresh`.
    series
        Instrument and timeframe of each series, in declared order.
    portfolio, gate
        The account, or all of them, and what guards it.
    expected_fee
        Answers the fee to reckon with before an order leaves, as `FeeModel.fee` does; a taker's is asked for. Where
        there are several accounts, one for each, by name.
    calendars
        Answers the calendar of an instrument, or None; asked for by timers alone.

    Attributes
    ----------
    clock, own_clock
        The clock that desks read, and the one that every event sets; a driver may plug another into `clock`.
    effects
        What is to be done, oldest first; always the same list.
    fills, splits
        Every fill and every split so far.
    instant
        Number of the instant being played, from 0.
    roundings
        For each symbol, how many orders came with prices off its tick.
    bookkeeper
        What books funding, interest and planned transfers at their times; None where there is none.
    adopt
        Puts an order into the book that no strategy sent, in the sole account.
    shares
        What each strategy holds of the positions.
    accounts, owners
        Accounts by name, and the name of each strategy's account, by the name of the strategy; a sole account is
        called ``""``.
    queue_ahead
        Answers the size of others that stands before an order in a recorded book; NaN where there is none.
    cannot
        Why strategies cannot have their account changed where the run trades; see `cambist.engine.money`.
    leaving
        What withdrawals that are asked for and not booked will take, by account and asset.
    listens
        Whether any strategy wants to hear of its orders, and so may answer with another.
    agenda
        The rules behind timers.
    trading, monitors
        What may be traded now, by scope; and the risk rules that remember.
    shows_opens
        Whether it wants to be told when bars open; see `OpeningKernel`.
    """

    shows_opens = False

    def __init__(
        self,
        strategies: Sequence[Strategy],
        series: Sequence[tuple[Instrument, Timeframe]],
        portfolio: Books | AccountGroup,
        gate: RiskGate,
        expected_fee: ExpectedFee | Mapping[str, ExpectedFee],
        calendars: Callable[[Instrument], Calendar | None] = no_calendar,
    ) -> None:
        self.portfolio, self.gate, self.book = portfolio, gate, OrderBook()
        strategies = named(strategies)
        self.accounts, self.owners = accounts_of(portfolio, [strategy.name for strategy in strategies])
        self.shares = LiveShares(self)
        self.adopt = Adopter(self)
        self._views = views_of(self.accounts, self.owners, self.book, expected_fee, self._now)
        self.effects: list[Effect] = []
        self.fills: list[Fill] = []
        self.splits: list[StockSplit] = []
        self.instant, self.cannot = 0, dict[str, str]()
        self.bookkeeper: Bookkeeper | None = None
        self.leaving: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.queue_ahead: Callable[[Order], float] = _nowhere
        self.chance = random.Random(0)  # noqa: S311 - simulation, not secrets
        self.roundings: Counter[str] = Counter()
        self.own_clock = ManualClock()
        self.clock: Clock = self.own_clock
        self.series = tuple(series)
        self._instruments = tuple(instrument for instrument, _ in series)
        self._single = self._instruments[0] if len(series) == 1 else None
        self.agenda = Agenda(self._instruments, calendars)
        self.seats = [self._seat(strategy, series) for strategy in strategies]
        self._seen_by: Sequence[Seat] = self.seats
        self._by_name = {seat.strategy.name: seat for seat in self.seats}
        first = self.seats[0]
        for cursor, instrument in zip(first.cursors, self._instruments, strict=True):
            portfolio.set_price_source(instrument.symbol, cursor.last_close)
        self._listeners = {name: _Listener.of(seat, self.view_of(name)) for name, seat in self._by_name.items()}
        self.listens = any(self._listeners.values()) or any(seat.hook("on_trading_state") for seat in self.seats)
        self.trading = TradingControl(self)
        self.monitors = Monitors(self)
        self._handlers: dict[type[Event], Callable[[Any], object]] = {
            **dict.fromkeys(_ORDER_EVENTS, self._order_event),
            StopTrailed: self.book.apply,  # no strategy is told: a stop moves with nearly every bar
            OrderFilled: lambda event: self.order_filled(self.book.order_of(event), event.ts, event.fill),
            OrderRefused: lambda event: self._tell(self.book.get(event.order_id)),
            BarClosed: self._bar_closed,
            InstantClosed: self._instant_closed,
            TimerFired: self._timer_fired,
            CashMoved: self._cash_moved,
            MarkPriced: MarkPrices(self.accounts).take,
            MarginChanged: MarginNews(self).take,
            DividendPaid: lambda event: self.portfolio.pay_dividend(event.ts, event.symbol, event.amount, self.instant),
            SharesSplit: self._shares_split,
            **self.trading.handlers,
            RunStarted: self._run_started,
            RunStopped: self._run_stopped,
        }

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The instrument of each series of bars, in declared order."""
        return self._instruments

    def view_of(self, strategy: str) -> AccountView:
        """Return the account of a strategy as risk rules see it."""
        return self._views[self.owners[strategy]]

    def _seat(self, strategy: Strategy, series: Sequence[tuple[Instrument, Timeframe]]) -> Seat:
        own = [Series(instrument, timeframe) for instrument, timeframe in series]
        desk = Desk(self, strategy.name)
        desk.instrument = self._single
        strategy.data = DataSet(_shown(own, strategy.bar_rule))
        strategy.log = logging.getLogger(f"cambist.strategy.{strategy.name}")
        strategy._desk = desk  # noqa: SLF001 - the kernel is what a strategy is plugged into
        # Private to strategies, since whoever moves a cursor sees the future.
        cursors = tuple(one._cursor for one in own)  # noqa: SLF001
        return Seat(strategy, desk, cursors, tuple(BarView(one) for one in own))

    # Events.

    def step(self, event: Event) -> list[Effect]:
        """Take one event and return what is to be done because of it, in order.

        Raises
        ------
        OrderStateError
            If an order event does not fit the order's state; it is recorded in ``book.anomalies``.
        """
        self.own_clock.now = event.ts
        self._handlers[type(event)](event)
        return self.collect() if self.effects else _NO_EFFECTS

    def collect(self) -> list[Effect]:
        """Take what is to be done."""
        effects = self.effects
        taken = effects[:]
        del effects[: len(taken)]  # not clear(): another thread may have asked for a stop meanwhile
        return taken

    def _run_started(self, event: RunStarted) -> None:
        self.chance.seed(event.seed)
        self.book.token = event.token
        self.agenda.started = event.ts
        for seat in self.seats:
            seat.strategy.on_start()
            seat.begin()
        if self.bookkeeper is not None:
            self.bookkeeper.start(event.ts)
            self.effects.append(SetTimer(BOOKKEEPING, self.bookkeeper.next_due))
        self.monitors.begin()

    def _run_stopped(self, event: RunStopped) -> None:  # noqa: ARG002 - the reason is for the record
        for seat in self.seats:
            seat.desk.refusing = _ENDING
            seat.strategy.on_stop()

    def _bar_closed(self, event: BarClosed) -> None:
        number = event.series
        for seat in audience(self.seats, event.strategies):
            seat.cursors[number].push(event.bar)
            seat.seen[number] += 1
            self.bar(seat, number, warm=seat.seen[number] > seat.warm_after[number])

    def bar(self, seat: Seat, number: int, *, warm: bool) -> None:
        """Show a strategy the bar of series `number`, on which its cursor stands."""
        desk = seat.desk
        desk.instrument = self._instruments[number]
        if warm:
            seat.on_bar[number](seat.bars[number])
        else:
            desk.refusing = WARMING
            seat.on_warmup_bar[number](seat.bars[number])
            desk.refusing = ""
        desk.instrument = self._single

    def close_instant(self) -> None:
        """Call `on_step` of every strategy that is warm, once all bars of an instant have been shown."""
        for seat in self._seen_by:
            if all(seen > needed for seen, needed in zip(seat.seen, seat.warm_after, strict=True)):
                seat.strategy.on_step()

    def _instant_closed(self, event: InstantClosed) -> None:
        self._seen_by = audience(self.seats, event.strategies)
        self.close_instant()

    def _timer_fired(self, event: TimerFired) -> None:
        following = self.agenda.fired(event.name, event.due, event.ts)
        if following is not None:  # before the strategy is told, which may want another time
            self.effects.append(SetTimer(event.name, following))
        owner, _, name = event.name.partition("/")
        if owner:
            self._by_name[owner].strategy.on_timer(name)
        elif self.bookkeeper is not None:
            self.bookkeeper.book(event.ts, self.instant)
            self.effects.append(SetTimer(BOOKKEEPING, self.bookkeeper.next_due))

    def _cash_moved(self, event: CashMoved) -> None:
        flow = event.flow
        if not flow.reference:  # nobody here asked for what a venue tells of
            self.leaving[flow.account, flow.asset] += min(0.0, flow.amount)
        self.portfolio.move_cash(event.flow, self.instant)

    def _order_event(self, event: OrderEvent) -> None:
        order = self.book.apply(event)
        if order is not None:
            self._tell(order)

    def _shares_split(self, event: SharesSplit) -> None:
        price = self.portfolio.positions[event.symbol].last_price / event.ratio
        self.splits.append(StockSplit(event.ts, event.symbol, event.ratio, price, len(self.fills)))
        self.portfolio.split(event.ts, event.symbol, event.ratio, self.instant)
        split_trails(self.book.open.values(), event.symbol, event.ratio)

    # The three things that happen to nearly every order, for drivers that hold the order and make no event of it.
    # What a strategy makes of it is in `effects` afterwards.

    def order_accepted(self, order: Order, ts: int) -> None:
        """`step` for `OrderAccepted`."""
        self.own_clock.now = ts
        if self.book.accept(order, ts) and self.listens:
            self._tell(order)

    def order_canceled(self, order: Order, ts: int, reason: str = "") -> None:
        """`step` for `OrderCanceled`."""
        self.own_clock.now = ts
        if self.book.cancel(order, ts, reason) and self.listens:
            self._tell(order)

    def order_filled(self, order: Order, ts: int, fill: Fill) -> None:
        """`step` for `OrderFilled`."""
        self.own_clock.now = ts
        if not self.book.fill(order, ts, fill):
            return
        self.fills.append(fill)
        trade = self.portfolio.apply(fill, order, self.instant)
        listener = self._listeners[order.strategy] if self.listens else None
        if listener is None:
            return
        listener.view.told = fill
        if listener.on_order is not None:
            self._deliver(order, listener.on_order, order)
        if listener.on_fill is not None:
            self._deliver(order, listener.on_fill, fill)
        if trade is not None and listener.on_trade is not None:
            self._deliver(order, listener.on_trade, trade)
        listener.view.told = None

    def adopted(self, order: Order, ts: int) -> None:
        """Learn of an order that came into the book that way."""

    def keep_rules(self, markets: RuledMarkets) -> None:
        """Let strategies size orders, and look at what may be sold, by the rules of their markets."""
        for seat in self.seats:
            seat.desk.markets = markets
            use_lots(seat.strategy, markets.whole)

    def _tell(self, order: Order) -> None:
        """Let a strategy hear of what became of its order."""
        listener = self._listeners[order.strategy]
        if listener is not None and listener.on_order is not None:
            self._deliver(order, listener.on_order, order)

    def _deliver(self, order: Order, hook: Callable[[Any], None], value: Any) -> None:
        desk = self._by_name[order.strategy].desk
        before, desk.instrument = desk.instrument, order.instrument
        with log_context(order=order.id):
            hook(value)
        desk.instrument = before

    def _now(self) -> int:
        return self.clock.read()  # of whatever clock is plugged in by then

    # What the desks need.

    def history(self, strategy: str, instrument: Instrument, count: int) -> Bars | None:
        """Return the last `count` bars of an instrument that a strategy has been shown; None before the first."""
        symbols = [one.symbol for one in self._instruments]
        if instrument.symbol not in symbols:  # of which there are trades or quotes alone
            return None
        return self._by_name[strategy].bars[symbols.index(instrument.symbol)].history(count)


#: The timer of the account; those of strategies begin with a name.
BOOKKEEPING = "/account"

_NO_EFFECTS: list[Effect] = []


_ORDER_EVENTS = (
    OrderAccepted,
    OrderRejected,
    OrderTriggered,
    OrderCanceled,
    OrderExpired,
    OrderAmended,
    CancelRejected,
    AmendRejected,
    OutcomeUnknown,
    OrderNotFound,
)


def audience(seats: Sequence[Seat], names: tuple[str, ...]) -> Sequence[Seat]:
    """Return who is shown something that is for some strategies alone; all where none is named."""
    return [seat for seat in seats if seat.strategy.name in names] if names else seats


def named(strategies: Sequence[Strategy]) -> Sequence[Strategy]:
    """Give every strategy of a run a name of its own: the class's, numbered where it repeats."""
    if not strategies:
        raise InputError("a run needs at least one strategy.")
    counts = Counter(strategy.name for strategy in strategies)
    taken = {name for name, count in counts.items() if count == 1}
    for strategy in strategies:
        name = strategy.name
        if counts[name] > 1:
            strategy.name = next(one for number in count_from(1) if (one := f"{name}-{number}") not in taken)
            taken.add(strategy.name)
    return strategies
