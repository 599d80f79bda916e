"""The records of a run as pandas frames, built column by column."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.model import Fill, Order, Trade
    from cambist.model.portfolio import CashFlow

__all__ = ["cash_flow_frame", "equity_frame", "fill_frame", "order_frame", "trade_frame"]


def order_frame(orders: Sequence[Order]) -> pd.DataFrame:
    """Return one row per order, by id; see `cambist.backtest.result.Result.orders` for the columns."""
    return _frame(
        orders,
        {
            "strategy": _texts(orders, "strategy"),
            "instrument": _texts(orders, "instrument.symbol"),
            "side": _texts(orders, "side"),
            "type": _texts(orders, "type"),
            "size": _floats(orders, "size"),
            "limit_price": _floats(orders, "limit_price"),
            "stop_price": _floats(orders, "stop_price"),
            "time_in_force": _texts(orders, "time_in_force"),
            "expires_at": _times(orders, "expires_at"),
            "reduce_only": _flags(orders, "reduce_only"),
            "status": _texts(orders, "status"),
            "filled": _floats(orders, "filled"),
            "average_price": _floats(orders, "average_price"),
            "fees": _floats(orders, "fees"),
            "created_at": _times(orders, "created_at"),
            "updated_at": _times(orders, "updated_at"),
            "reason": _texts(orders, "reason"),
            "tag": _texts(orders, "tag"),
        },
    )


def fill_frame(fills: Sequence[Fill]) -> pd.DataFrame:
    """Return one row per fill, by id; see `cambist.backtest.result.Result.fills` for the columns."""
    return _frame(
        fills,
        {
            "order_id": _integers(fills, "order_id"),
            "ts": _times(fills, "ts"),
            "instrument": _texts(fills, "instrument.symbol"),
            "side": _texts(fills, "side"),
            "size": _floats(fills, "size"),
            "price": _floats(fills, "price"),
            "fee": _floats(fills, "fee"),
            "liquidity": _texts(fills, "liquidity"),
        },
    )


def trade_frame(trades: Sequence[Trade]) -> pd.DataFrame:
    """Return one row per trade, by id; see `cambist.backtest.result.Result.trades` for the columns."""
    net = _floats(trades, "net")
    return _frame(
        trades,
        {
            "strategy": _texts(trades, "strategy"),
            "instrument": _texts(trades, "instrument.symbol"),
            "side": ["long" if trade.is_long else "short" for trade in trades],
            "size": _floats(trades, "size"),
            "entry_time": _times(trades, "opened_at"),
            "exit_time": _times(trades, "closed_at"),
            "entry_price": _floats(trades, "entry_price"),
            "exit_price": _floats(trades, "exit_price"),
            "gross": _floats(trades, "gross"),
            "fees": _floats(trades, "fees"),
            "net": net,
            "return": net / _money_in(trades),
            "bars": _integers(trades, "bars"),
            "tag": _texts(trades, "tag"),
            "reason": _texts(trades, "reason"),
        },
    )


def equity_frame(curve: EquityCurve, fund: EquityCurve | None = None) -> pd.DataFrame:
    """Return one row per bar where the curve kept them all, else one per sample, without the initial point.

    With the curve of a fund, drawdowns are those of its shares, whose value stands beside.
    """
    import pandas as pd

    points = curve.points()
    shares = points if fund is None else fund.points()
    columns = {"equity": points.equity[1:], "drawdown": (shares.equity / shares.peaks - 1.0)[1:]}
    if fund is not None:
        columns["nav"] = shares.equity[1:] / fund.initial * 100.0
    return pd.DataFrame(columns, index=_utc(points.times[1:]).rename("ts"))


def cash_flow_frame(flows: Sequence[CashFlow]) -> pd.DataFrame:
    """Return one row per entry, by time; see `cambist.backtest.result.Result.cash_flows` for the columns."""
    import pandas as pd

    columns: dict[str, Any] = {name: _texts(flows, name) for name in ("kind", "symbol", "asset")}
    if not flows:
        columns = {name: pd.Series([], dtype="str") for name in columns}
    columns["amount"] = _floats(flows, "amount")
    return pd.DataFrame(columns, index=_utc(_integers(flows, "ts")).rename("ts"))


def _frame(records: Sequence[Order | Fill | Trade], columns: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    ids = _integers(records, "id")
    # An empty list of texts would become a column of objects.
    texts = {name: pd.Series([], dtype="str") for name, column in columns.items() if isinstance(column, list)}
    if not len(ids):
        columns = columns | texts
    return pd.DataFrame(columns, index=pd.Index(ids, name="id"))


def _floats(records: Sequence[object], name: str) -> NDArray[np.float64]:
    return np.fromiter(map(attrgetter(name), records), np.float64, len(records))


def _integers(records: Sequence[object], name: str) -> NDArray[np.int64]:
    return np.fromiter(map(attrgetter(name), records), np.int64, len(records))


def _flags(records: Sequence[object], name: str) -> NDArray[np.bool_]:
    return np.fromiter(map(attrgetter(name), records), np.bool_, len(records))


def _texts(records: Sequence[object], name: str) -> list[str]:
    """Return plain texts: ``str`` takes the text out of an enumeration's member."""
    return list(map(str, map(attrgetter(name), records)))


def _times(records: Sequence[object], name: str) -> pd.DatetimeIndex:
    """Return times, UTC; the records write 0 for "not yet"."""
    times = _integers(records, name)
    return _utc(np.where(times > 0, times, np.iinfo(np.int64).min))


def _utc(times: NDArray[np.int64]) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC")


def _money_in(trades: Sequence[Trade]) -> NDArray[np.float64]:
    """Return the value of everything that each trade bought into, float64, shape ``(n,)``."""
    values = (abs(trade.instrument.notional(trade.entered, trade.entry_price)) for trade in trades)
    return np.fromiter(values, np.float64, len(trades))
