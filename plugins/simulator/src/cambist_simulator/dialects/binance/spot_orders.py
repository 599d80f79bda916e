"""Spot orders: placed, tested, queried, canceled, amended, replaced; and their trades."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cambist_simulator.dialects.binance import spot_encode as encode
from cambist_simulator.dialects.binance.errors import ApiError, no_such_order, one_of, refusal
from cambist_simulator.dialects.binance.formats import eight
from cambist_simulator.dialects.binance.market_rest import listed_symbol, market_now
from cambist_simulator.dialects.binance.spot_terms import (
    client_id,
    order_reference,
    response_type,
    size_of,
    spot_terms,
)
from cambist_simulator.dialects.binance.words import SELF_TRADE_WORDS, SIDE_WORDS, STATES, TIME_WORDS, spot_type
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import OrderChanged
from cambist_simulator.exchange.keys import text_key
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.orders import AmendTerms, ExecutionType, Status, VenueOrder

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.orders import OrderTerms

__all__ = [
    "all_orders",
    "amend",
    "cancel",
    "cancel_all",
    "cancel_replace",
    "my_trades",
    "open_orders",
    "place",
    "query",
    "test",
]

_MS = 1_000_000
_DAY = 86_400_000
_SPOT = Segment.SPOT
_RESTRICTIONS: Final = {"ONLY_NEW": Status.NEW, "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED}


def place(call: Call) -> Any:
    """Place an order."""
    terms, response = spot_terms(call)
    return placed(call, _placed(call, terms), response)


def _placed(call: Call, terms: OrderTerms) -> VenueOrder:
    try:
        return call.at.exchange.place(call.who, terms)
    except RefusedError as error:
        raise refusal(_SPOT, error) from error


def placed(call: Call, order: VenueOrder, response: str) -> Any:
    """Return the answer to a new order in the form that is wanted."""
    if response == "ACK":
        return encode.acknowledged(order)
    return encode.new_order(order, fills=response == "FULL", mode=call.at.mode)


def test(call: Call) -> dict[str, Any]:
    """Check an order without placing it."""
    terms, _ = spot_terms(call)
    try:
        call.at.exchange.check(call.who, terms)
    except RefusedError as error:
        raise refusal(_SPOT, error) from error
    if not call.params.flag("computeCommissionRates"):
        return {}
    listing = call.at.listing(terms.symbol)
    user = call.who
    maker = listing.maker_fee if user.maker_fee is None else user.maker_fee
    taker = listing.taker_fee if user.taker_fee is None else user.taker_fee
    zero = {"maker": eight(None), "taker": eight(None)}
    return {
        "standardCommissionForOrder": {"maker": eight(maker), "taker": eight(taker)},
        "specialCommissionForOrder": zero,
        "taxCommissionForOrder": zero,
        "discount": {
            "enabledForAccount": bool(user.fee_asset),
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }


def query(call: Call) -> Any:
    """Tell of one order."""
    symbol = listed_symbol(call)
    reference = order_reference(call.params)
    try:
        order = call.at.exchange.order(call.who, symbol, **reference)
    except RefusedError as error:
        if error.why is Why.UNKNOWN_ORDER:
            raise no_such_order() from error
        raise refusal(_SPOT, error) from error
    return encode.queried_order(order, mode=call.at.mode)


def cancel(call: Call) -> Any:
    """Cancel one order; one of a list takes the others with it, and all are told of together."""
    symbol = listed_symbol(call)
    order = _cancel(call, symbol)
    report = encode.canceled_order(order, mode=call.at.mode)
    if order.list_id < 0:
        return report
    exchange = call.at.exchange
    found = exchange.order_list(order.user, list_id=order.list_id)
    legs = (exchange.order(order.user, symbol, order_id=number) for number in found.order_ids)
    reports = [
        report if one.id == order.id else encode.canceled_order(one, mode=call.at.mode)
        for one in legs
        if one.status is Status.CANCELED
    ]
    return encode.list_report(found, call.at.names_of(found.user)) | {"orderReports": reports}


def _cancel(
    call: Call,
    symbol: str,
    number: str = "orderId",
    name: str = "origClientOrderId",
    new_name: str = "newClientOrderId",
) -> VenueOrder:
    exchange, user, params = call.at.exchange, call.who, call.params
    reference = order_reference(params, number, name)
    restriction = params.text("cancelRestrictions")
    if restriction and restriction not in _RESTRICTIONS:
        raise ApiError(-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.")
    try:
        if restriction or (number in params and name in params):
            order = exchange.order(user, symbol, **reference)
            if name in params and order.client_id != params.text(name):
                reference = {"client_id": ""}
            if restriction:
                _check_restriction(order, restriction)
        return exchange.cancel(
            user, symbol, **reference, cancel_client_id=client_id(params, new_name) or _name(call, "cancel")
        )
    except RefusedError as error:
        raise refusal(_SPOT, error) from error


def _check_restriction(order: VenueOrder, restriction: str) -> None:
    if order.open and order.status is not _RESTRICTIONS[restriction]:
        raise ApiError(-2011, "Order was not canceled due to cancel restrictions.")


def _name(call: Call, what: str) -> str:
    """Return a name for a request to cancel or to amend that came without one."""
    return text_key(f"{what}/{call.who.id}/{next(call.at.names)}", 22)


def cancel_all(call: Call) -> list[Any]:
    """Cancel all orders in a symbol; those of a list are told of together."""
    exchange, user = call.at.exchange, call.who
    symbol = listed_symbol(call)
    try:
        gone = exchange.cancel_all(user, symbol)
    except RefusedError as error:
        raise refusal(_SPOT, error) from error
    if not gone:
        raise ApiError(-2011, "Unknown order sent.")
    answer: list[Any] = []
    lists: dict[int, dict[str, Any]] = {}
    for order in gone:
        report = encode.canceled_order(order, mode=call.at.mode)
        if order.list_id < 0:
            answer.append(report)
            continue
        if order.list_id not in lists:
            found = exchange.order_list(user, list_id=order.list_id)
            lists[order.list_id] = encode.list_report(found, call.at.names_of(found.user)) | {"orderReports": []}
            answer.append(lists[order.list_id])
        lists[order.list_id]["orderReports"].append(report)
    return answer


def amend(call: Call) -> dict[str, Any]:
    """Make an order smaller; it keeps its place in the line."""
    params = call.params
    symbol = listed_symbol(call)
    reference = order_reference(params)
    params.need("newQty")
    size = size_of(params, "newQty")
    name = client_id(params, "newClientOrderId") or _name(call, "amend")
    exchange, user = call.at.exchange, call.who
    try:
        before = exchange.order(user, symbol, **reference)
        old_name = before.client_id
        order = exchange.amend(user, symbol, AmendTerms(size=size, keep_place=True, client_id=name), **reference)
    except RefusedError as error:
        if error.why is Why.UNKNOWN_ORDER:
            raise no_such_order() from error
        raise refusal(_SPOT, error) from error
    terms = order.terms
    return {
        "transactTime": order.updated_at // _MS,
        "executionId": next(call.at.executions),
        "amendedOrder": {
            "symbol": terms.symbol,
            "orderId": order.id,
            "orderListId": order.list_id,
            "origClientOrderId": old_name,
            "clientOrderId": order.client_id,
            "price": eight(order.price),
            "qty": eight(order.size),
            "executedQty": eight(order.filled),
            "preventedQty": eight(order.prevented),
            "quoteOrderQty": eight(terms.quote_size),
            "cumulativeQuoteQty": eight(order.quote_filled),
            "status": STATES[order.status],
            "timeInForce": TIME_WORDS[terms.time_in_force],
            "type": spot_type(terms),
            "side": SIDE_WORDS[terms.side],
            "workingTime": order.working_at // _MS,
            "selfTradePreventionMode": SELF_TRADE_WORDS.get(terms.self_trade, call.at.mode)
            if terms.self_trade is not None
            else call.at.mode,
        },
    }


def cancel_replace(call: Call) -> dict[str, Any]:
    """Cancel an order, then place another.

    Nothing failed: 200. One of the two failed: 409 and -2021. Both failed, or the second was not tried: 400 and -2022.
    """
    params = call.params
    mode = params.need("cancelReplaceMode")
    if mode not in {"STOP_ON_FAILURE", "ALLOW_FAILURE"}:
        raise ApiError(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
    if "cancelOrderId" not in params and "cancelOrigClientOrderId" not in params:
        raise one_of("cancelOrigClientOrderId", "cancelOrderId")
    terms, _ = spot_terms(call)
    response = response_type(params, "FULL")
    results: dict[str, Any] = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED"}
    failed = 0
    try:
        gone = _cancel(call, terms.symbol, "cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId")
        results["cancelResponse"] = encode.canceled_order(gone, mode=call.at.mode)
    except ApiError as error:
        results |= {"cancelResult": "FAILURE", "cancelResponse": error.payload()}
        failed += 1
    results["newOrderResponse"] = None
    if not failed or mode == "ALLOW_FAILURE":
        try:
            results["newOrderResponse"] = placed(call, _placed(call, terms), response)
            results["newOrderResult"] = "SUCCESS"
        except ApiError as error:
            results |= {"newOrderResult": "FAILURE", "newOrderResponse": error.payload()}
            if not failed:
                _tell_rejected(call, terms, error)
            failed += 1
    if not failed:
        return results
    if failed == 1 and results["newOrderResult"] != "NOT_ATTEMPTED":
        raise ApiError(-2021, "Order cancel-replace partially failed.", status=409, data=results)
    raise ApiError(-2022, "Order cancel-replace failed.", data=results)


def _tell_rejected(call: Call, terms: OrderTerms, error: ApiError) -> None:
    """Tell the user's streams of an order that the matching engine refused."""
    refused = error.__cause__
    if not isinstance(refused, RefusedError) or str(refused.why) not in encode.REJECT_REASONS:
        return
    at = market_now(call)
    order = VenueOrder(
        id=-1,
        user=call.who.id,
        terms=terms,
        status=Status.REJECTED,
        size=terms.size or Decimal(0),
        price=terms.price,
        stop_price=terms.stop_price,
        created_at=at,
        updated_at=at,
        client_id=terms.client_id or _name(call, "rejected"),
    )
    event = OrderChanged(at=at, order=order, what=ExecutionType.REJECTED, reason=str(refused.why))
    call.venue.on_rejected(event)


