"""USD-M and COIN-M: orders, conditional orders, executions, balances, positions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.model import (
    AccountReport,
    BalanceReport,
    FillReport,
    Liquidity,
    MarginReport,
    OrderReport,
    PositionReport,
    ReportedStatus,
)
from cambist_binance.wire.words import (
    MS,
    SIDES,
    end_reason,
    order_type,
    position_side,
    price_of,
    status_of,
    stop_of,
    system_of,
    time_in_force,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist_ccxt.symbols import Symbols

__all__ = [
    "AlgoOrder",
    "FuturesOrder",
    "account_of",
    "account_update_of",
    "algo_of",
    "algo_update_of",
    "decode_algo",
    "decode_algos",
    "decode_balances",
    "decode_order",
    "decode_orders",
    "decode_positions",
    "decode_settings",
    "decode_trades",
    "fill_of",
    "leverage_of",
    "order_of",
    "trade_update_of",
]

_ZERO = Decimal(0)
_S = ReportedStatus


class FuturesOrder(msgspec.Struct, rename="camel", gc=False):
    """An order in answer to a request, whichever."""

    symbol: str
    order_id: int
    client_order_id: str = ""
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
    reduce_only: bool = False
    position_side: str = "BOTH"


class AlgoOrder(msgspec.Struct, rename="camel", gc=False):
    """A conditional order in answer to a request."""

    algo_id: int
    client_algo_id: str = ""
    symbol: str = ""
    order_type: str = "STOP_MARKET"
    side: str = "BUY"
    position_side: str = "BOTH"
    time_in_force: str = "GTC"
    quantity: Decimal = _ZERO
    algo_status: str = "NEW"
    trigger_price: Decimal = _ZERO
    price: Decimal = _ZERO
    reduce_only: bool = False
    close_position: bool = False
    create_time: int = 0
    update_time: int = 0
    actual_order_id: str = ""


class _Trade(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    id: int
    order_id: int
    side: str
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    maker: bool
    position_side: str = "BOTH"
    realized_pnl: Decimal | None = None


class _Balance(msgspec.Struct, rename="camel", gc=False):
    asset: str
    balance: Decimal = _ZERO
    available_balance: Decimal | None = None
    update_time: int = 0


class _Position(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    position_amt: Decimal
    entry_price: Decimal = _ZERO
    position_side: str = "BOTH"
    leverage: Decimal | None = None
    margin_type: str = ""
    isolated_margin: Decimal = _ZERO
    liquidation_price: Decimal = _ZERO
    update_time: int = 0


_STATE_NAMES = {
    "symbol": "s",
    "client_id": "c",
    "side": "S",
    "type": "o",
    "original_type": "ot",
    "time_in_force": "f",
    "size": "q",
    "price": "p",
    "stop_price": "sp",
    "execution": "x",
    "status": "X",
    "order_id": "i",
    "last_size": "l",
    "filled": "z",
    "last_price": "L",
    "fee": "n",
    "fee_asset": "N",
    "at": "T",
    "trade_id": "t",
    "maker": "m",
    "reduce_only": "R",
    "position_side": "ps",
    "expiry": "er",
    "profit": "rp",
}


class _State(msgspec.Struct, rename=_STATE_NAMES, gc=False):
    symbol: str
    client_id: str
    side: str
    type: str
    time_in_force: str
    size: Decimal
    price: Decimal
    execution: str
    status: str
    order_id: int
    filled: Decimal
    at: int
    stop_price: Decimal = _ZERO
    last_size: Decimal = _ZERO
    last_price: Decimal = _ZERO
    original_type: str = ""
    fee: Decimal | None = None
    fee_asset: str | None = None
    trade_id: int = 0
    maker: bool = False
    reduce_only: bool = False
    position_side: str = "BOTH"
    expiry: str | int = ""
    profit: Decimal | None = None


class _TradeUpdate(msgspec.Struct, gc=False):
    """``ORDER_TRADE_UPDATE``."""

    o: _State


_ALGO_NAMES = {
    "client_id": "caid",
    "algo_id": "aid",
    "type": "o",
    "symbol": "s",
    "side": "S",
    "position_side": "ps",
    "time_in_force": "f",
    "size": "q",
    "status": "X",
    "child_id": "ai",
    "filled": "aq",
    "trigger_price": "tp",
    "price": "p",
    "reduce_only": "R",
    "reason": "rm",
}


class _AlgoState(msgspec.Struct, rename=_ALGO_NAMES, gc=False):
    client_id: str
    algo_id: int
    type: str
    symbol: str
    side: str
    status: str
    size: Decimal = _ZERO
    position_side: str = "BOTH"
    time_in_force: str = "GTC"
    child_id: str = ""
    filled: Decimal = _ZERO
    trigger_price: Decimal = _ZERO
    price: Decimal = _ZERO
    reduce_only: bool = False
    reason: str = ""


class _AlgoUpdate(msgspec.Struct, gc=False):
    """``ALGO_UPDATE``."""

    o: _AlgoState
    T: int = 0
    E: int = 0


class _Wallet(msgspec.Struct, gc=False):
    a: str
    wb: Decimal
    bc: Decimal | None = None


class _Held(msgspec.Struct, gc=False):
    s: str
    pa: Decimal
    ep: Decimal = _ZERO
    ps: str = "BOTH"
    mt: str = ""


class _Change(msgspec.Struct, gc=False):
    B: list[_Wallet] = []
    P: list[_Held] = []
    m: str = ""


class _AccountUpdate(msgspec.Struct, gc=False):
    """``ACCOUNT_UPDATE``."""

    a: _Change
    T: int = 0
    E: int = 0


class _Setting(msgspec.Struct, rename="camel", gc=False):
    """A row of ``symbolConfig``."""

    symbol: str
    leverage: int
    margin_type: str = "CROSSED"


class _Leverage(msgspec.Struct, gc=False):
    s: str
    l: int  # noqa: E741 - the venue's names


class _Config(msgspec.Struct, gc=False):
    """``ACCOUNT_CONFIG_UPDATE``."""

    ac: _Leverage | None = None


decode_order = msgspec.json.Decoder(FuturesOrder, strict=False).decode
decode_orders = msgspec.json.Decoder(list[FuturesOrder], strict=False).decode
decode_algo = msgspec.json.Decoder(AlgoOrder, strict=False).decode
decode_algos = msgspec.json.Decoder(list[AlgoOrder], strict=False).decode
decode_trades = msgspec.json.Decoder(list[_Trade], strict=False).decode
decode_balances = msgspec.json.Decoder(list[_Balance], strict=False).decode
decode_settings = msgspec.json.Decoder(list[_Setting], strict=False).decode
decode_positions = msgspec.json.Decoder(list[_Position], strict=False).decode
_trade_update = msgspec.json.Decoder(_TradeUpdate, strict=False).decode
_algo_update = msgspec.json.Decoder(_AlgoUpdate, strict=False).decode
_config = msgspec.json.Decoder(_Config, strict=False).decode
_account_update = msgspec.json.Decoder(_AccountUpdate, strict=False).decode


def leverage_of(data: bytes | msgspec.Raw) -> tuple[str, int] | None:
    """Read ``ACCOUNT_CONFIG_UPDATE``: a symbol and its leverage; None where it is about something else."""
    told = _config(data).ac
    return None if told is None else (told.s, told.l)


def algo_venue_id(number: int) -> str:
    """Return the name of a conditional order: the venue counts them apart from others."""
    return f"algo:{number}"


def order_of(one: FuturesOrder, symbols: Symbols) -> OrderReport:
    """Say how an order stands."""
    post_only = one.time_in_force == "GTX"
    reason = end_reason(one.status, "", "", post_only=post_only)
    kind = order_type(one.type, spot=False)
    return OrderReport(
        ts=max(one.update_time, one.time) * MS,
        symbol=symbols.ours(one.symbol),
        client_id=one.client_order_id,
        venue_id=str(one.order_id),
        status=status_of(one.status, one.orig_qty, one.executed_qty, post_only=post_only, reason=reason),
        side=SIDES[one.side],
        type=kind,
        size=one.orig_qty,
        filled=one.executed_qty,
        limit_price=price_of(one.price),
        stop_price=stop_of(one.stop_price, kind),
        time_in_force=time_in_force(one.time_in_force),
        reduce_only=one.reduce_only,
        position_side=position_side(one.position_side),
        created_at=one.time * MS,
        reason=reason,
        system=system_of(one.client_order_id),
    )


def algo_of(one: AlgoOrder, symbols: Symbols, child: FuturesOrder | None = None) -> OrderReport:
    """Say how a conditional order stands, with the order that works in its place, where there is one."""
    filled = child.executed_qty if child is not None else _ZERO
    size = one.quantity or (child.orig_qty if child is not None else _ZERO)
    if child is not None:
        post_only = child.time_in_force == "GTX"
        reason = end_reason(child.status, "", "", post_only=post_only)
        status = status_of(child.status, child.orig_qty, filled, post_only=post_only, reason=reason)
        status = _S.TRIGGERED if status is _S.OPEN else status
    else:
        reason = ""
        status = _algo_status(one.algo_status, one.quantity, filled)
    kind = order_type(one.order_type, spot=False)
    return OrderReport(
        ts=max(one.update_time, one.create_time, child.update_time if child is not None else 0) * MS,
        symbol=symbols.ours(one.symbol),
        client_id=one.client_algo_id,
        venue_id=algo_venue_id(one.algo_id),
        status=status,
        side=SIDES[one.side],
        type=kind,
        size=size,
        filled=filled,
        limit_price=price_of(one.price),
        stop_price=stop_of(one.trigger_price, kind),
        time_in_force=time_in_force(one.time_in_force),
        reduce_only=one.reduce_only or one.close_position,
        position_side=position_side(one.position_side),
        created_at=one.create_time * MS,
        reason=reason,
    )


def _algo_status(word: str, size: Decimal, filled: Decimal) -> ReportedStatus:
    if word == "FINISHED":
        return _S.FILLED if size and filled >= size else _S.CANCELED
    return status_of(word, size, filled, post_only=False, reason="")


def fill_of(one: _Trade, symbols: Symbols, client_id: str = "") -> FillReport:
    """Tell of an execution that a request listed; the venue leaves out the order's client id."""
    return FillReport(
        ts=one.time * MS,
        symbol=symbols.ours(one.symbol),
        client_id=client_id,
        venue_id=str(one.order_id),
        trade_id=str(one.id),
        side=SIDES[one.side],
        size=one.qty,
        price=one.price,
        fee=one.commission,
        fee_asset=one.commission_asset,
        liquidity=Liquidity.MAKER if one.maker else Liquidity.TAKER,
        position_side=position_side(one.position_side),
        profit=one.realized_pnl,
    )


