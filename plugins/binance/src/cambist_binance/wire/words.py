"""The venue's words, and ours."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cambist.model import OrderType, ReportedStatus, Side, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

__all__ = [
    "MS",
    "SIDES",
    "TYPES",
    "end_reason",
    "position_side",
    "price_of",
    "status_of",
    "stop_of",
    "system_of",
    "time_in_force",
]

MS: Final = 1_000_000
SIDES: Final[Mapping[str, Side]] = MappingProxyType({"BUY": Side.BUY, "SELL": Side.SELL})

_T = OrderType
#: Of spot and futures; ``STOP`` and ``TAKE_PROFIT`` with a limit price on futures, without one on spot.
TYPES: Final[Mapping[str, OrderType]] = MappingProxyType(
    {
        "LIMIT": _T.LIMIT,
        "LIMIT_MAKER": _T.LIMIT,
        "MARKET": _T.MARKET,
        "STOP_LOSS": _T.STOP,
        "STOP_LOSS_LIMIT": _T.STOP_LIMIT,
        "TAKE_PROFIT_LIMIT": _T.LIMIT_IF_TOUCHED,
        "STOP_MARKET": _T.STOP,
        "STOP": _T.STOP_LIMIT,
        "TAKE_PROFIT_MARKET": _T.MARKET_IF_TOUCHED,
        "TRAILING_STOP_MARKET": _T.TRAILING_STOP,
        "LIQUIDATION": _T.MARKET,
    }
)
_TRAILING: Final = frozenset({_T.TRAILING_STOP, _T.TRAILING_STOP_LIMIT})

_S = ReportedStatus
_STATES: Final[Mapping[str, ReportedStatus]] = MappingProxyType(
    {
        "NEW": _S.OPEN,
        "PENDING_NEW": _S.OPEN,
        "PARTIALLY_FILLED": _S.OPEN,
        "PENDING_CANCEL": _S.OPEN,
        "FILLED": _S.FILLED,
        "CANCELED": _S.CANCELED,
        "REJECTED": _S.REJECTED,
        "EXPIRED": _S.EXPIRED,
        "EXPIRED_IN_MATCH": _S.EXPIRED,
        # Of conditional orders.
        "TRIGGERING": _S.OPEN,
        "TRIGGERED": _S.TRIGGERED,
    }
)
#: Why an order expired, as numbers on futures.
_EXPIRY: Final = MappingProxyType(
    {
        "1": "self_trade",
        "2": "unfilled",
        "3": "reduce_only",
        "4": "liquidation",
        "5": "post_only",
        "6": "fill_or_kill",
        "7": "insufficient_funds",
        "8": "price_band",
    }
)
#: Why the matching engine refused an order, on spot.
_REFUSALS: Final = MappingProxyType(
    {
        "INSUFFICIENT_BALANCES": "insufficient_funds",
        "INSUFFICIENT_BALANCE": "insufficient_funds",
        "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY": "would_trigger",
        "WOULD_MATCH_IMMEDIATELY": "post_only",
        "OCO_BAD_PRICES": "price",
    }
)


def order_type(word: str, *, spot: bool) -> OrderType:
    """Return what makes an order trade; one that nobody knows is a limit order."""
    if word == "TAKE_PROFIT":
        return _T.MARKET_IF_TOUCHED if spot else _T.LIMIT_IF_TOUCHED
    return TYPES.get(word, _T.LIMIT)


def status_of(word: str, size: Decimal, filled: Decimal, *, post_only: bool, reason: str) -> ReportedStatus:
    """Return where an order stands.

    A post-only order that expired unfilled was refused, whatever the venue calls it; one that was refused with
    something filled was canceled. States that nobody knows (liquidations have some) are judged by what was filled.
    """
    status = _STATES.get(word)
    if status is None:
        return _S.FILLED if size and filled >= size else _S.OPEN
    if status is _S.EXPIRED and not filled and (reason == "post_only" or (post_only and word == "EXPIRED")):
        return _S.REJECTED
    if status is _S.REJECTED and filled:
        return _S.CANCELED
    return status


def end_reason(word: str, refusal: str, expiry: str | int, *, post_only: bool) -> str:
    """Return why an order ended, in a stable word where there is one."""
    if word == "EXPIRED_IN_MATCH":
        return "self_trade"
    if refusal and refusal not in {"NONE", ""}:
        return _REFUSALS.get(refusal, refusal.lower())
    text = str(expiry)
    if text not in {"", "0"}:
        return _EXPIRY.get(text, text.lower())
    return "post_only" if word == "EXPIRED" and post_only else ""


def time_in_force(word: str) -> TimeInForce:
    """Return how long an order works; the venue's post-only orders work until canceled."""
    return _TIMES.get(word, TimeInForce.GTC)


_TIMES: Final = MappingProxyType({"IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTD": TimeInForce.GTD})


def position_side(word: str) -> str:
    """Return ``"long"`` or ``"short"``; ``""`` where there is one position."""
    return {"LONG": "long", "SHORT": "short"}.get(word, "")


def price_of(value: Decimal) -> Decimal | None:
    """Return a price; the venue writes 0 for none."""
    return value or None


def stop_of(value: Decimal, kind: OrderType) -> Decimal | None:
    """Return where a conditional order is set off; None for none, and of one that trails.

    Of those the venue tells where they begin to follow, or a number that is to be ignored, and never where the stop is.
    """
    return None if kind in _TRAILING else price_of(value)


def system_of(client_id: str) -> str:
    """Return what kind of order the venue itself made; ``""`` for somebody's."""
    if client_id.startswith("adl_autoclose"):
        return "adl"
    if client_id.startswith("autoclose-"):
        return "liquidation"
    if client_id.startswith(("settlement_autoclose-", "delivery_autoclose-")):
        return "settlement"
    return ""
