"""A shared account by strategy: the shares of its positions, and what each adds to equity."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.frames import with_sides
from cambist.model.legs import side_in
from cambist.model.orders import PositionSide
from cambist.portfolio import StrategyShares, Valuation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from cambist.backtest.result import Result
    from cambist.backtest.series import AccountSeries
    from cambist.model import Order
    from cambist.model.portfolio import Position
    from cambist.portfolio import Share

__all__ = ["contribution_frame", "share_frame"]


def share_frame(result: Result) -> pd.DataFrame:
    """Return one row for each strategy and instrument that it traded; see `cambist.Result.by_strategy`."""
    import pandas as pd

    orders = {order.id: order for order in result.order_records}
    names, sided = result.account_names, _sided(orders.values())
    shares = StrategyShares(result.instruments, names, orders.__getitem__, result.held_as, sided=sided)
    shares.catch_up(result.fill_records, result.split_records)
    rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    sides = []
    for strategy, share in shares.shares.items():
        for key, own in share.legs.items():
            if isnan(own.last_fill_price):  # it was never traded
                continue
            side = side_in(key, own.instrument.symbol)
            sides.append("" if side is None else str(side))
            rows["strategy"].append(strategy)
            for name, value in _row(share, own, side, result.last_prices).items():
                rows[name].append(value)
    return with_sides(pd.DataFrame(rows).astype(_COLUMNS).set_index("strategy"), sides, after="instrument")


def _sided(orders: Iterable[Order]) -> bool:
    """Tell whether any order was for one side of a hedged position."""
    return any(order.position_side is not None for order in orders)


_COLUMNS = {
    "strategy": "str",
    "instrument": "str",
    "size": "float64",
    "average_price": "float64",
    "trades": "int64",
    "realized": "float64",
    "unrealized": "float64",
    "fees": "float64",
    "net": "float64",
    "asset": "str",
}


def _row(share: Share, own: Position, side: PositionSide | None, prices: Mapping[str, float]) -> dict[str, Any]:
    instrument = own.instrument
    opened = 0.0
    if own.size:
        opened = instrument.profit(own.size, own.average_price, prices.get(instrument.symbol, np.nan))
    closed = [one for one in share.books[instrument.settle].trades.closed if one.instrument is instrument]
    return {
        "instrument": instrument.symbol,
        "size": own.size,
        "average_price": own.average_price,
        "trades": len(closed) if side is None else sum(one.is_long is (side is PositionSide.LONG) for one in closed),
        "realized": own.realized,
        "unrealized": opened,
        "fees": own.fees,
        "net": own.realized + opened - own.fees,
        "asset": instrument.settle,
    }


def contribution_frame(series: AccountSeries) -> pd.DataFrame:
    """Return what each strategy has added to equity at each row; see `AccountSeries.by_strategy`."""
    import pandas as pd

    held, rows = series.history.account.positions, series.row_times
    # Each step of a position is a fill or a split, in their order; of the row at or after it is the close it counts at.
    steps = {key: iter(np.searchsorted(rows, one.times, side="left").tolist()) for key, one in held.items()}
    orders = {order.id: order for order in series.order_records}
    owners, sided = dict.fromkeys(series.strategies, ""), _sided(orders.values())
    shares = StrategyShares(series.instruments, owners, orders.__getitem__, series.held_as, sided=sided)
    books = {name: share.books for name, share in shares.shares.items()}
    valuations = {name: {asset: Valuation(one) for asset, one in own.items()} for name, own in books.items()}
    shares.catch_up(series.fill_records, series.split_records, lambda key: next(steps[key]))
    closes = {symbol: one.at(rows) for symbol, one in series.history.closes.items()}
    in_currency = series.history.in_currency
    added = {name: np.zeros(len(rows)) for name in valuations}
    for name, own in valuations.items():
        for asset, one in own.items():
            added[name] += in_currency(asset, one.value(rows, closes)[0], rows)
    return pd.DataFrame(added, index=series.index)
