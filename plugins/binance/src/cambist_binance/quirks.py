"""What is peculiar to Binance, as data: codes, words, times, and which answers leave an outcome open."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cambist.api import VenueTerms
from cambist.model import OrderType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_binance.hosts import Market

__all__ = ["BUSY", "OPEN_OUTCOME", "is_open_outcome", "reason_of", "terms_of"]

_SECOND: Final = 1_000_000_000

#: Codes after which nobody knows whether the venue did what was asked.
OPEN_OUTCOME: Final = frozenset({-1000, -1001, -1006, -1007})
#: Codes that say "later": the request did nothing.
BUSY: Final = frozenset({-1003, -1008, -1015, -1034})

#: Stable words by code; texts decide first, where a code has several meanings.
_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        -1002: "permission",
        -1003: "rate_limit",
        -1008: "overloaded",
        -1013: "filter",
        -1014: "unsupported",
        -1015: "rate_limit",
        -1016: "closed",
        -1020: "unsupported",
        -1021: "clock_skew",
        -1022: "signature",
        -1034: "rate_limit",
        -1100: "parameter",
        -1101: "parameter",
        -1102: "parameter",
        -1103: "parameter",
        -1104: "parameter",
        -1105: "parameter",
        -1106: "parameter",
        -1108: "parameter",
        -1111: "precision",
        -1112: "no_liquidity",
        -1114: "parameter",
        -1115: "time_in_force",
        -1116: "order_type",
        -1117: "parameter",
        -1118: "parameter",
        -1119: "parameter",
        -1121: "unknown_symbol",
        -1125: "listen_key",
        -1127: "parameter",
        -1128: "parameter",
        -1130: "parameter",
        -1131: "parameter",
        **dict.fromkeys((-1158, -1165, -1166, -1167, -1168, -1196, -1197, -1198, -1199), "list_terms"),
        -2010: "rejected",
        -2011: "unknown_order",
        -2013: "unknown_order",
        -2007: "trail",
        -2014: "api_key",
        -2015: "api_key",
        -2018: "insufficient_funds",
        -2019: "insufficient_funds",
        -2020: "no_liquidity",
        -2025: "max_orders",
        -2026: "unknown_order",
        -2027: "max_position",
        -2028: "leverage",
        -2038: "amend_refused",
        -2039: "unknown_order",
        -4003: "size",
        -4004: "size",
        -4005: "size",
        -4001: "price",
        -4002: "price",
        -4013: "price",
        -4014: "price",
        -4015: "client_id",
        -4016: "price_band",
        -4023: "size",
        -4024: "price_band",
        -4028: "leverage",
        -4045: "max_orders",
        -4046: "no_change",
        -4047: "open_orders",
        -4048: "open_position",
        -4049: "margin_not_isolated",
        -4050: "insufficient_funds",
        -4051: "margin_in_use",
        -4054: "no_position",
        -4059: "no_change",
        -4060: "position_side",
        -4061: "position_side",
        -4067: "open_orders",
        -4068: "open_position",
        -4116: "duplicate_client_id",
        -4111: "duplicate_client_id",
        -4120: "order_type",
        -4131: "price_band",
        -4140: "symbol_halted",
        -4141: "symbol_halted",
        -4161: "margin_in_use",
        -4164: "min_notional",
        -4183: "price_band",
        -4184: "price_band",
        -4188: "time_in_force",
        -4192: "countdown",
        -5021: "fill_or_kill",
        -5022: "post_only",
        -5027: "no_change",
        -5028: "late",
    }
)
#: On futures these two are about stops and reduce-only; on spot about cancel-replace.
_FUTURES: Final[Mapping[int, str]] = MappingProxyType({-2021: "would_trigger", -2022: "reduce_only"})

#: Stable words by what a text holds, in lower case; the first that fits.
_TEXTS: Final = (
    ("duplicate order", "duplicate_client_id"),
    ("clientorderid is duplicated", "duplicate_client_id"),
    ("unknown order", "unknown_order"),
    ("order does not exist", "unknown_order"),
    ("insufficient balance", "insufficient_funds"),
    ("insufficient margin", "insufficient_funds"),
    ("would immediately match", "post_only"),
    ("would trigger immediately", "would_trigger"),
    ("would immediately trigger", "would_trigger"),
    ("relationship of the prices", "list_terms"),
    ("market is closed", "symbol_halted"),
    ("trading is disabled", "symbol_halted"),
    ("this symbol is not permitted", "permission"),
    ("this action is disabled on this account", "permission"),
    ("lot_size", "size"),
    ("price_filter", "price"),
    ("percent_price", "price_band"),
    ("min_notional", "min_notional"),
    ("notional", "min_notional"),
    ("max_num", "max_orders"),
    ("max_position", "max_position"),
    ("trailing_delta", "trail"),
    ("iceberg", "size"),
    ("order type not supported", "order_type"),
    ("is not supported for this symbol", "order_type"),
)
#: Codes whose text says more.
_BROAD: Final = frozenset({-1013, -2010, -2011, -2021, -2022})


def reason_of(code: int, text: str, market: Market) -> str:
    """Return the stable word for a refusal; ``"code_..."`` for one that nobody has met yet."""
    if code in _BROAD:
        lowered = text.lower()
        for part, reason in _TEXTS:
            if part in lowered:
                return reason
        if market.futures and code in _FUTURES:
            return _FUTURES[code]
    return _REASONS.get(code) or f"code_{abs(code)}"


def is_open_outcome(status: int, code: int) -> bool:
    """Whether an error answer leaves open what became of the request.

    Every server's error does. With some of them the venue says that it did nothing (-1008, and on futures a 503 of
    "Service Unavailable"); to ask how the order stands costs seconds, to believe it wrongly costs an order.
    """
    return code in OPEN_OUTCOME or status >= 500 or status == 408


_NATIVE: Final = frozenset(
    {
        OrderType.MARKET,
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
    }
)


def terms_of(market: Market) -> VenueTerms:
    """Return what an order manager must know of a market.

    Trailing stops and groups stay with the order manager unless a run asks for the venue's own, see
    `cambist_binance.order_lists`. An amendment on spot can only make an order smaller; all else there is a cancel and a
    new order.
    """
    return VenueTerms(
        native=_NATIVE,
        amends="all" if market.futures else "smaller",
        ack_accepts=True,
        id_length=36,
        settling=3 * _SECOND,
        confirm_within=5 * _SECOND,
        fills_within=10 * _SECOND,
        marks=market.futures,
    )
