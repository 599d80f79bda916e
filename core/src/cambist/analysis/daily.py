"""What an equity curve came to day by day: each day's return, and Sharpe ratio and drawdown up to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.curve import Drawdown, EquityCurve
from cambist.analysis.facts import RunFacts
from cambist.analysis.measures.sharpe import sharpe
from cambist.analysis.periods import infer_periods_per_year

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.analysis.curve import CurveStanding

__all__ = ["DailyPerformance", "curve_of", "daily_performance", "performance"]


@attrs.frozen(slots=True)
class DailyPerformance:
    """How a run stood when a UTC day was over.

    Attributes
    ----------
    ts
        Close of the day's last bar, ns, UTC.
    daily_return
        From the sample before, a fraction; NaN once equity was ever zero or below.
    sharpe
        Of the daily returns so far, as `cambist.analysis.measures.sharpe.sharpe`.
    drawdown
        Below the highest equity of any bar so far, 0 or below, a fraction.
    max_drawdown
        The deepest so far, over every bar; NaN where the curve kept days alone and nobody knows.
    """

    ts: int
    daily_return: float
    sharpe: float
    drawdown: float
    max_drawdown: float


def performance(curve: EquityCurve) -> DailyPerformance:
    """Return how a run stands at the last sample of its curve; it has at least one beside the initial point."""
    facts = RunFacts(curve)
    return DailyPerformance(
        ts=curve.end,
        daily_return=float(facts.returns[-1]) if len(facts.returns) else float("nan"),
        sharpe=sharpe(facts),
        drawdown=float(curve.equity[-1] / curve.peaks[-1] - 1.0),
        max_drawdown=curve.drawdown.fraction,
    )


def daily_performance(curve: EquityCurve, periods_per_year: float | None = None) -> Iterator[DailyPerformance]:
    """Yield how a run stood at each sample of its curve, as `performance` would have said then.

    Parameters
    ----------
    curve
        Of the whole run.
    periods_per_year
        Samples in a year, where they were given; else they are told from the samples so far.
    """
    lowest, deepest = _so_far(curve)
    for number in range(1, len(curve.times)):
        times = curve.times[: number + 1]
        yield performance(
            attrs.evolve(
                curve,
                times=times,
                equity=curve.equity[: number + 1],
                peaks=curve.peaks[: number + 1],
                rows=curve.rows[: number + 1],
                drawdown=Drawdown(fraction=float(deepest[number])),
                lowest=float(lowest[number]),
                periods_per_year=infer_periods_per_year(times) if periods_per_year is None else periods_per_year,
            )
        )


def _so_far(curve: EquityCurve) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest equity and the deepest fall up to each sample, shape ``(m,)`` each."""
    if curve.all_equity is None:
        deepest = np.full(len(curve.times), np.nan)
        deepest[-1] = curve.drawdown.fraction
        return np.minimum.accumulate(curve.equity), deepest
    every = curve.points()
    falls = np.minimum.accumulate(every.equity / every.peaks - 1.0)
    at = curve.rows + 1  # the initial point is the first
    return np.minimum.accumulate(every.equity)[at], falls[at]


def curve_of(
    start: int,
    initial: float,
    days: Sequence[CurveStanding],
    periods_per_year: float | None = None,
) -> EquityCurve:
    """Return the curve of a run that wrote down how it stood at the end of each UTC day.

    Parameters
    ----------
    start, initial
        Time, ns, UTC, and equity of the initial point.
    days
        At least one; the last one is how the run stands now.
    periods_per_year
        Samples in a year, where they were given; else they are told from the samples.
    """
    now = days[-1]
    times = np.array([start, *(day.ts for day in days)], np.int64)
    return EquityCurve(
        times=times,
        equity=np.array([initial, *(day.equity for day in days)]),
        peaks=np.array([initial, *(day.peak for day in days)]),
        rows=np.array([-1, *(day.n_bars - 1 for day in days)], np.int64),
        all_times=None,
        all_equity=None,
        drawdown=now.drawdown,
        n_bars=now.n_bars,
        exposed_bars=now.exposed_bars,
        initial=initial,
        final=now.equity,
        lowest=now.lowest,
        periods_per_year=infer_periods_per_year(times) if periods_per_year is None else periods_per_year,
    )
