"""Measures of many compiled runs at once: what `cambist.analysis.MEASURES` gives of each, to the last bit."""

from __future__ import annotations

from functools import cached_property
from math import nan, sqrt
from typing import TYPE_CHECKING, TypeAlias

import attrs
import numpy as np

from cambist.analysis import compound, sharpe_of, sortino_of
from cambist_optimize.kernel import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve

__all__ = ["BATCH_MEASURES", "Outcome"]

_NS = 1_000_000_000


@attrs.frozen(eq=False)
class Outcome:
    """What became of combinations that were played together, a row each.

    Attributes
    ----------
    like
        A curve of the same bars, for its times.
    initial
        Equity before the first bar.
    states, counts
        See `cambist_optimize.kernel.layout`.
    ends
        Equity and peak at each sample, shape ``(k, m, 2)``.
    """

    like: EquityCurve
    initial: float
    states: NDArray[np.float64]
    counts: NDArray[np.int64]
    ends: NDArray[np.float64]

    @property
    def is_problem(self) -> Sequence[bool]:
        """Whether the event engine has to play them."""
        problems = (self.counts[:, layout.PROBLEM] != 0) | ~np.isfinite(self.states[:, layout.EQUITY])
        found: list[bool] = problems.tolist()
        return found

    @cached_property
    def equity(self) -> NDArray[np.float64]:
        """The sampled curves, the initial point first, shape ``(k, m + 1)``."""
        return self._with_start(0)

    @cached_property
    def peaks(self) -> NDArray[np.float64]:
        """The highest equity up to each sample, likewise."""
        return self._with_start(1)

    def _with_start(self, column: int) -> NDArray[np.float64]:
        start = np.full((len(self.ends), 1), self.initial)
        return np.ascontiguousarray(np.concatenate((start, self.ends[:, :, column]), axis=1))

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """Simple returns of the curves, shape ``(k, m)``."""
        with np.errstate(all="ignore"):
            return self.equity[:, 1:] / self.equity[:, :-1] - 1.0

    def measured(self, names: Iterable[str]) -> list[dict[str, float] | None]:
        """Return measures of `BATCH_MEASURES` of each; None for what the event engine has to play."""
        columns = {name: BATCH_MEASURES[name](self) for name in names}
        return [
            None if problem else dict(zip(columns, values, strict=True))
            for problem, *values in zip(self.is_problem, *columns.values(), strict=True)
        ]

    def kept_returns(self) -> list[NDArray[np.float64] | None]:
        """Return the returns of each; None where everything was lost."""
        ruined = (self.states[:, layout.LOWEST] <= 0.0).tolist()
        return [None if lost else one.copy() for one, lost in zip(self.returns, ruined, strict=True)]

    def numbers(self, column: int) -> list[float]:
        """Return a column of `states`."""
        found: list[float] = self.states[:, column].tolist()
        return found

    def whole(self, column: int) -> list[int]:
        """Return a column of `counts`."""
        found: list[int] = self.counts[:, column].tolist()
        return found

    def of_returns(self, compute: Callable[[NDArray[np.float64], float], NDArray[np.float64]]) -> list[float]:
        """Return a ratio of the returns and their number in a year; NaN with fewer than two, or where all was lost."""
        if self.returns.shape[1] < 2:
            return [nan] * len(self.returns)
        with np.errstate(all="ignore"):
            ratios = compute(self.returns, self.like.periods_per_year)
        found: list[float] = np.where(self.states[:, layout.LOWEST] > 0.0, ratios, nan).tolist()
        return found


_Measure: TypeAlias = "Callable[[Outcome], Sequence[float]]"


def _total_return(outcome: Outcome) -> list[float]:
    return [final / outcome.initial - 1.0 for final in outcome.numbers(layout.EQUITY)]


def _cagr(outcome: Outcome) -> list[float]:
    periods = outcome.ends.shape[1]
    if periods < 1:
        return [nan] * len(outcome.ends)
    times = outcome.like.periods_per_year / periods
    ends = zip(outcome.numbers(layout.EQUITY), outcome.numbers(layout.LOWEST), strict=True)
    return [compound(final / outcome.initial, times) if lowest > 0.0 else nan for final, lowest in ends]


def _calmar(outcome: Outcome) -> list[float]:
    falls = outcome.numbers(layout.FALL)
    return [rate / -fall if fall < 0.0 else nan for rate, fall in zip(_cagr(outcome), falls, strict=True)]


def _win_rate(outcome: Outcome) -> list[float]:
    pairs = zip(outcome.whole(layout.WINS), outcome.whole(layout.TRADES), strict=True)
    return [wins / trades if trades else nan for wins, trades in pairs]


def _profit_factor(outcome: Outcome) -> list[float]:
    pairs = zip(outcome.numbers(layout.WON), outcome.numbers(layout.LOST), strict=True)
    return [won / -lost if lost else nan for won, lost in pairs]


def _volatility(returns: NDArray[np.float64], per_year: float) -> NDArray[np.float64]:
    spread: NDArray[np.float64] = returns.std(axis=-1, ddof=1) * sqrt(per_year)
    return spread


#: By name; the loop keeps what they are made of.
BATCH_MEASURES: dict[str, _Measure] = {
    "initial_equity": lambda outcome: [outcome.initial] * len(outcome.states),
    "final_equity": lambda outcome: outcome.numbers(layout.EQUITY),
    "net_profit": lambda outcome: [final - outcome.initial for final in outcome.numbers(layout.EQUITY)],
    "total_return": _total_return,
    "cagr": _cagr,
    "calmar": _calmar,
    "sharpe": lambda outcome: outcome.of_returns(sharpe_of),
    "sortino": lambda outcome: outcome.of_returns(sortino_of),
    "volatility": lambda outcome: outcome.of_returns(_volatility),
    "max_drawdown": lambda outcome: outcome.numbers(layout.FALL),
    "max_drawdown_money": lambda outcome: outcome.numbers(layout.FALL_MONEY),
    "longest_drawdown": lambda outcome: [time / _NS for time in outcome.whole(layout.LONGEST)],
    "trades": lambda outcome: [float(count) for count in outcome.whole(layout.TRADES)],
    "open_trades": lambda outcome: [float(size != 0.0) for size in outcome.numbers(layout.SIZE)],
    "win_rate": _win_rate,
    "profit_factor": _profit_factor,
    "fees_paid": lambda outcome: outcome.numbers(layout.FEES),
    "exposure": lambda outcome: [count / outcome.like.n_bars for count in outcome.whole(layout.EXPOSED)],
}
