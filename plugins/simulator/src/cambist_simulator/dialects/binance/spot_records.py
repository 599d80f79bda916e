"""Spot orders, trades and accounts as the venue's JSON has them; a field that is unset is left out."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

__all__ = [
    "AccountPosition",
    "BalanceUpdate",
    "CanceledOrder",
    "ExecutionReport",
    "FilledPart",
    "ListStatus",
    "NewOrder",
    "OrderAck",
    "OwnTrade",
    "QueriedOrder",
]


class OrderAck(Struct, rename="camel", kw_only=True):
    """Answer ``ACK`` to a new order."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int


class FilledPart(Struct, rename="camel", kw_only=True):
    """A trade in answer ``FULL``."""

    price: str
    qty: str
    commission: str
    commission_asset: str
    trade_id: int


class NewOrder(Struct, rename="camel", kw_only=True):
    """Answers ``RESULT`` and ``FULL`` to a new order."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int
    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    stop_price: str | UnsetType = UNSET
    iceberg_qty: str | UnsetType = UNSET
    trailing_delta: int | UnsetType = UNSET
    trailing_time: int | UnsetType = UNSET
    strategy_id: int | UnsetType = UNSET
    strategy_type: int | UnsetType = UNSET
    working_time: int
    fills: list[FilledPart] | UnsetType = UNSET
    self_trade_prevention_mode: str
    prevented_quantity: str | UnsetType = UNSET
    expiry_reason: str | UnsetType = UNSET


class CanceledOrder(Struct, rename="camel", kw_only=True):
    """Answer to a cancel; the order's own name is in ``origClientOrderId``, that of the cancel in ``clientOrderId``."""

    symbol: str
    orig_client_order_id: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int
    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    stop_price: str | UnsetType = UNSET
    iceberg_qty: str | UnsetType = UNSET
    trailing_delta: int | UnsetType = UNSET
    trailing_time: int | UnsetType = UNSET
    strategy_id: int | UnsetType = UNSET
    strategy_type: int | UnsetType = UNSET
    self_trade_prevention_mode: str
    prevented_quantity: str | UnsetType = UNSET


class QueriedOrder(Struct, rename="camel", kw_only=True):
    """An order in answer to a query."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    price: str
    orig_qty: str
    executed_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    stop_price: str
    iceberg_qty: str
    trailing_delta: int | UnsetType = UNSET
    trailing_time: int | UnsetType = UNSET
    strategy_id: int | UnsetType = UNSET
    strategy_type: int | UnsetType = UNSET
    time: int
    update_time: int
    is_working: bool
    working_time: int
    orig_quote_order_qty: str
    self_trade_prevention_mode: str
    prevented_quantity: str | UnsetType = UNSET
    expiry_reason: str | UnsetType = UNSET


class OwnTrade(Struct, rename="camel", kw_only=True):
    """A row of ``myTrades``."""

    symbol: str
    id: int
    order_id: int
    order_list_id: int
    price: str
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool
    is_best_match: bool = True


class ExecutionReport(Struct, kw_only=True, tag_field="e", tag="executionReport"):
    """User stream: something happened to an order."""

    event_time: int = field(name="E")
    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: str = field(name="S")
    type: str = field(name="o")
    time_in_force: str = field(name="f")
    size: str = field(name="q")
    price: str = field(name="p")
    stop_price: str = field(name="P")
    iceberg: str = field(name="F")
    list_id: int = field(name="g")
    original_client_id: str = field(name="C")
    execution: str = field(name="x")
    status: str = field(name="X")
    reject_reason: str = field(name="r")
    order_id: int = field(name="i")
    last_size: str = field(name="l")
    filled: str = field(name="z")
    last_price: str = field(name="L")
    fee: str = field(name="n")
    fee_asset: str | None = field(name="N")
    at: int = field(name="T")
    trade_id: int = field(name="t")
    prevented_match: int | UnsetType = field(name="v", default=UNSET)
    execution_id: int = field(name="I")
    on_book: bool = field(name="w")
    maker: bool = field(name="m")
    ignored: bool = field(name="M")
    created_at: int = field(name="O")
    quote_filled: str = field(name="Z")
    last_quote: str = field(name="Y")
    quote_size: str = field(name="Q")
    working_at: int | UnsetType = field(name="W", default=UNSET)
    self_trade: str = field(name="V")
    trailing_delta: int | UnsetType = field(name="d", default=UNSET)
    trailing_at: int | UnsetType = field(name="D", default=UNSET)
    strategy_id: int | UnsetType = field(name="j", default=UNSET)
    strategy_type: int | UnsetType = field(name="J", default=UNSET)
    prevented: str | UnsetType = field(name="A", default=UNSET)
    last_prevented: str | UnsetType = field(name="B", default=UNSET)
    expiry_reason: str | UnsetType = field(name="eR", default=UNSET)


class AccountPosition(Struct, kw_only=True, tag_field="e", tag="outboundAccountPosition"):
    """User stream: balances that may have changed; rows of asset, free, locked."""

    event_time: int = field(name="E")
    updated_at: int = field(name="u")
    balances: list[dict[str, str]] = field(name="B")


class BalanceUpdate(Struct, kw_only=True, tag_field="e", tag="balanceUpdate"):
    """User stream: a deposit, withdrawal or transfer."""

    event_time: int = field(name="E")
    asset: str = field(name="a")
    change: str = field(name="d")
    at: int = field(name="T")


class ListStatus(Struct, kw_only=True, tag_field="e", tag="listStatus"):
    """User stream: a list of orders has another status."""

    event_time: int = field(name="E")
    symbol: str = field(name="s")
    list_id: int = field(name="g")
    kind: str = field(name="c")
    status_type: str = field(name="l")
    order_status: str = field(name="L")
    reject_reason: str = field(name="r")
    client_id: str = field(name="C")
    at: int = field(name="T")
    orders: list[dict[str, Any]] = field(name="O")