def account_of(
    balances: Sequence[_Balance],
    positions: Sequence[_Position],
    symbols: Symbols,
    now: int,
    *,
    settings: Sequence[_Setting] = (),
    hedged: bool | None = None,
) -> AccountReport:
    """Tell of balances, positions and how instruments are traded on margin; `now` (ns, UTC) is when.

    Parameters
    ----------
    settings
        Leverage and margin type by symbol, where the venue does not tell them with positions.
    hedged
        Whether the account has positions on both sides of an instrument; None where nobody asked.
    """
    margins = {
        one.symbol: (one.leverage, one.margin_type == "isolated") for one in positions if one.leverage is not None
    } | {one.symbol: (Decimal(one.leverage), one.margin_type == "ISOLATED") for one in settings}
    return AccountReport(
        ts=now,
        balances=tuple(
            BalanceReport(ts=now, asset=one.asset, total=one.balance, free=one.available_balance) for one in balances
        ),
        positions=tuple(
            PositionReport(
                ts=now,
                symbol=symbols.ours(one.symbol),
                size=one.position_amt,
                entry_price=one.entry_price,
                position_side=position_side(one.position_side),
                leverage=one.leverage,
                isolated=one.margin_type == "isolated" if one.margin_type else bool(one.isolated_margin),
                liquidation_price=price_of(one.liquidation_price),
            )
            for one in positions
            if one.position_amt
        ),
        hedged=hedged,
        margins=tuple(
            MarginReport(ts=now, symbol=symbols.ours(symbol), leverage=leverage, isolated=isolated)
            for symbol, (leverage, isolated) in margins.items()
        ),
    )


