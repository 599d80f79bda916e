"""A slower series that a strategy has made of a faster one: it moves with it, and shows a bar once that is over.

It hangs on the faster series as an indicator does, so that every way in which a run moves a series, by columns, by
blocks or bar by bar, moves it as well, and a series that nobody resamples is moved as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.errors import InputError, LineError, ParameterError
from cambist.indicators.series import UNKNOWN, BarView, Series, SeriesCursor
from cambist.model.bar_rules import RuledBars, RuleTimeframe
from cambist.model.bars import COLUMNS, Bar, Bars
from cambist.model.periods import read_periods
from cambist.model.slower_bars import SlowerBars

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cambist.indicators.growing import GrowingSeries
    from cambist.indicators.lines import Line
    from cambist.model.bar_rules import BarRule
    from cambist.model.periods import Periods
    from cambist.model.timeframe import Timeframe

__all__ = [
    "RuledSeries",
    "SlowCursor",
    "SlowSeries",
    "ruled_series",
    "shown_series",
    "slower_periods",
    "slower_series",
]

#: Bars that are fetched to warm up series whose bars nobody can foretell.
_GUESSED = 1_000


class SlowCursor(SeriesCursor):
    """Moves a slower series with the faster one of which it is made.

    Parameters
    ----------
    fast
        The faster series.
    timeframe
        Of the slower bars, or what stands for it.
    maker
        Makes them.
    needed_for
        Answers how many faster bars surely hold so many of them.

    Attributes
    ----------
    known_after
        How many faster bars come before the one with which every line is known; `UNKNOWN` until it has come.
    view
        What is handed to `on_bar` for a slower bar; None where nobody asked for it.
    """

    __slots__ = (
        "_begun",
        "_behind",
        "_fast",
        "_maker",
        "_needed_for",
        "_new",
        "_places",
        "_reached",
        "_row",
        "_seen",
        "_seen_fast",
        "_series",
        "_timeframe",
        "known_after",
        "view",
    )

    def __init__(
        self, fast: Series, timeframe: Timeframe, maker: SlowerBars | RuledBars, needed_for: Callable[[int], int]
    ) -> None:
        self._series = fast
        self._fast = fast._cursor  # noqa: SLF001 - the two are one thing
        self._timeframe, self._maker, self._needed_for = timeframe, maker, needed_for
        #: How many slower bars of the loaded columns are complete after so many rows of the faster ones, as an array
        #: and as a view that gives Python numbers; None where bars come one by one.
        self._reached: NDArray[np.int64] | None = None
        self._places: memoryview[int] | None = None
        self._row = self._behind = self._new = 0
        #: Bars so far, slower and faster, and slower ones before the loaded columns.
        self._seen = self._seen_fast = self._begun = 0
        self.known_after = UNKNOWN
        self.view: BarView | None = None
        super().__init__()

    @property
    def timeframe(self) -> Timeframe:
        """Of the slower bars."""
        return self._timeframe

    # Where it stands, which the faster series says.

    @property
    def row(self) -> int:
        """Position in the window."""
        places = self._places
        if places is None:
            return self._row - self._behind
        fast = self._fast
        return places[fast.window[0] + fast.row] - self.window[0] - self._behind

    @row.setter
    def row(self, value: int) -> None:
        self._row = value

    @property
    def needed(self) -> int:
        """Faster bars that surely hold what every line needs."""
        return self._needed_for(self.lookback)

    # What the faster series calls; see `cambist.indicators.computation`.

    name = "resample"
    outputs = ()

    def open(self) -> SlowCursor:
        """Take rows block by block or one by one: it is a stream itself."""
        return self

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take all rows there are."""
        return self._take(inputs, whole=True)

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take the next rows."""
        return self._take(inputs, whole=False)

    def update(self, *values: float) -> tuple[float, ...]:
        """Take one row."""
        done = self._maker.push(Bar(self._fast._ts_list[-1], *values))  # noqa: SLF001
        self._new = len(done)
        for bar in done:
            self.push(bar)
            self._seen += 1
        if self.known_after == UNKNOWN and self._seen > self.lookback:
            self.known_after = self._seen_fast
        self._seen_fast += 1
        return ()

    def _take(self, inputs: tuple[NDArray[np.float64], ...], *, whole: bool) -> tuple[NDArray[np.float64], ...]:
        ts = self._fast._ts  # noqa: SLF001
        made = self._maker.take_columns(ts, list(inputs))
        rows, count = len(ts), len(made.ts)
        self._begun = self._seen
        base = 0
        if count:
            columns = dict(zip(COLUMNS, made.columns, strict=True))
            self.load(Bars(self._series.instrument, self._timeframe, made.ts, **columns), whole=whole)
        else:
            base = len(self._ts)
        self._reached = base + np.cumsum(np.bincount(made.known_at + 1, minlength=rows + 1))
        self._places = self._reached.data
        if self.known_after == UNKNOWN and self._seen + count > self.lookback:
            self.known_after = self._seen_fast + int(made.known_at[self.lookback - self._seen])
        self._seen += count
        self._seen_fast += rows
        return ()

    def follow_window(self, start: int, stop: int) -> None:
        """Have within reach what is complete with the rows of the faster window."""
        if self._reached is not None:
            self.open_window(int(self._reached[start]), int(self._reached[stop]))

    def rows_of(self, line: Line, start: int, stop: int) -> NDArray[np.float64]:
        """Return what a line shows at some rows of the faster block, shape ``(stop - start,)``."""
        if self._reached is None:  # nothing was loaded
            return np.empty(0)
        values = np.concatenate(([line._at(-1)], line._array))  # noqa: SLF001 - a line is the cursor's to move
        return values[self._reached[start + 1 : stop + 1]]

    def tell(self, on_bar: Callable[[BarView], None], on_cold: Callable[[BarView], None]) -> None:
        """Show each slower bar that is complete with the current faster one; to `on_cold` while a line is not known."""
        new, seen, places = self._new, self._seen, self._places
        if places is not None:
            at = self._fast.window[0] + self._fast.row
            new, seen = places[at] - places[at - 1], self._begun + places[at]
        assert self.view is not None
        for behind in range(new - 1, -1, -1):  # several, where a bar was missing at an end, or by a rule
            self._behind = behind
            (on_bar if seen - behind > self.lookback else on_cold)(self.view)
        self._behind = 0


class SlowSeries(Series):
    """A slower series made of another one; see `Series.resample`."""

    __slots__ = ()

    def resample(self, timeframe: str | Timeframe | BarRule, **_options: Any) -> Series:
        """Refuse: the faster series is what slower ones are made of."""
        raise InputError(
            f"{self.symbol} {self.timeframe} is made of faster bars itself. Make the bars of {timeframe} of those: "
            f"self.data.resample({str(timeframe)!r})."
        )

    def replay(self, timeframe: str | Timeframe, **_options: Any) -> GrowingSeries:
        """Refuse, as `resample`."""
        raise InputError(
            f"{self.symbol} {self.timeframe} is made of faster bars itself. Replay those: "
            f"self.data.replay({str(timeframe)!r})."
        )


class RuledSeries(SlowSeries):
    """What a strategy sees in the place of a series: bars made of it by a rule.

    Attributes
    ----------
    fast
        The series itself.
    """

    __slots__ = ("fast",)

    fast: Series

    def resample(self, timeframe: str | Timeframe | BarRule, **options: Any) -> Series:
        """Return a slower series of what this one is made of; see `Series.resample`."""
        return self.fast.resample(timeframe, **options)

    def replay(self, timeframe: str | Timeframe, **options: Any) -> GrowingSeries:
        """Return a growing series of what this one is made of; see `Series.replay`."""
        return self.fast.replay(timeframe, **options)


def shown_series(fast: Series, rule: str) -> RuledSeries:
    """Return what a strategy sees in the place of a series: `on_bar` is called for bars by a rule alone."""
    made = fast.resample(rule, on_bar=True)
    cursor: Any = made._cursor  # noqa: SLF001
    fast._cursor.is_hidden = True  # noqa: SLF001
    shown = RuledSeries(fast.instrument, made.timeframe, cursor)
    shown.fast = fast
    cursor.view = BarView(shown)
    return shown


def _require_building(fast: Series, what_is_done: str) -> None:
    """Refuse a series that is to be made of another one after ``on_start``."""
    if not fast._cursor.building:  # noqa: SLF001
        raise LineError(f"{fast.symbol}: series are {what_is_done} in on_start only.")


def slower_periods(fast: Series, timeframe: str | Timeframe, options: dict[str, Any], what_is_done: str) -> Periods:
    """Read the periods of a series that is to be made of another one.

    Raises
    ------
    LineError
        After ``on_start``.
    InputError
        For a timeframe that is none, or that the bars of `fast` do not make up.
    """
    _require_building(fast, what_is_done)
    periods = read_periods(timeframe, **options)
    fast.timeframe.require_multiple(periods.timeframe)
    return periods


def slower_series(
    fast: Series, timeframe: str | Timeframe, options: dict[str, Any], *, keep_first: bool, on_bar: bool
) -> Series:
    """Make a slower series of another one; see `Series.resample`."""
    periods = slower_periods(fast, timeframe, options, "resampled")
    length = fast.timeframe.ns
    maker = SlowerBars(periods, length, keep_first=keep_first)

    def needed_for(lookback: int) -> int:
        # The first may have begun before, and the last may not be over.
        return -(-periods.reach(lookback + 3) // length)

    return _following(fast, SlowCursor(fast, periods.timeframe, maker, needed_for), on_bar=on_bar)


def ruled_series(
    fast: Series, rule: BarRule, options: dict[str, Any], *, keep_first: bool, on_bar: bool, history: int | None
) -> Series:
    """Make a series of another one by a rule; see `Series.resample`."""
    _require_building(fast, "resampled")
    rule.require_bars(f"bars of {fast.timeframe}")
    periods = read_periods(rule.each, **options) if rule.each else None
    if periods is None:
        _refuse_options(rule, options)
    else:
        fast.timeframe.require_multiple(periods.timeframe)
    length = fast.timeframe.ns
    maker = RuledBars(rule, length, periods, keep_first)
    begins = 0 if periods is None else -(-periods.reach(2) // length)

    def needed_for(lookback: int) -> int:
        needed = history if history is not None else rule.needed(lookback)
        return begins + (_GUESSED if needed is None else needed)

    return _following(fast, SlowCursor(fast, RuleTimeframe(length, rule), maker, needed_for), on_bar=on_bar)


def _refuse_options(rule: BarRule, options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if value]
    if given:
        raise ParameterError(
            f"{given[0]} says where periods begin, and bars by {rule} have none. Leave it out, or have them begin anew "
            f"with each period: '{rule} each 1d'."
        )


def _following(fast: Series, slow: SlowCursor, *, on_bar: bool) -> Series:
    """Return a slower series that goes with the faster one."""
    fast._cursor.lead(slow)  # noqa: SLF001
    series = SlowSeries(fast.instrument, slow.timeframe, slow)
    if on_bar:
        slow.view = BarView(series)
    return series
