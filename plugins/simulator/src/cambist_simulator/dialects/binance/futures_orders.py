"""Futures orders: placed, tested, queried, amended, canceled, one by one and in batches; and their trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist.model import OrderType
from cambist_simulator.dialects.binance import futures_encode as encode
from cambist_simulator.dialects.binance.errors import ApiError, missing, no_such_order, refusal
from cambist_simulator.dialects.binance.futures_terms import futures_reference, futures_terms
from cambist_simulator.dialects.binance.market_rest import listed_symbol
from cambist_simulator.dialects.binance.parameters import Parameters, from_json
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.orders import AmendTerms, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = [
    "all_orders",
    "amend",
    "batch_amend",
    "batch_cancel",
    "batch_place",
    "batch_size",
    "cancel",
    "cancel_all",
    "count_down",
    "force_orders",
    "open_order",
    "open_orders",
    "place",
    "query",
    "test",
    "user_trades",
]

_MS = 1_000_000
_MOST_PLACED: Final = 5
_MOST_CANCELED: Final = 10
_DONE: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}


def refused(call: Call, error: RefusedError, unknown: ApiError | None = None) -> ApiError:
    """Return what the venue says where the exchange refuses; `unknown` of an order that is not there."""
    if unknown is not None and error.why is Why.UNKNOWN_ORDER:
        return unknown
    if error.why is Why.FILTER and error.details.get("filter") == "notional":
        symbol = call.params.text("symbol")
        least = call.at.listing(symbol).min_notional if call.at.lists(symbol) else None
        error.details["limit"] = f"{least:f}" if least is not None else "5"
    return refusal(call.at.segment, error)


def answer(call: Call, order: VenueOrder, *, queried: bool = False) -> Any:
    """Return an order as the venue writes it."""
    return encode.futures_order(order, call.at.listing(order.terms.symbol), call.at.segment, queried=queried)


def place(call: Call) -> Any:
    """Place an order."""
    terms = futures_terms(call)
    if call.params.text("newOrderRespType", "ACK") not in {"ACK", "RESULT"}:
        raise ApiError(-1136, "Invalid newOrderRespType.")
    try:
        order = call.at.exchange.place(call.who, terms)
    except RefusedError as error:
        raise refused(call, error) from error
    if terms.type is OrderType.MARKET and call.params.text("newOrderRespType", "ACK") == "ACK":
        order = _as_it_came(order)
    return answer(call, order)


def _as_it_came(order: VenueOrder) -> VenueOrder:
    """Return a market order as an acknowledgement shows it: new, whatever became of it since."""
    return msgspec.structs.replace(order, status=Status.NEW, filled=order.filled * 0)


def test(call: Call) -> Any:
    """Check an order without placing it."""
    terms = futures_terms(call)
    try:
        call.at.exchange.check(call.who, terms)
    except RefusedError as error:
        raise refused(call, error) from error
    return {}


def amend(call: Call) -> Any:
    """Give a limit order another price and size; it loses its place in the line."""
    params = call.params
    symbol = listed_symbol(call)
    reference = futures_reference(params)
    params.need("side")
    params.need("quantity")
    params.need("price")
    terms = AmendTerms(size=params.need_decimal("quantity"), price=params.need_decimal("price"))
    exchange, user = call.at.exchange, call.who
    try:
        order = exchange.order(user, symbol, **reference, conditional=False)
        if order.terms.type is not OrderType.LIMIT:
            raise ApiError(-5025, "Limit order only.")
        return answer(call, exchange.amend(user, symbol, terms, order_id=order.id))
    except RefusedError as error:
        raise refused(call, error, no_such_order()) from error


def query(call: Call) -> Any:
    """Tell of one order."""
    symbol = listed_symbol(call)
    try:
        order = call.at.exchange.order(call.who, symbol, **futures_reference(call.params), conditional=False)
    except RefusedError as error:
        raise refused(call, error, no_such_order()) from error
    return answer(call, order, queried=True)


def open_order(call: Call) -> Any:
    """Tell of one order, if it is open."""
    symbol = listed_symbol(call)
    try:
        order = call.at.exchange.order(call.who, symbol, **futures_reference(call.params), conditional=False)
    except RefusedError as error:
        raise refused(call, error, no_such_order()) from error
    if not order.open:
        raise no_such_order()
    return answer(call, order, queried=True)


def cancel(call: Call) -> Any:
    """Cancel one order."""
    symbol = listed_symbol(call)
    reference = futures_reference(call.params)
    try:
        order = call.at.exchange.cancel(call.who, symbol, **reference, conditional=False)
    except RefusedError as error:
        raise refused(call, error) from error
    return answer(call, order)


def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel all orders in a symbol."""
    symbol = listed_symbol(call)
    try:
        call.at.exchange.cancel_all(call.who, symbol, conditional=False)
    except RefusedError as error:
        raise refused(call, error) from error
    return _DONE


def count_down(call: Call) -> dict[str, str]:
    """Cancel all orders in a symbol once the client has been silent for so long."""
    symbol = listed_symbol(call)
    after = call.params.need_integer("countdownTime")
    call.at.exchange.count_down(call.who, symbol, after * _MS)
    return {"symbol": symbol, "countdownTime": str(after)}