def open_orders(call: Call) -> list[Any]:
    """Tell of the orders that work or wait."""
    symbol = listed_symbol(call) if "symbol" in call.params else None
    found = call.at.exchange.open_orders(call.who, symbol)
    return [encode.queried_order(order, mode=call.at.mode) for order in found]


def all_orders(call: Call) -> list[Any]:
    """Tell of orders, whatever became of them."""
    symbol = listed_symbol(call)
    start, end = _a_day_at_most(call)
    found = call.at.exchange.orders(
        call.who,
        symbol,
        start=start,
        end=end,
        from_id=call.params.integer("orderId"),
        limit=call.params.limit(500, 1_000),
    )
    return [encode.queried_order(order, mode=call.at.mode) for order in found]


def my_trades(call: Call) -> list[Any]:
    """Tell of the user's trades in a symbol."""
    symbol = listed_symbol(call)
    start, end = _a_day_at_most(call)
    exchange, user = call.at.exchange, call.who
    found = exchange.executions(
        user,
        symbol,
        order_id=call.params.integer("orderId"),
        start=start,
        end=end,
        from_id=call.params.integer("fromId"),
        limit=call.params.limit(500, 1_000),
    )
    lists = {one: order.list_id for one in {each.order_id for each in found} if (order := call.at.order(user, one))}
    return [encode.own_trade(one, lists.get(one.order_id, -1)) for one in found]


def _a_day_at_most(call: Call) -> tuple[int | None, int | None]:
    """Return the window of a request in ns, market time."""
    start, end = call.params.window()
    if start is not None and end is not None and end - start > _DAY:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return None if start is None else start * _MS, None if end is None else (end + 1) * _MS - 1
