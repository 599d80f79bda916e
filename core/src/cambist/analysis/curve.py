"""The equity curve: recorded block by block in memory that does not grow with the number of bars in a day."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis.periods import infer_periods_per_year
from cambist.analysis.sampling import DayEnds, Points
from cambist.errors import InputError, ResultError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CurvePoints", "CurveStanding", "Drawdown", "EquityCurve", "EquityRecorder"]


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
    money
        ``min(equity - peak)``, 0 or below, in the account's currency. It need not belong to the deepest fall either.
    """

    fraction: float = 0.0
    peak_at: int | None = None
    trough_at: int | None = None
    recovered_at: int | None = None
    longest: int = 0
    money: float = 0.0


@attrs.frozen(slots=True)
class CurveStanding:
    """How an equity curve stands after its last bar, without the curve.

    Attributes
    ----------
    ts, equity
        Close of the last bar, ns, UTC, and equity there; the initial point before the first bar.
    peak, lowest
        Highest and lowest equity of any bar so far.
    n_bars, exposed_bars, drawdown
        As those of `EquityCurve`.
    """

    ts: int
    equity: float
    peak: float
    lowest: float
    n_bars: int
    exposed_bars: int
    drawdown: Drawdown


@attrs.frozen(eq=False, slots=True)
class CurvePoints:
    """Points of an equity curve, the initial one first.

    Attributes
    ----------
    times, equity, peaks, rows
        As those of `EquityCurve`, shape ``(n,)`` each.
    """

    times: NDArray[np.int64]
    equity: NDArray[np.float64]
    peaks: NDArray[np.float64]
    rows: NDArray[np.int64]


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
    rows
        Number of the bar of each sample, 0 for the first bar of the run and -1 for the initial point, int64, shape
        ``(m,)``.
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
    rows: NDArray[np.int64]
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

    def points(self) -> CurvePoints:
        """Return the initial point and every bar where the run kept them all, else the samples."""
        if self.all_times is None or self.all_equity is None:
            return CurvePoints(self.times, self.equity, self.peaks, self.rows)
        equity = np.concatenate((np.array([self.initial]), self.all_equity))
        times = np.concatenate((np.array([self.start]), self.all_times))
        return CurvePoints(times, equity, np.maximum.accumulate(equity), np.arange(-1, len(self.all_times)))


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
    expected
        Bars to make room for from the start, where `keep_all` keeps them. More may come, and fewer.

    Raises
    ------
    InputError
        If `initial` is not a positive number.
    """

    def __init__(self, initial: float, start_ts: int, *, keep_all: bool = False, expected: int = 0) -> None:
        if not (isfinite(initial) and initial > 0):
            raise InputError(f"an equity curve cannot start at {initial!r}. Start with a positive amount of money.")
        self._initial = float(initial)
        self._start = int(start_ts)
        self._n_bars = 0
        self._exposed = 0
        self._last_time, self._last, self._lowest = self._start, self._initial, self._initial
        self._days = DayEnds()
        self._samples = Points(columns=2)
        self._sampled_rows = Points(columns=0)
        self._every = Points(room=expected) if keep_all else None
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
        lowest = float(equity.min())
        self._check(close_times, equity, lowest)
        before = self._water.peak
        at_peak = self._water.add(close_times, equity)
        self._sample(close_times, equity, at_peak, before)
        if self._every is not None:
            self._every.extend(close_times, equity)
        self._n_bars += len(close_times)
        self._exposed += int(np.count_nonzero(exposed))
        self._lowest = min(self._lowest, lowest)
        self._last_time, self._last = int(close_times[-1]), float(equity[-1])

    @property
    def initial(self) -> float:
        """Equity before the first bar."""
        return self._initial

    @property
    def start(self) -> int:
        """Time of that point, ns, UTC."""
        return self._start

    def standing(self) -> CurveStanding:
        """Return how the curve stands; more bars may follow."""
        return CurveStanding(
            self._last_time,
            self._last,
            self._water.peak,
            self._lowest,
            self._n_bars,
            self._exposed,
            self._water.drawdown(),
        )

    def finish(self, periods_per_year: float | None = None) -> EquityCurve:
        """Return the curve so far; more bars may follow.

        Parameters
        ----------
        periods_per_year
            Samples in a year, where the market's calendar is known better than the times can tell.
        """
        newest = slice(None if self._n_bars else 0)
        samples, every = self._samples, self._every
        times = _join(self._start, samples.integers(), np.array([self._last_time])[newest])
        return EquityCurve(
            times=times,
            equity=_join(self._initial, samples.values(0), np.array([self._last])[newest]),
            peaks=_join(self._initial, samples.values(1), np.array([self._water.peak])[newest]),
            rows=_join(-1, self._sampled_rows.integers(), np.array([self._n_bars - 1])[newest]),
            all_times=None if every is None else every.integers(),
            all_equity=None if every is None else every.values(),
            drawdown=self._water.drawdown(),
            n_bars=self._n_bars,
            exposed_bars=self._exposed,
            initial=self._initial,
            final=self._last,
            lowest=self._lowest,
            periods_per_year=infer_periods_per_year(times) if periods_per_year is None else float(periods_per_year),
        )

    def _check(self, times: NDArray[np.int64], equity: NDArray[np.float64], lowest: float) -> None:
        first = int(times[0])
        if first < self._last_time or (self._n_bars and first == self._last_time):
            raise ResultError(
                f"equity at {format_ns(first)} comes after that at {format_ns(self._last_time)}. "
                "Add blocks in the order of time."
            )
        # NaN is the lowest and the highest of whatever it is among.
        if not (isfinite(lowest) and isfinite(float(equity.max()))):
            row = int(np.isfinite(equity).argmin())
            raise ResultError(
                f"equity at {format_ns(int(times[row]))} is {equity[row]}. "
                "Some price or size of the run is not finite: check the data."
            )

    def _sample(
        self, times: NDArray[np.int64], equity: NDArray[np.float64], at_peak: NDArray[np.int64], before: float
    ) -> None:
        """Keep the last bar of each day that is over; the newest bar is `_last` until its day is."""
        turned, rows = self._days.take(times)
        if turned:
            self._samples.append(self._last_time, self._last, before)
            self._sampled_rows.append(self._n_bars - 1)
        if len(rows):
            peaks = np.concatenate(([before], equity[at_peak]))[np.searchsorted(at_peak, rows, side="right")]
            self._samples.extend(times[rows], equity[rows], peaks)
            self._sampled_rows.extend(rows + self._n_bars)


def _join(first: float, middle: NDArray[Any], last: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((np.array([first], middle.dtype), middle, last))


class _WaterLine:
    """The running peak, the deepest fall below it, and the longest time below it."""

    __slots__ = ("_deepest", "_longest", "_money", "_peak_at", "_under", "peak")

    def __init__(self, initial: float, start: int) -> None:
        self.peak = initial
        self._peak_at = start
        self._under = False
        self._longest = 0
        self._money = 0.0
        self._deepest = Drawdown()

    def drawdown(self) -> Drawdown:
        return attrs.evolve(self._deepest, longest=self._longest, money=self._money)

    def add(self, times: NDArray[np.int64], equity: NDArray[np.float64]) -> NDArray[np.int64]:
        """Take the next bars and return the rows of those at the running peak, ascending."""
        rows = _rows_at_peak(equity, self.peak)
        peak_times = np.concatenate((np.array([self._peak_at]), times[rows]))
        self._find_deepest(times, equity, rows, peak_times)
        # Two peaks with a bar between them are the ends of a stretch under water. The bar before this block has
        # number -1; a peak before that one is at least as far off as -2.
        apart = np.diff(np.concatenate((np.array([-2 if self._under else -1]), rows))) > 1
        self._longest = max(self._longest, int(np.diff(peak_times)[apart].max(initial=0)))
        self._peak_at = int(peak_times[-1])
        if len(rows):
            self.peak = float(equity[rows[-1]])
        self._under = not (len(rows) and rows[-1] == len(equity) - 1)
        if self._under:
            self._longest = max(self._longest, int(times[-1]) - self._peak_at)
        return rows

    def _find_deepest(
        self,
        times: NDArray[np.int64],
        equity: NDArray[np.float64],
        rows: NDArray[np.int64],
        peak_times: NDArray[np.int64],
    ) -> None:
        """Look for a deeper fall and for the recovery.

        `rows` are those at a peak; `peak_times` starts with the peak before the block.
        """
        deepest = self._deepest
        later = 0
        # From one peak to the next equity is lowest where it fell furthest: one division a stretch, not one a bar.
        starts, peaks = rows, equity[rows]
        if not (len(rows) and rows[0] == 0):
            starts, peaks = np.concatenate((np.array([0]), rows)), np.concatenate((np.array([self.peak]), peaks))
        lows = np.minimum.reduceat(equity, starts)
        self._money = min(self._money, float((lows - peaks).min()))
        falls = lows / peaks - 1.0
        at = int(falls.argmin())
        if falls[at] < deepest.fraction:
            stretch = slice(starts[at], starts[at + 1] if at + 1 < len(starts) else None)
            trough = int(starts[at]) + _first_at(equity[stretch], float(peaks[at]))
            later = int(np.searchsorted(rows, trough))
            deepest = Drawdown(float(falls[at]), int(peak_times[later]), int(times[trough]))
        if deepest.trough_at is not None and deepest.recovered_at is None and later < len(rows):
            deepest = attrs.evolve(deepest, recovered_at=int(times[rows[later]]))
        self._deepest = deepest


def _first_at(equity: NDArray[np.float64], peak: float) -> int:
    """Return the first row that fell as far as the lowest one, values that rounding makes equal falls included."""
    lowest = float(equity.min())
    near = np.flatnonzero(equity <= lowest + 4.0 * _EPSILON * max(peak, -lowest))
    return int(near[(equity[near] / peak - 1.0).argmin()]) if len(near) > 1 else int(near[0])


_EPSILON = float(np.finfo(np.float64).eps)
#: Bars that are looked over at once for a new peak.
_STRIDE = 256


def _rows_at_peak(equity: NDArray[np.float64], peak: float) -> NDArray[np.int64]:
    """Return the rows at which equity is as high as ever before, `peak` included, ascending.

    A running maximum over every bar is the slowest pass there is, one comparison waiting for the last. Strides whose
    highest value stays below the peak, which are most, are passed over.
    """
    whole = len(equity) // _STRIDE * _STRIDE
    strides = equity[:whole].reshape(-1, _STRIDE)
    highs = strides.max(axis=1)
    before = np.maximum.accumulate(np.concatenate((np.array([peak]), highs)))
    higher = np.flatnonzero(highs >= before[:-1])
    stride, place = np.nonzero(_stands_at_peak(strides[higher], before[higher, None]))
    rest = np.flatnonzero(_stands_at_peak(equity[whole:], before[-1:]))
    return np.concatenate((higher[stride] * _STRIDE + place, rest + whole))


def _stands_at_peak(values: NDArray[np.float64], peak: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.equal(values, np.maximum(np.maximum.accumulate(values, axis=-1), peak))
