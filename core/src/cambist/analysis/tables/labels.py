"""Periods and times as pandas labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.analysis.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["period_index", "time_index"]

_FREQUENCIES = {
    Period.DAY: "D",
    Period.WEEK: "W-SUN",
    Period.MONTH: "M",
    Period.QUARTER: "Q-DEC",
    Period.YEAR: "Y-DEC",
}
#: The first day of each period, as NumPy dates.
_FIRST_DAYS: dict[Period, Callable[[NDArray[np.int64]], NDArray[Any]]] = {
    Period.DAY: lambda numbers: numbers,
    Period.WEEK: lambda numbers: numbers * 7 - 3,
    Period.MONTH: lambda numbers: numbers.astype("datetime64[M]"),
    Period.QUARTER: lambda numbers: (numbers * 3).astype("datetime64[M]"),
    Period.YEAR: lambda numbers: numbers.astype("datetime64[Y]"),
}


def period_index(numbers: NDArray[np.int64], period: Period) -> pd.PeriodIndex:
    """Return the labels of periods given by their numbers, see `cambist.analysis.periods.period_numbers`."""
    import pandas as pd

    frequency = _FREQUENCIES[period]
    days = _FIRST_DAYS[period](numbers).astype("datetime64[D]").astype("datetime64[ns]")
    return pd.DatetimeIndex(days, name=str(period)).to_period(frequency)


def time_index(times: NDArray[np.int64]) -> pd.DatetimeIndex:
    """Return times (ns, UTC) as labels by the name of ``ts``."""
    import pandas as pd

    return pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC", name="ts")
