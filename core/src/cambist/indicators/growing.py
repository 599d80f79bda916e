"""A slower series whose newest bar is seen while it grows: the replay of faster bars.

The newest value of each of its lines is that of the bar as far as it has come; indicators take it as if the bar were
over, and take it back with the next faster bar. Every way in which a run moves the faster series goes through one and
the same step here, bar by bar: what is seen is the same to the last bit.
"""

from __future__ import annotations

from copy import deepcopy
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.errors import LineError, LookAheadError
from cambist.indicators.lines import HISTORY, Line
from cambist.indicators.series import UNKNOWN, Series, SeriesCursor
from cambist.indicators.slower import SlowSeries, slower_periods
from cambist.model.bars import COLUMNS, Bar
from cambist.model.slower_bars import SlowerBars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.indicators.computation import Stream
    from cambist.indicators.series import BarView
    from cambist.model.periods import Periods
    from cambist.model.timeframe import Timeframe

__all__ = ["GrowingSeries", "growing_series"]


class GrowingLine(Line):
    """A line whose newest value changes with every faster bar."""

    #: Its newest value after each row of the loaded faster columns; empty where bars come one by one.
    __slots__ = ("_newest",)

    _cursor: GrowingCursor

    def __init__(self, cursor: GrowingCursor, name: str, lookback: int) -> None:
        super().__init__(cursor, name, lookback)
        self._newest: list[float] = []

    def __getitem__(self, ago: int) -> float:
        cursor = self._cursor
        if not ago and cursor.in_columns:
            return self._newest[cursor.fast_row]
        if ago > 0:
            raise LookAheadError(
                f"{self.name}[{ago}] asks for a bar that has not begun. [0] is the growing bar, [-1] the one before."
            )
        if -ago > HISTORY:
            raise LineError(f"{self.name}[{ago}] reaches back further than {HISTORY:,} bars.")
        at = cursor.row + ago
        return self._values[at] if at >= 0 else nan


