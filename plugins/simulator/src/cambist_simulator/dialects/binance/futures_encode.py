"""From orders, executions and positions of the exchange to what futures answers and streams say of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from cambist.model import OrderType, Side
from cambist_simulator.dialects.binance.formats import eight, places, plain, to_places, trimmed
from cambist_simulator.dialects.binance.futures_records import (
    AccountUpdate,
    AlgoOrder,
    AlgoState,
    AlgoUpdate,
    ForceOrder,
    FuturesOrder,
    FuturesTrade,
    OrderState,
    OrderTradeUpdate,
    TradeLite,
)
from cambist_simulator.dialects.binance.words import (
    ALGO_STATES,
    EXECUTIONS,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    STATES,
    TRIGGER_WORDS,
    futures_time_in_force,
    futures_type,
    position_side,
)
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.orders import ExecutionType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_simulator.exchange.events import BalanceChanged, OrderChanged, PositionChanged
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.orders import Execution, OrderTerms, VenueOrder

__all__ = [
    "account_update",
    "algo_order",
    "algo_update",
    "balance_rows",
    "force_order",
    "futures_order",
    "order_trade_update",
    "own_trade",
    "pair",
    "position_row",
    "trade_lite",
]

_MS = 1_000_000
_ZERO = Decimal(0)
_MODE = "EXPIRE_MAKER"
#: Names under which the venue trades itself.
_SYSTEM_NAMES = {"liquidation": "autoclose-", "adl": "adl_autoclose", "settlement": "settlement_autoclose-"}


def pair(symbol: str) -> str:
    """Return the pair that a contract is of: ``BTCUSD`` for ``BTCUSD_PERP``."""
    return symbol.partition("_")[0]


def _mode(terms: OrderTerms) -> str:
    return _MODE if terms.self_trade is None else SELF_TRADE_WORDS[terms.self_trade]


def _client_id(order: VenueOrder) -> str:
    prefix = _SYSTEM_NAMES.get(order.system)
    return order.client_id if prefix is None or order.client_id.startswith(prefix) else f"{prefix}{order.id}"


def _rate(terms: OrderTerms) -> str:
    """Return the callback rate in percent."""
    return trimmed((terms.trail or _ZERO) * 100)


def futures_order(order: VenueOrder, listing: Listing, segment: Segment, *, queried: bool) -> FuturesOrder:
    """Return an order in answer to a request.

    Parameters
    ----------
    queried
        Whether it is the answer to a query, which tells more than an acknowledgement.
    """
    terms = order.terms
    price_digits, size_digits = places(listing.tick_size), places(listing.step_size)
    kind = futures_type(terms.type)
    inverse = segment is Segment.INVERSE
    answer = FuturesOrder(
        order_id=order.id,
        symbol=terms.symbol,
        pair=pair(terms.symbol) if inverse else UNSET,
        status=STATES[order.status],
        client_order_id=_client_id(order),
        price=to_places(order.price, price_digits),
        orig_qty=to_places(order.size, size_digits),
        executed_qty=to_places(order.filled, size_digits),
        time_in_force=futures_time_in_force(terms),
        type=kind,
        reduce_only=terms.reduce_only,
        close_position=terms.close_position,
        side=SIDE_WORDS[terms.side],
        position_side=position_side(terms.position_side),
        stop_price=to_places(order.stop_price, price_digits),
        working_type=TRIGGER_WORDS[terms.trigger],
        price_protect=False,
        orig_type=kind,
        price_match="NONE",
        self_trade_prevention_mode=_mode(terms),
        good_till_date=terms.expires_at // _MS,
        update_time=order.updated_at // _MS,
    )
    if terms.type is OrderType.TRAILING_STOP:
        answer.activate_price = to_places(terms.stop_price, price_digits)
        answer.price_rate = _rate(terms)
    if not queried:
        answer.cum_qty = answer.executed_qty
        return answer
    answer.avg_price = to_places(order.average_price, price_digits)
    answer.time = order.created_at // _MS
    if inverse:
        answer.cum_base = eight(order.quote_filled)
    else:
        answer.cum_quote = plain(order.quote_filled)
    return answer


def own_trade(one: Execution, listing: Listing, segment: Segment) -> FuturesTrade:
    """Return a row of ``userTrades``."""
    inverse = segment is Segment.INVERSE
    return FuturesTrade(
        symbol=one.symbol,
        id=one.trade_id,
        order_id=one.order_id,
        pair=pair(one.symbol) if inverse else UNSET,
        side=SIDE_WORDS[one.side],
        price=to_places(one.price, places(listing.tick_size)),
        qty=to_places(one.size, places(listing.step_size)),
        realized_pnl=eight(one.profit),
        margin_asset=listing.settle if inverse else UNSET,
        base_qty=eight(one.quote) if inverse else UNSET,
        quote_qty=UNSET if inverse else trimmed(one.quote),
        commission=eight(one.fee),
        commission_asset=one.fee_asset,
        time=one.at // _MS,
        position_side=position_side(one.position_side),
        buyer=one.side is Side.BUY,
        maker=one.maker,
    )


def algo_order(order: VenueOrder, listing: Listing, *, kind: str, child: VenueOrder | None = None) -> AlgoOrder:
    """Return a conditional order.

    Parameters
    ----------
    kind
        ``"new"``, ``"canceled"`` or ``"queried"``: each answer has fields of its own.
    child
        The order that works in place of a triggered one.
    """
    terms = order.terms
    digits = places(listing.tick_size)
    trailing = terms.type is OrderType.TRAILING_STOP
    answer = AlgoOrder(
        algo_id=order.id,
        client_algo_id=order.client_id,
        algo_type="CONDITIONAL",
        order_type=futures_type(terms.type),
        symbol=terms.symbol,
        side=SIDE_WORDS[terms.side],
        position_side=position_side(terms.position_side),
        time_in_force=futures_time_in_force(terms),
        quantity=to_places(order.size, places(listing.step_size)),
        algo_status=_algo_state(order, child),
        trigger_price=to_places(order.stop_price, digits),
        price=to_places(order.price, digits),
        self_trade_prevention_mode=_mode(terms),
        working_type=TRIGGER_WORDS[terms.trigger],
        price_match="NONE",
        close_position=terms.close_position,
        price_protect=False,
        reduce_only=terms.reduce_only,
        create_time=order.created_at // _MS,
        update_time=order.updated_at // _MS,
        trigger_time=order.updated_at // _MS if order.triggered else 0,
        good_till_date=terms.expires_at // _MS,
    )
    if kind == "queried":
        answer.actual_order_id = str(order.child_id) if order.child_id else ""
        answer.actual_price = to_places(child.average_price if child else None, 5)
        answer.tp_trigger_price = answer.tp_price = answer.sl_trigger_price = answer.sl_price = to_places(None, digits)
        answer.tp_order_type = ""
    elif kind == "new" or trailing:
        answer.activate_price = to_places(terms.stop_price, digits) if trailing else ""
        answer.callback_rate = _rate(terms) if trailing else ""
    return answer


def _algo_state(order: VenueOrder, child: VenueOrder | None) -> str:
    if child is not None and not child.open:
        return "FINISHED"
    return ALGO_STATES[order.status]


def algo_update(
    event: OrderChanged, listing: Listing, *, now: int, child: VenueOrder | None = None, finished: bool = False
) -> AlgoUpdate:
    """Return the event of a user stream; `child` as in `algo_order`, `finished` once it is done."""
    order = event.order
    terms = order.terms
    return AlgoUpdate(
        at=event.at // _MS,
        event_time=now,
        order=AlgoState(
            client_id=order.client_id,
            algo_id=order.id,
            type=futures_type(terms.type),
            symbol=terms.symbol,
            side=SIDE_WORDS[terms.side],
            position_side=position_side(terms.position_side),
            time_in_force=futures_time_in_force(terms),
            size=to_places(order.size, places(listing.step_size)),
            status="FINISHED" if finished else ALGO_STATES[order.status],
            child_id=str(order.child_id) if order.child_id else "",
            average_price=to_places(child.average_price if child else None, 5),
            filled=to_places(child.filled if child else None, 5),
            trigger_price=trimmed(order.stop_price),
            price=trimmed(order.price),
            self_trade=_mode(terms),
            working_type=TRIGGER_WORDS[terms.trigger],
            close_position=terms.close_position,
            reduce_only=terms.reduce_only,
            triggered_at=order.updated_at // _MS if order.triggered else 0,
            good_till_date=terms.expires_at // _MS,
            reason=_algo_reason(order),
        ),
    )


def _algo_reason(order: VenueOrder) -> str:
    return {
        "insufficient_funds": "Margin is insufficient.",
        "insufficient_margin": "Margin is insufficient.",
        "reduce_only": "Reduce Only reject",
        "post_only": "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    }.get(order.reason, order.reason)


def order_trade_update(
    event: OrderChanged,
    listing: Listing,
    segment: Segment,
    *,
    now: int,
    notionals: tuple[Decimal, Decimal] = (_ZERO, _ZERO),
) -> OrderTradeUpdate:
    """Return the event of a user stream.

    Parameters
    ----------
    notionals
        Of the user's open bids and asks in the symbol.
    """
    order, one = event.order, event.execution
    terms = order.terms
    size_digits = places(listing.step_size)
    kind = futures_type(terms.type)
    trailing = terms.type is OrderType.TRAILING_STOP
    state = OrderState(
        symbol=terms.symbol,
        client_id=_client_id(order),
        side=SIDE_WORDS[terms.side],
        type=kind,
        time_in_force=futures_time_in_force(terms),
        size=to_places(order.size, size_digits),
        price=trimmed(order.price),
        average_price=trimmed(round(order.average_price, 8)),
        stop_price=trimmed(order.stop_price),
        execution="AMENDMENT" if event.what is ExecutionType.REPLACED else EXECUTIONS[event.what],
        status=_state(event),
        order_id=order.id,
        last_size=plain(one.size) if one else "0",
        filled=to_places(order.filled, size_digits) if order.filled else "0",
        last_price=trimmed(one.price) if one else "0",
        margin_asset=listing.settle if segment is Segment.INVERSE else UNSET,
        at=event.at // _MS,
        trade_id=one.trade_id if one else 0,
        bid_notional=trimmed(notionals[0]),
        ask_notional=trimmed(notionals[1]),
        maker=one is not None and one.maker,
        reduce_only=terms.reduce_only,
        working_type=TRIGGER_WORDS[terms.trigger],
        original_type=kind,
        position_side=position_side(terms.position_side),
        close_position=terms.close_position,
        profit=trimmed(one.profit) if one else "0",
        self_trade=_mode(terms),
        good_till_date=terms.expires_at // _MS,
        expiry_reason=_expiry_number(order),
    )
    if one is not None:
        state.fee_asset, state.fee = one.fee_asset, eight(one.fee)
    if trailing:
        state.activation_price, state.callback_rate = trimmed(terms.stop_price), _rate(terms)
    return OrderTradeUpdate(at=event.at // _MS, event_time=now, order=state)


def _state(event: OrderChanged) -> str:
    if event.what is ExecutionType.CALCULATED:
        return {"adl": "NEW_ADL", "liquidation": "NEW_INSURANCE"}.get(event.order.system, STATES[event.order.status])
    return STATES[event.order.status]


def _expiry_number(order: VenueOrder) -> str:
    """Return the reason why an order expired, as the numbers of the venue's table have it; ``"0"`` for none."""
    return {
        "self_trade": "1",
        "unfilled": "2",
        "reduce_only": "3",
        "liquidation": "4",
        "post_only": "5",
        "insufficient_margin": "7",
    }.get(order.reason, "0")


