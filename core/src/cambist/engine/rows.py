"""Orders, executions and trades as rows of a database; see `cambist.ports.rows`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.conversions import decimal_of
from cambist.errors import DataError
from cambist.portfolio import MultiAssetPortfolio
from cambist.portfolio.exact import exact
from cambist.ports.rows import AccountRow, FillRow, OrderRow, TradeRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from typing import Any

    from cambist.model import Fill, Order, Trade
    from cambist.model.portfolio import Account
    from cambist.portfolio import Books

__all__ = ["account_rows", "fill_row", "order_row", "trade_row"]


def order_row(
    order: Order, info: Mapping[str, Any], client_id: str = "", decision_price: Decimal | None = None
) -> OrderRow:
    """Return the row of an order as it stands.

    Parameters
    ----------
    info
        Its notes, in JSON's own types.
    client_id
        What the venue knows it by.
    decision_price
        What the market was at when the strategy decided.
    """
    return OrderRow(
        id=order.id,
        client_id=client_id,
        strategy=order.strategy,
        symbol=order.instrument.symbol,
        venue=order.instrument.venue,
        side=str(order.side),
        type=str(order.type),
        status=str(order.status),
        size=exact(order.size),
        limit_price=decimal_of(order.limit_price),
        stop_price=decimal_of(order.stop_price),
        time_in_force=str(order.time_in_force),
        expires_at=order.expires_at or None,
        reduce_only=order.reduce_only,
        filled=exact(order.filled),
        average_price=decimal_of(order.average_price),
        fees=exact(order.fees),
        decision_price=decision_price,
        created_at=order.created_at,
        updated_at=order.updated_at,
        reason=order.reason,
        tag=order.tag,
        parent=order.parent,
        oco=order.oco,
        info=info,
    )


def fill_row(fill: Fill) -> FillRow:
    """Return the row of an execution."""
    return FillRow(
        id=str(fill.id),
        order_id=fill.order_id,
        symbol=fill.instrument.symbol,
        side=str(fill.side),
        size=exact(fill.size),
        price=exact(fill.price),
        fee=exact(fill.fee_paid),
        fee_asset=fill.fee_asset,
        liquidity=str(fill.liquidity),
        ts=fill.ts,
    )


def trade_row(trade: Trade) -> TradeRow:
    """Return the row of a round trip, open or closed."""
    return TradeRow(
        id=trade.id,
        strategy=trade.strategy,
        symbol=trade.instrument.symbol,
        side="long" if trade.is_long else "short",
        size=exact(trade.size),
        opened_at=trade.opened_at,
        closed_at=trade.closed_at or None,
        entry_price=exact(trade.entry_price),
        exit_price=decimal_of(trade.exit_price),
        gross=exact(trade.gross),
        fees=exact(trade.fees),
        net=exact(trade.net),
        tag=trade.tag,
        reason=trade.reason,
    )


def account_rows(accounts: Mapping[str, Books], ts: int) -> Iterator[AccountRow]:
    """Yield accounts as they stand at a time: of all together, of each of several, and of each asset that one holds.

    Where nobody knows what some of an asset is worth, there is no row of what includes it.
    """
    wholes = {name: _whole(books) for name, books in accounts.items()}
    if len(wholes) > 1:
        known = [whole for whole in wholes.values() if whole is not None]
        if len(known) == len(wholes):
            sums = [sum(getattr(one, name) for one in known) for name in ("equity", "cash", "margin")]
            yield _row("", "", ts, known[0].currency, sums)
    for name, books in accounts.items():
        whole = wholes[name]
        if whole is not None:
            yield _row(name, "", ts, books.currency, [whole.equity, whole.cash, whole.margin])
        if isinstance(books, MultiAssetPortfolio):
            for asset, pocket in books.pockets.items():
                yield _row(name, asset, ts, asset, [pocket.equity, pocket.cash, pocket.margin])


def _whole(books: Books) -> Account | None:
    try:
        return books.account()
    except DataError:
        return None


def _row(account: str, asset: str, ts: int, currency: str, amounts: list[float]) -> AccountRow:
    equity, cash, margin = (exact(amount) for amount in amounts)
    return AccountRow(account=account, asset=asset, ts=ts, currency=currency, equity=equity, cash=cash, margin=margin)
