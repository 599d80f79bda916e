"""From an order as it is to be sent to the venue's parameters."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cambist.model import OrderType, TimeInForce

if TYPE_CHECKING:
    from cambist.api import OrderKey, OrderRequest
    from cambist.model import Order
    from cambist_binance.config import BinanceSettings
    from cambist_binance.hosts import Market

__all__ = [
    "ALGO_PREFIX",
    "LIMITED",
    "SPOT_TYPES",
    "TIMES",
    "amend_params",
    "is_conditional",
    "key_params",
    "place_params",
    "plain",
    "trail_share",
]

#: Of the names of conditional orders on futures, which the venue counts apart.
ALGO_PREFIX: Final = "algo:"
_T = OrderType
SPOT_TYPES: Final = {
    _T.MARKET: "MARKET",
    _T.LIMIT: "LIMIT",
    _T.STOP: "STOP_LOSS",
    _T.STOP_LIMIT: "STOP_LOSS_LIMIT",
    _T.MARKET_IF_TOUCHED: "TAKE_PROFIT",
    _T.LIMIT_IF_TOUCHED: "TAKE_PROFIT_LIMIT",
    _T.TRAILING_STOP: "STOP_LOSS",
}
_FUTURES_TYPES: Final = {
    _T.MARKET: "MARKET",
    _T.LIMIT: "LIMIT",
    _T.STOP: "STOP_MARKET",
    _T.STOP_LIMIT: "STOP",
    _T.MARKET_IF_TOUCHED: "TAKE_PROFIT_MARKET",
    _T.LIMIT_IF_TOUCHED: "TAKE_PROFIT",
    _T.TRAILING_STOP: "TRAILING_STOP_MARKET",
}
LIMITED: Final = frozenset({_T.LIMIT, _T.STOP_LIMIT, _T.LIMIT_IF_TOUCHED})
#: What the venue can do itself; the rest works until it is canceled from here.
TIMES: Final = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_MS: Final = 1_000_000
#: A date to work until must be further off than this, ms.
_LEAST_LIFE: Final = 610_000
_BASIS_POINTS: Final = 10_000


def is_conditional(request: OrderRequest, market: Market) -> bool:
    """Whether an order belongs to the service of conditional orders."""
    return market.futures and request.type not in {_T.MARKET, _T.LIMIT}


def place_params(
    request: OrderRequest, name: str, market: Market, settings: BinanceSettings, *, hedged: bool, now_ms: int
) -> dict[str, Any]:
    """Return the parameters of a new order.

    Parameters
    ----------
    name
        The venue's of the instrument.
    hedged
        Whether the account has positions on both sides.
    now_ms
        The venue's time.
    """
    build = _futures if market.futures else _spot
    params = build(request, name, settings)
    order = request.order
    if market.futures:
        _futures_flags(params, request, hedged=hedged)
        if params.get("timeInForce") == "GTC" and order.time_in_force is TimeInForce.GTD:
            until = order.expires_at // _MS
            if until > now_ms + _LEAST_LIFE:
                params |= {"timeInForce": "GTD", "goodTillDate": until}
    if settings.self_trade_prevention:
        params["selfTradePreventionMode"] = settings.self_trade_prevention
    return params


def _spot(request: OrderRequest, name: str, _settings: BinanceSettings) -> dict[str, Any]:
    order = request.order
    kind = SPOT_TYPES[request.type]
    instructions = order.instructions
    post_only = instructions is not None and instructions.post_only and request.type is _T.LIMIT
    params: dict[str, Any] = {
        "symbol": name,
        "side": "BUY" if order.is_buy else "SELL",
        "type": "LIMIT_MAKER" if post_only else kind,
        "quantity": plain(request.size),
        "newClientOrderId": request.client_id,
        "newOrderRespType": "RESULT",
    }
    if request.type in LIMITED:
        assert request.limit_price is not None
        params["price"] = plain(request.limit_price)
        if not post_only:
            params["timeInForce"] = TIMES.get(order.time_in_force, "GTC")
    if request.type is _T.TRAILING_STOP:
        params["trailingDelta"] = int(trail_share(order) * _BASIS_POINTS)
    elif request.stop_price is not None and request.type not in {_T.MARKET, _T.LIMIT}:
        params["stopPrice"] = plain(request.stop_price)
    if instructions is not None and instructions.display_size and params.get("timeInForce", "GTC") == "GTC":
        params["icebergQty"] = plain(order.instrument.size_to_decimal(instructions.display_size))
    return params


def _futures(request: OrderRequest, name: str, settings: BinanceSettings) -> dict[str, Any]:
    order = request.order
    instructions = order.instructions
    params: dict[str, Any] = {
        "symbol": name,
        "side": "BUY" if order.is_buy else "SELL",
        "type": _FUTURES_TYPES[request.type],
        "quantity": plain(request.size),
    }
    if request.type in LIMITED:
        assert request.limit_price is not None
        post_only = instructions is not None and instructions.post_only
        params["price"] = plain(request.limit_price)
        params["timeInForce"] = "GTX" if post_only else TIMES.get(order.time_in_force, "GTC")
    if request.type in {_T.MARKET, _T.LIMIT}:
        params |= {"newClientOrderId": request.client_id, "newOrderRespType": "RESULT"}
        return params
    params |= {
        "algoType": "CONDITIONAL",
        "clientAlgoId": request.client_id,
        "workingType": settings.working_type,
    }
    if request.type is _T.TRAILING_STOP:
        return params | {"callbackRate": plain((trail_share(order) * 100).normalize())}
    assert request.stop_price is not None
    return params | {"triggerPrice": plain(request.stop_price)}


def _futures_flags(params: dict[str, Any], request: OrderRequest, *, hedged: bool) -> None:
    """Say which position is meant: in hedge mode by its side, which takes the place of reduce-only."""
    order = request.order
    if hedged:
        side = order.position_side
        if side is not None:
            params["positionSide"] = side.upper()
        else:
            opens = order.is_buy != order.reduce_only
            params["positionSide"] = "LONG" if opens else "SHORT"
    elif order.reduce_only:
        params["reduceOnly"] = "true"


def amend_params(request: OrderRequest, key: OrderKey, name: str) -> dict[str, Any]:
    """Return the parameters of an amendment: the venue wants side, size and price, changed or not."""
    assert request.limit_price is not None
    return key_params(key, name) | {
        "side": "BUY" if request.order.is_buy else "SELL",
        "quantity": plain(request.size),
        "price": plain(request.limit_price),
    }


def key_params(key: OrderKey, name: str, *, conditional: bool = False) -> dict[str, Any]:
    """Return what names an order: our name, else the venue's."""
    ours, theirs = ("clientAlgoId", "algoId") if conditional else ("origClientOrderId", "orderId")
    named = {} if conditional else {"symbol": name}
    if key.client_id:
        return named | {ours: key.client_id}
    return named | {theirs: int(key.venue_id.removeprefix(ALGO_PREFIX))}


def trail_share(order: Order) -> Decimal:
    """Return how far behind the price a stop stays, as an exact fraction of it; NaN where that is an amount."""
    return Decimal("NaN") if order.trail is None else Decimal(repr(order.trail.percent))


def plain(value: Decimal) -> str:
    """Return a number without an exponent."""
    return format(value, "f")
