"""Plays signals over bars in the compiled loop, and makes of it what measures are computed from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist import FixedSize
from cambist.analysis import Drawdown, EquityCurve, EquityRecorder, RunFacts, TradeColumns
from cambist_optimize.kernel import layout
from cambist_optimize.kernel.batch_measures import Outcome
from cambist_optimize.kernel.calls import Sheet
from cambist_optimize.kernel.loop import play_all
from cambist_optimize.kernel.reach import reach_of
from cambist_optimize.kernel.rules import rules_of
from cambist_optimize.kernel.sizing import FROM_SIGNALS, sizing_of
from cambist_optimize.kernel.sums import DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist import BacktestSettings, Bars
    from cambist.api import SignalColumns

__all__ = ["WORDED", "Batch", "Player", "SignalsNotPlayed"]


#: Why the event engine plays what came to no end in the loop.
WORDED = "the engine words an error that it comes to"


class SignalsNotPlayed(Exception):  # noqa: N818 - no error: the event engine plays them
    """Signals that are for the event engine: their sizes are, or something in them is an error that it words."""


class Player:
    """Plays signal strategies over the same bars, in any number of threads.

    Parameters
    ----------
    bars, settings
        For which `cambist_optimize.kernel.rules.why_not` says nothing.
    name
        What trades say who opened them.
    """

    def __init__(self, bars: Bars, settings: BacktestSettings, name: str = "") -> None:
        self.bars = bars
        self._name = name
        self._settings = settings
        self._rules = rules_of(settings, bars.instrument)
        open_, high, low, close = map(np.ascontiguousarray, (bars.open, bars.high, bars.low, bars.close))
        self._prices = open_, high, low, close
        self._cash = float(settings.cash)  # type: ignore[arg-type]  # `why_not` refuses a mapping
        recorder = EquityRecorder(self._cash, int(bars.ts[0]))
        times = np.ascontiguousarray(bars.close_times)
        # Equity that is never at its peak again is what a recorder is through with soonest.
        recorder.add(times, np.zeros(len(bars)), np.zeros(len(bars), np.bool_))
        #: A curve of the same bars: which of them end a day, and how many of those make a year.
        self._like = recorder.finish(settings.periods_per_year)
        self._closes = close, times, np.ascontiguousarray(self._like.rows[1:]), reach_of(close)
        self._sizing = sizing_of(settings.sizer or FixedSize(), bars.instrument)
        self._local = threading.local()

    def batch(self) -> Batch:
        """Return this thread's batch, empty: it serves one at a time."""
        found: Batch | None = getattr(self._local, "batch", None)
        if found is None:
            found = self._local.batch = Batch(self)
        found.clear()
        return found

    def facts(self, signals: SignalColumns, *, every: bool = False) -> RunFacts:
        """Play signals and return what any measure is computed from.

        Parameters
        ----------
        every
            Keep the equity of every bar, not only what measures need.

        Raises
        ------
        SignalsNotPlayed
            Where the event engine has to play them.
        """
        batch = self.batch()
        batch.add(signals, counted=True)
        most = batch.sheet.most
        trades, fills = np.zeros((most + 2, layout.TRADE)), np.zeros((2 * most + 2, layout.FILL))
        kept = np.empty(len(self.bars) if every else 0)
        outcome = self.run(batch, trades, fills, kept)
        if outcome.is_problem[0]:
            raise SignalsNotPlayed(WORDED)
        return RunFacts(
            self._curve(outcome, kept if every else None),
            self._trades(outcome, trades),
            float(outcome.states[0, layout.FEES]),
            _traded(fills[: outcome.counts[0, layout.FILLS]], self._rules),
        )

    def run(
        self,
        batch: Batch,
        trades: NDArray[np.float64],
        fills: NDArray[np.float64],
        kept: NDArray[np.float64],
    ) -> Outcome:
        """Play what is in a batch; trades, fills and the equity of each bar go where there is room."""
        count, samples = len(batch.sheet), self._closes[2]
        states, counts = np.zeros((count, layout.STATE)), np.zeros((count, layout.COUNTS), np.int64)
        states[:, [layout.CASH, layout.PEAK, layout.LOW, layout.LOWEST, layout.EQUITY]] = self._cash
        states[:, [layout.AVERAGE, layout.STOP, layout.TAKE]] = np.nan
        counts[:, layout.PEAK_TIME] = self._like.start
        ends = np.zeros((count, len(samples), 2))
        play_all(
            self._rules,
            self._prices,
            self._closes,
            batch.sheet.called(),
            np.array(batch.sizing),
            (batch.nets(batch.sheet.most), trades, fills),
            (ends, kept, batch.stack),
            (states, counts),
        )
        return Outcome(self._like, self._cash, states, counts, ends)

    def sizing(self, signals: SignalColumns) -> tuple[float, ...]:
        """Return how large the entries of signals are; see `cambist_optimize.kernel.layout`."""
        if len(signals.size):
            return FROM_SIGNALS
        sizer = signals.sizer or self._settings.sizer
        found = self._sizing if signals.sizer is None else sizing_of(sizer, self.bars.instrument)
        if found is None:
            raise SignalsNotPlayed(f"the sizer is {type(sizer).__name__}")
        return found

    def _curve(self, outcome: Outcome, every: NDArray[np.float64] | None) -> EquityCurve:
        like, state, counts = self._like, outcome.states[0], outcome.counts[0]
        return EquityCurve(
            times=like.times,
            equity=outcome.equity[0].copy(),
            peaks=outcome.peaks[0].copy(),
            rows=like.rows,
            all_times=None if every is None else self._closes[1],
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

    def _trades(self, outcome: Outcome, trades: NDArray[np.float64]) -> TradeColumns:
        """Return the round trips, the one that is open at the end among them."""
        state, counts = outcome.states[0], outcome.counts[0]
        count, size = int(counts[layout.TRADES]), float(state[layout.SIZE])
        if size:
            last = trades[count]
            last[layout.T_SIDE], last[layout.T_SIZE] = np.sign(size), abs(size)
            last[layout.T_ENTRY], last[layout.T_EXIT] = state[layout.AVERAGE], np.nan
            last[layout.T_FEES] = state[layout.ENTRY_FEE]
            last[layout.T_ENTRY_ROW], last[layout.T_EXIT_ROW] = counts[layout.ENTRY_ROW], -1
            last[layout.T_ENTRY_AT_OPEN] = counts[layout.ENTRY_AT_OPEN]
            count += 1
        return TradeColumns(
            self.bars.instrument, self._name, _Table(trades[:count].copy(), self.bars.ts, self._closes[1])
        )


class Batch:
    """Combinations that are played in one call of the loop, and arrays that the next batch writes anew.

    Parameters
    ----------
    player
        Whose bars it is for.
    """

    def __init__(self, player: Player) -> None:
        self._player = player
        self.sheet = Sheet(len(player.bars))
        self.sizing: list[tuple[float, ...]] = []
        self.stack = np.empty((DEPTH, 4))
        self._nets = np.empty(0)

    def clear(self) -> None:
        """Begin anew."""
        self.sheet.clear()
        self.sizing.clear()

    @property
    def is_full(self) -> bool:
        """Whether there might be no room for another combination."""
        return self.sheet.is_full

    def nets(self, calls: int) -> NDArray[np.float64]:
        """Return room for the profits of the trades of so many calls, twice."""
        if len(self._nets) < 2 * calls + 4:
            self._nets = np.empty(2 * calls + 4)
        return self._nets

    def add(self, signals: SignalColumns, *, counted: bool = False) -> None:
        """Add the signals of a combination, its calls `counted` where there must be room for what comes of each.

        Raises
        ------
        SignalsNotPlayed
            Where the event engine has to play them.
        """
        sizing = self._player.sizing(signals)
        self.sheet.add(signals, counted=counted)
        self.sizing.append(sizing)

    def played(self) -> Outcome:
        """Play what was added."""
        trades, fills = (np.empty((0, columns)) for columns in (layout.TRADE, layout.FILL))
        return self._player.run(self, trades, fills, np.empty(0))


def _traded(fills: NDArray[np.float64], rules: NDArray[np.float64]) -> float:
    """Return the value of everything bought and sold, added up as a result does."""
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
