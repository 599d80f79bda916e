"""An account as plain values and back, so that it can go on after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.orders import PositionSide
from cambist.model.portfolio import CashFlow, MarginChange, Trade
from cambist.portfolio.liquidations import Liquidation
from cambist.portfolio.margin import MarginPortfolio

if TYPE_CHECKING:
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["load_account", "save_account"]

_TRADE = [field.name for field in attrs.fields(Trade) if field.name != "instrument"]
_POSITION = ("size", "average_price", "last_fill_price", "realized", "fees")
_ACCOUNT = ("cash", "fees", "flows", "carry")
_CHANGES = ("margin_changes", "refused_changes")


def save_account(portfolio: Portfolio) -> dict[str, Any]:
    """Return all that moves in an account; what it was opened with is not in it."""
    trades = portfolio.trades
    saved: dict[str, Any] = {name: getattr(portfolio, name) for name in _ACCOUNT}
    saved["positions"] = {
        key: [getattr(position, name) for name in _POSITION] for key, position in portfolio.legs.items()
    }
    saved["closed"] = [_row(trade) for trade in trades.closed]
    saved["open"] = {key: _row(trade) for key, trade in trades.open.items()}
    saved["trades"] = trades.count
    saved["cash_flows"] = [attrs.astuple(flow) for flow in portfolio.cash_flows]
    if isinstance(portfolio, MarginPortfolio):
        saved["isolated"] = portfolio.isolated
        saved["leverages"] = dict(portfolio.leverages)
        saved["liquidations"] = [attrs.astuple(one) for one in portfolio.liquidations]
        for name in _CHANGES:
            saved[name] = [_change_row(change) for change in getattr(portfolio, name)]
    return saved


def _row(trade: Trade) -> list[Any]:
    return [trade.instrument.symbol, *(getattr(trade, name) for name in _TRADE)]


def load_account(portfolio: Portfolio, saved: dict[str, Any]) -> None:
    """Bring an account that was just opened to where `save_account` found it."""
    for name in _ACCOUNT:
        setattr(portfolio, name, saved[name])
    for key, values in saved["positions"].items():
        position = portfolio.legs[key]
        for name, value in zip(_POSITION, values, strict=True):
            setattr(position, name, value)

    def trade_of(row: list[Any]) -> Trade:
        values = dict(zip(_TRADE, row[1:], strict=True))
        return Trade(instrument=portfolio.positions[row[0]].instrument, **values)

    portfolio.trades.restore(
        [trade_of(row) for row in saved["closed"]],
        {key: trade_of(row) for key, row in saved["open"].items()},
        saved["trades"],
    )
    portfolio.cash_flows[:] = [CashFlow(*row) for row in saved["cash_flows"]]
    portfolio.count_shorts()
    if isinstance(portfolio, MarginPortfolio):
        portfolio.isolated = dict(saved["isolated"])
        portfolio.liquidations[:] = [Liquidation(*row) for row in saved["liquidations"]]
        for symbol, leverage in saved["leverages"].items():
            portfolio.set_leverage(symbol, leverage)
        for name in _CHANGES:
            getattr(portfolio, name)[:] = [_change_of(row) for row in saved[name]]


def _change_row(change: MarginChange) -> list[Any]:
    side = change.position_side
    return [change.ts, change.symbol, None if side is None else str(side), *attrs.astuple(change)[3:]]


def _change_of(row: list[Any]) -> MarginChange:
    ts, symbol, side, *rest = row
    return MarginChange(ts, symbol, None if side is None else PositionSide(side), *rest)
