"""What is checked: strategies, bars and settings, to be run over all of the bars or a part of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.checking.outside import STAMPS, Knowledge
from cambist.backtest.checking.played import Played, play
from cambist.data.sources.memory import MemoryHistory
from cambist.errors import InputError, ParameterError
from cambist.model.bars import Bars
from cambist.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.settings import BacktestSettings
    from cambist.ports.history import HistorySource

__all__ = ["Subject"]

#: What a check decides itself: runs in memory that leave nothing behind.
_QUIET: dict[str, Any] = {
    "events": False,
    "blocks": False,
    "journal": None,
    "record": False,
    "record_lines": (),
    "snapshots": None,
    "benchmark": False,
}


@attrs.define(eq=False)
class Subject:
    """Strategies over bars, which a check runs many times.

    Attributes
    ----------
    make
        Returns the strategies, given the bars as `given` has them, as far as they are known.
    given
        The bars as the user gave them, for `make`.
    series
        All bars of each series.
    settings
        Of the runs.
    finer
        Finer bars to match by, by the number of their series.
    stamps
        What times in tables outside mean; see `Knowledge`.
    outside
        What was found outside and shortened, so far.
    """

    make: Callable[[Any], Sequence[Any]]
    given: Any
    series: Sequence[Bars]
    settings: BacktestSettings
    finer: Mapping[int, Bars] = attrs.field(factory=dict)
    stamps: str = "open"
    outside: set[str] = attrs.field(factory=set)

    @classmethod
    def of(
        cls,
        make: Callable[[Any], Sequence[Any]],
        given: Any,
        sources: Sequence[HistorySource],
        settings: BacktestSettings,
        *,
        finer: Mapping[int, HistorySource] | None = None,
        stamps: str = "open",
    ) -> Subject:
        """Read the bars.

        Raises
        ------
        ParameterError
            If `stamps` is none of ``open``, ``close`` and ``ignore``.
        InputError
            For trades, quotes or books, or bars that cannot be used.
        """
        if stamps not in STAMPS:
            raise ParameterError(f"stamps is {stamps!r}; it takes {', '.join(STAMPS)}.")
        series = [source.load() for source in sources]
        for source, bars in zip(sources, series, strict=True):
            if not isinstance(bars, Bars):
                raise InputError(f"{source.name}: checks run over bars. Make bars of it first: cambist.tick_bars.")
        quiet = attrs.evolve(settings, **_QUIET)
        magnified = {number: source.load() for number, source in (finer or {}).items()}
        return cls(make, given, series, quiet, magnified, stamps)

    @cached_property
    def instants(self) -> NDArray[np.int64]:
        """Times at which bars close, ns, UTC, ascending; from the one on at which every series has had one."""
        every = np.unique(np.concatenate([bars.close_times for bars in self.series]))
        first = max(int(bars.close_times[0]) for bars in self.series)
        return every[every >= first]

    @property
    def n_bars(self) -> int:
        """Bars of all series together."""
        return sum(map(len, self.series))

    def whole(self) -> Played:
        """Run over everything."""
        return play(self._made(self.given), [MemoryHistory(one) for one in self.series], self.settings, self._finer())

    def until(self, cut: int) -> Played:
        """Run over the bars that have closed at `cut`, one of `instants`."""
        lengths = [int(np.searchsorted(one.close_times, cut, side="right")) for one in self.series]
        return self._known([one[:rows] for one, rows in zip(self.series, lengths, strict=True)], cut)

    def opened(self, cut: int) -> Played:
        """Run over the bars that have closed before `cut`, and of those that close then the open alone."""
        parts = []
        for one in self.series:
            rows = int(np.searchsorted(one.close_times, cut, side="right"))
            part = one[:rows]
            parts.append(_open_alone(part) if one.close_times[rows - 1] == cut else part)
        return self._known(parts, cut - self.series[0].timeframe.ns)

    def since(self, start: int) -> Played:
        """Run over the bars that close after `start`."""
        parts = [one[int(np.searchsorted(one.close_times, start, side="right")) :] for one in self.series]
        return play(self._made(self.given), [MemoryHistory(one) for one in parts], self.settings, self._finer())

    def _known(self, parts: Sequence[Bars], at: int) -> Played:
        lengths = {len(one): int(np.searchsorted(one.close_times, at, side="right")) for one in self.series}
        knowledge = Knowledge(at, self.stamps, lengths, self.outside)
        finer = {
            number: MemoryHistory(one[: max(1, int(np.searchsorted(one.close_times, at, side="right")))])
            for number, one in self.finer.items()
        }
        # Made twice where they read tables: a file that is executed anew must read no more than was known.
        with knowledge.alone(()):
            made = self._made(knowledge.of(self.given))
        with knowledge.alone([type(one) for one in made]):
            shortened = [_with_parameters(one, knowledge) for one in made]
            return play(shortened, [MemoryHistory(one) for one in parts], self.settings, finer)

    def _made(self, given: Any) -> list[Strategy]:
        made = [one() if isinstance(one, type) and issubclass(one, Strategy) else one for one in self.make(given)]
        for one in made:
            if not isinstance(one, Strategy):
                raise InputError(f"{one!r} is no strategy. Give a subclass of cambist.Strategy, or an instance of one.")
        return made

    def _finer(self) -> dict[int, HistorySource]:
        return {number: MemoryHistory(one) for number, one in self.finer.items()}


def _with_parameters(strategy: Strategy, knowledge: Knowledge) -> Strategy:
    """Return a strategy whose parameters hold no more than was known."""
    fresh = strategy.fresh()
    fresh.params = {name: knowledge.of(value, f"{fresh.name}.{name}") for name, value in fresh.params.items()}
    return fresh


def _open_alone(bars: Bars) -> Bars:
    """Return bars of whose last one nothing but the open is known."""
    columns = {name: column.copy() for name, column in bars.columns.items()}
    for name in ("high", "low", "close"):
        columns[name][-1] = columns["open"][-1]
    columns["volume"][-1] = 0.0
    return Bars(bars.instrument, bars.timeframe, bars.ts, *columns.values())
