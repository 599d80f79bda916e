"""A run that notes every decision and keeps every line, for checks that compare runs."""

from __future__ import annotations

from collections import Counter
from functools import wraps
from math import isclose
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.driver import StopRequest
from cambist.backtest.run import Run
from cambist.errors import LineError, LookAheadError, ParameterError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.settings import BacktestSettings
    from cambist.engine.step import Seat
    from cambist.model.orders import Order
    from cambist.ports.history import HistorySource
    from cambist.strategies import Strategy

__all__ = ["Decision", "KeptLine", "Played", "agree", "check_count", "check_tolerance", "play"]

#: What a strategy asks of its desk beside orders and signals.
_MONEY = ("add_cash", "transfer", "convert", "change_margin")


@attrs.frozen(slots=True)
class Decision:
    """Something that a strategy did.

    Attributes
    ----------
    ts
        When, ns, UTC.
    strategy
        Who.
    kind
        ``"order"``, ``"cancel"``, ``"change"``, ``"signal"``, ``"money"`` or ``"stop"``.
    name
        The name of a signal, of a movement of money, or the symbol of an order.
    symbol
        Of the instrument; ``""`` where it is about none.
    words, numbers
        What was decided: what must be the same, and what must be nearly so.
    opening, reacting
        Whether it was decided in `on_open`; or in answer to what became of an order, which may be in the next bar
        already, at its open and so at the time at which the last one closed.
    """

    ts: int
    strategy: str
    kind: str
    name: str
    symbol: str
    words: tuple[str, ...]
    numbers: tuple[float, ...]
    opening: bool = False
    reacting: bool = False

    @property
    def subject(self) -> tuple[str, str, str, str]:
        """Whose, and what it is about."""
        return self.strategy, self.kind, self.name, self.symbol

    def equals(self, other: Decision, tolerance: float) -> bool:
        """Whether another one of the same subject and time decides the same."""
        return self.words == other.words and all(
            isclose(one, two, rel_tol=tolerance) or (one != one and two != two)  # noqa: PLR0124 -- NaN is no price
            for one, two in zip(self.numbers, other.numbers, strict=True)
        )

    def describe(self) -> str:
        """Return it in a few words: ``buy 10 limit at 99.5``."""
        if self.kind == "signal":
            return self.words[0] if self.words else f"{self.numbers[0]:.10g}"
        size, *prices = self.numbers
        known = [f"{price:.10g}" for price in prices if price == price]  # noqa: PLR0124 -- NaN is no price
        what, *more = self.words
        at = f" at {' and '.join(known)}" if known else ""
        return " ".join([what, *([f"{size:.10g}"] if size == size else []), *more]) + at  # noqa: PLR0124


@attrs.frozen(eq=False, slots=True)
class KeptLine:
    """A line over a whole run.

    Attributes
    ----------
    strategy, name, symbol
        Whose it is; its name there, that of the attribute where it has one; and the instrument of its bars.
    lookback
        Bars before it is known.
    closes, values
        Close times of the bars, ns, UTC, and its values, NaN where it is not known, shape ``(n,)`` both.
    """

    strategy: str
    name: str
    symbol: str
    lookback: int
    closes: NDArray[np.int64]
    values: NDArray[np.float64]


