"""A shared account by strategy: the shares of its positions, and what each adds to equity."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.portfolio import StrategyShares, Valuation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cambist.backtest.result import Result
    from cambist.backtest.series import AccountSeries
    from cambist.portfolio import Share

__all__ = ["contribution_frame", "share_frame"]


def share_frame(result: Result) -> pd.DataFrame:
    """Return one row for each strategy and instrument that it traded; see `cambist.Result.by_strategy`."""
    import pandas as pd

    orders = {order.id: order for order in result.order_records}
    shares = StrategyShares(result.instruments, result.account_names, orders.__getitem__, result.held_as)
    shares.catch_up(result.fill_records, result.split_records)
    rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for strategy, share in shares.shares.items():
        for row in _rows(share, result.last_prices):
            rows["strategy"].append(strategy)
            for name, value in row.items():
                rows[name].append(value)
    return pd.DataFrame(rows).astype(_COLUMNS).set_index("strategy")


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


def _rows(share: Share, prices: Mapping[str, float]) -> list[dict[str, Any]]:
    rows = []
    for symbol, own in share.positions.items():
        if isnan(own.last_fill_price):  # it was never traded
            continue
        instrument = own.instrument
        price = prices.get(symbol, np.nan)
        opened = instrument.profit(own.size, own.average_price, price) if own.size else 0.0
        closed = share.books[instrument.settle].trades.closed
        rows.append(
            {
                "instrument": symbol,
                "size": own.size,
                "average_price": own.average_price,
                "trades": sum(trade.instrument.symbol == symbol for trade in closed),
                "realized": own.realized,
                "unrealized": opened,
                "fees": own.fees,
                "net": own.realized + opened - own.fees,
                "asset": instrument.settle,
            }
        )
    return rows


def contribution_frame(series: AccountSeries) -> pd.DataFrame:
    """Return what each strategy has added to equity at each row; see `AccountSeries.by_strategy`."""
    import pandas as pd

    held, rows = series.history.account.positions, series.row_times
    # Each step of a position is a fill or a split, in their order; of the row at or after it is the close it counts at.
    steps = {symbol: iter(np.searchsorted(rows, one.times, side="left").tolist()) for symbol, one in held.items()}
    orders = {order.id: order for order in series.order_records}
    shares = StrategyShares(
        series.instruments, dict.fromkeys(series.strategies, ""), orders.__getitem__, series.held_as
    )
    books = {name: share.books for name, share in shares.shares.items()}
    valuations = {name: {asset: Valuation(one) for asset, one in own.items()} for name, own in books.items()}
    shares.catch_up(series.fill_records, series.split_records, lambda symbol: next(steps[symbol]))
    closes = {symbol: one.at(rows) for symbol, one in series.history.closes.items()}
    in_currency = series.history.in_currency
    added = {name: np.zeros(len(rows)) for name in valuations}
    for name, own in valuations.items():
        for asset, one in own.items():
            added[name] += in_currency(asset, one.value(rows, closes)[0], rows)
    return pd.DataFrame(added, index=series.index)
