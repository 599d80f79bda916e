"""A series of bars as a strategy sees it, and the cursor by which the engine moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.errors import LineError, ParameterError
from cambist.indicators.lines import HISTORY, Line
from cambist.indicators.node import Node, written_push
from cambist.indicators.program import WrittenStream
from cambist.indicators.sharing import batch
from cambist.indicators.soundness import as_sound
from cambist.model.bar_rules import BarRule, read_rule
from cambist.model.bars import COLUMNS, Bar, Bars
from cambist.model.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta, tzinfo

    from numpy.typing import NDArray

    from cambist.indicators.computation import Computation
    from cambist.indicators.growing import GrowingCursor, GrowingSeries
    from cambist.indicators.slower import SlowCursor
    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["UNKNOWN", "BarView", "Series", "SeriesCursor"]
#: The row at which what a bar does is written into one function for the first time; it is not worth it for a few.
_FIRST_WRITTEN = 64
_NO_TIMES: NDArray[np.int64] = np.empty(0, np.int64)
#: More bars than any run has: when something will be known that is not known yet.
UNKNOWN = 1 << 62


class SeriesCursor:
    """Moves one series: whole columns in a backtest, bar by bar in a live run.

    In column mode ``load`` takes a block of bars and computes every line over it, ``open_window`` picks the
    rows to walk through, and setting ``row`` moves (1 is the first row of the window, 0 the row before it). In
    step mode ``push`` takes one bar. Both give every line the same values, bit for bit.

    Attributes
    ----------
    row
        Position in the window, written by the driver for each bar.
    window
        First row and end of the window within the loaded block.
    building
        Whether lines may still be made: until the first bar.
    followers
        What moves slower series that are made of this one, see `cambist.indicators.slower`.
    history
        How many bars back lines reach; a run bar by bar may set fewer before the first.
    is_hidden
        Whether `on_bar` is called for slower bars alone.
    """

    __slots__ = (
        *("_loose", "_move", "_nodes", "_time", "_ts", "_ts_list", "_ts_past", "_write_at", "building", "columns"),
        *("followers", "history", "is_hidden", "row", "window"),
    )

    def __init__(self) -> None:
        self.row = 0
        self.history = HISTORY
        self.window = (0, 0)
        self.building = True
        self.is_hidden = False
        self.columns = {name: self._line(name, 0) for name in COLUMNS}
        self.followers: tuple[SlowCursor | GrowingCursor, ...] = ()
        self._nodes: list[Node] = []
        #: Open times as a line; made when it is asked for.
        self._time: Line | None = None
        self._ts = self._ts_past = _NO_TIMES
        self._ts_list: list[int] = [0]
        #: What takes a bar, once it was written; the row at which it is written anew, and for how many streams it then
        #: was not.
        self._move: Callable[[Bar], None] | None = None
        self._write_at, self._loose = _FIRST_WRITTEN, 0

    def _forget_program(self) -> None:
        self._move, self._write_at = None, _FIRST_WRITTEN

    def _line(self, name: str, lookback: int) -> Line:
        return Line(self, name, lookback)

    @property
    def lookback(self) -> int:
        """Bars before every line is known."""
        return max([line.lookback for line in self._lines()], default=0)

    @property
    def needed(self) -> int:
        """Bars that surely hold what every line needs, those of slower series included."""
        return max([self.lookback, *(one.needed for one in self.followers)])

    def lead(self, follower: SlowCursor | GrowingCursor) -> None:
        """Have a slower series move with this one; it hangs on it as an indicator without lines of its own does."""
        self._nodes.append(Node(follower, tuple(self.columns.values()), (), follower))
        self.followers = (*self.followers, follower)

    def telling(
        self, on_bar: Callable[[BarView], None], on_cold: Callable[[BarView], None]
    ) -> Callable[[BarView], None]:
        """Return what shows the slower bars first that are over with a bar; `on_bar` where nobody asked for them.

        A slower bar at which a line of its series is not known yet is shown to `on_cold`: of several that are over at
        once the first may be one.
        """
        told: Any = [one for one in self.followers if one.view is not None]
        if not told:
            return _ignore if self.is_hidden else on_bar
        shows = not self.is_hidden

        def show(bar: BarView) -> None:
            for one in told:
                one.tell(on_bar, on_cold)
            if shows:
                on_bar(bar)

        return show

    def end_building(self) -> None:
        """Have no more lines made, also of slower series."""
        self.building = False
        for one in self.followers:
            one.building = False

    def _lines(self) -> list[Line]:
        times = () if self._time is None else (self._time,)
        return [*self.columns.values(), *times, *self.made_lines()]

    @property
    def time(self) -> Line:
        """Open times as a line: seconds since the epoch, UTC, to the microsecond."""
        if self._time is None:
            if not self.building:
                raise LineError("time: lines are built in on_start only. In on_bar read bar.ts or bar.time.")
            self._time = Line(self, "time", 0)
        return self._time

    def attach(self, computation: Computation, inputs: tuple[Line, ...]) -> tuple[Line, ...]:
        """Add an indicator over lines of this series; see `cambist.indicators.lines.attach`."""
        if not self.building:
            raise LineError(
                f"{computation.name}: lines are built in on_start only. In on_bar compare values: {inputs[0].name}[0]."
            )
        before = inputs[0].lookback if len(inputs) == 1 else max([line.lookback for line in inputs])
        lookback = computation.lookback + before
        name, names = computation.name, computation.outputs
        if len(names) == 1:
            outputs: tuple[Line, ...] = (self._line(name, lookback),)
        else:
            outputs = tuple([self._line(f"{name}.{output}", lookback) for output in names])
        self._nodes.append(Node(computation, inputs, outputs))
        return outputs

    def load(self, bars: Bars, *, whole: bool) -> None:
        """Take a block of bars and compute every line over it.

        Parameters
        ----------
        bars
            The next rows.
        whole
            They are all there will ever be: indicators then run once over whole columns, which is faster
            than opening a stream that later blocks go on with.
        """
        self.building = True
        if len(self._ts):
            self._ts_past = np.concatenate((self._ts_past, self._ts))[-HISTORY:]
        self._ts = bars.ts
        for name, line in self.columns.items():
            # Bars were checked when they were made.
            line._load(as_sound(getattr(bars, name)))  # noqa: SLF001 - a line is the cursor's to move
        if self._time is not None:
            self._time._load(bars.ts / 1e9)  # noqa: SLF001
        for node in self._nodes:
            arrays = [line.block for line in node.inputs]
            if whole:
                results = batch(node.computation, arrays)
            else:
                if node.stream is None:
                    node.stream = node.computation.open()
                results = node.stream.extend(*arrays)
            for line, values in zip(node.outputs, results, strict=True):
                # What several indicators are made of is looked at once, if nobody can change it.
                values.flags.writeable = False
                line._load(values)  # noqa: SLF001
        self.building = False
        self.open_window(0, 0)

    def let_go(self) -> None:
        """Forget every line: what nobody else holds is freed at once, since lines and cursor hold each other."""
        self.columns = {}
        self._nodes.clear()
        self._time = None

    @property
    def said(self) -> str:
        """What to say of `history` where somebody asks for more."""
        return " in this run: raise its keep_bars" if self.history < HISTORY else ""

    def moves(self, line: Line) -> bool:
        """Tell whether a line is of this series."""
        return line._cursor is self  # noqa: SLF001

    def made_lines(self) -> list[Line]:
        """Return the lines that indicators made, in the order in which they were made."""
        return [line for node in self._nodes for line in node.outputs]

    def makers(self) -> dict[int, Node]:
        """Return what makes each line that an indicator made, by the line's `id`."""
        return {id(line): node for node in self._nodes for line in node.outputs}

    def rows_of(self, line: Line, start: int, stop: int) -> NDArray[np.float64]:
        """Return the values of a line in some rows of the loaded block, shape ``(stop - start,)``."""
        return line._array[start:stop]  # noqa: SLF001

    def open_window(self, start: int, stop: int) -> None:
        """Put the cursor before row `start` of the loaded block, with rows up to `stop` within reach."""
        self.window = (start, stop)
        self.row = 0
        for line in self._lines():
            line._drop_window()  # noqa: SLF001
        self._ts_list = []
        self._forget_program()
        for one in self.followers:
            one.follow_window(start, stop)

    def push(self, bar: Bar) -> None:
        """Take one bar and advance every line by it."""
        self.building = False
        row = self.row + 1
        if row >= self._write_at:
            self._write(row)
        if self._move is not None:
            self._move(bar)
        else:
            self._push_columns(bar)
            self._push_lines(row)
        self.row = row
        history = self.history
        if row > 2 * history:
            for line in self._lines():
                line._forget(history)  # noqa: SLF001
            del self._ts_list[:history]
            self.row -= history
            self._write_at = max(0, self._write_at - history)

    def _push_columns(self, bar: Bar) -> None:
        columns = self.columns
        for name in COLUMNS:
            columns[name]._push(getattr(bar, name))  # noqa: SLF001
        if self._time is not None:
            self._time._push(bar.ts / 1e9)  # noqa: SLF001
        self._ts_list.append(bar.ts)

    def _push_lines(self, row: int) -> None:
        """Advance the lines of indicators to a row, one indicator after the other."""
        for node in self._nodes:
            if node.stream is None:
                node.stream = node.computation.open()
            values = node.stream.update(*[line._values[row] for line in node.inputs])  # noqa: SLF001
            for line, value in zip(node.outputs, values, strict=True):
                line._push(value)  # noqa: SLF001

    def _write(self, row: int) -> None:
        """Write what a bar does into one function; again later, while there are streams that are not settled."""
        pairs = [(node, node.stream) for node in self._nodes]
        loose = sum(not (isinstance(stream, WrittenStream) and stream.is_settled) for _, stream in pairs)
        self._write_at = 2 * row if loose else UNKNOWN
        if self._move is not None and loose == self._loose:
            return
        self._loose = loose
        self._move = written_push(self.columns, self._time, self._ts_list, pairs)

    def go_on_without_lines(self, bar: Bar) -> None:
        """Finish a `push` in which an indicator failed; from here on only the columns move.

        Lines of indicators must not be read any more: they stay behind.
        """
        self._nodes.clear()
        self._forget_program()
        if self._ts_list[-1] != bar.ts:
            self._ts_list.append(bar.ts)
        self.row += 1

    def last_close(self) -> float:
        """Return the close of the current bar, NaN before the first.

        Reads one number where the line, which a strategy may never look at, would make floats of its whole window.
        """
        line = self.columns["close"]
        values = line._values  # noqa: SLF001
        return values[self.row] if values else line._at(self.window[0] + self.row - 1)  # noqa: SLF001

    def last(self, count: int) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
        """Return open times and columns of the last `count` bars up to the current one, or of all there are."""
        columns = [line._last(count) for line in self.columns.values()]  # noqa: SLF001
        if not len(self._ts):
            times = np.array(self._ts_list[max(1, self.row + 1 - count) : self.row + 1], np.int64)
        else:
            end = self.window[0] + self.row
            times = self._ts[max(0, end - count) : end]
            missing = len(columns[0]) - len(times)
            if missing:
                times = np.concatenate((self._ts_past[-missing:], times))
        return times, columns

    def _ts_before(self) -> int:
        """Return the open time of the last bar of the block before, 0 where there is none."""
        return int(self._ts_past[-1]) if len(self._ts_past) else 0

    @property
    def ts(self) -> int:
        """Open time of the current bar, ns, UTC; 0 before the first."""
        times = self._ts_list
        if not times:
            start, stop = self.window
            times = self._ts_list = [
                int(self._ts[start - 1]) if start else self._ts_before(),
                *self._ts[start:stop].tolist(),
            ]
        return times[self.row]


