"""The kernel on trades and quotes, and bars beside them."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from cambist.engine.agenda import Agenda
from cambist.engine.desk import Desk
from cambist.engine.monitors import looking_after
from cambist.engine.step import Kernel, Seat, no_calendar
from cambist.errors import InputError, LineError
from cambist.indicators.series import BarView
from cambist.indicators.slower import shown_series
from cambist.model.events import BookLost, BookReceived, QuoteReceived, TickReceived
from cambist.strategies.book_view import BookView
from cambist.strategies.market import MarketBarSeries, MarketDataSet, MarketSeries, QuoteView, TickView
from cambist.strategies.trade_bars import TradeBars

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.indicators.series import SeriesCursor
    from cambist.model.bar_rules import BarRule
    from cambist.model.bars import Bar
    from cambist.model.calendar import Calendar
    from cambist.model.events import RunStarted
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity
    from cambist.model.timeframe import Timeframe
    from cambist.portfolio import Books
    from cambist.risk import RiskGate
    from cambist.strategies.strategy import Strategy

__all__ = ["MarketKernel", "View"]

#: What strategies are shown of a series.
View = TickView | QuoteView | BookView
_VIEWS: dict[str, tuple[str, Callable[[Instrument], View]]] = {
    "ticks": ("tick", TickView),
    "quotes": ("quote", QuoteView),
    "book": ("book", BookView),
}
_HOOKS = {"ticks": "on_tick", "quotes": "on_quote", "book": "on_book"}


class MarketKernel(Kernel):
    """A kernel whose market is trades and quotes, with bars beside them where there are some.

    Everything about orders is the same. At one event: order events first, each delivered at once; then `on_tick`,
    `on_quote` or `on_book` of each strategy; then timers. Bars close after every trade and quote of their time.

    Parameters
    ----------
    strategies, portfolio, gate, expected_fee, calendars
        See `Kernel`.
    streams
        Kind (``"ticks"``, ``"quotes"`` or ``"book"``) and instrument of each series, in declared order.
    bars
        Instrument and timeframe of each series of bars, in declared order.

    Attributes
    ----------
    streams
        As given.
    views
        What strategies are shown of each series of trades or quotes.
    market
        The current trade and quote of each instrument, by symbol.
    unheard
        Says which strategy is shown nothing, once they have started; ``""`` where each is shown something.

    Raises
    ------
    InputError
        If two series are of one kind and instrument, or two different instruments have one symbol.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        streams: Sequence[tuple[str, Instrument]],
        portfolio: Books,
        gate: RiskGate,
        expected_fee: Callable[[Instrument, float, float, Liquidity], float],
        *,
        bars: Sequence[tuple[Instrument, Timeframe]] = (),
        calendars: Callable[[Instrument], Calendar | None] = no_calendar,
    ) -> None:
        self.views: list[View] = []
        self._made: dict[str, list[TradeBars]] = {}
        self._is_going = False  # and no more series are made
        self.unheard = ""
        self.market: dict[str, MarketSeries] = {}
        self.streams = tuple(streams)
        for kind, instrument in streams:
            self._add(kind, instrument)
        symbols = Counter(instrument.symbol for instrument, _ in bars)
        for instrument, _ in bars:
            self._series_of(instrument)
            if symbols[instrument.symbol] > 1:
                raise InputError(f"there are two series of bars of {instrument.symbol}; give one of them.")
        super().__init__(strategies, bars, portfolio, gate, expected_fee, calendars)
        self._single = self.sole_instrument
        self.agenda = Agenda([series.instrument for series in self.market.values()], calendars)
        for symbol, series in self.market.items():
            source = series.priced_by
            if source is not None:
                portfolio.set_price_source(symbol, source.mark)
        self._handlers[TickReceived] = self._tick_received
        self._handlers[QuoteReceived] = self._quote_received
        self._handlers[BookReceived] = self._book_received
        self._handlers[BookLost] = self._book_lost
        looks = self.monitors.looks
        if looks is not None and not bars:  # with bars, when they close
            for shown in (TickReceived, QuoteReceived, BookReceived):
                self._handlers[shown] = looking_after(self._handlers[shown], looks)

    def _series_of(self, instrument: Instrument) -> MarketSeries:
        """Return the series of an instrument, a new one where it is the first of it."""
        series = self.market.setdefault(instrument.symbol, MarketSeries(instrument))
        if series.instrument != instrument:
            raise InputError(
                f"{instrument.symbol} is described in two ways ({series.instrument} and {instrument}). "
                "Give trades, quotes and bars of one market the same instrument."
            )
        return series

    def _add(self, kind: str, instrument: Instrument) -> None:
        series = self._series_of(instrument)
        name, make = _VIEWS[kind]
        if getattr(series, name) is not None:
            raise InputError(f"there are two series of {kind} of {instrument.symbol}; put them into one.")
        view = make(instrument)
        setattr(series, name, view)
        self.views.append(view)

    def _seat(self, strategy: Strategy, series: Sequence[tuple[Instrument, Timeframe]]) -> Seat:
        own = [MarketBarSeries(timeframe, self.market[instrument.symbol]) for instrument, timeframe in series]
        desk = Desk(self, strategy.name)
        desk.instrument = self.sole_instrument
        made: list[TradeBars] = []
        self._made[strategy.name] = made

        def make(symbol: str, rule: str | BarRule, **options: Any) -> MarketBarSeries:
            if self._is_going:
                raise LineError(f"{symbol}: series are made in on_start only.")
            made.append(TradeBars(self.market[symbol], rule, **options))
            return made[-1].series

        shown: dict[str, Any] = {**self.market, **{one.symbol: one for one in own}}
        if strategy.bar_rule:
            shown = {symbol: self._shown(symbol, one, strategy.bar_rule, make) for symbol, one in shown.items()}
        strategy.data = MarketDataSet(list(shown.values()), make)  # type: ignore[assignment]  # it may have no lines
        strategy.log = logging.getLogger(f"cambist.strategy.{strategy.name}")
        strategy._desk = desk  # noqa: SLF001 - the kernel is what a strategy is plugged into
        return Seat(strategy, desk, tuple(one._cursor for one in own), tuple(BarView(one) for one in own))  # noqa: SLF001

    def _shown(self, symbol: str, series: Any, rule: str, make: Callable[..., MarketBarSeries]) -> Any:
        """Return what a strategy with a rule of its own sees of an instrument: bars of its trades, or of its bars."""
        market = self.market[symbol]
        if market.tick is None and market.quote is None:
            return shown_series(series, rule) if isinstance(series, MarketBarSeries) else series
        if isinstance(series, MarketBarSeries):
            series._cursor.is_hidden = True  # noqa: SLF001
        return make(symbol, rule, keep_first=True, on_bar=True, options={})

    def _run_started(self, event: RunStarted) -> None:
        super()._run_started(event)
        self._is_going = True
        for seat in self.seats:
            made = self._made[seat.strategy.name]
            self.unheard = self.unheard or self._not_heard(seat, made)
            for hook, kind in (("on_tick", "ticks"), ("on_quote", "quotes")):
                of_kind = [one for one in made if one.kind == kind]
                if of_kind:
                    setattr(seat.strategy, hook, self._following(seat, of_kind, getattr(seat.strategy, hook)))

    def _following(
        self, seat: Seat, made: Sequence[TradeBars], on_event: Callable[[Any], None]
    ) -> Callable[[Any], None]:
        """Return a hook before which the bars that are made of trades, or of quotes, are moved and shown."""

        def push(cursor: SeriesCursor, bar: Bar) -> None:
            self.push_made(seat, cursor, bar)

        takers: dict[str, list[Callable[[Any], None]]] = {}
        for one in made:
            takers.setdefault(one.symbol, []).append(one.telling(push, seat.strategy.on_bar, seat.show_cold))

        def show(view: Any) -> None:
            for take in takers.get(view.symbol, ()):
                take(view)
            on_event(view)

        return show

    def push_made(self, seat: Seat, cursor: SeriesCursor, bar: Bar) -> None:  # noqa: ARG002 - who guards it asks whose
        """Give a bar that was made of trades to the lines of a strategy."""
        cursor.push(bar)

    def _not_heard(self, seat: Seat, made: Sequence[TradeBars]) -> str:
        hooks = {_HOOKS[kind] for kind, _ in self.streams}
        barred = bool(self.series) or any(one.view is not None for one in made)
        hooks |= {"on_bar", "on_step"} if barred else set()
        if any(seat.hook(name) is not None for name in hooks):
            return ""
        without = "" if barred else " For on_bar have bars made: timeframe='1m', or bar_rule='volume 1000'."
        return (
            f"{seat.strategy.name} has no {' or '.join(sorted(hooks))}, and this run has nothing else to show it. "
            f"Write one.{without}"
        )

    @property
    def sole_instrument(self) -> Instrument | None:
        """What is meant when a request names no instrument outside an event; None when that would be a guess."""
        return next(iter(self.market.values())).instrument if len(self.market) == 1 else None

    def show_bar(self, number: int) -> None:
        """Show every strategy the bar of series `number` on which its cursor has been put."""
        for seat in self.seats:
            seat.seen[number] += 1
            self.bar(seat, number, warm=seat.seen[number] > seat.warm_after[number])

    def watch_lines(self, names: Sequence[str]) -> None:
        """Keep the values of some lines; see `Kernel.watch_lines`."""
        super().watch_lines(names)
        watch, show = self.watch, self.show_bar
        assert watch is not None
        # Bars beside trades are shown one by one also where those are played as columns.
        self.show_bar = watch.after(show, watch.note)  # type: ignore[method-assign, assignment]

    def price_on(self, symbol: str, buys: bool) -> float:
        """Return the price at which a buyer, or a seller, would trade now; NaN where there is none yet.

        It is the far side of the book or the quote, or the last trade's where there is neither.
        """
        series = self.market[symbol]
        best = series.book or series.quote
        if best is None:
            return series.price
        return best.ask if buys else best.bid

    def _tick_received(self, event: TickReceived) -> None:
        view, tick = self.views[event.stream], event.tick
        assert isinstance(view, TickView)
        view.ts, view.price, view.size = tick.ts, tick.price, tick.size
        view.side_code = 0 if tick.side is None else tick.side.sign
        for seat in self.seats:
            seat.desk.instrument = view.instrument
            seat.strategy.on_tick(view)
            seat.desk.instrument = self.sole_instrument

    def _quote_received(self, event: QuoteReceived) -> None:
        view, quote = self.views[event.stream], event.quote
        assert isinstance(view, QuoteView)
        view.ts, view.bid, view.ask = quote.ts, quote.bid, quote.ask
        view.bid_size, view.ask_size = quote.bid_size, quote.ask_size
        for seat in self.seats:
            seat.desk.instrument = view.instrument
            seat.strategy.on_quote(view)
            seat.desk.instrument = self.sole_instrument

    def _book_received(self, event: BookReceived) -> None:
        view, update = self.views[event.stream], event.update
        assert isinstance(view, BookView)
        sides, prices, sizes = zip(*update.levels, strict=True)
        view.apply(update.ts, update.is_snapshot, sides, prices, sizes)
        for seat in self.seats:
            seat.desk.instrument = view.instrument
            seat.strategy.on_book(view)
            seat.desk.instrument = self.sole_instrument

    def _book_lost(self, event: BookLost) -> None:
        view = self.views[event.stream]
        assert isinstance(view, BookView)
        view.lose()
