"""Strategies made of signals: lines that say when to be long, short or out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from cambist.errors import LineError, ParameterError, did_you_mean
from cambist.indicators.lines import Line
from cambist.strategies.parameters import param
from cambist.strategies.signal_orders import EntrySignals, trade_signals
from cambist.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.strategies.data import DataSet
    from cambist.strategies.sizers import Sizer

    #: Makes the line of a signal, or several, of the bars of a run.
    SignalSource: TypeAlias = Callable[[DataSet], Line | list[Line] | tuple[Line, ...]]

__all__ = ["SignalKind", "SignalStrategy"]


class SignalKind(StrEnum):
    """What a signal line is about, and which of its values say so.

    A kind speaks when all lines of the kind agree. ``_INV`` reads the sign the other way round, ``_ANY`` takes every
    value but zero. NaN says nothing.
    """

    #: Above zero: be long. Below: be short. Each closes and turns the opposite position.
    LONGSHORT = "longshort"
    #: Above zero: go long. Below: leave a long position, unless there is a `LONGEXIT`.
    LONG = "long"
    LONG_INV = "long_inv"
    LONG_ANY = "long_any"
    #: Below zero: go short. Above: leave a short position, unless there is a `SHORTEXIT`.
    SHORT = "short"
    SHORT_INV = "short_inv"
    SHORT_ANY = "short_any"
    #: Below zero: leave a long position.
    LONGEXIT = "longexit"
    LONGEXIT_INV = "longexit_inv"
    LONGEXIT_ANY = "longexit_any"
    #: Above zero: leave a short position.
    SHORTEXIT = "shortexit"
    SHORTEXIT_INV = "shortexit_inv"
    SHORTEXIT_ANY = "shortexit_any"


def _above(value: float) -> bool:
    return value > 0.0


def _below(value: float) -> bool:
    return value < 0.0


def _any(value: float) -> bool:
    return value > 0.0 or value < 0.0  # and not NaN, which differs from zero too


_Test: TypeAlias = "Callable[[float], bool]"
#: What a bar may call for, and the kinds that call for it with the values that do.
_CALLS: dict[str, tuple[tuple[SignalKind, _Test], ...]] = {
    "both_long": ((SignalKind.LONGSHORT, _above),),
    "both_short": ((SignalKind.LONGSHORT, _below),),
    "long": ((SignalKind.LONG, _above), (SignalKind.LONG_INV, _below), (SignalKind.LONG_ANY, _any)),
    "short": ((SignalKind.SHORT, _below), (SignalKind.SHORT_INV, _above), (SignalKind.SHORT_ANY, _any)),
    "leave_long": ((SignalKind.LONG, _below), (SignalKind.LONG_INV, _above), (SignalKind.LONG_ANY, _any)),
    "leave_short": ((SignalKind.SHORT, _above), (SignalKind.SHORT_INV, _below), (SignalKind.SHORT_ANY, _any)),
    "exit_long": ((SignalKind.LONGEXIT, _below), (SignalKind.LONGEXIT_INV, _above), (SignalKind.LONGEXIT_ANY, _any)),
    "exit_short": (
        (SignalKind.SHORTEXIT, _above),
        (SignalKind.SHORTEXIT_INV, _below),
        (SignalKind.SHORTEXIT_ANY, _any),
    ),
}


class _Calls:
    """Answers what the current bar calls for; only kinds that have lines are looked at."""

    def __init__(self, signals: Mapping[SignalKind, Sequence[Line]]) -> None:
        self._voters = {
            call: [(signals[kind], test) for kind, test in kinds if kind in signals] for call, kinds in _CALLS.items()
        }
        #: Whether the opposite signal closes a position: plain exits take its place, and no others do.
        self.long_turns = SignalKind.LONGEXIT not in signals
        self.short_turns = SignalKind.SHORTEXIT not in signals

    def __call__(self, call: str) -> bool:
        for lines, test in self._voters[call]:
            for line in lines:
                if not test(line[0]):
                    break
            else:
                return True
        return False


class SignalStrategy(Strategy):
    """Trades what signals say, by the rules of backtrader's ``SignalStrategy``.

    Either subclass it and add signals in `on_start`, or let `of` make one of functions. A subclass may also say
    entries, exits, sizes and stops at once, in `trade_on`.

    Attributes
    ----------
    signals
        Functions that make the signals, by kind; what `of` is given.
    accumulate
        Whether a signal to enter adds to a position that is there already.
    concurrent
        Whether orders are sent while the last entry is still under way.
    symbol
        What is traded; the first series by default. Signals may be lines of any series.

    Notes
    -----
    Signals are read once per instant, in `on_step`; a subclass that has an `on_step` of its own calls this one. Orders
    are market orders of the sizer's size. On each instant:

    * Flat: LONGSHORT above zero or a long signal buys, else LONGSHORT below zero or a short signal sells.
    * Long: LONGSHORT below zero, an exit signal, a short signal, or a long signal that has turned closes the
      position. LONGSHORT below zero and a short signal also sell, which turns it. A long signal buys more with
      `accumulate`.
    * Short: the mirror image.
    * A LONGEXIT takes the place of what else would close a long position, save LONGSHORT: neither the short signal nor
      the turned long signal does then; likewise SHORTEXIT. Their ``_INV`` and ``_ANY`` forms close as well but take
      no place.

    While an entry is under way nothing is done, unless `concurrent`; a position that is being closed is not closed
    twice.

    Examples
    --------
    >>> from cambist import SignalStrategy, backtest
    >>> from cambist.indicators import SMA, crossover
    >>> cross = SignalStrategy.of(longshort=lambda data: crossover(SMA(data.close, 10), SMA(data.close, 30)))
    >>> result = backtest(cross, bars)
    """

    signals: Any = param((), doc="functions that make the signals, by kind")
    accumulate: bool = param(False, doc="add to a position that is there already")
    concurrent: bool = param(False, doc="send orders while the last entry is still under way")
    symbol: str | None = param(None, doc="what is traded; the first series by default")
    _target: Instrument

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._lines: dict[SignalKind, list[Line]] = {}
        self._calls: _Calls | None = None
        self._entry: Order | None = None
        self._exit: Order | None = None
        #: What `trade_on` was given, and the orders that close what is held.
        self._said: EntrySignals | None = None
        self._guards: tuple[Order, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        accumulate: bool = False,
        concurrent: bool = False,
        symbol: str | None = None,
        sizer: Sizer | None = None,
        name: str = "",
        **signals: SignalSource,
    ) -> SignalStrategy:
        """Make a strategy of functions, without a class.

        Parameters
        ----------
        accumulate, concurrent, symbol
            See the class.
        sizer
            Of its orders; the run's by default.
        name
            What it is called in the result.
        **signals
            By kind, such as ``long=`` or ``shortexit_any=``: a function that is given the run's ``data`` and returns a
            line, or several of which all must agree.

        Raises
        ------
        ParameterError
            For a kind that does not exist, or what is no function.
        """
        made = cls(signals=signals, accumulate=accumulate, concurrent=concurrent, symbol=symbol)
        _check_sources(signals)
        if sizer is not None:
            made.sizer = sizer
        if name:
            made.name = name
        return made

    def on_start(self) -> None:
        """Add the signals that `of` was given; a subclass adds its own instead."""
        for kind, source in _check_sources(self.signals):
            lines = source(self.data)
            for line in lines if isinstance(lines, list | tuple) else (lines,):
                self.add_signal(kind, line)

    def add_signal(self, kind: SignalKind | str, line: Line) -> None:
        """Add a signal; of several of one kind all must agree.

        Raises
        ------
        ParameterError
            For a kind that does not exist.
        LineError
            For what is no line.
        """
        chosen = _kind(kind)
        if not isinstance(line, Line):
            raise LineError(
                f"{type(self).__name__}: the {chosen} signal is {line!r}; give a line, such as crossover(fast, slow)."
            )
        self._lines.setdefault(chosen, []).append(line)
        self._calls = None

    def trade_on(
        self,
        entries: Line,
        exits: Line | None = None,
        *,
        side: Line | float = 1.0,
        size: Line | float | None = None,
        stop: Line | float | None = None,
        take: Line | float | None = None,
        trail: Line | float | None = None,
    ) -> None:
        """Say when to enter and leave, on which side, how much, and where the position ends by itself.

        It takes the place of `add_signal`, in `on_start`. NaN says nothing.

        Parameters
        ----------
        entries
            Above zero: enter on the side that `side` says. Where that side is held, nothing happens; the other one is
            left first.
        exits
            Above zero: leave what is held, whichever side it is. An exit goes before an entry on the same side.
        side
            Above zero long, below zero short, zero neither.
        size
            Units to enter with, rounded down to the step; what is not above zero enters nothing. Default: the sizer's.
        stop
            Price at which the position is left in loss, on the far side of the close of the bar of the entry.
        take
            Price at which it is left in profit, on the other side.
        trail
            Distance, in price, at which the stop follows the price. It begins at `stop`, or where the entry traded.

        Raises
        ------
        LineError
            For what is neither a line nor a number.
        ParameterError
            With `accumulate` or `concurrent`, or together with `add_signal`.

        Notes
        -----
        Stops and targets are a bracket's: they rest from the fill of the entry on, cancel each other, and are canceled
        when an exit is sent. Their values are those of the bar of the entry.
        """
        if self.accumulate or self.concurrent or self._lines:
            raise ParameterError(
                f"{type(self).__name__}: trade_on goes with no signals by kind, and neither with accumulate nor with "
                "concurrent. Leave one of them out."
            )
        self._said = EntrySignals.of(
            type(self).__name__,
            {"entries": entries, "exits": exits, "side": side, "size": size}
            | {"stop": stop, "take": take, "trail": trail},
        )

    def named_lines(self) -> dict[str, Line]:
        """Return the lines of the signals by kind, the second of a kind as ``"long-2"``, and so on, among the others.

        ``backtest(..., record_lines=["longshort"])`` keeps them.
        """
        signals = {
            str(kind) if number == 1 else f"{kind}-{number}": line
            for kind, lines in self._lines.items()
            for number, line in enumerate(lines, 1)
        }
        said = {} if self._said is None else self._said.lines()
        return {**super().named_lines(), **signals, **said}

    def on_step(self) -> None:
        """Trade what the signals say."""
        if self._said is not None:
            self._guards = trade_signals(self, self._said, self._traded(), self._guards)
        else:
            self._trade_by_kind()

    def _trade_by_kind(self) -> None:
        if self._entry is not None and self._entry.is_open and not self.concurrent:
            return
        calls = self._calls or self._ready()
        target = self._target
        held = self.positions[target.symbol].size
        if held == 0.0:
            if calls("both_long") or calls("long"):
                self._entry = self.buy(data=target)
            elif calls("both_short") or calls("short"):
                self._entry = self.sell(data=target)
        elif held > 0.0:
            turns = calls("both_short") or (calls.long_turns and calls("short"))
            if turns or calls("exit_long") or (calls.long_turns and calls("leave_long")):
                self._leave(target)
            if turns:
                self._entry = self.sell(data=target)
            if self.accumulate and (calls("both_long") or calls("long")):
                self._entry = self.buy(data=target)
        else:
            turns = calls("both_long") or (calls.short_turns and calls("long"))
            if turns or calls("exit_short") or (calls.short_turns and calls("leave_short")):
                self._leave(target)
            if turns:
                self._entry = self.buy(data=target)
            if self.accumulate and (calls("both_short") or calls("short")):
                self._entry = self.sell(data=target)

    def _leave(self, target: Instrument) -> None:
        """Close the position, unless that is under way."""
        if self._exit is None or not self._exit.is_open:
            self._exit = self.close(target)

    def _ready(self) -> _Calls:
        """Take up the signals at the first instant."""
        if not self._lines:
            raise ParameterError(
                f"{type(self).__name__} has no signals. Add some in on_start: self.add_signal('long', line) or "
                "self.trade_on(entries, exits), or make the strategy by SignalStrategy.of(long=lambda data: ...)."
            )
        self._target = self._traded()
        self._calls = _Calls(self._lines)
        return self._calls

    def _traded(self) -> Instrument:
        return (self.data[0] if self.symbol is None else self.data[self.symbol]).instrument


def _kind(name: SignalKind | str) -> SignalKind:
    try:
        return SignalKind(str(name).lower())
    except ValueError:
        known = [str(kind) for kind in SignalKind]
        raise ParameterError(f"{name!r} is no kind of signal.{did_you_mean(str(name), known)}") from None


def _check_sources(signals: Any) -> Iterable[tuple[SignalKind, SignalSource]]:
    """Return kinds and functions, once each is one."""
    try:
        pairs = dict(signals).items()
    except (TypeError, ValueError):
        raise ParameterError(
            f"signals is {signals!r}; give functions by kind, such as {{'long': lambda data: ...}}."
        ) from None
    for kind, source in pairs:
        _kind(kind)
        if not callable(source):
            raise ParameterError(
                f"the {kind} signal is {source!r}; give a function that makes a line of the data: "
                f"{kind}=lambda data: data.close > data.open."
            )
    return [(_kind(kind), source) for kind, source in pairs]
