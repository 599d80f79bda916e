"""The algo service of futures: orders that wait for a price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.binance import futures_encode as encode
from cambist_simulator.dialects.binance.errors import ApiError, no_such_order
from cambist_simulator.dialects.binance.futures_orders import refused, window_ns
from cambist_simulator.dialects.binance.futures_terms import algo_terms, futures_reference
from cambist_simulator.dialects.binance.market_rest import listed_symbol
from cambist_simulator.exchange.errors import RefusedError, Why

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.calls import Call
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["all_algos", "cancel", "cancel_all", "open_algos", "place", "query"]


def _answer(call: Call, order: VenueOrder, kind: str) -> Any:
    child = call.at.order(call.who, order.child_id) if order.child_id else None
    return encode.algo_order(order, call.at.listing(order.terms.symbol), kind=kind, child=child)


def place(call: Call) -> Any:
    """Place a conditional order."""
    terms = algo_terms(call)
    try:
        order = call.at.exchange.place(call.who, terms)
    except RefusedError as error:
        if error.why is Why.DUPLICATE_CLIENT_ID:
            raise ApiError(-4116, "ClientOrderId is duplicated.") from error
        raise refused(call, error) from error
    return _answer(call, order, "new")


def cancel(call: Call) -> Any:
    """Cancel a conditional order."""
    reference = futures_reference(call.params, "algoId", "clientAlgoId")
    try:
        order = call.at.exchange.cancel(call.who, "", **reference, conditional=True)
    except RefusedError as error:
        raise refused(call, error) from error
    return _answer(call, order, "canceled")


def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel all conditional orders in a symbol."""
    symbol = listed_symbol(call)
    try:
        call.at.exchange.cancel_all(call.who, symbol, conditional=True)
    except RefusedError as error:
        raise refused(call, error) from error
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def query(call: Call) -> Any:
    """Tell of one conditional order."""
    reference = futures_reference(call.params, "algoId", "clientAlgoId")
    try:
        order = call.at.exchange.order(call.who, "", **reference, conditional=True)
    except RefusedError as error:
        raise refused(call, error, no_such_order()) from error
    return _answer(call, order, "queried")


def open_algos(call: Call) -> list[Any]:
    """Tell of the conditional orders that wait."""
    symbol = listed_symbol(call) if "symbol" in call.params else None
    found = call.at.exchange.open_orders(call.who, symbol, conditional=True)
    number = call.params.integer("algoId")
    return [_answer(call, order, "queried") for order in found if number is None or order.id == number]


def all_algos(call: Call) -> list[Any]:
    """Tell of conditional orders, whatever became of them."""
    symbol = listed_symbol(call)
    start, end = window_ns(call, 7)
    found = call.at.exchange.orders(
        call.who,
        symbol,
        start=start,
        end=end,
        from_id=call.params.integer("algoId"),
        limit=call.params.limit(500, 1_000),
        conditional=True,
    )
    return [_answer(call, order, "queried") for order in found]