def trade_lite(event: OrderChanged, *, now: int) -> TradeLite:
    """Return the event of a user stream for a trade."""
    order, one = event.order, event.execution
    assert one is not None
    return TradeLite(
        event_time=now,
        at=event.at // _MS,
        symbol=one.symbol,
        size=plain(order.size),
        price=trimmed(order.price),
        maker=one.maker,
        client_id=_client_id(order),
        side=SIDE_WORDS[one.side],
        last_price=trimmed(one.price),
        last_size=plain(one.size),
        trade_id=one.trade_id,
        order_id=order.id,
    )


#: Why a balance changed, in the venue's words; trades and fees go by ``ORDER``.
_REASONS = {
    "order": "ORDER",
    "trade": "ORDER",
    "liquidation": "ORDER",
    "adl": "ORDER",
    "funding": "FUNDING_FEE",
    "deposit": "DEPOSIT",
    "withdrawal": "WITHDRAW",
    "transfer": "ADMIN_DEPOSIT",
    "margin": "MARGIN_TRANSFER",
    "margin_type": "MARGIN_TYPE_CHANGE",
    "insurance": "INSURANCE_CLEAR",
}


def balance_rows(event: BalanceChanged) -> list[dict[str, str]]:
    """Return ``B`` of ``ACCOUNT_UPDATE``; ``bc`` is the change without profit and fees, so none of a trade."""
    trade = _REASONS.get(event.reason, "ORDER") == "ORDER"
    return [
        {
            "a": asset,
            "wb": eight(wallet),
            "cw": eight(cross),
            "bc": "0" if trade else plain(event.changes.get(asset)),
        }
        for asset, (wallet, cross) in event.balances.items()
    ]


