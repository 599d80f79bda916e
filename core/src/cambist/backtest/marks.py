"""Marks for a chart: what was bought and sold, and what was won and lost, at the bars where it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.frames import utc_index
from cambist.model.legs import leg_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from cambist.backtest.series import AccountSeries
    from cambist.model import Fill, Order, Side, Trade
    from cambist.model.portfolio import StockSplit
    from cambist.portfolio import AccountHistory

__all__ = ["booked_at", "fill_marks", "trade_marks"]


def booked_at(
    records: Sequence[Fill],
    splits: Sequence[StockSplit],
    held_as: Mapping[str, str],
    account: AccountHistory,
    orders: Sequence[Order],
) -> list[int]:
    """Return the close, ns, of the bar in which each fill was booked.

    A fill is a step of the position that it changed, and so is a split of one that is held; all are in the order of
    time.
    """
    steps = {key: iter(one.times.tolist()) for key, one in account.positions.items()}
    sizes = {key: iter(one.sizes.tolist()) for key, one in account.positions.items()}
    sides = {order.id: order.position_side for order in orders if order.position_side is not None}
    held = dict.fromkeys(steps, 0.0)
    times, waiting = [], list(splits)
    for number, fill in enumerate(records):
        while waiting and waiting[0].fills <= number:
            symbol = waiting.pop(0).symbol
            if held[symbol]:
                next(steps[symbol])
                held[symbol] = next(sizes[symbol])
        symbol = held_as.get(fill.instrument.symbol, fill.instrument.symbol)
        key = leg_key(symbol, sides.get(fill.order_id))
        times.append(next(steps[key]))
        held[key] = next(sizes[key])
    return times


def fill_marks(series: AccountSeries, side: Side) -> pd.DataFrame:
    """Return one row per fill of a side, see `cambist.backtest.series.AccountSeries.buys`."""
    import pandas as pd

    records = series.fill_records
    times = booked_at(records, series.split_records, series.held_as, series.history.account, series.order_records)
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
