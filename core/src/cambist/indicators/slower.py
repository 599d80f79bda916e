"""A slower series that a strategy has made of a faster one: it moves with it, and shows a bar once that is over.

It hangs on the faster series as an indicator does, so that every way in which a run moves a series, by columns, by
blocks or bar by bar, moves it as well, and a series that nobody resamples is moved as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.errors import InputError, LineError
from cambist.indicators.series import UNKNOWN, BarView, Series, SeriesCursor
from cambist.model.bars import COLUMNS, Bar, Bars
from cambist.model.periods import read_periods
from cambist.model.slower_bars import SlowerBars

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cambist.indicators.growing import GrowingSeries
    from cambist.indicators.lines import Line
    from cambist.model.periods import Periods
    from cambist.model.timeframe import Timeframe

__all__ = ["SlowCursor", "SlowSeries", "slower_periods", "slower_series"]


class SlowCursor(SeriesCursor):
    """Moves a slower series with the faster one of which it is made.

    Parameters
    ----------
    fast
        The faster series.
    periods, keep_first
        Of the slower bars; see `SlowerBars`.

    Attributes
    ----------
    known_after
        How many faster bars come before the one with which every line is known; `UNKNOWN` until it has come.
    view
        What is handed to `on_bar` for a slower bar; None where nobody asked for it.
    """

    __slots__ = (
        "_behind",
        "_fast",
        "_maker",
        "_new",
        "_periods",
        "_places",
        "_reached",
        "_row",
        "_seen",
        "_seen_fast",
        "_series",
        "known_after",
        "view",
    )

    def __init__(self, fast: Series, periods: Periods, *, keep_first: bool) -> None:
        self._series = fast
        self._fast = fast._cursor  # noqa: SLF001 - the two are one thing
        self._periods = periods
        self._maker = SlowerBars(periods, fast.timeframe.ns, keep_first=keep_first)
        #: How many slower bars of the loaded columns are complete after so many rows of the faster ones, as an array
        #: and as a view that gives Python numbers; None where bars come one by one.
        self._reached: NDArray[np.int64] | None = None
        self._places: memoryview[int] | None = None
        self._row = self._behind = self._new = 0
        #: Bars so far, slower and faster.
        self._seen = self._seen_fast = 0
        self.known_after = UNKNOWN
        self.view: BarView | None = None
        super().__init__()

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
        # The first may have begun before, and the last may not be over.
        return -(-self._periods.reach(self.lookback + 3) // self._series.timeframe.ns)

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
        base = 0
        if count:
            columns = dict(zip(COLUMNS, made.columns, strict=True))
            self.load(Bars(self._series.instrument, self._periods.timeframe, made.ts, **columns), whole=whole)
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
        assert self._reached is not None
        values = np.concatenate(([line._at(-1)], line._array))  # noqa: SLF001 - a line is the cursor's to move
        return values[self._reached[start + 1 : stop + 1]]

    def tell(self, on_bar: Callable[[BarView], None]) -> None:
        """Show each slower bar that is complete with the current faster one."""
        new, places = self._new, self._places
        if places is not None:
            at = self._fast.window[0] + self._fast.row
            new = places[at] - places[at - 1]
        assert self.view is not None
        for behind in range(new - 1, -1, -1):  # two where a bar was missing at the end of the one before
            self._behind = behind
            on_bar(self.view)
        self._behind = 0


class SlowSeries(Series):
    """A slower series made of another one; see `Series.resample`."""

    __slots__ = ()

    def resample(self, timeframe: str | Timeframe, **_options: Any) -> Series:
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


def slower_periods(fast: Series, timeframe: str | Timeframe, options: dict[str, Any], what_is_done: str) -> Periods:
    """Read the periods of a series that is to be made of another one.

    Raises
    ------
    LineError
        After ``on_start``.
    InputError
        For a timeframe that is none, or that the bars of `fast` do not make up.
    """
    if not fast._cursor.building:  # noqa: SLF001
        raise LineError(f"{fast.symbol}: series are {what_is_done} in on_start only.")
    periods = read_periods(timeframe, **options)
    fast.timeframe.require_multiple(periods.timeframe)
    return periods


def slower_series(
    fast: Series, timeframe: str | Timeframe, options: dict[str, Any], *, keep_first: bool, on_bar: bool
) -> Series:
    """Make a slower series of another one; see `Series.resample`."""
    periods = slower_periods(fast, timeframe, options, "resampled")
    slow = SlowCursor(fast, periods, keep_first=keep_first)
    fast._cursor.lead(slow)  # noqa: SLF001
    series = SlowSeries(fast.instrument, periods.timeframe, slow)
    if on_bar:
        slow.view = BarView(series)
    return series
