"""A series of bars as a strategy sees it, and the cursor by which the engine moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import LineError
from cambist.indicators.lines import HISTORY, Line
from cambist.model.bars import COLUMNS, Bar, Bars
from cambist.model.times import to_datetime

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from cambist.indicators.computation import Computation, Stream
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["BarView", "Series", "SeriesCursor"]


@attrs.define(eq=False, slots=True)
class _Node:
    """One indicator: what it computes, from which lines, into which lines."""

    computation: Computation
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]
    stream: Stream | None = None


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
    history
        How many bars back lines reach; a run bar by bar may set fewer before the first.
    """

    __slots__ = ("_nodes", "_time", "_ts", "_ts_list", "_ts_past", "building", "columns", "history", "row", "window")

    def __init__(self) -> None:
        self.row = 0
        self.history = HISTORY
        self.window = (0, 0)
        self.building = True
        self.columns = {name: Line(self, name, 0) for name in COLUMNS}
        self._nodes: list[_Node] = []
        #: Open times as a line; made when it is asked for.
        self._time: Line | None = None
        self._ts: NDArray[np.int64] = np.empty(0, np.int64)
        self._ts_past: NDArray[np.int64] = np.empty(0, np.int64)
        self._ts_list: list[int] = [0]

    @property
    def lookback(self) -> int:
        """Bars before every line is known."""
        return max((line.lookback for line in self._lines()), default=0)

    def _lines(self) -> list[Line]:
        times = () if self._time is None else (self._time,)
        return [*self.columns.values(), *times, *(line for node in self._nodes for line in node.outputs)]

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
        lookback = max(line.lookback for line in inputs) + computation.lookback
        single = len(computation.outputs) == 1
        outputs = tuple(
            Line(self, computation.name if single else f"{computation.name}.{output}", lookback)
            for output in computation.outputs
        )
        self._nodes.append(_Node(computation, inputs, outputs))
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
        for name, line in self.columns.items():
            line._load(getattr(bars, name))  # noqa: SLF001 - a line is the cursor's to move
        if self._time is not None:
            self._time._load(bars.ts / 1e9)  # noqa: SLF001
        for node in self._nodes:
            arrays = [line.block for line in node.inputs]
            if whole:
                results = node.computation.batch(*arrays)
            else:
                if node.stream is None:
                    node.stream = node.computation.open()
                results = node.stream.extend(*arrays)
            for line, values in zip(node.outputs, results, strict=True):
                line._load(values)  # noqa: SLF001
        if len(self._ts):
            self._ts_past = np.concatenate((self._ts_past, self._ts))[-HISTORY:]
        self._ts = bars.ts
        self.building = False
        self.open_window(0, 0)

    @property
    def said(self) -> str:
        """What to say of `history` where somebody asks for more."""
        return " in this run: raise its keep_bars" if self.history < HISTORY else ""

    def moves(self, line: Line) -> bool:
        """Tell whether a line is of this series."""
        return line._cursor is self  # noqa: SLF001

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

    def push(self, bar: Bar) -> None:
        """Take one bar and advance every line by it."""
        self.building = False
        columns = self.columns
        for name in COLUMNS:
            columns[name]._push(getattr(bar, name))  # noqa: SLF001
        if self._time is not None:
            self._time._push(bar.ts / 1e9)  # noqa: SLF001
        row = self.row + 1
        for node in self._nodes:
            if node.stream is None:
                node.stream = node.computation.open()
            values = node.stream.update(*[line._values[row] for line in node.inputs])  # noqa: SLF001
            for line, value in zip(node.outputs, values, strict=True):
                line._push(value)  # noqa: SLF001
        self._ts_list.append(bar.ts)
        self.row = row
        history = self.history
        if row > 2 * history:
            for line in self._lines():
                line._forget(history)  # noqa: SLF001
            del self._ts_list[:history]
            self.row -= history

    def go_on_without_lines(self, bar: Bar) -> None:
        """Finish a `push` in which an indicator failed; from here on only the columns move.

        Lines of indicators must not be read any more: they stay behind.
        """
        self._nodes.clear()
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

    def __init__(self, instrument: Instrument, timeframe: Timeframe) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self.symbol = instrument.symbol
        self._cursor = SeriesCursor()
        columns = self._cursor.columns
        self.open, self.high, self.low, self.close, self.volume = (columns[name] for name in COLUMNS)

    @property
    def ts(self) -> int:
        """Open time of the current bar, ns since the epoch, UTC; 0 before the first."""
        return self._cursor.ts

    def __repr__(self) -> str:
        return f"<Series {self.symbol} {self.timeframe}>"


class BarView:
    """The current bar of one series, always the same object: ``bar.copy()`` keeps a value.

    Attributes
    ----------
    symbol, instrument
        Of what.
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