def _ignore(_bar: BarView) -> None:
    """Take a bar that is not shown."""


class Series:
    """The bars of one instrument as a strategy sees them: five lines, read with ``[0]``, ``[-1]``, ...

    Attributes
    ----------
    open, high, low, close, volume
        Lines; see `Line`.
    instrument, timeframe, symbol
        Of what, and how long each bar is.
    """

    __slots__ = ("_cursor", "close", "high", "instrument", "low", "open", "symbol", "timeframe", "volume")

    def __init__(self, instrument: Instrument, timeframe: Timeframe, cursor: SeriesCursor | None = None) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self.symbol = instrument.symbol
        self._cursor = SeriesCursor() if cursor is None else cursor
        columns = self._cursor.columns
        self.open, self.high, self.low, self.close, self.volume = (columns[name] for name in COLUMNS)

    @property
    def ts(self) -> int:
        """Open time of the current bar, ns since the epoch, UTC; 0 before the first."""
        return self._cursor.ts

    def resample(
        self,
        timeframe: str | Timeframe | BarRule,
        *,
        tz: str | tzinfo | None = None,
        calendar: Calendar | None = None,
        offset: int | str | timedelta = 0,
        keep_first: bool = False,
        on_bar: bool = False,
        history: int | None = None,
    ) -> Series:
        """Return a slower series made of this one, with lines and indicators of its own; in ``on_start`` only.

        Its bars are seen once they are over: with the last bar of this series in them, or, where that one is missing,
        with the next there is. `on_bar` of this series is called once the lines of both are known.

        Parameters
        ----------
        timeframe
            As for `cambist.resample`; or a rule by which bars are made that do not go by the clock: ``"count 100"``,
            ``"volume 1000"``, ``"value 1e6"`` (volume times typical price), ``"renko 0.5"``, which goes by closes, and
            ``"heikin-ashi"``. With ``" each 1d"`` behind it they begin anew with each day, or other period.
        tz, calendar, offset
            Of the timeframe, or of the periods after ``each``, as for `cambist.resample`.
        keep_first
            Whether the first slower bar is one although the run began in the middle of it, and so of bars by a rule
            that begin anew with each period: all those of the first one. Default: they are left out.
        on_bar
            Whether `on_bar` is called for slower bars as well, before the bar with which they are over;
            ``bar.timeframe`` tells them apart.
        history
            Of bars by a rule: how many bars of this series a live run asks for at its start. Default: as many as
            surely suffice, where that can be known, or else 1,000.

        Raises
        ------
        LineError
            After ``on_start``.
        InputError
            If the timeframe is no multiple of that of this series, which must not be a slower one itself; or the rule
            is one of single trades, ``"range"`` or ``"imbalance"``.
        ParameterError
            For options that mean nothing to it.
        """
        from cambist.indicators.slower import ruled_series, slower_series

        periods = {"tz": tz, "calendar": calendar, "offset": offset}
        rule = read_rule(timeframe)
        if rule is not None:
            return ruled_series(self, rule, periods, keep_first=keep_first, on_bar=on_bar, history=history)
        if history is not None:
            raise ParameterError(
                f"history is for bars by a rule; what bars of {timeframe} need is known. Leave it out."
            )
        assert not isinstance(timeframe, BarRule)
        return slower_series(self, timeframe, periods, keep_first=keep_first, on_bar=on_bar)

    def replay(
        self,
        timeframe: str | Timeframe,
        *,
        tz: str | tzinfo | None = None,
        calendar: Calendar | None = None,
        offset: int | str | timedelta = 0,
        keep_first: bool = False,
    ) -> GrowingSeries:
        """Return a slower series whose newest bar is seen while it grows; in ``on_start`` only.

        ``[0]`` is the bar as far as it has come, in indicators, too, ``[-1]`` the one before; ``is_finished`` tells
        whether it is over. Its lines are known earlier than those of `resample`, and change with every bar.

        Parameters
        ----------
        timeframe, tz, calendar, offset, keep_first
            As for `resample`.

        Raises
        ------
        LineError, InputError
            As `resample`.
        """
        from cambist.indicators.growing import growing_series

        periods = {"tz": tz, "calendar": calendar, "offset": offset}
        return growing_series(self, timeframe, periods, keep_first=keep_first)

    def __repr__(self) -> str:
        return f"<Series {self.symbol} {self.timeframe}>"