def trade_update_of(data: bytes | msgspec.Raw, symbols: Symbols) -> tuple[FillReport | None, OrderReport]:
    """Read ``ORDER_TRADE_UPDATE``: the execution, where there is one, and how the order stands."""
    one = _trade_update(data).o
    symbol, system = symbols.ours(one.symbol), system_of(one.client_id)
    post_only = one.time_in_force == "GTX"
    reason = end_reason(one.status, "", one.expiry, post_only=post_only)
    side = position_side(one.position_side)
    kind = order_type(one.type, spot=False)
    order = OrderReport(
        ts=one.at * MS,
        symbol=symbol,
        client_id=one.client_id,
        venue_id=str(one.order_id),
        status=status_of(one.status, one.size, one.filled, post_only=post_only, reason=reason),
        side=SIDES[one.side],
        type=kind,
        size=one.size,
        filled=one.filled,
        limit_price=price_of(one.price),
        stop_price=stop_of(one.stop_price, kind),
        time_in_force=time_in_force(one.time_in_force),
        reduce_only=one.reduce_only,
        position_side=side,
        reason=reason,
        system=system,
    )
    if not one.last_size or one.trade_id <= 0 or one.execution not in {"TRADE", "CALCULATED"}:
        return None, order
    fill = FillReport(
        ts=one.at * MS,
        symbol=symbol,
        client_id=one.client_id,
        venue_id=str(one.order_id),
        trade_id=str(one.trade_id),
        side=SIDES[one.side],
        size=one.last_size,
        price=one.last_price,
        fee=one.fee or _ZERO,
        fee_asset=one.fee_asset or "",
        liquidity=Liquidity.MAKER if one.maker else Liquidity.TAKER,
        position_side=side,
        system=system,
        profit=one.profit,
    )
    return fill, order


