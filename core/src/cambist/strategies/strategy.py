"""The base class of every strategy."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from cambist.errors import InputError, ParameterError
from cambist.indicators.lines import Line
from cambist.model.times import duration_ns, to_datetime, to_ns
from cambist.strategies.futures import FuturesTrading
from cambist.strategies.holdings import Holdings
from cambist.strategies.parameters import MISSING, OF_EVERY, find_parameter, read_parameters
from cambist.strategies.schedules import Schedule
from cambist.strategies.targets import Targets
from cambist.strategies.trading import Trading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime, timedelta
    from logging import Logger
    from random import Random

    from cambist.indicators.series import BarView, Series
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Position, Trade
    from cambist.model.trading_state import TradingChange, TradingState
    from cambist.strategies.book_view import BookView
    from cambist.strategies.market import QuoteView, TickView
    from cambist.strategies.parameters import Parameter

__all__ = ["Strategy"]


class Strategy(FuturesTrading, Holdings):
    """Subclass this, declare parameters, build indicators in `on_start`, trade in `on_bar`.

    Attributes
    ----------
    data
        The bars: ``self.data.close`` is a line of the first instrument, ``self.data["ETHUSDT"].close`` of a
        named one, and iterating gives every series.
    sizer
        Answers the size of orders that come without one; one unit by default.
    log
        A logger whose records carry strategy and run. Logging for each bar is the slowest thing a strategy
        can do.
    parameters
        The class's declared parameters by name; ``self.params`` has the values.
    bar_rule
        A parameter of every strategy: by which rule the bars of `data` are made of those, or of the trades, of the run:
        ``"renko 50"``, ``"volume 1000"``, ``"1h"``; see `Series.resample`. `on_bar` is then called for them alone, and
        orders meet what they are made of. ``""`` for the bars of the run.

    Notes
    -----
    A run works on a fresh copy made from the parameters, so one instance can be run many times. Whatever a
    strategy keeps between bars belongs in attributes set in `on_start`.
    """

    parameters: ClassVar[Mapping[str, Parameter]] = {}
    #: Attributes that a restart brings back; see `save_state`.
    persistent: ClassVar[Sequence[str]] = ()
    bar_rule: str = ""
    name: str
    log: Logger

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = read_parameters(cls)
        known = {name: one for base in reversed(cls.__bases__) for name, one in getattr(base, "parameters", {}).items()}
        cls.parameters = {**{name: one for name, one in known.items() if name not in vars(cls)}, **own}
        annotated = {name for base in (Strategy, Trading, Targets, Holdings) for name in base.__annotations__}
        reserved = sorted(set(cls.parameters) & {*dir(Strategy), *annotated, "params"})
        if reserved:
            raise ParameterError(
                f"{cls.__name__}: {', '.join(reserved)} cannot be a parameter, the base class uses the name. Rename it."
            )

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        for name in values:
            find_parameter(cls, name)
        self.params: dict[str, Any] = {}
        taken = {name: parameter for name, parameter in OF_EVERY.items() if name in values}
        for name, parameter in {**cls.parameters, **taken}.items():
            value = values.get(name, parameter.default)
            if value is MISSING:
                raise ParameterError(f"{cls.__name__}: parameter {name!r} needs a value: {parameter.describe()}.")
            self.params[name] = parameter.validate(value, cls.__name__)
            setattr(self, name, self.params[name])
        self.name = cls.__name__

    def fresh(self) -> Strategy:
        """Return a new strategy with the same parameters and sizer, and nothing else of this one."""
        copy = type(self)(**self.params)
        copy.name = self.name
        if "sizer" in vars(self):
            copy.sizer = self.sizer
        return copy

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{type(self).__name__}({values})"

    # What the engine calls, in this order.

    def on_start(self) -> None:
        """Build indicators; called once, before the first bar."""

    def on_warmup_bar(self, bar: BarView) -> None:
        """See a bar while the indicators of its instrument are not yet known; orders are refused here."""

    def on_open(self, series: Series, price: float) -> None:
        """Trade: called when a bar opens at `price`, before anything trades in it; with ``cheat_on_open=True`` alone.

        Orders sent from here take part in that very bar, which is what makes it cheating: a market order trades at
        `price`. The lines still end with the bar before, and `now` is the open time. It is called for a bar where
        `on_bar` was called for the one before it.
        """

    def on_bar(self, bar: BarView) -> None:
        """Trade: called when a bar closes, once the indicators of its instrument are known.

        In a run on trades and quotes it is called after every one of the time at which the bar closes.
        """

    def on_tick(self, tick: TickView) -> None:
        """Trade: called for each trade the market prints, in a run on trades."""

    def on_quote(self, quote: QuoteView) -> None:
        """Trade: called for each change of best bid and ask, in a run on quotes."""

    def on_book(self, book: BookView) -> None:
        """Trade: called for each change of an order book, in a run on books."""

    def on_step(self) -> None:
        """Trade across instruments: called once per instant, after every `on_bar` of it."""

    def on_order(self, order: Order) -> None:
        """Learn that an order's status changed; ``order.reason`` says why it ended."""

    def on_fill(self, fill: Fill) -> None:
        """Learn that an order traded; orders sent from here join what remains of the bar."""

    def on_trade(self, trade: Trade) -> None:
        """Learn that a round trip closed."""

    def on_timer(self, name: str) -> None:
        """Learn that a timer is due; see `set_timer`, `schedule` and `timer_due`."""

    def on_trading_state(self, change: TradingChange) -> None:
        """Learn that trading was halted, restricted to reducing, or resumed; it holds since ``change.ts``.

        It is called for what concerns this strategy, and for every symbol. `trading_state` is what holds now.
        """

    def on_stop(self) -> None:
        """Clean up; called once, after the last bar. Orders are refused here."""

    # What a journal calls.

    def save_state(self) -> dict[str, Any]:
        """Return what a restart has to bring back: the attributes named in `persistent`, as far as they are set.

        A journalled run keeps it together with the orders of the same step, whenever it has changed. Numbers, texts,
        bytes, `Decimal`, dates, lists, tuples, sets and dicts of them can be kept. Indicators need not be: they are
        computed from the bars.
        """
        return {name: getattr(self, name) for name in self.persistent if hasattr(self, name)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` returned; called after `on_start`, before the first bar."""
        for name, value in state.items():
            setattr(self, name, value)

    # What a strategy calls, beside the orders of `Trading`.

    def set_timer(
        self,
        name: str,
        at: int | str | date | datetime | None = None,
        *,
        after: int | str | timedelta | None = None,
    ) -> None:
        """Have ``on_timer(name)`` called once, at the first instant not before `at`, or `after` (``"15m"``) from now.

        Setting a name again replaces its timer. Integers are nanoseconds.
        """
        if (at is None) == (after is None):
            raise InputError(f"timer {name!r}: give either a time (at=...) or a delay (after=...).")
        due = to_ns(at) if at is not None else self._desk.now + duration_ns(after if after is not None else 0)
        self._desk.set_timer(name, due)

    def schedule(self, name: str, rule: Schedule, *, data: Series | BarView | Instrument | str | None = None) -> None:
        """Have ``on_timer(name)`` called whenever `rule` says so: `At`, `Every`, `OnSession` or `Cron`.

        It is called at the first instant not before a due time; where several due times passed before a bar closed,
        once for all of them. `timer_due` is the first of them. Setting a name again replaces its timer.

        Parameters
        ----------
        data
            By whose calendar the rule goes. Default: the calendar that all instruments of the run have.

        Raises
        ------
        InputError
            If the rule goes by sessions and there is no calendar, or there are several and none is named.
        """
        if not isinstance(rule, Schedule):
            raise InputError(
                f"timer {name!r}: {rule!r} is no rule. Give At('15:45'), Every('15m') or OnSession('close'); "
                "set_timer is for a single time."
            )
        self._desk.schedule(name, rule, None if data is None else self._instrument(data))

    def record_signal(
        self, name: str, value: float | str, *, data: Series | BarView | Instrument | str | None = None
    ) -> None:
        """Have a value remembered, with the time and the instrument: a signal, a score, why something was not done.

        It is in `cambist.Result.signals`, in the journal of a run that has one and in the table ``signals`` of a
        storage, and decides nothing. A later value of the same name, instrument and time takes the place of this one.

        Parameters
        ----------
        name
            What it is called.
        value
            A finite number (True is 1), or a text.
        data
            Of which instrument: a series, a bar, an instrument or its symbol. Default: the one whose bar, order or
            fill is being delivered, in `on_step` and timers of a run with several instruments none.

        Raises
        ------
        InputError
            For an empty name, or a value that is neither; an indicator that is not known yet is NaN, which is none.

        Notes
        -----
        For lines there is a cheaper way: ``backtest(..., record_lines=["fast"])`` keeps ``self.fast`` of every bar.
        """
        if not name or type(name) is not str:
            raise InputError(f"a signal is called {name!r}; give it a name: record_signal('entry', 0.8).")
        desk = self._desk
        instrument = desk.instrument if data is None else self._instrument(data)
        number = value if isinstance(value, str) else _finite(name, value)
        desk.record_signal(name, number, "" if instrument is None else instrument.symbol)

    def named_lines(self) -> dict[str, Line]:
        """Return the lines that a run can be asked to keep, by name; see ``record_lines`` of `cambist.backtest`.

        They are the attributes that are lines, without those that begin with an underscore. Of several lines in one
        attribute each has a name of its own: ``"bands.upper"`` where they have names, else ``"levels.0"``.
        """
        own = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return {name: line for attribute, value in own.items() for name, line in _lines_in(attribute, value)}

    def clear_timer(self, name: str) -> None:
        """Forget a timer, and the rule behind it; one that is not set is no error."""
        self._desk.set_timer(name, None)

    def stop(self, reason: str = "stopped by the strategy") -> None:
        """End the run after this instant; the result says why."""
        self._desk.stop(reason)

    # What a strategy may look at.

    @property
    def position(self) -> Position:
        """Position of the instrument whose bar, order or fill is being delivered; net in a hedged account."""
        desk = self._desk
        return desk.positions[(desk.instrument or desk.current).symbol]

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol; net in a hedged account, see `position_of`."""
        return self._desk.positions

    def sellable(self, data: Series | BarView | Instrument | str | None = None) -> float:
        """Return how much of a long position may be sold now.

        All of it, unless ``market_rules`` have what was bought wait: 1 trading day for A shares.

        Parameters
        ----------
        data
            As for `buy`.
        """
        desk = self._desk
        return desk.sellable(desk.current if data is None else self._instrument(data))

    @property
    def open_orders(self) -> list[Order]:
        """Working orders of this strategy, oldest first."""
        return list(self._desk.open_orders())

    def queue_ahead(self, order: Order) -> float:
        """Return the size of others that stands before an order at its price, in a run on order books.

        NaN where the order does not stand in a recorded book, or nobody knows.
        """
        return self._desk.queue_ahead(order)

    @property
    def trading_state(self) -> TradingState:
        """What orders may do now: ``"active"`` anything, ``"reducing"`` make a position smaller, ``"halted"`` nothing.

        The strictest of what holds for everything, the account, this strategy, and the instrument that is being
        delivered.
        """
        return self._desk.trading_state

    @property
    def chance(self) -> Random:
        """The run's only source of random numbers: the same ``seed`` gives the same run."""
        return self._desk.chance

    @property
    def now(self) -> int:
        """Engine time, ns since the epoch, UTC; in `on_bar` the close time of the bar."""
        return self._desk.now

    @property
    def time(self) -> datetime:
        """Engine time, UTC."""
        return to_datetime(self._desk.now)

    @property
    def timer_due(self) -> int:
        """When the timer being delivered was due, ns, UTC: before `now` where no bar closed just then."""
        return self._desk.timer_due


def _finite(name: str, value: Any) -> float:
    """Return a number as a float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"the signal {name!r} is {value!r}; give a number or a text.") from None
    if not isfinite(number):
        raise InputError(
            f"the signal {name!r} is {number}; give a finite number or a text. What is not known yet need not be noted."
        )
    return number


def _lines_in(name: str, value: Any) -> Iterator[tuple[str, Line]]:
    """Yield the lines in an attribute, each with its name."""
    if isinstance(value, Line):
        yield name, value
    elif isinstance(value, dict):
        yield from ((f"{name}.{key}", line) for key, line in value.items() if isinstance(line, Line))
    elif isinstance(value, list | tuple):
        names = getattr(value, "_fields", range(len(value)))
        yield from ((f"{name}.{key}", line) for key, line in zip(names, value, strict=True) if isinstance(line, Line))
