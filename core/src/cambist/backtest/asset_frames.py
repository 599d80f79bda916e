"""Series of an account beside its positions: balances and rates of several assets, and buying and holding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis import BuyAndHold
from cambist.backtest.history import curve_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.history import RunHistory
    from cambist.backtest.series import AccountSeries
    from cambist.model import Instrument

__all__ = ["balance_frame", "bought_and_held", "rate_frame"]


def balance_frame(series: AccountSeries) -> pd.DataFrame:
    """Return cash by asset at each row; see `AccountSeries.balances`."""
    import pandas as pd

    assets, times = series.history.assets, series.row_times
    if not assets:
        return pd.DataFrame({"cash": series.cash}, index=series.index)
    return pd.DataFrame({name: one.account.cash_at(times) for name, one in assets.items()}, index=series.index)


def rate_frame(series: AccountSeries) -> pd.DataFrame:
    """Return rates by asset at each row; see `AccountSeries.rates`."""
    import pandas as pd

    columns = {name: one.rates.at(series.row_times) for name, one in series.history.assets.items()}
    return pd.DataFrame(columns, index=series.index)


def bought_and_held(
    benchmark: EquityCurve, curve: EquityCurve, instruments: Sequence[Instrument], history: RunHistory
) -> NDArray[np.float64]:
    """Return the equity of buying and holding at each row of a run, shape ``(n,)``.

    Parameters
    ----------
    benchmark, curve
        The curve of it, as the run kept it, and that of the run.
    """
    if benchmark.all_equity is not None:
        return benchmark.all_equity
    if curve.all_times is None:
        return benchmark.equity[1:]
    times = curve_rows(curve)[0]
    bought = BuyAndHold(instruments, curve.initial, curve.start, keep_all=True)
    for number, instrument in enumerate(instruments):
        if instrument.symbol in history.first_opens:
            bought.first(number, history.first_opens[instrument.symbol])
    bought.add(times, np.array([history.closes[one.symbol].at(times) for one in instruments]).T)
    every = bought.finish().all_equity
    assert every is not None
    return every