class GrowingCursor(SeriesCursor):
    """Moves a growing series with the faster one of which it is made.

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
        None: `on_bar` is not called for bars that grow.
    in_columns
        Whether the faster series is moved by columns.
    """

    __slots__ = (
        "_fast",
        "_finished",
        "_grows",
        "_maker",
        "_over",
        "_periods",
        "_places",
        "_row",
        "_seen_fast",
        "_series",
        "_starts",
        "in_columns",
        "known_after",
        "view",
    )

    def __init__(self, fast: Series, periods: Periods, *, keep_first: bool) -> None:
        self._series, self._fast = fast, fast._cursor  # noqa: SLF001 - the two are one thing
        self._periods = periods
        self._maker = SlowerBars(periods, fast.timeframe.ns, keep_first=keep_first)
        self._row = self._seen_fast = 0
        self._grows = self._over = False  # whether the newest bar is in the lines, and not over; whether it is over
        self._starts = [0]
        #: After each row of the loaded faster columns: how many bars there are, and whether the newest is over.
        self._places: list[int] = []
        self._finished: list[bool] = []
        self.in_columns = False
        self.known_after = UNKNOWN
        self.view: BarView | None = None
        super().__init__()
        self.columns = {name: self._line(name, 0) for name in COLUMNS}

    def _line(self, name: str, lookback: int) -> Line:
        return GrowingLine(self, name, lookback)

    # Where it stands, which the faster series says.

    @property
    def fast_row(self) -> int:
        """How many rows of the loaded faster columns have been shown."""
        return self._fast.window[0] + self._fast.row

    @property
    def row(self) -> int:
        """Which bar is the newest."""
        return self._places[self.fast_row] if self.in_columns else self._row

    @row.setter
    def row(self, value: int) -> None:
        self._row = value

    @property
    def ts(self) -> int:
        """Open time of the newest bar, ns, UTC; 0 before the first."""
        return self._starts[self.row]

    @property
    def is_finished(self) -> bool:
        """Whether the newest bar is over."""
        return self._finished[self.fast_row] if self.in_columns else self._over

    @property
    def needed(self) -> int:
        """Faster bars that surely hold what every line needs."""
        return -(-self._periods.reach(self.lookback + 2) // self._series.timeframe.ns)

    # What the faster series calls; see `cambist.indicators.computation`.

    name = "replay"
    outputs = ()

    def open(self) -> GrowingCursor:
        """Take rows block by block or one by one: it is a stream itself."""
        return self

    def batch(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take all rows there are."""
        return self.extend(*inputs)

    def extend(self, *inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Take the next rows."""
        self.in_columns = True
        self._forget_old()
        lines = self._lines()
        every = [[line._values[self._row]] for line in lines]  # noqa: SLF001 - a line is the cursor's to move
        places, finished = [self._row], [self._over]
        for row in zip(self._fast._ts.tolist(), *(column.tolist() for column in inputs), strict=True):  # noqa: SLF001
            self._advance(Bar(*row))
            places.append(self._row)
            finished.append(self._over)
            for newest, line in zip(every, lines, strict=True):
                newest.append(line._values[self._row])  # noqa: SLF001
        for newest, line in zip(every, lines, strict=True):
            line._newest = newest  # type: ignore[attr-defined]  # noqa: SLF001
        self._places, self._finished = places, finished
        return ()

    def update(self, *values: float) -> tuple[float, ...]:
        """Take one row."""
        self._advance(Bar(self._fast._ts_list[-1], *values))  # noqa: SLF001
        if self._row > 2 * HISTORY:
            self._forget_old()
        return ()

    def follow_window(self, start: int, stop: int) -> None:
        """Have within reach what a window of the faster series shows: all is."""

    def rows_of(self, line: Line, start: int, stop: int) -> NDArray[np.float64]:
        """Return what a line shows at some rows of the faster block, shape ``(stop - start,)``."""
        assert isinstance(line, GrowingLine)
        return np.array(line._newest[start + 1 : stop + 1])  # noqa: SLF001

    def _forget_old(self) -> None:
        many = self._row - HISTORY
        if many > 0:
            for line in self._lines():
                line._forget(many)  # noqa: SLF001
            del self._starts[:many]
            self._row -= many

    # One faster bar.

    def _advance(self, bar: Bar) -> None:
        maker = self._maker
        for done in maker.push(bar):
            self._show(done, final=True)
        if maker.counts:
            assert maker.growing is not None
            self._show(Bar(maker.start, *maker.growing), final=False)
        if self.known_after == UNKNOWN and self._row > self.lookback:
            self.known_after = self._seen_fast
        self._seen_fast += 1

    def _show(self, bar: Bar, *, final: bool) -> None:
        """Put a bar, over or not, in the place of the newest while that grows, else behind it."""
        if not self._grows:
            self._row += 1
            self._starts.append(bar.ts)
            for line in self._lines():
                line._push(nan)  # noqa: SLF001
        self._grows, self._over = not final, final
        row = self._row
        for name in COLUMNS:
            self.columns[name]._values[row] = getattr(bar, name)  # noqa: SLF001
        for node in self._nodes:
            if node.stream is None:
                node.stream = node.computation.open()
            stream = node.stream if final else _fork(node.stream)
            values = stream.update(*[line._values[row] for line in node.inputs])  # noqa: SLF001
            for line, value in zip(node.outputs, values, strict=True):
                line._values[row] = value  # noqa: SLF001


def _fork(stream: Stream) -> Stream:
    """Return a stream that goes on where this one stands, and leaves it there."""
    fork: Any = getattr(stream, "fork", None)
    forked: Stream = deepcopy(stream) if fork is None else fork()
    return forked


class GrowingSeries(SlowSeries):
    """A slower series whose newest bar grows; see `Series.replay`."""

    __slots__ = ()

    _cursor: GrowingCursor

    @property
    def is_finished(self) -> bool:
        """Whether the newest bar, ``[0]``, is over; false while it grows, and before the first."""
        return self._cursor.is_finished


def growing_series(
    fast: Series, timeframe: str | Timeframe, options: dict[str, Any], *, keep_first: bool
) -> GrowingSeries:
    """Make a growing series of another one; see `Series.replay`."""
    periods = slower_periods(fast, timeframe, options, "replayed")
    growing = GrowingCursor(fast, periods, keep_first=keep_first)
    fast._cursor.lead(growing)  # noqa: SLF001
    return GrowingSeries(fast.instrument, periods.timeframe, growing)