def position_row(event: PositionChanged, listing: Listing) -> dict[str, str]:
    """Return a row of ``P`` of ``ACCOUNT_UPDATE``."""
    return {
        "s": event.symbol,
        "pa": to_places(event.size, places(listing.step_size)) if event.size else "0",
        "ep": trimmed(round(event.entry_price, 8)),
        "bep": trimmed(round(event.break_even_price, 8)),
        "cr": trimmed(event.realized),
        "up": trimmed(round(event.unrealized, 8)),
        "mt": "isolated" if event.isolated else "cross",
        "iw": plain(event.isolated_wallet),
        "ps": position_side(event.position_side),
    }


def account_update(
    reason: str, balances: Iterable[dict[str, str]], positions: Iterable[dict[str, str]], *, now: int, at: int
) -> AccountUpdate:
    """Return the event of a user stream; `reason` is the exchange's word."""
    change: dict[str, Any] = {"m": _REASONS.get(reason, "ORDER"), "B": list(balances), "P": list(positions)}
    return AccountUpdate(at=at // _MS, event_time=now, change=change)


def force_order(event: OrderChanged, *, now: int) -> ForceOrder:
    """Return the market event of a liquidation."""
    order, one = event.order, event.execution
    assert one is not None
    return ForceOrder(
        event_time=now,
        order={
            "s": one.symbol,
            "S": SIDE_WORDS[one.side],
            "o": "LIMIT",
            "f": "IOC",
            "q": plain(order.size),
            "p": plain(order.price or one.price),
            "ap": plain(order.average_price),
            "X": STATES[order.status],
            "l": plain(one.size),
            "z": plain(order.filled),
            "T": event.at // _MS,
        },
    )
