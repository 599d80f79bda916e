"""The records of a run as pandas frames, built column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.history import curve_rows
from cambist.backtest.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.tables import Layout, Table
    from cambist.model.portfolio import CashFlow

__all__ = ["cash_flow_frame", "equity_frame", "record_frame", "table_frame", "utc_index", "with_sides"]


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


def equity_frame(curve: EquityCurve, fund: EquityCurve | None = None) -> pd.DataFrame:
    """Return one row per bar where the curve kept them all, else one per sample, without the initial point.

    With the curve of a fund, drawdowns are those of its shares, whose value stands beside.
    """
    import pandas as pd

    times, equity, peaks = curve_rows(curve)
    _, shares, share_peaks = (times, equity, peaks) if fund is None else curve_rows(fund)
    columns = {"equity": equity, "drawdown": shares / share_peaks - 1.0}
    if fund is not None:
        columns["nav"] = shares / fund.initial * 100.0
    return pd.DataFrame(columns, index=utc_index(times, "ts"))


def cash_flow_frame(flows: Sequence[CashFlow]) -> pd.DataFrame:
    """Return one row per entry, by time; see `cambist.backtest.result.Result.cash_flows` for the columns."""
    from cambist.backtest.tables import FLOWS

    frame = record_frame(FLOWS, flows)
    return frame.set_index(utc_index(frame.index.to_numpy(), "ts"))


def table_frame(table: Table) -> pd.DataFrame:
    """Return the columns of a table by its time, which is its first."""
    import pandas as pd

    columns = {
        name: pd.Series(table[name], dtype="str") if kind is Kind.TEXT else table[name]
        for name, kind in table.kinds.items()
        if kind is not Kind.TIME
    }
    return pd.DataFrame(columns).set_index(utc_index(table["ts"], "ts"))


def with_sides(frame: pd.DataFrame, sides: Iterable[str], after: str) -> pd.DataFrame:
    """Return a frame with the column ``position_side`` behind another one, where any of its rows has a side."""
    import pandas as pd

    given = list(sides)
    if any(given):
        column = pd.Series(given, index=frame.index, dtype="str")
        frame.insert(list(frame.columns).index(after) + 1, "position_side", column)
    return frame


def utc_index(times: NDArray[np.int64], name: str | None = None) -> pd.DatetimeIndex:
    """Return times (ns, shape ``(n,)``) for pandas, UTC."""
    import pandas as pd

    return pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC", name=name)
