"""From the parameters of a new futures order to its terms, in the venue's order of complaints."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypedDict

from cambist.model import OrderType, TimeInForce
from cambist_simulator.dialects.binance.errors import ApiError, illegal, missing, not_required
from cambist_simulator.dialects.binance.formats import places
from cambist_simulator.dialects.binance.market_rest import listed_symbol
from cambist_simulator.dialects.binance.parameters import check_precision
from cambist_simulator.dialects.binance.words import (
    FUTURES_TYPES,
    POSITION_SIDES,
    SELF_TRADE,
    SIDES,
    TIMES_IN_FORCE,
    TRIGGERS,
)
from cambist_simulator.exchange.orders import OrderTerms

if TYPE_CHECKING:
    from cambist.simulation import SelfTrade
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.dialects.binance.parameters import Parameters, Reference

__all__ = ["algo_terms", "futures_reference", "futures_terms", "name_of"]

_NAME: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_is_name = re.compile(_NAME, re.ASCII).match
_T = OrderType
_PLAIN: Final = frozenset({_T.MARKET, _T.LIMIT})
_MS = 1_000_000
_LEAST_LIFE: Final = 600_000
_LATEST: Final = 253_402_300_799_000


class _Shared(TypedDict):
    """Terms that all kinds of orders have."""

    reduce_only: bool
    position_side: str
    self_trade: SelfTrade | None
    client_id: str


def futures_terms(call: Call) -> OrderTerms:
    """Return the terms of a new order; conditional ones are for the algo service."""
    params = call.params
    symbol = listed_symbol(call)
    side = params.choice("side", SIDES, (-1117, "Invalid side."))
    kind = _kind(params, "type")
    if kind not in _PLAIN:
        raise ApiError(
            -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
        )
    if kind is _T.LIMIT:
        for name in ("timeInForce", "quantity", "price"):
            params.need(name)
    else:
        params.need("quantity")
        for name in ("price", "timeInForce"):
            if name in params:
                raise not_required(name)
    if params.flag("closePosition"):
        raise ApiError(-4136, "Target strategy invalid for orderType MARKET, closePosition true")
    tif, post_only, expires = _time_in_force(call)
    return OrderTerms(
        symbol=symbol,
        side=side,
        type=kind,
        size=_size(call, symbol),
        price=_price(call, symbol, "price"),
        time_in_force=tif,
        expires_at=expires,
        post_only=post_only,
        **_shared(call, "newClientOrderId"),
    )


def algo_terms(call: Call) -> OrderTerms:
    """Return the terms of a new conditional order."""
    params = call.params
    if params.need("algoType") != "CONDITIONAL":
        raise ApiError(-4500, "Invalid algoType.")
    symbol = listed_symbol(call)
    side = params.choice("side", SIDES, (-1117, "Invalid side."))
    kind = _kind(params, "type")
    if kind in _PLAIN:
        raise ApiError(-1116, "Invalid orderType.")
    close = params.flag("closePosition")
    if close:
        if kind not in {_T.STOP, _T.MARKET_IF_TOUCHED}:
            raise ApiError(-4136, f"Target strategy invalid for orderType {params.text('type')}, closePosition true")
        if "quantity" in params:
            raise ApiError(-4137, "Quantity must be zero with closePosition equals true")
        if "reduceOnly" in params:
            raise not_required("reduceOnly")
    else:
        params.need("quantity")
    limited = kind in {_T.STOP_LIMIT, _T.LIMIT_IF_TOUCHED}
    if limited:
        params.need("price")
    trail = None
    stop_price = None
    if kind is _T.TRAILING_STOP:
        trail = _callback(params)
        stop_price = _price(call, symbol, "activatePrice" if "activatePrice" in params else "activationPrice")
    else:
        params.need("triggerPrice")
        stop_price = _price(call, symbol, "triggerPrice")
    tif, post_only, expires = _time_in_force(call) if limited else (TimeInForce.GTC, False, 0)
    shared = _shared(call, "clientAlgoId")
    return OrderTerms(
        symbol=symbol,
        side=side,
        type=kind,
        size=None if close else _size(call, symbol),
        price=_price(call, symbol, "price") if limited else None,
        stop_price=stop_price,
        trail=trail,
        trigger=params.choice("workingType", TRIGGERS, (-4031, "Invalid parameter working type."))
        if "workingType" in params
        else TRIGGERS["CONTRACT_PRICE"],
        time_in_force=tif,
        expires_at=expires,
        post_only=post_only,
        close_position=close,
        **shared,
    )


def _kind(params: Parameters, name: str) -> OrderType:
    word = params.need(name)
    if word not in FUTURES_TYPES:
        raise ApiError(-1116, "Invalid orderType.")
    return FUTURES_TYPES[word]


def _shared(call: Call, id_name: str) -> _Shared:
    params = call.params
    hedged = call.at.exchange.is_hedged(call.who)
    reduce_only = params.flag("reduceOnly")
    if hedged and "reduceOnly" in params:
        raise not_required("reduceOnly")
    side = params.text("positionSide", "BOTH")
    if side not in POSITION_SIDES:
        raise ApiError(-4060, "Invalid position side.")
    if (side == "BOTH") == hedged:
        raise ApiError(-4061, "Order's position side does not match user's setting.")
    mode = params.text("selfTradePreventionMode")
    if mode and mode not in SELF_TRADE:
        raise ApiError(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
    return {
        "reduce_only": reduce_only,
        "position_side": POSITION_SIDES[side],
        "self_trade": SELF_TRADE[mode] if mode else None,
        "client_id": name_of(params, id_name),
    }


def name_of(params: Parameters, name: str) -> str:
    """Return a name that a client gives; ``""`` where he gives none."""
    value = params.text(name)
    if len(value) > 36:
        raise ApiError(-4015, "Client order id length should not be more than 36 chars")
    if value and not _is_name(value):
        raise illegal(name, _NAME)
    return value


def _time_in_force(call: Call) -> tuple[TimeInForce, bool, int]:
    """Return time in force, whether the order must be a maker, and when it expires."""
    params = call.params
    word = params.text("timeInForce", "GTC")
    if word == "GTX":
        return TimeInForce.GTC, True, 0
    if word == "GTD":
        until = params.need_integer("goodTillDate")
        now = call.venue.clock.market.now() // _MS
        if not now + _LEAST_LIFE < until <= _LATEST:
            raise ApiError(-4188, "goodTillDate must be greater than the current time plus 600 seconds.")
        return TimeInForce.GTD, False, until // 1_000 * 1_000 * _MS
    if word not in TIMES_IN_FORCE:
        raise ApiError(-1115, "Invalid timeInForce.")
    return TIMES_IN_FORCE[word], False, 0


def _size(call: Call, symbol: str) -> Decimal:
    value = call.params.need_decimal("quantity")
    if not value:
        raise ApiError(-4003, "Quantity less than or equal to zero.")
    check_precision("quantity", value, places(call.at.listing(symbol).step_size), spot=False)
    return value


def _price(call: Call, symbol: str, name: str) -> Decimal | None:
    if name not in call.params:
        return None
    value = call.params.decimal(name)
    assert value is not None
    if not value:
        raise ApiError(-4001, "Price less than or equal to zero.") if name == "price" else missing(name)
    check_precision(name, value, places(call.at.listing(symbol).tick_size), spot=False)
    return value


def _callback(params: Parameters) -> Decimal:
    rate = params.need_decimal("callbackRate")
    if not Decimal("0.1") <= rate <= 10:
        raise ApiError(-2007, "Invalid callBack rate.")
    return rate / 100


def futures_reference(params: Parameters, number: str = "orderId", name: str = "origClientOrderId") -> Reference:
    """Return how a request names an order: by number, else by its client id."""
    if number in params:
        found = params.integer(number)
        assert found is not None
        return {"order_id": found}
    if name not in params:
        raise ApiError(-1102, f"Param '{name}' or '{number}' must be sent, but both were empty/null!")
    return {"client_id": name_of(params, name)}
