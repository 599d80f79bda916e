"""The equity curve: recorded block by block in memory that does not grow with the number of bars in a day."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis.periods import day_numbers, infer_periods_per_year
from cambist.errors import InputError, ResultError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Drawdown", "EquityCurve", "EquityRecorder"]


@attrs.frozen(slots=True)
class Drawdown:
    """The deepest fall of an equity curve from a peak, found over every bar.

    Attributes
    ----------
    fraction
        ``equity / peak - 1`` at the deepest point, 0 or below: -0.25 is a loss of a quarter. The first such point
        where several are equally deep.
    peak_at
        Last time equity stood at the peak before the fall, ns, UTC; None when equity never fell.
    trough_at
        Time of the deepest point, ns, UTC; None when equity never fell.
    recovered_at
        First time after the trough at which equity was back at the peak, ns, UTC; None when it never was.
    longest
        Longest time under water, ns: from a peak until equity was back at it, or until the end of the run. It need
        not belong to the deepest fall.
    """

    fraction: float = 0.0
    peak_at: int | None = None
    trough_at: int | None = None
    recovered_at: int | None = None
    longest: int = 0


@attrs.frozen(eq=False, slots=True)
class EquityCurve:
    """What an account was worth over a run.

    Attributes
    ----------
    times, equity
        The sampled curve, int64 ns UTC and float64, shape ``(m,)`` each: the initial point, then the last bar of
        each UTC day. Bars of a day or longer are each a sample.
    peaks
        Highest equity of any bar so far at each sample, float64, shape ``(m,)``.
    all_times, all_equity
        Every bar, shape ``(n_bars,)`` each and without the initial point; None where the run did not keep them.
    drawdown
        The deepest fall, over every bar.
    n_bars, exposed_bars
        Bars seen, and those at whose close something was held.
    initial, final, lowest
        Equity at the start, after the last bar, and at its lowest.
    periods_per_year
        Samples in a year, see `cambist.analysis.periods.infer_periods_per_year`.
    """

    times: NDArray[np.int64]
    equity: NDArray[np.float64]
    peaks: NDArray[np.float64]
    all_times: NDArray[np.int64] | None
    all_equity: NDArray[np.float64] | None
    drawdown: Drawdown
    n_bars: int
    exposed_bars: int
    initial: float
    final: float
    lowest: float
    periods_per_year: float

    @property
    def ruined(self) -> bool:
        """Whether equity was ever zero or below; rates of return mean nothing from there on."""
        return self.lowest <= 0.0

    @property
    def start(self) -> int:
        """Time of the initial point, ns, UTC."""
        return int(self.times[0])

    @property
    def end(self) -> int:
        """Time of the last bar's close, ns, UTC."""
        return int(self.times[-1])


class EquityRecorder:
    """Turns equity bar by bar into an `EquityCurve`.

    How the bars are cut into blocks makes no difference to the curve, to the last bit.

    Parameters
    ----------
    initial
        Equity before the first bar, above zero.
    start_ts
        Time of that point, ns, UTC: the open of the first bar.
    keep_all
        Keep every bar, 16 bytes each, and not only what the measures need.

    Raises
    ------
    InputError
        If `initial` is not a positive number.
    """

    def __init__(self, initial: float, start_ts: int, *, keep_all: bool = False) -> None:
        if not (isfinite(initial) and initial > 0):
            raise InputError(f"an equity curve cannot start at {initial!r}. Start with a positive amount of money.")
        self._initial = float(initial)
        self._start = int(start_ts)
        self._n_bars = 0
        self._exposed = 0
        self._last_time, self._last, self._lowest = self._start, self._initial, self._initial
        self._samples = _Points(columns=2)
        self._day: int | None = None
        self._every = _Points() if keep_all else None
        self._water = _WaterLine(self._initial, self._start)

    def add(self, close_times: NDArray[np.int64], equity: NDArray[np.float64], exposed: NDArray[np.bool_]) -> None:
        """Take the next bars.

        Parameters
        ----------
        close_times
            When the bars closed, ns, UTC, shape ``(k,)``, ascending, later than every bar before.
        equity
            Worth of the account at those times, float64, shape ``(k,)``, finite.
        exposed
            Whether anything was held at those times, bool, shape ``(k,)``.

        Raises
        ------
        ResultError
            If the blocks do not fit each other, or equity is not finite.
        """
        if not len(close_times) == len(equity) == len(exposed):
            raise ResultError(
                f"a block of {len(close_times)} times, {len(equity)} values of equity and {len(exposed)} exposures "
                "does not belong together. Give each bar one of each."
            )
        if not len(close_times):
            return
        self._check(close_times, equity)
        before = self._water.peak
        peaks = self._water.add(close_times, equity)
        self._sample(close_times, equity, peaks, before)
        if self._every is not None:
            self._every.extend(close_times, equity)
        self._n_bars += len(close_times)
        self._exposed += int(np.count_nonzero(exposed))
        self._lowest = min(self._lowest, float(equity.min()))
        self._last_time, self._last = int(close_times[-1]), float(equity[-1])

    def finish(self, periods_per_year: float | None = None) -> EquityCurve:
        """Return the curve so far; more bars may follow.

        Parameters
        ----------
        periods_per_year
            Samples in a year, where the market's calendar is known better than the times can tell.
        """
        newest = slice(None if self._n_bars else 0)
        samples, every = self._samples, self._every
        times = _join(self._start, samples.times(), np.array([self._last_time])[newest])
        return EquityCurve(
            times=times,
            equity=_join(self._initial, samples.values(0), np.array([self._last])[newest]),
            peaks=_join(self._initial, samples.values(1), np.array([self._water.peak])[newest]),
            all_times=None if every is None else every.times(),
            all_equity=None if every is None else every.values(),
            drawdown=self._water.drawdown(),
            n_bars=self._n_bars,
            exposed_bars=self._exposed,
            initial=self._initial,
            final=self._last,
            lowest=self._lowest,
            periods_per_year=infer_periods_per_year(times) if periods_per_year is None else float(periods_per_year),
        )

    def _check(self, times: NDArray[np.int64], equity: NDArray[np.float64]) -> None:
        first = int(times[0])
        if first < self._last_time or (self._n_bars and first == self._last_time):
            raise ResultError(
                f"equity at {format_ns(first)} comes after that at {format_ns(self._last_time)}. "
                "Add blocks in the order of time."
            )
        finite = np.isfinite(equity)
        if not finite.all():
            row = int(finite.argmin())
            raise ResultError(
                f"equity at {format_ns(int(times[row]))} is {equity[row]}. "
                "Some price or size of the run is not finite: check the data."
            )

    def _sample(
        self, times: NDArray[np.int64], equity: NDArray[np.float64], peaks: NDArray[np.float64], before: float
    ) -> None:
        """Keep the last bar of each day that is over; the newest bar is `_last` until its day is."""
        days = day_numbers(times)
        if self._day is not None and self._day != days[0]:
            self._samples.extend(*(np.array([value]) for value in (self._last_time, self._last, before)))
        rows = np.flatnonzero(days[1:] != days[:-1])
        self._samples.extend(times[rows], equity[rows], peaks[rows])
        self._day = int(days[-1])


