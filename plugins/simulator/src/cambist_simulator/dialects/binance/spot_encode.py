"""From orders, executions and balances of the exchange to what spot answers and streams say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET, UnsetType

from cambist.model import Side
from cambist_simulator.dialects.binance.formats import eight
from cambist_simulator.dialects.binance.spot_records import (
    AccountPosition,
    BalanceUpdate,
    CanceledOrder,
    ExecutionReport,
    FilledPart,
    ListStatus,
    NewOrder,
    OrderAck,
    OwnTrade,
    QueriedOrder,
)
from cambist_simulator.dialects.binance.words import (
    EXECUTIONS,
    LIST_STATES,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    STATES,
    TIME_WORDS,
    expiry_reason,
    spot_type,
)
from cambist_simulator.exchange.orders import ExecutionType, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from cambist_simulator.exchange.events import OrderChanged
    from cambist_simulator.exchange.orders import Execution, OrderList, VenueOrder

__all__ = [
    "REJECT_REASONS",
    "account_position",
    "acknowledged",
    "balance_update",
    "canceled_order",
    "execution_report",
    "list_report",
    "list_status",
    "new_order",
    "own_trade",
    "queried_order",
]

_MS = 1_000_000
_NONE = "0.00000000"
_ENDED_UNFILLED = frozenset({Status.EXPIRED, Status.EXPIRED_IN_MATCH})


def acknowledged(order: VenueOrder) -> OrderAck:
    """Return answer ``ACK``."""
    return OrderAck(
        symbol=order.terms.symbol,
        order_id=order.id,
        order_list_id=order.list_id,
        client_order_id=order.client_id,
        transact_time=order.updated_at // _MS,
    )


def new_order(order: VenueOrder, *, fills: bool, mode: str) -> NewOrder:
    """Return answer ``RESULT``, or ``FULL`` with `fills`.

    Parameters
    ----------
    mode
        Of self-trade prevention, where the order names none.
    """
    terms = order.terms
    return NewOrder(
        symbol=terms.symbol,
        order_id=order.id,
        order_list_id=order.list_id,
        client_order_id=order.client_id,
        transact_time=order.updated_at // _MS,
        price=eight(order.price),
        orig_qty=eight(order.size),
        executed_qty=eight(order.filled),
        orig_quote_order_qty=eight(terms.quote_size),
        cummulative_quote_qty=eight(order.quote_filled),
        status=STATES[order.status],
        time_in_force=TIME_WORDS[terms.time_in_force],
        type=spot_type(terms),
        side=SIDE_WORDS[terms.side],
        working_time=_working(order),
        self_trade_prevention_mode=_mode(order, mode),
        fills=[_part(one) for one in order.executions] if fills else UNSET,
        expiry_reason=expiry_reason(order) if order.status in _ENDED_UNFILLED else UNSET,
        **_conditional(order),
    )


def _part(one: Execution) -> FilledPart:
    return FilledPart(
        price=eight(one.price),
        qty=eight(one.size),
        commission=eight(one.fee),
        commission_asset=one.fee_asset,
        trade_id=one.trade_id,
    )


def canceled_order(order: VenueOrder, *, mode: str) -> CanceledOrder:
    """Return the answer to a cancel."""
    terms = order.terms
    return CanceledOrder(
        symbol=terms.symbol,
        orig_client_order_id=order.client_id,
        order_id=order.id,
        order_list_id=order.list_id,
        client_order_id=order.cancel_client_id,
        transact_time=order.updated_at // _MS,
        price=eight(order.price),
        orig_qty=eight(order.size),
        executed_qty=eight(order.filled),
        orig_quote_order_qty=eight(terms.quote_size),
        cummulative_quote_qty=eight(order.quote_filled),
        status=STATES[order.status],
        time_in_force=TIME_WORDS[terms.time_in_force],
        type=spot_type(terms),
        side=SIDE_WORDS[terms.side],
        self_trade_prevention_mode=_mode(order, mode),
        **_conditional(order),
    )


def queried_order(order: VenueOrder, *, mode: str) -> QueriedOrder:
    """Return an order in answer to a query."""
    terms = order.terms
    more = _conditional(order)
    more.pop("stop_price", None)
    more.pop("iceberg_qty", None)
    return QueriedOrder(
        symbol=terms.symbol,
        order_id=order.id,
        order_list_id=order.list_id,
        client_order_id=order.client_id,
        price=eight(order.price),
        orig_qty=eight(order.size),
        executed_qty=eight(order.filled),
        cummulative_quote_qty=eight(order.quote_filled),
        status=STATES[order.status],
        time_in_force=TIME_WORDS[terms.time_in_force],
        type=spot_type(terms),
        side=SIDE_WORDS[terms.side],
        stop_price=eight(order.stop_price),
        iceberg_qty=eight(terms.display),
        time=order.created_at // _MS,
        update_time=order.updated_at // _MS,
        is_working=order.working_at >= 0,
        working_time=_working(order),
        orig_quote_order_qty=eight(terms.quote_size),
        self_trade_prevention_mode=_mode(order, mode),
        expiry_reason=expiry_reason(order) if order.status in _ENDED_UNFILLED else UNSET,
        **more,
    )


def own_trade(one: Execution, list_id: int = -1) -> OwnTrade:
    """Return a row of ``myTrades``."""
    return OwnTrade(
        symbol=one.symbol,
        id=one.trade_id,
        order_id=one.order_id,
        order_list_id=list_id,
        price=eight(one.price),
        qty=eight(one.size),
        quote_qty=eight(one.quote),
        commission=eight(one.fee),
        commission_asset=one.fee_asset,
        time=one.at // _MS,
        is_buyer=one.side is Side.BUY,
        is_maker=one.maker,
    )


def _conditional(order: VenueOrder) -> dict[str, Any]:
    """Return what only some orders have."""
    terms = order.terms
    more: dict[str, Any] = {}
    if order.stop_price is not None:
        more["stop_price"] = eight(order.stop_price)
    if terms.display is not None:
        more["iceberg_qty"] = eight(terms.display)
    if terms.trail is not None:
        more["trailing_delta"] = _basis_points(terms.trail)
        more["trailing_time"] = order.created_at // _MS if terms.stop_price is None else -1
    if terms.strategy_id is not None:
        more["strategy_id"] = terms.strategy_id
    if terms.strategy_type is not None:
        more["strategy_type"] = terms.strategy_type
    if order.prevented:
        more["prevented_quantity"] = eight(order.prevented)
    return more


def _basis_points(share: Decimal) -> int:
    return int(share * 10_000)


def _mode(order: VenueOrder, default: str) -> str:
    mode = order.terms.self_trade
    return default if mode is None else SELF_TRADE_WORDS[mode]


def _working(order: VenueOrder) -> int:
    return order.working_at // _MS if order.working_at >= 0 else -1


def execution_report(
    event: OrderChanged, *, now: int, number: int, mode: str, replaced: str = "", prevented: Decimal | None = None
) -> ExecutionReport:
    """Return the event of a user stream.

    Parameters
    ----------
    now
        Server time, ms.
    number
        Counts the executions of the venue (``I``).
    mode
        Of self-trade prevention, where the order names none.
    replaced
        The order's name before an amendment gave it another.
    prevented
        What self-trade prevention took off just now.
    """
    order, one = event.order, event.execution
    terms = order.terms
    canceled = event.what is ExecutionType.CANCELED
    trailing = terms.trail is not None
    return ExecutionReport(
        event_time=now,
        symbol=terms.symbol,
        client_id=order.cancel_client_id if canceled and order.cancel_client_id else order.client_id,
        side=SIDE_WORDS[terms.side],
        type=spot_type(terms),
        time_in_force=TIME_WORDS[terms.time_in_force],
        size=eight(order.size),
        price=eight(order.price),
        stop_price=eight(order.stop_price),
        iceberg=eight(terms.display),
        list_id=order.list_id,
        original_client_id=(order.client_id if order.cancel_client_id else "") if canceled else replaced,
        execution=EXECUTIONS[event.what],
        status=STATES[order.status],
        reject_reason=_reject_reason(event),
        order_id=order.id,
        filled=eight(order.filled),
        at=event.at // _MS,
        execution_id=number,
        on_book=order.open and order.working_at >= 0,
        created_at=order.created_at // _MS,
        quote_filled=eight(order.quote_filled),
        quote_size=eight(terms.quote_size),
        working_at=order.working_at // _MS if order.working_at >= 0 else UNSET,
        self_trade=_mode(order, mode),
        trailing_delta=_basis_points(terms.trail) if terms.trail is not None else UNSET,
        trailing_at=(order.created_at // _MS if terms.stop_price is None else -1) if trailing else UNSET,
        strategy_id=_given(terms.strategy_id),
        strategy_type=_given(terms.strategy_type),
        prevented_match=number if prevented else UNSET,
        prevented=eight(order.prevented) if order.prevented else UNSET,
        last_prevented=eight(prevented) if prevented else UNSET,
        expiry_reason=expiry_reason(order) if order.status in _ENDED_UNFILLED else UNSET,
        **(_NO_TRADE if one is None else _trade(one)),
    )


def _trade(one: Execution) -> dict[str, Any]:
    """Return what a report says of a trade."""
    return {
        "last_size": eight(one.size),
        "last_price": eight(one.price),
        "last_quote": eight(one.quote),
        "fee": eight(one.fee),
        "fee_asset": one.fee_asset,
        "trade_id": one.trade_id,
        "maker": one.maker,
        "ignored": True,
    }


#: What it says where there is none.
_NO_TRADE: Final[dict[str, Any]] = {
    "last_size": _NONE,
    "last_price": _NONE,
    "last_quote": _NONE,
    "fee": "0",
    "fee_asset": None,
    "trade_id": -1,
    "maker": False,
    "ignored": False,
}


def _given(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value


def _reject_reason(event: OrderChanged) -> str:
    if event.what is not ExecutionType.REJECTED:
        return "NONE"
    return REJECT_REASONS.get(event.reason, "NONE")


#: Why the matching engine refuses an order; what fails before it gets there is not reported.
REJECT_REASONS: Final = {
    "insufficient_funds": "INSUFFICIENT_BALANCES",
    "would_trigger": "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    "would_take": "WOULD_MATCH_IMMEDIATELY",
}


def account_position(balances: Mapping[str, tuple[Decimal, Decimal]], *, now: int, at: int) -> AccountPosition:
    """Return the event of a user stream.

    Parameters
    ----------
    balances
        Free and locked by asset.
    now, at
        Server time in ms; ns of the change.
    """
    rows = [{"a": asset, "f": eight(free), "l": eight(locked)} for asset, (free, locked) in balances.items()]
    return AccountPosition(event_time=now, updated_at=at // _MS, balances=rows)


def balance_update(asset: str, change: Decimal, *, now: int, at: int) -> BalanceUpdate:
    """Return the event of a user stream; `change` is negative for what left."""
    return BalanceUpdate(event_time=now, asset=asset, change=f"{change:.8f}", at=at // _MS)


def list_status(orders: OrderList, names: Callable[[int], str], *, now: int) -> ListStatus:
    """Return the event of a user stream; `names` gives an order's client id."""
    status_type, order_status = LIST_STATES[orders.status]
    return ListStatus(
        event_time=now,
        symbol=orders.symbol,
        list_id=orders.id,
        kind=_contingency(orders),
        status_type=status_type,
        order_status=order_status,
        reject_reason="NONE",
        client_id=orders.client_id,
        at=orders.at // _MS,
        orders=[{"s": orders.symbol, "i": one, "c": names(one)} for one in orders.order_ids],
    )


def list_report(orders: OrderList, names: Callable[[int], str]) -> dict[str, Any]:
    """Return a list in answer to a request; the orders' own reports are added by those who have them."""
    status_type, order_status = LIST_STATES[orders.status]
    return {
        "orderListId": orders.id,
        "contingencyType": _contingency(orders),
        "listStatusType": status_type,
        "listOrderStatus": order_status,
        "listClientOrderId": orders.client_id,
        "transactionTime": orders.at // _MS,
        "symbol": orders.symbol,
        "orders": [{"symbol": orders.symbol, "orderId": one, "clientOrderId": names(one)} for one in orders.order_ids],
    }


def _contingency(orders: OrderList) -> str:
    return "OCO" if orders.kind == "oco" else "OTO"
