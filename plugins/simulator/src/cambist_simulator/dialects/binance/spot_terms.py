"""From the parameters of a new spot order to its terms, in the venue's order of complaints."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cambist.model import OrderType, TimeInForce
from cambist_simulator.dialects.binance.errors import ApiError, illegal, invalid, missing, not_required
from cambist_simulator.dialects.binance.market_rest import listed_symbol
from cambist_simulator.dialects.binance.parameters import check_precision
from cambist_simulator.dialects.binance.words import SELF_TRADE, SIDES, SPOT_TYPES, TIMES_IN_FORCE
from cambist_simulator.exchange.orders import OrderTerms

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.dialects.binance.parameters import Parameters, Reference

__all__ = ["ORDER_NAMES", "client_id", "response_type", "size_of", "spot_terms"]

_CLIENT_ID: Final = "^[a-zA-Z0-9-_]{1,36}$"
_is_client_id = re.compile(_CLIENT_ID, re.ASCII).match
_RESPONSES: Final = frozenset({"ACK", "RESULT", "FULL"})
_T = OrderType

ORDER_NAMES: Final = frozenset(
    {
        "symbol",
        "side",
        "type",
        "timeInForce",
        "quantity",
        "quoteOrderQty",
        "price",
        "newClientOrderId",
        "strategyId",
        "strategyType",
        "stopPrice",
        "trailingDelta",
        "icebergQty",
        "newOrderRespType",
        "selfTradePreventionMode",
    }
)

#: Which parameters a type must have, and which it must not.
_NEEDS: Final = {
    "LIMIT": ("timeInForce", "quantity", "price"),
    "LIMIT_MAKER": ("quantity", "price"),
    "STOP_LOSS": ("quantity",),
    "STOP_LOSS_LIMIT": ("timeInForce", "quantity", "price"),
    "TAKE_PROFIT": ("quantity",),
    "TAKE_PROFIT_LIMIT": ("timeInForce", "quantity", "price"),
    "MARKET": (),
}
_FORBIDS: Final = {
    "LIMIT": ("stopPrice", "trailingDelta", "quoteOrderQty"),
    "LIMIT_MAKER": ("stopPrice", "trailingDelta", "timeInForce", "quoteOrderQty"),
    "STOP_LOSS": ("price", "timeInForce", "icebergQty", "quoteOrderQty"),
    "STOP_LOSS_LIMIT": ("quoteOrderQty",),
    "TAKE_PROFIT": ("price", "timeInForce", "icebergQty", "quoteOrderQty"),
    "TAKE_PROFIT_LIMIT": ("quoteOrderQty",),
    "MARKET": ("price", "timeInForce", "stopPrice", "trailingDelta", "icebergQty"),
}
#: Types that a trailing distance makes follow the price.
_TRAILING: Final = {_T.STOP: _T.TRAILING_STOP, _T.STOP_LIMIT: _T.TRAILING_STOP_LIMIT}


def spot_terms(call: Call) -> tuple[OrderTerms, str]:
    """Return the terms of a new order, and the kind of answer that is wanted."""
    params = call.params
    symbol = listed_symbol(call)
    side = params.choice("side", SIDES, (-1117, "Invalid side."))
    word = params.need("type")
    if word not in SPOT_TYPES:
        raise ApiError(-1116, "Invalid orderType.")
    for name in _NEEDS[word]:
        params.need(name)
    for name in _FORBIDS[word]:
        if name in params:
            raise not_required(name)
    kind = SPOT_TYPES[word]
    size, money = size_of(params, "quantity"), size_of(params, "quoteOrderQty")
    if word == "MARKET":
        params.need_one_of("quantity", "quoteOrderQty")
        if size is not None and money is not None:
            raise not_required("quoteOrderQty")
    price = size_of(params, "price")
    stop_price, trail = _trigger(params, word)
    if trail is not None:
        if kind not in _TRAILING:
            raise ApiError(-1014, "Unsupported order combination.")
        kind = _TRAILING[kind]
    tif = TimeInForce.GTC
    if "timeInForce" in params:
        tif = params.choice("timeInForce", TIMES_IN_FORCE, (-1115, "Invalid timeInForce."))
    display = size_of(params, "icebergQty")
    if display is not None and tif is not TimeInForce.GTC:
        raise not_required("icebergQty")
    if display is not None and size is not None and display >= size:
        display = None
    terms = OrderTerms(
        symbol=symbol,
        side=side,
        type=kind,
        size=size,
        quote_size=money,
        price=price,
        stop_price=stop_price,
        trail=trail,
        time_in_force=tif,
        post_only=word == "LIMIT_MAKER",
        display=display,
        self_trade=params.choice("selfTradePreventionMode", SELF_TRADE)
        if "selfTradePreventionMode" in params
        else None,
        client_id=client_id(params, "newClientOrderId"),
        strategy_id=params.integer("strategyId"),
        strategy_type=_strategy_type(params),
    )
    return terms, response_type(params, "FULL" if kind in {_T.MARKET, _T.LIMIT} and not terms.post_only else "ACK")


def size_of(params: Parameters, name: str) -> Decimal | None:
    """Return a price or a size; none may be zero, or finer than the asset."""
    text = params.values.get(name)
    if text is None:
        return None
    if not text:
        raise ApiError(-1105, f"Parameter '{name}' was empty.")
    value = params.decimal(name)
    if not value:
        raise ApiError(-1013, f"Invalid {name}.")
    check_precision(name, value, 8, spot=True)
    return value


def _trigger(params: Parameters, word: str) -> tuple[Decimal | None, Decimal | None]:
    if not word.startswith(("STOP", "TAKE")):
        return None, None
    params.need_one_of("stopPrice", "trailingDelta")
    delta = params.integer("trailingDelta") if "trailingDelta" in params else None
    return size_of(params, "stopPrice"), None if delta is None else Decimal(delta) / 10_000


def _strategy_type(params: Parameters) -> int | None:
    kind = params.integer("strategyType")
    if kind is not None and kind < 1_000_000:
        raise ApiError(-1134, "strategyType was less than 1000000.")
    return kind


def client_id(params: Parameters, name: str) -> str:
    """Return a name that a client gives; ``""`` where he gives none."""
    value = params.text(name)
    if value and not _is_client_id(value):
        raise illegal(name, _CLIENT_ID)
    return value


def response_type(params: Parameters, default: str) -> str:
    """Return the kind of answer that is wanted."""
    wanted = params.text("newOrderRespType", default)
    if wanted not in _RESPONSES:
        raise invalid("newOrderRespType")
    return wanted


def order_reference(params: Parameters, number: str = "orderId", name: str = "origClientOrderId") -> Reference:
    """Return how a request names an order: by number, else by its client id."""
    params.need_one_of(name, number)
    if number in params:
        found = params.integer(number)
        if found is None:
            raise missing(number)
        return {"order_id": found}
    return {"client_id": client_id(params, name)}
