"""Spot: orders, executions, balances."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.model import AccountReport, BalanceReport, FillReport, Liquidity, OrderReport, OrderType
from cambist_binance.wire.words import (
    MS,
    SIDES,
    end_reason,
    order_type,
    price_of,
    status_of,
    stop_of,
    time_in_force,
)

if TYPE_CHECKING:
    from cambist_ccxt.symbols import Symbols

__all__ = [
    "SpotOrder",
    "account_of",
    "amended_of",
    "decode_account",
    "decode_amended",
    "decode_order",
    "decode_orders",
    "decode_trades",
    "execution_of",
    "fill_of",
    "order_of",
    "position_of",
]

_ZERO = Decimal(0)


class SpotOrder(msgspec.Struct, rename="camel", gc=False):
    """An order in answer to a request, whichever."""

    symbol: str
    order_id: int
    client_order_id: str = ""
    orig_client_order_id: str = ""
    transact_time: int = 0
    update_time: int = 0
    time: int = 0
    price: Decimal = _ZERO
    orig_qty: Decimal = _ZERO
    executed_qty: Decimal = _ZERO
    status: str = "NEW"
    time_in_force: str = "GTC"
    type: str = "LIMIT"
    side: str = "BUY"
    stop_price: Decimal = _ZERO
    trailing_delta: int = 0
    expiry_reason: str | int = ""


class _Amended(msgspec.Struct, rename="camel", gc=False):
    """An order that was made smaller, which here has other names and no side."""

    symbol: str
    order_id: int
    client_order_id: str
    price: Decimal
    qty: Decimal
    executed_qty: Decimal
    status: str
    side: str
    time_in_force: str = "GTC"
    type: str = "LIMIT"


class _Amendment(msgspec.Struct, rename="camel", gc=False):
    amended_order: _Amended
    transact_time: int = 0


class _Trade(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool


class _Balance(msgspec.Struct, gc=False):
    asset: str
    free: Decimal
    locked: Decimal


class _Account(msgspec.Struct, rename="camel", gc=False):
    balances: list[_Balance]
    update_time: int = 0
    can_trade: bool = True


_EXECUTION_NAMES = {
    "event_time": "E",
    "symbol": "s",
    "client_id": "c",
    "original_id": "C",
    "side": "S",
    "type": "o",
    "time_in_force": "f",
    "size": "q",
    "price": "p",
    "stop_price": "P",
    "execution": "x",
    "status": "X",
    "refusal": "r",
    "order_id": "i",
    "last_size": "l",
    "filled": "z",
    "last_price": "L",
    "fee": "n",
    "fee_asset": "N",
    "at": "T",
    "trade_id": "t",
    "maker": "m",
    "created": "O",
    "trailing": "d",
    "expiry": "eR",
}


class _Execution(msgspec.Struct, rename=_EXECUTION_NAMES, gc=False):
    """``executionReport``."""

    symbol: str
    client_id: str
    side: str
    type: str
    time_in_force: str
    size: Decimal
    price: Decimal
    stop_price: Decimal
    execution: str
    status: str
    order_id: int
    last_size: Decimal
    filled: Decimal
    last_price: Decimal
    at: int
    event_time: int = 0
    original_id: str | None = None
    refusal: str = ""
    fee: Decimal | None = None
    fee_asset: str | None = None
    trade_id: int = -1
    maker: bool = False
    created: int = 0
    trailing: int = 0
    expiry: str | int = ""


class _Holding(msgspec.Struct, gc=False):
    a: str
    f: Decimal
    l: Decimal  # noqa: E741 - the venue's names


class _Position(msgspec.Struct, gc=False):
    """``outboundAccountPosition``."""

    B: list[_Holding]
    u: int = 0
    E: int = 0


decode_order = msgspec.json.Decoder(SpotOrder, strict=False).decode
decode_amended = msgspec.json.Decoder(_Amendment, strict=False).decode
decode_orders = msgspec.json.Decoder(list[SpotOrder], strict=False).decode
decode_trades = msgspec.json.Decoder(list[_Trade], strict=False).decode
decode_account = msgspec.json.Decoder(_Account, strict=False).decode
_execution = msgspec.json.Decoder(_Execution, strict=False).decode
_position = msgspec.json.Decoder(_Position, strict=False).decode


def order_of(one: SpotOrder, symbols: Symbols) -> OrderReport:
    """Say how an order stands; the answer to a cancel names the cancel first, the order after it."""
    post_only = one.type == "LIMIT_MAKER"
    reason = end_reason(one.status, "", one.expiry_reason, post_only=post_only)
    kind = _kind(one.type, trailing=bool(one.trailing_delta))
    return OrderReport(
        ts=max(one.transact_time, one.update_time, one.time) * MS,
        symbol=symbols.ours(one.symbol),
        client_id=one.orig_client_order_id or one.client_order_id,
        venue_id=str(one.order_id),
        status=status_of(one.status, one.orig_qty, one.executed_qty, post_only=post_only, reason=reason),
        side=SIDES[one.side],
        type=kind,
        size=one.orig_qty,
        filled=one.executed_qty,
        limit_price=price_of(one.price),
        stop_price=stop_of(one.stop_price, kind),
        time_in_force=time_in_force(one.time_in_force),
        created_at=one.time * MS,
        reason=reason,
    )


def amended_of(told: _Amendment, symbols: Symbols) -> OrderReport:
    """Say how an order stands that was made smaller."""
    one = told.amended_order
    order = SpotOrder(
        symbol=one.symbol,
        order_id=one.order_id,
        client_order_id=one.client_order_id,
        transact_time=told.transact_time,
        price=one.price,
        orig_qty=one.qty,
        executed_qty=one.executed_qty,
        status=one.status,
        time_in_force=one.time_in_force,
        type=one.type,
        side=one.side,
    )
    return order_of(order, symbols)


def fill_of(one: _Trade, symbols: Symbols, client_id: str = "") -> FillReport:
    """Tell of an execution that a request listed; the venue leaves out the order's client id."""
    return FillReport(
        ts=one.time * MS,
        symbol=symbols.ours(one.symbol),
        client_id=client_id,
        venue_id=str(one.order_id),
        trade_id=str(one.id),
        side=SIDES["BUY" if one.is_buyer else "SELL"],
        size=one.qty,
        price=one.price,
        fee=one.commission,
        fee_asset=one.commission_asset,
        liquidity=Liquidity.MAKER if one.is_maker else Liquidity.TAKER,
    )


