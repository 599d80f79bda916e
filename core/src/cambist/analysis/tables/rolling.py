"""Measures over a window that moves along the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cambist.analysis.measures.beta import beta_of
from cambist.analysis.measures.sharpe import sharpe_of
from cambist.analysis.measures.sortino import sortino_of
from cambist.analysis.pairs import pair_returns
from cambist.analysis.periods import Period
from cambist.analysis.tables.labels import period_index
from cambist.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

    #: Of windows of returns, shape ``(k, window)`` each, one number for each window, shape ``(k,)``.
    Windowed = Callable[..., NDArray[np.float64]]

__all__ = [
    "rolling_beta",
    "rolling_calmar",
    "rolling_returns",
    "rolling_sharpe",
    "rolling_sortino",
    "rolling_volatility",
]

#: Numbers that are looked at together: the windows of a long run would need its memory a window's length over.
_AT_ONCE = 1 << 20


def rolling_returns(
    facts: RunFacts, window: int, period: Period | str = "day", *, log: bool = False
) -> pd.Series[float]:
    """Return the return over the last `window` periods, ``e[i] / e[i - window] - 1`` or the logarithm of the ratio."""

    def total(returns: NDArray[np.float64]) -> NDArray[np.float64]:
        growth = np.prod(1.0 + returns, axis=-1)
        return np.log(np.where(growth > 0.0, growth, np.nan)) if log else growth - 1.0

    return _rolling(facts, window, period, total, "log_return" if log else "return", least=1)


def rolling_volatility(facts: RunFacts, window: int, period: Period | str = "day") -> pd.Series[float]:
    """Return the volatility a year over the last `window` periods; see `cambist.analysis.measures.volatility`."""
    scale = np.sqrt(facts.periods_per_year(period))
    return _rolling(facts, window, period, lambda returns: returns.std(axis=-1, ddof=1) * scale, "volatility")


def rolling_sharpe(
    facts: RunFacts, window: int, risk_free: float = 0.0, period: Period | str = "day"
) -> pd.Series[float]:
    """Return the annualized Sharpe ratio over the last `window` periods; see `cambist.analysis.measures.sharpe`."""
    per_year = facts.periods_per_year(period)
    return _rolling(facts, window, period, lambda returns: sharpe_of(returns, per_year, risk_free), "sharpe")


def rolling_sortino(
    facts: RunFacts, window: int, target: float = 0.0, period: Period | str = "day"
) -> pd.Series[float]:
    """Return the annualized Sortino ratio over the last `window` periods; see `cambist.analysis.measures.sortino`."""
    per_year = facts.periods_per_year(period)
    return _rolling(facts, window, period, lambda returns: sortino_of(returns, per_year, target), "sortino")


def rolling_calmar(facts: RunFacts, window: int = 36, period: Period | str = "month") -> pd.Series[float]:
    """Return the growth rate a year over the largest drawdown, both of the last `window` periods.

    By default that of Young (1991): 36 months, seen at the end of each month. NaN where equity did not fall.
    """
    per_year = facts.periods_per_year(period)

    def calmar(returns: NDArray[np.float64]) -> NDArray[np.float64]:
        path = np.cumprod(1.0 + returns, axis=-1)
        fall = np.min(path / np.maximum(np.maximum.accumulate(path, axis=-1), 1.0), axis=-1) - 1.0
        with np.errstate(over="ignore", invalid="ignore"):
            growth = path[:, -1] ** (per_year / returns.shape[-1]) - 1.0
        return np.where(np.isfinite(growth), growth, np.nan) / np.where(fall < 0.0, -fall, np.nan)

    return _rolling(facts, window, period, calmar, "calmar")


def rolling_beta(facts: RunFacts, window: int) -> pd.Series[float]:
    """Return beta over the last `window` days on which the run and its benchmark have a value."""
    import pandas as pd

    _check_window(window, 2)
    pairs = pair_returns(facts)
    values = _over_windows(beta_of, window, pairs.own, pairs.other)
    return pd.Series(values, index=period_index(pairs.days, Period.DAY), name="beta")


def _rolling(
    facts: RunFacts, window: int, period: Period | str, measure: Windowed, name: str, least: int = 2
) -> pd.Series[float]:
    import pandas as pd

    _check_window(window, least)
    cut = facts.period_equity(period)
    values = _over_windows(measure, window, cut.returns)
    return pd.Series(values, index=period_index(cut.numbers, Period.of(period)), name=name)


def _check_window(window: object, least: int) -> None:
    if not isinstance(window, int | np.integer) or isinstance(window, bool) or window < least:
        raise ParameterError(f"window is {window!r}; it is a number of periods, {least} or more.")


def _over_windows(measure: Windowed, window: int, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the measure of the window that ends with each row, shape ``(n,)``; NaN where there is none yet."""
    values = np.full(len(columns[0]), np.nan)
    ends = len(values) - window + 1
    if ends < 1:
        return values
    views = [sliding_window_view(column, window) for column in columns]
    step = max(1, _AT_ONCE // window)
    for first in range(0, ends, step):
        part = slice(first, min(first + step, ends))
        values[window - 1 :][part] = measure(*(view[part] for view in views))
    return values