class _Points:
    """Rows of times and values in arrays that double when full: a block of one bar must not cost an array object."""

    __slots__ = ("_count", "_times", "_values")

    def __init__(self, columns: int = 1) -> None:
        self._count = 0
        self._times = np.empty(64, np.int64)
        self._values = np.empty((columns, 64))

    def extend(self, times: NDArray[np.int64], *values: NDArray[np.float64]) -> None:
        end = self._count + len(times)
        if end > len(self._times):
            grown = max(end, 2 * len(self._times))
            self._times = _grow(self._times, grown)
            self._values = np.stack([_grow(column, grown) for column in self._values])
        self._times[self._count : end] = times
        for column, added in zip(self._values, values, strict=True):
            column[self._count : end] = added
        self._count = end

    def times(self) -> NDArray[np.int64]:
        return self._times[: self._count].copy()

    def values(self, column: int = 0) -> NDArray[np.float64]:
        return self._values[column, : self._count].copy()


def _grow(old: NDArray[Any], size: int) -> NDArray[Any]:
    new = np.empty(size, old.dtype)
    new[: len(old)] = old
    return new


def _join(first: float, middle: NDArray[Any], last: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((np.array([first], middle.dtype), middle, last))


class _WaterLine:
    """The running peak, the deepest fall below it, and the longest time below it."""

    __slots__ = ("_deepest", "_longest", "_peak_at", "_under", "peak")

    def __init__(self, initial: float, start: int) -> None:
        self.peak = initial
        self._peak_at = start
        self._under = False
        self._longest = 0
        self._deepest = Drawdown()

    def drawdown(self) -> Drawdown:
        return attrs.evolve(self._deepest, longest=self._longest)

    def add(self, times: NDArray[np.int64], equity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the next bars and return the running peak at each, shape ``(k,)``."""
        peaks = np.maximum(np.maximum.accumulate(equity), self.peak)
        rows = np.flatnonzero(equity == peaks)
        peak_times = np.concatenate((np.array([self._peak_at]), times[rows]))
        self._find_deepest(times, equity / peaks - 1.0, rows, peak_times)
        # Two peaks with a bar between them are the ends of a stretch under water. The bar before this block has
        # number -1; a peak before that one is at least as far off as -2.
        apart = np.diff(np.concatenate((np.array([-2 if self._under else -1]), rows))) > 1
        self._longest = max(self._longest, int(np.diff(peak_times)[apart].max(initial=0)))
        self.peak, self._peak_at = float(peaks[-1]), int(peak_times[-1])
        self._under = bool(equity[-1] < peaks[-1])
        if self._under:
            self._longest = max(self._longest, int(times[-1]) - self._peak_at)
        return peaks

    def _find_deepest(
        self,
        times: NDArray[np.int64],
        falls: NDArray[np.float64],
        rows: NDArray[np.int64],
        peak_times: NDArray[np.int64],
    ) -> None:
        """Look for a deeper fall and for the recovery; `peak_times` starts with the peak before the block."""
        deepest = self._deepest
        trough = int(falls.argmin())
        later = 0
        if falls[trough] < deepest.fraction:
            later = int(np.searchsorted(rows, trough))
            deepest = Drawdown(float(falls[trough]), int(peak_times[later]), int(times[trough]))
        if deepest.trough_at is not None and deepest.recovered_at is None and later < len(rows):
            deepest = attrs.evolve(deepest, recovered_at=int(times[rows[later]]))
        self._deepest = deepest
