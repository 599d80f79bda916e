"""Order lists on spot: OCO, OTO and OTOCO, and the older form of OCO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cambist_simulator.dialects.binance import spot_encode as encode
from cambist_simulator.dialects.binance.errors import ApiError, missing, refusal
from cambist_simulator.dialects.binance.market_rest import listed_symbol
from cambist_simulator.dialects.binance.parameters import Parameters
from cambist_simulator.dialects.binance.spot_orders import placed
from cambist_simulator.dialects.binance.spot_terms import client_id, response_type, spot_terms
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.orders import ListTerms

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.orders import OrderList, OrderTerms, VenueOrder

__all__ = ["LIST_NAMES", "all_lists", "cancel", "oco", "old_oco", "open_lists", "oto", "otoco", "query"]

_SPOT = Segment.SPOT
_MS = 1_000_000
_FIELDS: Final = {
    "ClientOrderId": "newClientOrderId",
    "Price": "price",
    "StopPrice": "stopPrice",
    "TrailingDelta": "trailingDelta",
    "IcebergQty": "icebergQty",
    "TimeInForce": "timeInForce",
    "StrategyId": "strategyId",
    "StrategyType": "strategyType",
    "Quantity": "quantity",
    "Type": "type",
    "Side": "side",
}
_COMMON: Final = frozenset(
    {"symbol", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode", "side", "quantity"}
)
#: Parameters of all three kinds.
LIST_NAMES: Final = _COMMON | {
    leg + field for leg in ("above", "below", "working", "pending", "pendingAbove", "pendingBelow") for field in _FIELDS
}
_STOPS: Final = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT"})
_PROFITS: Final = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})


def _leg(call: Call, prefix: str, **shared: str) -> OrderTerms:
    """Return the terms of one order of a list; complaints name the parameters of the list."""
    values = {"symbol": call.params.text("symbol"), "newOrderRespType": "ACK"}
    for field, name in _FIELDS.items():
        sent = call.params.values.get(prefix + field)
        if sent is not None:
            values[name] = sent
    values |= shared
    if "selfTradePreventionMode" in call.params:
        values["selfTradePreventionMode"] = call.params.text("selfTradePreventionMode")
    if not values.get("type"):
        raise missing(prefix + "Type")
    leg = type(call)(
        venue=call.venue,
        desk=call.desk,
        params=Parameters(values),
        now=call.now,
        ip=call.ip,
        user=call.user,
        key=call.key,
    )
    try:
        return spot_terms(leg)[0]
    except ApiError as error:
        own = {name: prefix + field for field, name in _FIELDS.items() if name not in shared}
        for name, full in own.items():
            if f"'{name}'" in error.text:
                raise ApiError(error.code, error.text.replace(f"'{name}'", f"'{full}'")) from error
        raise


def _check_oco(side: str, above: str, below: str) -> None:
    """Let the legs be of types, and on sides of the price, that can be a pair."""
    known = _STOPS | _PROFITS | {"LIMIT_MAKER"}
    if above not in known or below not in known:
        raise ApiError(-1158, "Order type not supported in OCO.")
    if above == below == "LIMIT_MAKER" or (above in _STOPS and below in _STOPS):
        raise ApiError(-1168, "At least one OCO order must be contingent.")
    if side == "BUY":
        if above == "LIMIT_MAKER":
            raise ApiError(-1165, "A limit order in a buy OCO must be below.")
        if below in _STOPS:
            raise ApiError(-1196, "A stop loss order in a buy OCO must be above.")
        if above in _PROFITS:
            raise ApiError(-1198, "A take profit order in a buy OCO must be below.")
        return
    if below == "LIMIT_MAKER":
        raise ApiError(-1166, "A limit order in a sell OCO must be above.")
    if above in _STOPS:
        raise ApiError(-1197, "A stop loss order in a sell OCO must be below.")
    if below in _PROFITS:
        raise ApiError(-1199, "A take profit order in a sell OCO must be above.")


def _check_prices(above: OrderTerms, below: OrderTerms) -> None:
    high, low = above.stop_price or above.price, below.stop_price or below.price
    if high is not None and low is not None and high <= low:
        raise refusal(_SPOT, RefusedError(Why.BAD_LIST))


def _pair(call: Call, prefix: str, **shared: str) -> tuple[OrderTerms, OrderTerms]:
    above, below = (prefix + "Above", prefix + "Below") if prefix else ("above", "below")
    for leg in (above, below):
        if not call.params.text(leg + "Type"):
            raise missing(leg + "Type")
    _check_oco(shared["side"], call.params.text(above + "Type"), call.params.text(below + "Type"))
    legs = _leg(call, above, **shared), _leg(call, below, **shared)
    _check_prices(*legs)
    return legs


def oco(call: Call) -> dict[str, Any]:
    """Place two orders of which one cancels the other."""
    params = call.params
    symbol = listed_symbol(call)
    shared = {"side": params.need("side"), "quantity": params.need("quantity")}
    return _place(call, ListTerms(kind="oco", symbol=symbol, orders=_pair(call, "", **shared), client_id=_name(call)))


def oto(call: Call) -> dict[str, Any]:
    """Place an order, and one that is sent once the first is filled."""
    symbol = listed_symbol(call)
    working, pending = _leg(call, "working"), _leg(call, "pending")
    return _place(call, ListTerms(kind="oto", symbol=symbol, orders=(working, pending), client_id=_name(call)))


def otoco(call: Call) -> dict[str, Any]:
    """Place an order, and two that are sent once it is filled, of which one cancels the other."""
    params = call.params
    symbol = listed_symbol(call)
    working = _leg(call, "working")
    shared = {"side": params.need("pendingSide"), "quantity": params.need("pendingQuantity")}
    above, below = _pair(call, "pending", **shared)
    return _place(call, ListTerms(kind="otoco", symbol=symbol, orders=(working, above, below), client_id=_name(call)))


def old_oco(call: Call) -> dict[str, Any]:
    """Place an OCO in its older form: a limit maker and a stop."""
    params = call.params
    symbol = listed_symbol(call)
    side = params.need("side")
    for name in ("quantity", "price", "stopPrice"):
        params.need(name)
    stop = {"stopStopPrice": params.text("stopPrice"), "stopType": "STOP_LOSS"}
    if "stopLimitPrice" in params:
        stop |= {
            "stopType": "STOP_LOSS_LIMIT",
            "stopPrice": params.text("stopLimitPrice"),
            "stopTimeInForce": params.need("stopLimitTimeInForce"),
        }
    values = params.values | {
        "stopClientOrderId": params.text("stopClientOrderId"),
        "limitPrice": params.text("price"),
        "limitType": "LIMIT_MAKER",
        "limitClientOrderId": params.text("limitClientOrderId"),
    }
    values.pop("stopPrice", None)
    call.params = Parameters({name: value for name, value in (values | stop).items() if value})
    shared = {"side": side, "quantity": params.text("quantity")}
    limit_leg, stop_leg = _leg(call, "limit", **shared), _leg(call, "stop", **shared)
    above, below = (limit_leg, stop_leg) if side == "SELL" else (stop_leg, limit_leg)
    _check_prices(above, below)
    return _place(call, ListTerms(kind="oco", symbol=symbol, orders=(limit_leg, stop_leg), client_id=_name(call)))


def _name(call: Call) -> str:
    return client_id(call.params, "listClientOrderId")


def _place(call: Call, terms: ListTerms) -> dict[str, Any]:
    response = response_type(call.params, "RESULT")
    exchange, user = call.at.exchange, call.who
    try:
        made = exchange.place_list(user, terms)
        orders = [exchange.order(user, made.symbol, order_id=one) for one in made.order_ids]
    except RefusedError as error:
        raise refusal(_SPOT, error) from error
    return encode.list_report(made, call.at.names_of(made.user)) | {
        "orderReports": [placed(call, order, response) for order in orders]
    }


def cancel(call: Call) -> dict[str, Any]:
    """Cancel all orders of a list."""
    listed_symbol(call)
    exchange, user = call.at.exchange, call.who
    number, name = _reference(call, "orderListId", "listClientOrderId")
    try:
        found = exchange.order_list(user, list_id=number, client_id=name)
        was_open: list[VenueOrder] = [
            order for one in found.order_ids if (order := exchange.order(user, found.symbol, order_id=one)).open
        ]
        gone = exchange.cancel_list(user, list_id=number, client_id=name)
    except RefusedError as error:
        raise refusal(_SPOT, error) from error
    return encode.list_report(gone, call.at.names_of(gone.user)) | {
        "orderReports": [encode.canceled_order(order, mode=call.at.mode) for order in was_open]
    }


def query(call: Call) -> dict[str, Any]:
    """Tell of one list."""
    number, name = _reference(call, "orderListId", "origClientOrderId")
    try:
        found = call.at.exchange.order_list(call.who, list_id=number, client_id=name)
    except RefusedError:
        raise ApiError(-2018, "Order list does not exist.") from None
    return encode.list_report(found, call.at.names_of(found.user))


def _reference(call: Call, number: str, name: str) -> tuple[int | None, str | None]:
    call.params.need_one_of(number, name)
    if number in call.params:
        return call.params.integer(number), None
    return None, client_id(call.params, name)


def open_lists(call: Call) -> list[dict[str, Any]]:
    """Tell of the lists that are not done."""
    found: list[OrderList] = call.at.exchange.order_lists(call.who, open_only=True)
    return [encode.list_report(one, call.at.names_of(one.user)) for one in found]


def all_lists(call: Call) -> list[dict[str, Any]]:
    """Tell of lists, whatever became of them."""
    params = call.params
    start, end = params.window()
    first = params.integer("fromId")
    found = [
        one
        for one in call.at.exchange.order_lists(call.who)
        if (first is None or one.id >= first)
        and (start is None or one.at // _MS >= start)
        and (end is None or one.at // _MS <= end)
    ]
    limit = params.limit(500, 1_000)
    found = found[:limit] if first is not None else found[-limit:]
    return [encode.list_report(one, call.at.names_of(one.user)) for one in found]