class BarView:
    """The current bar of one series, always the same object: ``bar.copy()`` keeps a value.

    Attributes
    ----------
    symbol, instrument, timeframe
        Of what, and how long the bar is.
    """

    __slots__ = ("_close", "_cursor", "_high", "_low", "_open", "_series", "_volume", "instrument", "symbol")

    def __init__(self, series: Series) -> None:
        self._series = series
        self._cursor = series._cursor  # noqa: SLF001 - the two are one thing to a strategy
        self._open, self._high, self._low = series.open, series.high, series.low
        self._close, self._volume = series.close, series.volume
        self.instrument = series.instrument
        self.symbol = series.symbol

    @property
    def timeframe(self) -> Timeframe:
        """How long the bar is."""
        return self._series.timeframe

    @property
    def open(self) -> float:
        """Price of the first trade."""
        return self._open[0]

    @property
    def high(self) -> float:
        """Highest price."""
        return self._high[0]

    @property
    def low(self) -> float:
        """Lowest price."""
        return self._low[0]

    @property
    def close(self) -> float:
        """Price of the last trade."""
        return self._close[0]

    @property
    def volume(self) -> float:
        """Traded size, in units of the instrument."""
        return self._volume[0]

    @property
    def ts(self) -> int:
        """Open time, ns since the epoch, UTC."""
        return self._cursor.ts

    @property
    def time(self) -> datetime:
        """Open time, UTC."""
        return to_datetime(self._cursor.ts)

    def history(self, count: int) -> Bars | None:
        """Return the last `count` bars, this one included, or as many as there were; None before the first.

        Raises
        ------
        LineError
            For a count below 1, or above the 65,536 bars that are kept.
        """
        if not 1 <= count <= self._cursor.history:
            said = self._cursor.said
            raise LineError(
                f"{self.symbol}: the last {count} bars were asked for; 1 to {self._cursor.history:,} can be{said}."
            )
        times, columns = self._cursor.last(count)
        return Bars(self.instrument, self._series.timeframe, times, *columns) if len(times) else None

    def copy(self) -> Bar:
        """Return the bar as a value that stays."""
        return Bar(self.ts, self.open, self.high, self.low, self.close, self.volume)

    def __repr__(self) -> str:
        values: dict[str, Any] = {name: getattr(self, name) for name in COLUMNS}
        return f"<Bar {self.symbol} {self.time} {values}>"
