"""Futures orders, trades and user events as the venue's JSON has them; a field that is unset is left out."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

__all__ = [
    "AccountUpdate",
    "AlgoOrder",
    "AlgoState",
    "AlgoUpdate",
    "ForceOrder",
    "FuturesOrder",
    "FuturesTrade",
    "OrderState",
    "OrderTradeUpdate",
    "TradeLite",
]


class FuturesOrder(Struct, rename="camel", kw_only=True):
    """An order in answer to a request.

    Acknowledgements have had no average price and no cumulative money since July 2026; queries have.
    """

    order_id: int
    symbol: str
    pair: str | UnsetType = UNSET
    status: str
    client_order_id: str
    price: str
    avg_price: str | UnsetType = UNSET
    orig_qty: str
    executed_qty: str
    cum_qty: str | UnsetType = UNSET
    cum_quote: str | UnsetType = UNSET
    cum_base: str | UnsetType = UNSET
    time_in_force: str
    type: str
    reduce_only: bool
    close_position: bool
    side: str
    position_side: str
    stop_price: str
    working_type: str
    price_protect: bool
    orig_type: str
    activate_price: str | UnsetType = UNSET
    price_rate: str | UnsetType = UNSET
    price_match: str
    self_trade_prevention_mode: str
    good_till_date: int
    time: int | UnsetType = UNSET
    update_time: int


class FuturesTrade(Struct, rename="camel", kw_only=True):
    """A row of ``userTrades``; a linear one has ``quoteQty``, an inverse one ``pair``, ``marginAsset``, ``baseQty``."""

    symbol: str
    id: int
    order_id: int
    pair: str | UnsetType = UNSET
    side: str
    price: str
    qty: str
    realized_pnl: str
    margin_asset: str | UnsetType = UNSET
    quote_qty: str | UnsetType = UNSET
    base_qty: str | UnsetType = UNSET
    commission: str
    commission_asset: str
    time: int
    position_side: str
    buyer: bool
    maker: bool


class AlgoOrder(Struct, rename="camel", kw_only=True):
    """A conditional order of the algo service in answer to a request."""

    algo_id: int
    client_algo_id: str
    algo_type: str
    order_type: str
    symbol: str
    side: str
    position_side: str
    time_in_force: str
    quantity: str
    algo_status: str
    actual_order_id: str | UnsetType = UNSET
    actual_price: str | UnsetType = UNSET
    trigger_price: str
    price: str
    iceberg_quantity: str | None = None
    tp_trigger_price: str | UnsetType = UNSET
    tp_price: str | UnsetType = UNSET
    sl_trigger_price: str | UnsetType = UNSET
    sl_price: str | UnsetType = UNSET
    tp_order_type: str | UnsetType = UNSET
    self_trade_prevention_mode: str
    working_type: str
    price_match: str
    close_position: bool
    price_protect: bool
    reduce_only: bool
    activate_price: str | UnsetType = UNSET
    callback_rate: str | UnsetType = UNSET
    create_time: int
    update_time: int
    trigger_time: int
    good_till_date: int


class OrderState(Struct, kw_only=True):
    """What ``ORDER_TRADE_UPDATE`` says of the order."""

    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: str = field(name="S")
    type: str = field(name="o")
    time_in_force: str = field(name="f")
    size: str = field(name="q")
    price: str = field(name="p")
    average_price: str = field(name="ap")
    stop_price: str = field(name="sp")
    execution: str = field(name="x")
    status: str = field(name="X")
    order_id: int = field(name="i")
    last_size: str = field(name="l")
    filled: str = field(name="z")
    last_price: str = field(name="L")
    margin_asset: str | UnsetType = field(name="ma", default=UNSET)
    fee_asset: str | UnsetType = field(name="N", default=UNSET)
    fee: str | UnsetType = field(name="n", default=UNSET)
    at: int = field(name="T")
    trade_id: int = field(name="t")
    bid_notional: str = field(name="b", default="0")
    ask_notional: str = field(name="a", default="0")
    maker: bool = field(name="m")
    reduce_only: bool = field(name="R")
    working_type: str = field(name="wt")
    original_type: str = field(name="ot")
    position_side: str = field(name="ps")
    close_position: bool = field(name="cp")
    activation_price: str | UnsetType = field(name="AP", default=UNSET)
    callback_rate: str | UnsetType = field(name="cr", default=UNSET)
    price_protect: bool = field(name="pP", default=False)
    ignored_i: int = field(name="si", default=0)
    ignored_s: int = field(name="ss", default=0)
    profit: str = field(name="rp")
    self_trade: str = field(name="V")
    price_match: str = field(name="pm", default="NONE")
    good_till_date: int = field(name="gtd", default=0)
    expiry_reason: str = field(name="er", default="0")


class OrderTradeUpdate(Struct, kw_only=True, tag_field="e", tag="ORDER_TRADE_UPDATE"):
    """User stream: something happened to an order."""

    at: int = field(name="T")
    event_time: int = field(name="E")
    order: OrderState = field(name="o")


class TradeLite(Struct, kw_only=True, tag_field="e", tag="TRADE_LITE"):
    """User stream: a trade, sooner than the whole story of it."""

    event_time: int = field(name="E")
    at: int = field(name="T")
    symbol: str = field(name="s")
    size: str = field(name="q")
    price: str = field(name="p")
    maker: bool = field(name="m")
    client_id: str = field(name="c")
    side: str = field(name="S")
    last_price: str = field(name="L")
    last_size: str = field(name="l")
    trade_id: int = field(name="t")
    order_id: int = field(name="i")


class AlgoState(Struct, kw_only=True):
    """What ``ALGO_UPDATE`` says of the order."""

    client_id: str = field(name="caid")
    algo_id: int = field(name="aid")
    algo_type: str = field(name="at", default="CONDITIONAL")
    type: str = field(name="o")
    symbol: str = field(name="s")
    side: str = field(name="S")
    position_side: str = field(name="ps")
    time_in_force: str = field(name="f")
    size: str = field(name="q")
    status: str = field(name="X")
    child_id: str = field(name="ai")
    average_price: str = field(name="ap")
    filled: str = field(name="aq")
    activation: str = field(name="act", default="0")
    trigger_price: str = field(name="tp")
    price: str = field(name="p")
    self_trade: str = field(name="V")
    working_type: str = field(name="wt")
    price_match: str = field(name="pm", default="NONE")
    close_position: bool = field(name="cp")
    price_protect: bool = field(name="pP", default=False)
    reduce_only: bool = field(name="R")
    triggered_at: int = field(name="tt")
    good_till_date: int = field(name="gtd")
    reason: str = field(name="rm")


class AlgoUpdate(Struct, kw_only=True, tag_field="e", tag="ALGO_UPDATE"):
    """User stream: something happened to a conditional order."""

    at: int = field(name="T")
    event_time: int = field(name="E")
    order: AlgoState = field(name="o")


class AccountUpdate(Struct, kw_only=True, tag_field="e", tag="ACCOUNT_UPDATE"):
    """User stream: balances and positions that changed, and why."""

    at: int = field(name="T")
    event_time: int = field(name="E")
    change: dict[str, Any] = field(name="a")


class ForceOrder(Struct, kw_only=True, tag_field="e", tag="forceOrder"):
    """Market stream: a liquidation."""

    event_time: int = field(name="E")
    order: dict[str, Any] = field(name="o")