def batch_size(params: Parameters) -> int:
    """Return how many orders a batch counts as."""
    try:
        rows = params.json("batchOrders")
    except ApiError:
        return 1
    return len(rows) if isinstance(rows, list) else 1


def _batch(call: Call, do: Callable[[Call], Any]) -> list[Any]:
    rows = call.params.json("batchOrders")
    if not isinstance(rows, list) or not rows:
        raise missing("batchOrders")
    if len(rows) > _MOST_PLACED:
        raise ApiError(-4082, f"Invalid number of batch place orders: {len(rows)}")
    answers: list[Any] = []
    for row in rows:
        if not isinstance(row, dict):
            raise ApiError(-1135, "JSON sent for parameter 'batchOrders' is not valid")
        each = type(call)(
            venue=call.venue,
            desk=call.desk,
            params=from_json(row, spot=False),
            now=call.now,
            ip=call.ip,
            user=call.user,
            key=call.key,
        )
        try:
            answers.append(do(each))
        except ApiError as error:
            answers.append(error.payload())
    return answers


def batch_place(call: Call) -> list[Any]:
    """Place up to five orders; each succeeds or fails for itself."""
    return _batch(call, place)


def batch_amend(call: Call) -> list[Any]:
    """Amend up to five orders; each succeeds or fails for itself."""
    return _batch(call, amend)


def batch_cancel(call: Call) -> list[Any]:
    """Cancel up to ten orders; each succeeds or fails for itself."""
    symbol = listed_symbol(call)
    params = call.params
    # Names of parameters are not case sensitive here: clients send them in lower case.
    lower = {name.lower(): value for name, value in params.values.items()}
    params.values.update({"orderIdList": lower.get("orderidlist", "")})
    params.values.update({"origClientOrderIdList": lower.get("origclientorderidlist", "")})
    if params.values["orderIdList"]:
        wanted, name = params.json("orderIdList"), "orderId"
    elif params.values["origClientOrderIdList"]:
        wanted, name = params.json("origClientOrderIdList"), "origClientOrderId"
    else:
        raise ApiError(-1102, "Param 'origClientOrderIdList' or 'orderIdList' must be sent, but both were empty/null!")
    if not isinstance(wanted, list) or len(wanted) > _MOST_CANCELED:
        raise ApiError(-4032, "Exceed maximum cancel order size.")
    answers: list[Any] = []
    for one in wanted:
        each = type(call)(
            venue=call.venue,
            desk=call.desk,
            params=Parameters({"symbol": symbol, name: str(one)}, spot=False),
            now=call.now,
            ip=call.ip,
            user=call.user,
            key=call.key,
        )
        try:
            answers.append(cancel(each))
        except ApiError as error:
            answers.append(error.payload())
    return answers


def open_orders(call: Call) -> list[Any]:
    """Tell of the orders that work."""
    symbol = listed_symbol(call) if "symbol" in call.params else None
    found = call.at.exchange.open_orders(call.who, symbol, conditional=False)
    if "pair" in call.params:
        found = [one for one in found if encode.pair(one.terms.symbol) == call.params.text("pair")]
    return [answer(call, order, queried=True) for order in found]


def all_orders(call: Call) -> list[Any]:
    """Tell of orders, whatever became of them."""
    symbol = listed_symbol(call)
    start, end = window_ns(call, 7)
    found = call.at.exchange.orders(
        call.who,
        symbol,
        start=start,
        end=end,
        from_id=call.params.integer("orderId"),
        limit=call.params.limit(500, 1_000),
        conditional=False,
    )
    return [answer(call, order, queried=True) for order in found]


def user_trades(call: Call) -> list[Any]:
    """Tell of the user's trades in a symbol."""
    symbol = listed_symbol(call)
    start, end = window_ns(call, 7)
    found = call.at.exchange.executions(
        call.who,
        symbol,
        order_id=call.params.integer("orderId"),
        start=start,
        end=end,
        from_id=call.params.integer("fromId"),
        limit=call.params.limit(500, 1_000),
    )
    return [encode.own_trade(one, call.at.listing(symbol), call.at.segment) for one in found]


def force_orders(call: Call) -> list[Any]:
    """Tell of orders by which the venue closed the user's positions."""
    symbol = listed_symbol(call) if "symbol" in call.params else None
    start, end = window_ns(call, 7)
    kinds = {"LIQUIDATION": {"liquidation"}, "ADL": {"adl"}}
    wanted = kinds.get(call.params.text("autoCloseType"), {"liquidation", "adl"})
    found = call.at.exchange.orders(call.who, symbol, start=start, end=end, conditional=False)
    rows = [answer(call, order, queried=True) for order in found if order.system in wanted]
    return rows[-call.params.limit(50, 100) :]


def window_ns(call: Call, days: int) -> tuple[int | None, int | None]:
    """Return the window of a request in ns, of so many days at most."""
    start, end = call.params.window()
    if start is not None and end is not None and end - start > days * 86_400_000:
        raise ApiError(-4165, f"Maximum time interval is {days} days.")
    return None if start is None else start * _MS, None if end is None else (end + 1) * _MS - 1
