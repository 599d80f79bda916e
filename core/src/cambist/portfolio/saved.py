"""An account as plain values and back, so that it can go on after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.portfolio import CashFlow, Trade
from cambist.portfolio.margin import Liquidation, MarginPortfolio

if TYPE_CHECKING:
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["load_account", "save_account"]

_TRADE = [field.name for field in attrs.fields(Trade) if field.name != "instrument"]
_POSITION = ("size", "average_price", "last_fill_price", "realized", "fees")
_ACCOUNT = ("cash", "fees", "flows", "carry")


def save_account(portfolio: Portfolio) -> dict[str, Any]:
    """Return all that moves in an account; what it was opened with is not in it."""
    trades = portfolio.trades
    saved: dict[str, Any] = {name: getattr(portfolio, name) for name in _ACCOUNT}
    saved["positions"] = {
        symbol: [getattr(position, name) for name in _POSITION] for symbol, position in portfolio.positions.items()
    }
    saved["closed"] = [_row(trade) for trade in trades.closed]
    saved["open"] = [_row(trade) for trade in trades.open.values()]
    saved["trades"] = trades.count
    saved["cash_flows"] = [attrs.astuple(flow) for flow in portfolio.cash_flows]
    if isinstance(portfolio, MarginPortfolio):
        saved["isolated"] = portfolio.isolated
        saved["liquidations"] = [attrs.astuple(one) for one in portfolio.liquidations]
    return saved


def _row(trade: Trade) -> list[Any]:
    return [trade.instrument.symbol, *(getattr(trade, name) for name in _TRADE)]


def load_account(portfolio: Portfolio, saved: dict[str, Any]) -> None:
    """Bring an account that was just opened to where `save_account` found it."""
    for name in _ACCOUNT:
        setattr(portfolio, name, saved[name])
    for symbol, values in saved["positions"].items():
        position = portfolio.positions[symbol]
        for name, value in zip(_POSITION, values, strict=True):
            setattr(position, name, value)

    def trade_of(row: list[Any]) -> Trade:
        values = dict(zip(_TRADE, row[1:], strict=True))
        return Trade(instrument=portfolio.positions[row[0]].instrument, **values)

    portfolio.trades.restore(
        [trade_of(row) for row in saved["closed"]], [trade_of(row) for row in saved["open"]], saved["trades"]
    )
    portfolio.cash_flows[:] = [CashFlow(*row) for row in saved["cash_flows"]]
    portfolio.count_shorts()
    if isinstance(portfolio, MarginPortfolio):
        portfolio.isolated = dict(saved["isolated"])
        portfolio.liquidations[:] = [Liquidation(*row) for row in saved["liquidations"]]
