"""The records of a run as pandas frames, built column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.history import curve_rows
from cambist.backtest.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.tables import Layout

__all__ = ["equity_frame", "record_frame", "utc_index"]


def record_frame(layout: Layout, records: Sequence[Any]) -> pd.DataFrame:
    """Return one row per record, by the first column of the layout; see `cambist.Result` for the columns."""
    import pandas as pd

    index, *fields = layout.shown
    columns: dict[str, Any] = {}
    for field in fields:
        values = field.values(records)
        if field.kind is Kind.TIME:
            values = utc_index(values)
        elif field.kind is Kind.TEXT and not values:
            values = pd.Series([], dtype="str")  # an empty list would become a column of objects
        columns[field.column] = values
    return pd.DataFrame(columns, index=pd.Index(index.values(records), name=index.column))


def equity_frame(curve: EquityCurve) -> pd.DataFrame:
    """Return one row per bar where the curve kept them all, else one per sample, without the initial point."""
    import pandas as pd

    times, equity, peaks = curve_rows(curve)
    return pd.DataFrame({"equity": equity, "drawdown": equity / peaks - 1.0}, index=utc_index(times, "ts"))


def utc_index(times: NDArray[np.int64], name: str | None = None) -> pd.DatetimeIndex:
    """Return times (ns, shape ``(n,)``) for pandas, UTC."""
    import pandas as pd

    return pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC", name=name)
