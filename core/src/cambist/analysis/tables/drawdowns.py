"""Drawdowns one by one, how deep equity is under water at each moment, and the same by period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.measures.streaks import streak_lengths
from cambist.analysis.periods import Period
from cambist.analysis.tables.labels import time_index

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = [
    "DrawdownStatistics",
    "PeriodDrawdown",
    "drawdown_statistics",
    "drawdown_table",
    "period_drawdown",
    "underwater",
]


@attrs.frozen(slots=True)
class DrawdownStatistics:
    """How deep equity is under water at the end of a run, and how deep and how long it was at most.

    Attributes
    ----------
    fraction, money, bars
        At the last bar: ``equity / peak - 1``, ``equity - peak`` in the account's currency (both 0 or below), and the
        bars since the peak.
    max_fraction, max_money, max_bars
        The deepest falls and the most bars in a row below a peak. The three need not belong together.
    """

    fraction: float
    money: float
    bars: int
    max_fraction: float
    max_money: float
    max_bars: int


@attrs.frozen(slots=True)
class PeriodDrawdown:
    """The largest drawdown of an account that is looked at once a period.

    Attributes
    ----------
    period
        Which.
    fraction
        ``min(equity / peak - 1)`` over the ends of the periods, 0 or below.
    periods
        Most periods in a row that ended below a peak.
    """

    period: str
    fraction: float
    periods: int


def drawdown_table(facts: RunFacts) -> pd.DataFrame:
    """Return every stretch under water, the deepest first, one row each.

    Columns: ``peak`` (last time equity stood at it), ``trough`` (first time it was deepest), ``recovery`` (first time
    it was back, NaT when it never was), all times UTC; ``depth`` (``equity / peak - 1`` at the trough) and ``money``
    (``equity - peak`` there), below 0; ``bars`` (closes below the peak), ``fall`` (peak to trough), ``climb`` (trough
    to recovery, NaT when there is none) and ``length`` (peak to recovery, or to the end of the run).

    Over every bar, so that the first row is the maximum drawdown; for a run over blocks of bars over the last bar of
    each UTC day. No row when equity never fell.
    """
    import pandas as pd

    points = facts.curve.points()
    equity, times = points.equity, points.times
    peaks = np.maximum.accumulate(equity)
    tops = np.append(np.flatnonzero(equity == peaks), len(equity))
    under = np.flatnonzero(np.diff(tops) > 1)
    starts, stops = tops[under], tops[under + 1]
    falls = equity / peaks - 1.0
    depths = np.minimum.reduceat(falls, starts) if len(starts) else np.empty(0)
    troughs = _first_rows(falls, starts, depths)
    recovered = stops < len(equity)
    ends = np.minimum(stops, len(equity) - 1)
    recovery = np.where(recovered, times[ends], _NAT)
    table = pd.DataFrame(
        {
            "peak": time_index(times[starts]),
            "trough": time_index(times[troughs]),
            "recovery": time_index(recovery),
            "depth": depths,
            "money": equity[troughs] - equity[starts],
            "bars": points.rows[ends] - points.rows[starts] - recovered,
        }
    )
    table["fall"] = table["trough"] - table["peak"]
    table["climb"] = table["recovery"] - table["trough"]
    table["length"] = pd.to_timedelta(times[ends] - times[starts], unit="ns")
    return table.iloc[np.argsort(depths, kind="stable")].reset_index(drop=True)


def underwater(facts: RunFacts) -> pd.Series[float]:
    """Return ``equity / peak - 1`` at each close, by ``ts`` (UTC): 0 at a peak, else below.

    One row per bar; for a run over blocks of bars the last bar of each UTC day.
    """
    import pandas as pd

    points = facts.curve.points()
    values = points.equity[1:] / points.peaks[1:] - 1.0
    return pd.Series(values, index=time_index(points.times[1:]), name="drawdown")


def drawdown_statistics(facts: RunFacts) -> DrawdownStatistics:
    """Return the present and the largest drawdown: backtrader's ``DrawDown``, with signs and as fractions.

    The deepest falls are those over every bar. For a run over blocks of bars, lengths are counted in days on which
    the last bar closed below the peak.
    """
    points, deepest = facts.curve.points(), facts.curve.drawdown
    lengths = streak_lengths(points.equity < points.peaks)
    equity, peak = float(points.equity[-1]), float(points.peaks[-1])
    return DrawdownStatistics(
        fraction=equity / peak - 1.0,
        money=equity - peak,
        bars=int(lengths[-1]),
        max_fraction=deepest.fraction,
        max_money=deepest.money,
        max_bars=int(lengths.max()),
    )


def period_drawdown(facts: RunFacts, period: Period | str = "month") -> PeriodDrawdown:
    """Return the largest drawdown seen at the ends of periods: backtrader's ``TimeDrawDown``.

    That one looks at the first bar of the next period instead, and never at the last period. Both agree where each bar
    is a period.

    Parameters
    ----------
    facts
        Of the run.
    period
        See `cambist.analysis.periods.Period`.

    Raises
    ------
    ParameterError
        If `period` is none.
    """
    period = Period.of(period)
    equity = facts.period_equity(period).equity
    peaks = np.maximum.accumulate(equity)
    return PeriodDrawdown(
        period=str(period),
        fraction=float((equity / peaks - 1.0).min()),
        periods=int(streak_lengths(equity < peaks).max()),
    )


_NAT = np.iinfo(np.int64).min


def _first_rows(
    falls: NDArray[np.float64], starts: NDArray[np.int64], depths: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return for each stretch that begins at one of `starts` the first row that is as deep as its depth."""
    if not len(starts):
        return starts
    lengths = np.diff(np.append(starts, len(falls)))
    rows = np.flatnonzero(falls[starts[0] :] == np.repeat(depths, lengths)) + starts[0]
    stretch = np.searchsorted(starts, rows, side="right") - 1
    return np.asarray(rows[np.unique(stretch, return_index=True)[1]])
