"""Marks for a chart: what was bought and sold, and what was won and lost, at the bars where it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.frames import utc_index
from cambist.model.legs import leg_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cambist.model import Fill, Order, Side, Trade
    from cambist.portfolio import AccountHistory

__all__ = ["fill_marks", "trade_marks"]


def fill_marks(records: Sequence[Fill], side: Side, account: AccountHistory, orders: Sequence[Order]) -> pd.DataFrame:
    """Return one row per fill of a side, see `cambist.backtest.series.AccountSeries.buys`."""
    import pandas as pd

    # A fill is a step of its position, and both are in the order of time.
    steps = {key: iter(one.times.tolist()) for key, one in account.positions.items()}
    sides = {order.id: order.position_side for order in orders if order.position_side is not None}
    times = [next(steps[leg_key(fill.instrument.symbol, sides.get(fill.order_id))]) for fill in records]
    chosen = [row for row, fill in enumerate(records) if fill.side is side]
    fills = [records[row] for row in chosen]
    columns = {
        "fill": np.array([fill.id for fill in fills], np.int64),
        "instrument": pd.array([fill.instrument.symbol for fill in fills], "str"),
        "size": np.array([fill.size for fill in fills], np.float64),
        "price": np.array([fill.price for fill in fills], np.float64),
    }
    return pd.DataFrame(columns, index=utc_index(np.array(times, np.int64)[chosen], "ts"))


def trade_marks(records: Sequence[Trade], account: AccountHistory) -> pd.DataFrame:
    """Return one row per closed trade, see `cambist.backtest.series.AccountSeries.trades`."""
    import pandas as pd

    closed = sorted((trade for trade in records if not trade.is_open), key=lambda trade: trade.closed_bar)
    bars = np.array([trade.closed_bar for trade in closed], np.int64)
    columns = {
        "trade": np.array([trade.id for trade in closed], np.int64),
        "instrument": pd.array([trade.instrument.symbol for trade in closed], "str"),
        "gross": np.array([trade.gross for trade in closed], np.float64),
        "net": np.array([trade.net for trade in closed], np.float64),
    }
    return pd.DataFrame(columns, index=utc_index(account.times_of(bars), "ts"))
