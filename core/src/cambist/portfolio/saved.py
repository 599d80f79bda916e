"""An account as plain values and back, so that it can go on after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.orders import PositionSide
from cambist.model.portfolio import CashFlow, MarginChange, Trade
from cambist.portfolio.group import AccountGroup
from cambist.portfolio.liquidations import Liquidation
from cambist.portfolio.margin import MarginPortfolio
from cambist.portfolio.multi_asset import MultiAssetPortfolio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.portfolio import Books
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["load_account", "save_account"]

_TRADE = [field.name for field in attrs.fields(Trade) if field.name != "instrument"]
_POSITION = ("size", "average_price", "last_fill_price", "realized", "fees")
_ACCOUNT = ("cash", "fees", "flows", "carry")
_CHANGES = ("margin_changes", "refused_changes")


def save_account(portfolio: Books | AccountGroup) -> dict[str, Any]:
    """Return all that moves in an account, or in several; what they were opened with is not in it."""
    if isinstance(portfolio, AccountGroup):
        # Of the movements of money in all accounts, those of each are the ones that name it.
        own = {name: save_account(books) | {"cash_flows": []} for name, books in portfolio.accounts.items()}
        return {"accounts": own, "cash_flows": _flow_rows(portfolio.cash_flows)}
    moving = (
        {"pockets": {asset: _save_pocket(pocket) for asset, pocket in portfolio.pockets.items()}}
        if isinstance(portfolio, MultiAssetPortfolio)
        else _save_pocket(portfolio)
    )
    trades = portfolio.trades
    return {
        **moving,
        "closed": [_row(trade) for trade in trades.closed],
        "open": {key: _row(trade) for key, trade in trades.open.items()},
        "trades": trades.count,
        "cash_flows": _flow_rows(portfolio.cash_flows),
    }


def _save_pocket(portfolio: Portfolio) -> dict[str, Any]:
    """Return what moves in an account, or in what holds one asset of it, save for lists that pockets share."""
    saved: dict[str, Any] = {name: getattr(portfolio, name) for name in _ACCOUNT}
    if portfolio.exchanged:
        saved["exchanged"] = portfolio.exchanged
    saved["positions"] = {
        key: [getattr(position, name) for name in _POSITION] for key, position in portfolio.legs.items()
    }
    if isinstance(portfolio, MarginPortfolio):
        saved["isolated"] = portfolio.isolated
        saved["leverages"] = dict(portfolio.leverages)
        saved["liquidations"] = [attrs.astuple(one) for one in portfolio.liquidations]
        for name in _CHANGES:
            saved[name] = [_change_row(change) for change in getattr(portfolio, name)]
    return saved


def _flow_rows(flows: Iterable[CashFlow]) -> list[tuple[Any, ...]]:
    return [_flow_row(flow) for flow in flows]


def _flow_row(flow: CashFlow) -> tuple[Any, ...]:
    """Return a movement of money; what it was to the last digit is in the ledger."""
    row = attrs.astuple(flow)[:-1]
    return row if flow.reference else row[:-1]


def _row(trade: Trade) -> list[Any]:
    return [trade.instrument.symbol, *(getattr(trade, name) for name in _TRADE)]


def load_account(portfolio: Books | AccountGroup, saved: dict[str, Any]) -> None:
    """Bring an account that was just opened, or several, to where `save_account` found it."""
    if isinstance(portfolio, AccountGroup):
        for name, own in saved["accounts"].items():
            load_account(portfolio.accounts[name], own)
        portfolio.restore([CashFlow(*row) for row in saved["cash_flows"]])
        return
    if isinstance(portfolio, MultiAssetPortfolio):
        for asset, own in saved["pockets"].items():
            _load_pocket(portfolio.pockets[asset], own)
    else:
        _load_pocket(portfolio, saved)

    def trade_of(row: list[Any]) -> Trade:
        values = dict(zip(_TRADE, row[1:], strict=True))
        return Trade(instrument=portfolio.positions[row[0]].instrument, **values)

    portfolio.trades.restore(
        [trade_of(row) for row in saved["closed"]],
        {key: trade_of(row) for key, row in saved["open"].items()},
        saved["trades"],
    )
    portfolio.cash_flows[:] = [CashFlow(*row) for row in saved["cash_flows"]]


def _load_pocket(portfolio: Portfolio, saved: dict[str, Any]) -> None:
    for name in _ACCOUNT:
        setattr(portfolio, name, saved[name])
    portfolio.exchanged = saved.get("exchanged", 0.0)
    for key, values in saved["positions"].items():
        position = portfolio.legs[key]
        for name, value in zip(_POSITION, values, strict=True):
            setattr(position, name, value)
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
