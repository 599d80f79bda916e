"""The account of a run as axes: bar by bar, and measures over a window that moves along day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist_report.arrays import floats, ns_of
from cambist_report.axes import Axis, Column
from cambist_report.markup import Wording

if TYPE_CHECKING:
    from cambist import Result

__all__ = ["account_axis", "rolling_axis", "rolling_window"]

#: Half a year of trading days, which is the usual window.
_HALF_A_YEAR = 126
#: Decimals of a fraction, of which a hundred times is shown with two.
_FRACTION = 6


def account_axis(result: Result) -> Axis:
    """Return equity, drawdown, and where they are known benchmark and exposure, one row a row of `Result.equity`."""
    frame = result.equity
    money = Wording.of(result).places
    columns = {
        "equity": Column(floats(frame["equity"]), decimals=money),
        "drawdown": Column(floats(frame["drawdown"]), "min", decimals=_FRACTION),
    }
    if "nav" in frame:
        columns["nav"] = Column(floats(frame["nav"]), decimals=_FRACTION)
    if result.history is not None and not result.accounts:
        series = result.series
        if result.benchmark is not None:
            columns["benchmark"] = Column(floats(series.benchmark), decimals=money)
        equity = floats(frame["equity"])
        net = np.divide(floats(series.net_exposure), equity, out=np.full(len(equity), np.nan), where=equity > 0.0)
        columns["net"] = Column(net, decimals=_FRACTION)
        columns["gross"] = Column(floats(series.leverage), decimals=_FRACTION)
    return Axis("account", ns_of(frame.index), columns)


def rolling_window(result: Result) -> int:
    """Return over how many days measures roll: half a year, or a quarter of a run that is shorter than two years."""
    return max(5, min(_HALF_A_YEAR, len(result.analysis.returns) // 4))


def rolling_axis(result: Result) -> Axis:
    """Return the rolling Sharpe ratio and volatility, one row a day."""
    window = rolling_window(result)
    sharpe = result.analysis.rolling_sharpe(window)
    volatility = result.analysis.rolling_volatility(window)
    columns = {
        "sharpe": Column(floats(sharpe)),
        "volatility": Column(floats(volatility)),
    }
    other = result.analysis.benchmark
    if other is not None:
        for name, values in (
            ("benchmark_sharpe", other.rolling_sharpe(window)),
            ("benchmark_volatility", other.rolling_volatility(window)),
        ):
            columns[name] = Column(floats(values.reindex(sharpe.index)))
    index = sharpe.index
    times = ns_of(index.to_timestamp() if hasattr(index, "to_timestamp") else index)
    return Axis("rolling", times, columns)
