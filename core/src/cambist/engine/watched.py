"""Lines of strategies whose values are to be kept, bar by bar."""

from __future__ import annotations

from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import ParameterError, did_you_mean
from cambist.model.events import BarClosed, RunStarted
from cambist.model.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.engine.clock import Clock
    from cambist.engine.step import Seat
    from cambist.indicators.lines import Line
    from cambist.indicators.series import SeriesCursor

__all__ = ["LineWatch", "WatchedLine", "Watching"]


@attrs.define(eq=False, slots=True)
class WatchedLine:
    """One line whose values are kept.

    Attributes
    ----------
    strategy, name, symbol
        Whose it is, what it is called there, and the instrument of its bars.
    series
        Number of the series of these bars.
    line, cursor
        The line, and what moves it.
    times, values
        What a run over whole columns kept so far, one array a window: close times, ns, UTC, and values that are known.
    """

    strategy: str
    name: str
    symbol: str
    series: int
    line: Line
    cursor: SeriesCursor
    times: list[NDArray[np.int64]] = attrs.field(factory=list)
    values: list[NDArray[np.float64]] = attrs.field(factory=list)

    def take(self, start: int, closes: NDArray[np.int64]) -> None:
        """Keep the values of the bars that closed at `closes`, from row `start` of the loaded block on."""
        values = self.cursor.rows_of(self.line, start, start + len(closes))
        known = np.isfinite(values)
        self.times.append(closes[known])
        self.values.append(values[known])


class LineWatch:
    """Keeps values of lines that somebody named.

    Lines are known once the strategies have started. In a run over whole columns they are read a window at a time, so
    that no bar costs anything; one that plays events notes them as each bar closes.

    Parameters
    ----------
    kernel
        Whose strategies.
    names
        Of lines, see `cambist.Strategy.named_lines`; each of at least one strategy.
    """

    def __init__(self, kernel: Watching, names: Sequence[str]) -> None:
        self._kernel, self._names = kernel, names
        self.lines: list[WatchedLine] = []

    def start(self) -> None:
        """Find the lines, the strategies having started.

        Raises
        ------
        ParameterError
            If no strategy has a line of a name.
        """
        found = {seat.strategy.name: seat.strategy.named_lines() for seat in self._kernel.seats}
        for name in self._names:
            if not any(name in lines for lines in found.values()):
                raise ParameterError(f"record_lines names {name!r}, and {_what_there_is(name, found)}")
        self.lines = [
            self._watched(seat, name, found[seat.strategy.name][name])
            for seat in self._kernel.seats
            for name in self._names
            if name in found[seat.strategy.name]
        ]

    def _watched(self, seat: Seat, name: str, line: Line) -> WatchedLine:
        family = [(number, one) for number, first in enumerate(seat.cursors) for one in (first, *first.followers)]
        for number, cursor in family:
            if cursor.moves(line):
                return WatchedLine(seat.strategy.name, name, seat.bars[number].symbol, number, line, cursor)
        raise ParameterError(
            f"record_lines names {name!r}, which {seat.strategy.name} did not make of the bars of this run. Make it in "
            "on_start, of self.data."
        )

    def note(self, series: int) -> None:
        """Note the values at the bar of a series that has just closed."""
        signals, now = self._kernel.signals, self._kernel.clock.read()
        for one in self.lines:
            if one.series == series:
                value = one.line[0]
                if isfinite(value):
                    signals.append(Signal(now, one.strategy, one.name, one.symbol, value))

    def after(self, handler: Callable[[Any], object], act: Callable[[Any], None]) -> Callable[[Any], object]:
        """Return a handler of events that does `act` behind another one, also where that one raises."""

        def handle(event: Any) -> None:
            try:
                handler(event)
            finally:
                act(event)

        return handle


class Watching:
    """What a kernel has so that values are noted: those of strategies, and of lines.

    Attributes
    ----------
    watch
        What keeps values of lines, None where nobody asked for any.
    """

    watch: LineWatch | None = None
    seats: list[Seat]
    clock: Clock
    _handlers: dict[Any, Callable[[Any], object]]

    @cached_property
    def signals(self) -> list[Signal]:
        """What strategies noted, oldest first; see `cambist.Strategy.record_signal`."""
        return []

    def watch_lines(self, names: Sequence[str]) -> None:
        """Keep the values of some lines; to be called before the run starts."""
        watch, handlers = LineWatch(self, names), self._handlers
        self.watch = watch
        start, close = handlers[RunStarted], handlers[BarClosed]

        def run_started(event: RunStarted) -> None:
            start(event)
            watch.start()

        handlers[RunStarted] = run_started
        handlers[BarClosed] = watch.after(close, lambda event: watch.note(event.series))


def _what_there_is(name: str, found: Mapping[str, Mapping[str, Line]]) -> str:
    every = {line for lines in found.values() for line in lines}
    if not every:
        return "no strategy keeps a line as an attribute. Keep it in on_start: self.fast = SMA(...)."
    return f"no strategy has such a line.{did_you_mean(name, every)}"
