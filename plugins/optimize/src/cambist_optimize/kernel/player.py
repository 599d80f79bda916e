"""Plays signals over bars in the compiled loop, and makes of it what measures are computed from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis import Drawdown, EquityCurve, EquityRecorder, RunFacts, TradeColumns
from cambist_optimize.kernel import layout
from cambist_optimize.kernel.codes import write_codes
from cambist_optimize.kernel.loop import play
from cambist_optimize.kernel.rules import fixed_size, rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist import BacktestSettings, Bars
    from cambist.api import SignalColumns
    from cambist_optimize.kernel.loop import Signals

__all__ = ["Player", "SignalsNotPlayed"]


class SignalsNotPlayed(Exception):  # noqa: N818 - no error: the event engine plays them
    """Signals that are for the event engine: their sizes are, or something in them is an error that it words."""


@attrs.define(eq=False)
class _Scratch:
    """Arrays of one thread that each of its runs writes anew."""

    codes: NDArray[np.uint8]
    sides: NDArray[np.int8]
    calls: NDArray[np.int64]
    state: NDArray[np.float64]
    counts: NDArray[np.int64]
    ends: NDArray[np.float64]
    trades: NDArray[np.float64]
    fills: NDArray[np.float64]

    @classmethod
    def of(cls, rows: int, samples: int) -> _Scratch:
        return cls(
            codes=np.zeros((rows + 7) // 8 * 8, np.uint8),
            sides=np.zeros((rows + 7) // 8 * 8, np.int8),
            calls=np.zeros(rows + 1, np.int64),
            state=np.zeros(layout.STATE),
            counts=np.zeros(layout.COUNTS, np.int64),
            ends=np.zeros((samples, 2)),
            trades=np.zeros((64, layout.TRADE)),
            fills=np.zeros((128, layout.FILL)),
        )

    def make_room(self, calls: int) -> None:
        """See to room for what so many calls may trade."""
        if len(self.trades) <= calls:
            self.trades = np.zeros((2 * calls + 1, layout.TRADE))
            self.fills = np.zeros((4 * calls + 2, layout.FILL))


class Player:
    """Plays one signal strategy after the other over the same bars, in any number of threads.

    Parameters
    ----------
    bars, settings
        For which `cambist_optimize.kernel.rules.why_not` says nothing.
    name
        What trades say who opened them.
    counts_traded
        Whether somebody wants to know the value of everything bought and sold.
    """

    def __init__(self, bars: Bars, settings: BacktestSettings, name: str = "", *, counts_traded: bool = False) -> None:
        self.bars = bars
        self._name = name
        self._counts_traded = counts_traded
        self._settings = settings
        self._rules = rules_of(settings, bars.instrument)
        open_, high, low, close = map(np.ascontiguousarray, (bars.open, bars.high, bars.low, bars.close))
        self._prices = open_, high, low, close
        self._closes = np.ascontiguousarray(bars.close_times)
        self._cash = float(settings.cash)  # type: ignore[arg-type]  # `why_not` refuses a mapping
        recorder = EquityRecorder(self._cash, int(bars.ts[0]))
        recorder.add(self._closes, np.full(len(bars), self._cash), np.zeros(len(bars), np.bool_))
        #: A curve of the same bars: which of them end a day, and how many of those make a year.
        self._like = recorder.finish(settings.periods_per_year)
        self._samples = np.ascontiguousarray(self._like.rows[1:])
        self._local = threading.local()

    def play(self, signals: SignalColumns, *, every: bool = False) -> RunFacts:
        """Play signals. What is returned is good until the same thread plays again.

        Parameters
        ----------
        every
            Keep the equity of every bar, not only what measures need, and let it all last.

        Raises
        ------
        SignalsNotPlayed
            Where the event engine has to play them.
        """
        rules = self._rules.copy()
        rules[layout.FIRST] = signals.first
        rules[layout.FIXED_SIZE] = self._units(signals)
        scratch = self._scratch()
        calls = write_codes(signals, scratch.codes, scratch.sides, scratch.calls)
        said = (scratch.codes, calls, signals.size, signals.stop, signals.take, signals.trail)
        return self._played(rules, scratch, said, every=every)

    def _units(self, signals: SignalColumns) -> float:
        if len(signals.size):
            return 0.0
        sizer = signals.sizer or self._settings.sizer
        units = 1.0 if sizer is None else fixed_size(sizer)
        if units is None:
            raise SignalsNotPlayed(f"the sizer is {type(sizer).__name__}")
        return units

    def _scratch(self) -> _Scratch:
        found: _Scratch | None = getattr(self._local, "scratch", None)
        if found is None:
            found = self._local.scratch = _Scratch.of(len(self.bars), len(self._samples))
        return found

    def _played(self, rules: NDArray[np.float64], scratch: _Scratch, said: Signals, *, every: bool) -> RunFacts:
        scratch.make_room(len(said[1]))
        state, counts = scratch.state, scratch.counts
        state[:] = 0.0
        counts[:] = 0
        state[[layout.CASH, layout.PEAK, layout.LOW, layout.LOWEST, layout.EQUITY]] = self._cash
        state[[layout.AVERAGE, layout.STOP, layout.TAKE]] = np.nan
        counts[layout.PEAK_TIME] = self._like.start
        kept = np.empty(len(self.bars) if every else 0)
        play(
            rules,
            self._prices,
            self._closes,
            said,
            (self._samples, scratch.ends, kept),
            (scratch.trades, scratch.fills),
            state,
            counts,
        )
        if counts[layout.PROBLEM] or not np.isfinite(state[layout.EQUITY]):
            raise SignalsNotPlayed(f"at bar {counts[layout.PROBLEM_ROW]}")
        return RunFacts(
            self._curve(scratch, kept if every else None),
            self._trades(scratch, lasting=every),
            float(state[layout.FEES]),
            _traded(scratch, rules) if every or self._counts_traded else 0.0,
        )

    def _curve(self, scratch: _Scratch, every: NDArray[np.float64] | None) -> EquityCurve:
        like, state, counts = self._like, scratch.state, scratch.counts
        start = np.array([[self._cash, self._cash]])
        equity, peaks = np.concatenate((start, scratch.ends)).T.copy()
        return EquityCurve(
            times=like.times,
            equity=equity,
            peaks=peaks,
            rows=like.rows,
            all_times=None if every is None else self._closes,
            all_equity=every,
            drawdown=Drawdown(
                fraction=float(state[layout.FALL]),
                longest=int(counts[layout.LONGEST]),
                money=float(state[layout.FALL_MONEY]),
            ),
            n_bars=like.n_bars,
            exposed_bars=int(counts[layout.EXPOSED]),
            initial=self._cash,
            final=float(state[layout.EQUITY]),
            lowest=float(state[layout.LOWEST]),
            periods_per_year=like.periods_per_year,
        )

    def _trades(self, scratch: _Scratch, *, lasting: bool) -> TradeColumns:
        """Return the round trips, the one that is open at the end among them."""
        state, counts = scratch.state, scratch.counts
        closed = int(counts[layout.TRADES])
        count, size = closed, float(state[layout.SIZE])
        if size:
            last = scratch.trades[closed]
            last[:] = 0.0
            last[layout.T_SIDE], last[layout.T_SIZE] = np.sign(size), abs(size)
            last[layout.T_ENTRY], last[layout.T_EXIT] = state[layout.AVERAGE], np.nan
            last[layout.T_FEES] = state[layout.ENTRY_FEE]
            last[layout.T_ENTRY_ROW], last[layout.T_EXIT_ROW] = counts[layout.ENTRY_ROW], -1
            last[layout.T_ENTRY_AT_OPEN] = counts[layout.ENTRY_AT_OPEN]
            count += 1
        table = scratch.trades[:count]
        return TradeColumns(
            self.bars.instrument, self._name, _Table(table.copy() if lasting else table, self.bars.ts, self._closes)
        )


def _traded(scratch: _Scratch, rules: NDArray[np.float64]) -> float:
    """Return the value of everything bought and sold, added up as a result does."""
    fills = scratch.fills[: scratch.counts[layout.FILLS]]
    values: list[float] = (
        np.abs(fills[:, layout.F_SIZE] * rules[layout.MULTIPLIER] * fills[:, layout.F_PRICE])
    ).tolist()
    return sum(values)


@attrs.frozen(eq=False)
class _Table(Mapping[str, "NDArray[Any]"]):
    """The columns of trades, each made of what the loop wrote when it is asked for."""

    rows: NDArray[np.float64]
    opens: NDArray[np.int64]
    closes: NDArray[np.int64]

    def __getitem__(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = _COLUMNS[name](self)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_COLUMNS)

    def __len__(self) -> int:
        return len(_COLUMNS)

    def whole(self, column: int) -> NDArray[np.int64]:
        """Return a column of whole numbers."""
        return self.rows[:, column].astype(np.int64)

    def times(self, row: int, at_open: int) -> NDArray[np.int64]:
        """Return when it was, ns: the open or the close of the bar that a column names; 0 for none."""
        rows = self.whole(row)
        times: NDArray[np.int64] = np.where(self.rows[:, at_open] > 0.0, self.opens[rows], self.closes[rows])
        times[rows < 0] = 0
        return times


_COLUMNS: dict[str, Callable[[_Table], Any]] = {
    "id": lambda table: np.arange(1, len(table.rows) + 1),
    "is_long": lambda table: table.rows[:, layout.T_SIDE] > 0.0,
    "size": lambda table: table.rows[:, layout.T_SIZE],
    "entry_price": lambda table: table.rows[:, layout.T_ENTRY],
    "exit_price": lambda table: table.rows[:, layout.T_EXIT],
    "opened_at": lambda table: table.times(layout.T_ENTRY_ROW, layout.T_ENTRY_AT_OPEN),
    "closed_at": lambda table: table.times(layout.T_EXIT_ROW, layout.T_EXIT_AT_OPEN),
    "opened_bar": lambda table: table.whole(layout.T_ENTRY_ROW),
    "closed_bar": lambda table: table.whole(layout.T_EXIT_ROW),
    "gross": lambda table: table.rows[:, layout.T_GROSS],
    "fees": lambda table: table.rows[:, layout.T_FEES],
    "entered": lambda table: table.rows[:, layout.T_SIZE],
    "exited": lambda table: np.where(table.rows[:, layout.T_EXIT_ROW] < 0.0, 0.0, table.rows[:, layout.T_SIZE]),
}