@attrs.frozen(eq=False, slots=True)
class Played:
    """What a run did.

    Attributes
    ----------
    decisions
        In the order in which they were made.
    lines
        By strategy, name and symbol.
    instants
        Times at which bars close, ns, UTC, ascending.
    error
        What ended it, if it failed.
    failed_opening
        Whether it failed in `on_open`.
    """

    decisions: Sequence[Decision]
    lines: Mapping[tuple[str, str, str], KeptLine]
    instants: NDArray[np.int64]
    error: Exception | None = None
    failed_opening: bool = False

    @property
    def foresight(self) -> LookAheadError | None:
        """The refusal of a look ahead that ended it, if one did."""
        error: BaseException | None = self.error
        while error is not None and not isinstance(error, LookAheadError):
            error = error.__cause__ or error.__context__
        return error


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Refuse what is no whole number of at least `least`, with a `ParameterError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{name} is {value!r}; give a whole number, {least} or more.")


def check_tolerance(tolerance: Any) -> None:
    """Refuse a tolerance that is no fraction, with a `ParameterError`."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0.0 <= tolerance < 1.0:
        raise ParameterError(f"tolerance is {tolerance!r}; give a fraction, 0 or more and below 1.")


def agree(one: NDArray[np.float64], other: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Tell for each row whether two columns agree, shape ``(n,)``; NaN agrees with NaN alone.

    The tolerance is a fraction of the larger value, or of what is usual for `one` where both are smaller: what swings
    around 0 need not agree to its last digit there.
    """
    known = np.abs(one[np.isfinite(one)])
    usual = float(np.median(known)) if len(known) else 0.0
    with np.errstate(invalid="ignore"):
        scale = np.maximum(np.maximum(np.abs(one), np.abs(other)), usual)
        near = np.abs(one - other) <= tolerance * scale
    same: NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return same if not tolerance else same | (near & np.isfinite(scale))


def play(
    strategies: Sequence[Strategy | type[Strategy]],
    sources: Sequence[HistorySource],
    settings: BacktestSettings,
    finer: Mapping[int, HistorySource],
) -> Played:
    """Run, and return all that was decided and every line; a failure of the strategy is part of it.

    Raises
    ------
    InputError
        If the run cannot be set up.
    """
    run = _ListeningRun(strategies, sources, settings, None, StopRequest(), finer)
    decisions: list[Decision] = []
    ears = [_listen(seat, run.kernel, decisions) for seat in run.kernel.seats]
    error: Exception | None = None
    try:
        run.play()
    except (StrategyError, LookAheadError, LineError) as raised:
        error = raised
    lines = {(line.strategy, line.name, line.symbol): line for seat in run.kernel.seats for line in _lines(run, seat)}
    instants = np.unique(np.concatenate([feed.closes for feed in run.feeds]))
    return Played(decisions, lines, instants, error, any(one.opening for one in ears))


class _Reacting:
    """What a kernel has so that a decision made in answer to an order's fate is told apart."""

    reacting = False

    def _deliver(self, order: Order, hook: Callable[[Any], None], value: Any) -> None:
        before, self.reacting = self.reacting, True
        super()._deliver(order, hook, value)  # type: ignore[misc]  # of the kernel beside it
        self.reacting = before


class _ListeningRun(Run):
    """A run with a kernel of that kind."""

    def _maker(self, kernel: type[Any]) -> type[Any]:
        return type("ReactingKernel", (_Reacting, kernel), {})


def _lines(run: Run, seat: Seat) -> Iterator[KeptLine]:
    """Yield the lines that indicators made for a strategy; those of slower series as they show on the faster one."""
    named = {id(line): name for name, line in seat.strategy.named_lines().items()}
    names: Counter[tuple[str, str]] = Counter()
    for feed, cursor in zip(run.feeds, seat.cursors, strict=True):
        symbol, bars = feed.instrument.symbol, len(feed.closes)
        for one in (cursor, *cursor.followers):
            for line in one.made_lines():
                name = named.get(id(line), line.name)
                names[symbol, name] += 1
                if names[symbol, name] > 1:
                    name = f"{name} #{names[symbol, name]}"
                values = one.rows_of(line, 0, bars)
                if len(values) != bars:  # a run that failed before its columns were computed has none
                    continue
                # How many fast bars a slower line needs is told by when it is known.
                lookback = line.lookback if one is cursor else int(np.argmax(np.append(np.isfinite(values), True)))
                yield KeptLine(seat.strategy.name, name, symbol, lookback, feed.closes, values)


def _listen(seat: Seat, kernel: Any, decisions: list[Decision]) -> _Ears:
    """Have everything that a strategy asks for noted.

    The desk becomes one of a class of its own, so that no other run has anything to pay.
    """
    desk: Any = seat.desk
    ears = _Ears(seat, kernel, decisions)
    methods = {name: ears.around(getattr(type(desk), name), getattr(ears, name)) for name in _HEARD}
    methods |= {name: ears.around(getattr(type(desk), name), ears.money(name)) for name in _MONEY}
    desk.__class__ = type("ListeningDesk", (type(desk),), {"__slots__": (), **methods})
    opens: Any = seat.hook("on_open")
    if opens is not None:
        seat.strategy.on_open = ears.while_opening(opens)  # type: ignore[method-assign]
    return ears


_HEARD = ("send", "cancel", "modify", "record_signal", "stop")


class _Ears:
    """Turns requests into decisions.

    Attributes
    ----------
    opening
        Whether `on_open` is under way, or was when the run failed.
    """

    def __init__(self, seat: Seat, kernel: Any, decisions: list[Decision]) -> None:
        self._desk, self._kernel, self._decisions = seat.desk, kernel, decisions
        self.opening = False

    def around(self, method: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
        """Return a method that has its call noted, also where the call is refused."""

        @wraps(method)
        def heard(desk: Any, *args: Any, **options: Any) -> Any:
            returned = None
            try:
                returned = method(desk, *args, **options)
            finally:
                note(returned, *args, **options)
            return returned

        return heard

    def while_opening(self, hook: Callable[..., None]) -> Callable[..., None]:
        """Return `on_open` so that what it decides is told apart."""

        def opening(*args: Any) -> None:
            self.opening = True
            hook(*args)
            self.opening = False

        return opening

    def _add(
        self, kind: str, name: str, symbol: str, words: tuple[str, ...] = (), numbers: tuple[float, ...] = ()
    ) -> None:
        desk = self._desk
        now, reacting = desk.now, self._kernel.reacting
        self._decisions.append(Decision(now, desk.name, kind, name, symbol, words, numbers, self.opening, reacting))

    def send(self, order: Order | None, *_: Any, **__: Any) -> None:
        if order is None:
            return  # it was refused with an error, which ends the run
        words = [order.side.value, order.type.value, order.time_in_force.value]
        words += ["reduce only"] if order.reduce_only else []
        words += [f"tagged {order.tag}"] if order.tag else []
        prices = order.limit_price, order.stop_price
        symbol = order.instrument.symbol
        self._add("order", symbol, symbol, tuple(words), (order.size, *prices))

    def cancel(self, _: None, order: Order) -> None:
        symbol = order.instrument.symbol
        self._add("cancel", symbol, symbol, ("cancel", order.side.value), (order.size,))

    def modify(self, _: None, order: Order, size: float, limit_price: float, stop_price: float) -> None:
        symbol = order.instrument.symbol
        self._add("change", symbol, symbol, ("change to", order.side.value), (size, limit_price, stop_price))

    def record_signal(self, _: None, name: str, value: float | str, symbol: str) -> None:
        text = isinstance(value, str)
        self._add("signal", name, symbol, (str(value),) if text else (), () if text else (float(value),))

    def stop(self, _: None, reason: str) -> None:
        self._add("stop", "run", "", ("stop", reason), (np.nan,))

    def money(self, name: str) -> Callable[..., None]:
        def note(_: Any, *args: Any, **options: Any) -> None:
            given = [*args, *options.values()]
            numbers = [float(one) for one in given if isinstance(one, int | float)]
            words = [str(one) for one in given if isinstance(one, str)]
            self._add("money", name, "", (name, *words), tuple(numbers or [np.nan]))

        return note