def algo_update_of(data: bytes | msgspec.Raw, symbols: Symbols) -> tuple[OrderReport, str]:
    """Read ``ALGO_UPDATE``: how a conditional order stands, and the number of the order in its place, or ``""``."""
    update = _algo_update(data)
    one = update.o
    kind = order_type(one.type, spot=False)
    report = OrderReport(
        ts=(update.T or update.E) * MS,
        symbol=symbols.ours(one.symbol),
        client_id=one.client_id,
        venue_id=algo_venue_id(one.algo_id),
        status=_algo_status(one.status, one.size, one.filled),
        side=SIDES[one.side],
        type=kind,
        size=one.size,
        filled=one.filled,
        limit_price=price_of(one.price),
        stop_price=stop_of(one.trigger_price, kind),
        time_in_force=time_in_force(one.time_in_force),
        reduce_only=one.reduce_only,
        position_side=position_side(one.position_side),
        reason=one.reason if one.status in {"REJECTED", "EXPIRED"} else "",
    )
    return report, one.child_id


def account_update_of(data: bytes | msgspec.Raw, symbols: Symbols) -> AccountReport:
    """Read ``ACCOUNT_UPDATE``: balances and positions that have changed."""
    update = _account_update(data)
    ts = (update.T or update.E) * MS
    return AccountReport(
        ts=ts,
        balances=tuple(BalanceReport(ts=ts, asset=one.a, total=one.wb, change=one.bc) for one in update.a.B),
        positions=tuple(
            PositionReport(
                ts=ts,
                symbol=symbols.ours(one.s),
                size=one.pa,
                entry_price=one.ep,
                position_side=position_side(one.ps),
                isolated=one.mt == "isolated" if one.mt else None,
            )
            for one in update.a.P
        ),
        complete=False,
        reason=update.a.m.lower(),
    )