def account_of(one: _Account, now: int) -> AccountReport:
    """Tell of all balances; `now` (ns, UTC) is when, the venue only says when they changed last."""
    balances = tuple(BalanceReport(ts=now, asset=b.asset, total=b.free + b.locked, free=b.free) for b in one.balances)
    return AccountReport(ts=now, balances=balances)


def execution_of(data: bytes | msgspec.Raw, symbols: Symbols) -> tuple[FillReport | None, OrderReport]:
    """Read ``executionReport``: the execution, where there is one, and how the order stands."""
    one = _execution(data)
    symbol = symbols.ours(one.symbol)
    # Of a cancel the first name is the cancel's; "null" is what some servers write for none.
    client_id = one.original_id if one.original_id not in {None, "", "null"} else one.client_id
    assert client_id is not None
    post_only = one.type == "LIMIT_MAKER"
    reason = end_reason(one.status, one.refusal, one.expiry, post_only=post_only)
    kind = _kind(one.type, trailing=bool(one.trailing))
    order = OrderReport(
        ts=one.at * MS,
        symbol=symbol,
        client_id=client_id,
        venue_id=str(one.order_id),
        status=status_of(one.status, one.size, one.filled, post_only=post_only, reason=reason),
        side=SIDES[one.side],
        type=kind,
        size=one.size,
        filled=one.filled,
        limit_price=price_of(one.price),
        stop_price=stop_of(one.stop_price, kind),
        time_in_force=time_in_force(one.time_in_force),
        created_at=max(0, one.created) * MS,
        reason=reason,
    )
    if one.execution != "TRADE" or not one.last_size or one.trade_id < 0:
        return None, order
    fill = FillReport(
        ts=one.at * MS,
        symbol=symbol,
        client_id=client_id,
        venue_id=str(one.order_id),
        trade_id=str(one.trade_id),
        side=SIDES[one.side],
        size=one.last_size,
        price=one.last_price,
        fee=one.fee or _ZERO,
        fee_asset=one.fee_asset or "",
        liquidity=Liquidity.MAKER if one.maker else Liquidity.TAKER,
    )
    return fill, order


def position_of(data: bytes | msgspec.Raw) -> AccountReport:
    """Read ``outboundAccountPosition``: the balances that may have changed."""
    one = _position(data)
    ts = (one.u or one.E) * MS
    balances = tuple(BalanceReport(ts=ts, asset=b.a, total=b.f + b.l, free=b.f) for b in one.B)
    return AccountReport(ts=ts, balances=balances, complete=False)


def _kind(word: str, *, trailing: bool) -> OrderType:
    kind = order_type(word, spot=True)
    if not trailing:
        return kind
    return OrderType.TRAILING_STOP_LIMIT if kind is OrderType.STOP_LIMIT else OrderType.TRAILING_STOP
