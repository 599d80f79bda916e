"""Binance's words for sides, types and states, and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cambist.model import OrderType, Side, TimeInForce
from cambist.simulation import SelfTrade
from cambist_simulator.exchange.orders import ExecutionType, PriceSource, Status

if TYPE_CHECKING:
    from cambist_simulator.exchange.orders import OrderTerms, VenueOrder

__all__ = [
    "ALGO_STATES",
    "EXECUTIONS",
    "FUTURES_TYPES",
    "INTERVALS",
    "LIST_STATES",
    "POSITION_SIDES",
    "SELF_TRADE",
    "SELF_TRADE_WORDS",
    "SIDES",
    "SIDE_WORDS",
    "SPOT_TYPES",
    "STATES",
    "TIMES_IN_FORCE",
    "TIME_WORDS",
    "TRIGGERS",
    "TRIGGER_WORDS",
    "expiry_reason",
    "futures_time_in_force",
    "futures_type",
    "position_side",
    "spot_type",
]

_T = OrderType

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS: Final = {side: word for word, side in SIDES.items()}

TIMES_IN_FORCE: Final = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
TIME_WORDS: Final = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTD: "GTD",
    TimeInForce.DAY: "GTC",
}

#: Types of spot orders: ours, whether it must be a maker.
SPOT_TYPES: Final = {
    "LIMIT": _T.LIMIT,
    "LIMIT_MAKER": _T.LIMIT,
    "MARKET": _T.MARKET,
    "STOP_LOSS": _T.STOP,
    "STOP_LOSS_LIMIT": _T.STOP_LIMIT,
    "TAKE_PROFIT": _T.MARKET_IF_TOUCHED,
    "TAKE_PROFIT_LIMIT": _T.LIMIT_IF_TOUCHED,
}
_SPOT_WORDS: Final = {
    _T.LIMIT: "LIMIT",
    _T.MARKET: "MARKET",
    _T.STOP: "STOP_LOSS",
    _T.STOP_LIMIT: "STOP_LOSS_LIMIT",
    _T.MARKET_IF_TOUCHED: "TAKE_PROFIT",
    _T.LIMIT_IF_TOUCHED: "TAKE_PROFIT_LIMIT",
    _T.TRAILING_STOP: "STOP_LOSS",
    _T.TRAILING_STOP_LIMIT: "STOP_LOSS_LIMIT",
}

FUTURES_TYPES: Final = {
    "LIMIT": _T.LIMIT,
    "MARKET": _T.MARKET,
    "STOP": _T.STOP_LIMIT,
    "STOP_MARKET": _T.STOP,
    "TAKE_PROFIT": _T.LIMIT_IF_TOUCHED,
    "TAKE_PROFIT_MARKET": _T.MARKET_IF_TOUCHED,
    "TRAILING_STOP_MARKET": _T.TRAILING_STOP,
}
_FUTURES_WORDS: Final = {kind: word for word, kind in FUTURES_TYPES.items()} | {
    _T.TRAILING_STOP_LIMIT: "TRAILING_STOP_MARKET"
}

STATES: Final = {
    Status.PENDING: "PENDING_NEW",
    Status.NEW: "NEW",
    Status.TRIGGERED: "NEW",
    Status.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELED",
    Status.REJECTED: "REJECTED",
    Status.EXPIRED: "EXPIRED",
    Status.EXPIRED_IN_MATCH: "EXPIRED_IN_MATCH",
}
#: States of a conditional order of the algo service.
ALGO_STATES: Final = {
    Status.PENDING: "NEW",
    Status.NEW: "NEW",
    Status.TRIGGERED: "TRIGGERED",
    Status.PARTIALLY_FILLED: "TRIGGERED",
    Status.FILLED: "FINISHED",
    Status.CANCELED: "CANCELED",
    Status.REJECTED: "REJECTED",
    Status.EXPIRED: "EXPIRED",
    Status.EXPIRED_IN_MATCH: "EXPIRED",
}
EXECUTIONS: Final = {
    ExecutionType.NEW: "NEW",
    ExecutionType.TRADE: "TRADE",
    ExecutionType.CANCELED: "CANCELED",
    ExecutionType.REPLACED: "REPLACED",
    ExecutionType.REJECTED: "REJECTED",
    ExecutionType.EXPIRED: "EXPIRED",
    ExecutionType.TRIGGERED: "NEW",
    ExecutionType.TRADE_PREVENTION: "TRADE_PREVENTION",
    ExecutionType.CALCULATED: "CALCULATED",
}

#: ``(listStatusType, listOrderStatus)``.
LIST_STATES: Final = {
    "response": ("RESPONSE", "REJECT"),
    "exec_started": ("EXEC_STARTED", "EXECUTING"),
    "updated": ("UPDATED", "EXECUTING"),
    "all_done": ("ALL_DONE", "ALL_DONE"),
}

SELF_TRADE: Final = {
    "NONE": SelfTrade.ALLOW,
    "EXPIRE_TAKER": SelfTrade.CANCEL_NEWEST,
    "EXPIRE_MAKER": SelfTrade.CANCEL_OLDEST,
    "EXPIRE_BOTH": SelfTrade.CANCEL_BOTH,
    "DECREMENT": SelfTrade.DECREMENT,
}
SELF_TRADE_WORDS: Final = {mode: word for word, mode in SELF_TRADE.items()}

TRIGGERS: Final = {"CONTRACT_PRICE": PriceSource.LAST, "MARK_PRICE": PriceSource.MARK}
TRIGGER_WORDS: Final = {source: word for word, source in TRIGGERS.items()}

POSITION_SIDES: Final = {"BOTH": "", "LONG": "long", "SHORT": "short"}

_S = 1_000_000_000
#: Lengths of klines in ns; a month has no fixed one.
INTERVALS: Final = {
    "1s": _S,
    "1m": 60 * _S,
    "3m": 180 * _S,
    "5m": 300 * _S,
    "15m": 900 * _S,
    "30m": 1800 * _S,
    "1h": 3600 * _S,
    "2h": 7200 * _S,
    "4h": 14_400 * _S,
    "6h": 21_600 * _S,
    "8h": 28_800 * _S,
    "12h": 43_200 * _S,
    "1d": 86_400 * _S,
    "3d": 259_200 * _S,
    "1w": 604_800 * _S,
    "1M": 0,
}


def position_side(side: str) -> str:
    """Return ``LONG``, ``SHORT`` or ``BOTH``."""
    return side.upper() or "BOTH"


def spot_type(terms: OrderTerms) -> str:
    """Return the type of a spot order."""
    return "LIMIT_MAKER" if terms.post_only and terms.type is _T.LIMIT else _SPOT_WORDS[terms.type]


def futures_type(kind: OrderType) -> str:
    """Return the type of a futures order."""
    return _FUTURES_WORDS[kind]


def futures_time_in_force(terms: OrderTerms) -> str:
    """Return ``GTX`` for post-only, else the usual word."""
    return "GTX" if terms.post_only else TIME_WORDS[terms.time_in_force]


def expiry_reason(order: VenueOrder) -> str:
    """Return why a spot order expired."""
    return {
        "unfilled": "INSUFFICIENT_LIQUIDITY",
        "self_trade": "SELF_TRADE_PREVENTION",
        "insufficient_funds": "INSUFFICIENT_BALANCE",
        "post_only": "POST_ONLY_WOULD_TAKE",
        "maintenance": "EXCHANGE_CANCELED",
        "liquidation": "EXCHANGE_CANCELED",
    }.get(order.reason, "EXCHANGE_CANCELED")
