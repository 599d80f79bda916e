"""Faults of orders: fills at the wrong moment, ends that nobody asked for, orders of others."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cambist.model import OrderType, Side
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.orders import OrderTerms, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.orders import VenueOrder
    from cambist_simulator.faults.occasions import Ground, Occasion

__all__ = ["ORDER_ACTIONS", "exchange_of", "symbol_of"]


def exchange_of(ground: Ground, symbol: str, *, futures: bool = False) -> tuple[Exchange, str] | None:
    """Return the first exchange that lists a symbol, and the symbol as it writes it; None where none does.

    Parameters
    ----------
    symbol
        However it is written; ``"BTCUSDT:linear"`` names the segment as well.
    futures
        Whether it must be one of futures.
    """
    name, _, segment = symbol.partition(":")
    for exchange in ground.exchanges.values():
        if segment not in {"", str(exchange.segment)} or (futures and exchange.segment is Segment.SPOT):
            continue
        found = listed(exchange, name)
        if found is not None:
            return exchange, found
    return None


def listed(exchange: Exchange, symbol: str) -> str | None:
    """Return a symbol as the exchange writes it; None where it does not list it."""
    return next((one for one in exchange.listings if one.upper() == symbol.upper()), None)


def symbol_of(occasion: Occasion) -> str:
    """Return the symbol that a fault concerns: the one it names, or that of the request."""
    return occasion.rule.fault.chosen("symbol") or str(occasion.facts.get("symbol", ""))


def user_of(ground: Ground, occasion: Occasion) -> str | None:
    """Return the id of the user that a fault concerns: the one it names, or that of the request."""
    named = occasion.rule.fault.chosen("user") or occasion.facts.get("user", "")
    return ground.user_id(str(named[0]) if isinstance(named, tuple) else str(named))


def _made(ground: Ground, occasion: Occasion) -> tuple[Exchange, VenueOrder] | None:
    """Return the order that the request has made, if it is still open."""
    if occasion.order is None:
        occasion.note = "no order was made"
        return None
    name, number = occasion.order
    exchange = ground.exchanges[name]
    order = exchange.interference.order(number)
    if not order.open:
        occasion.note = "the order had ended"
        return None
    return exchange, order


def _share(exchange: Exchange, order: VenueOrder, share: float) -> Decimal:
    """Return a share of what is left of an order, on the step; at least one step."""
    step: Decimal = exchange.listings[order.terms.symbol].step_size
    return max(order.left * Decimal(repr(share)) // step * step, step)


def _fill(exchange: Exchange, order: VenueOrder, share: float, occasion: Occasion) -> None:
    if order.price is None or order.working_at < 0:
        occasion.note = "the order does not rest"
        return
    before = order.filled
    exchange.interference.fill(order.id, _share(exchange, order, share))
    occasion.note = f"order {order.id}: {order.filled - before} filled"


def _late_visibility(ground: Ground, occasion: Occasion) -> None:
    if occasion.order is None:
        occasion.note = "no order was made"
        return
    name, number = occasion.order
    exchange = ground.exchanges[name]
    exchange.interference.hidden.add(number)
    ground.timers("server").after(
        occasion.rule.fault.arguments["for"], lambda: exchange.interference.hidden.discard(number)
    )
    occasion.note = f"order {number}"


def _partial_fills(ground: Ground, occasion: Occasion) -> None:
    found = _made(ground, occasion)
    if found is None:
        return
    exchange, order = found
    arguments = occasion.rule.fault.arguments
    parts = max(1, arguments["parts"])
    step = exchange.listings[order.terms.symbol].step_size
    whole = _share(exchange, order, arguments["share"])
    each = max(whole / parts // step * step, step)
    filled = order.filled
    for part in range(parts):
        size = each if part < parts - 1 else whole - each * part
        if size > 0 and order.open:
            exchange.interference.fill(order.id, min(size, order.left))
    occasion.note = f"order {order.id}: {order.filled - filled} filled"


def _fill_before_ack(ground: Ground, occasion: Occasion) -> None:
    found = _made(ground, occasion)
    if found is not None:
        _fill(*found, occasion.rule.fault.arguments["share"], occasion)


def _fill_during_cancel(ground: Ground, occasion: Occasion) -> None:
    """Fill the order that a request is about to cancel: the one it names, or the oldest that is open."""
    facts, user = occasion.facts, user_of(ground, occasion)
    for exchange in ground.exchanges.values():
        symbol = listed(exchange, str(facts.get("symbol", "")))
        if user is None or (facts.get("symbol") and symbol is None):
            continue
        for order in exchange.open_orders(user, symbol):
            if _is(order, facts):
                _fill(exchange, order, occasion.rule.fault.arguments["share"], occasion)
                return
    occasion.note = "no such order is open"


def _is(order: VenueOrder, facts: Mapping[str, object]) -> bool:
    number, name = facts.get("order_id"), facts.get("client_id")
    if number:
        return str(order.id) == str(number)
    return not name or order.client_id == name


def _reject_after_ack(ground: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments

    def reject() -> None:
        found = _made(ground, occasion)
        if found is not None:
            found[0].interference.end(found[1].id, Status.REJECTED, arguments["reason"])

    if arguments["after"]:
        ground.timers("server").after(arguments["after"], reject)
    else:
        reject()
    occasion.note = occasion.note or f"order {occasion.order[1] if occasion.order else 0}"


def _foreign_order(ground: Ground, occasion: Occasion) -> None:
    arguments = occasion.rule.fault.arguments
    found, user = exchange_of(ground, symbol_of(occasion)), user_of(ground, occasion)
    if found is None or user is None:
        occasion.note = "no such symbol or user"
        return
    exchange, symbol = found
    price = arguments["price"]
    terms = OrderTerms(
        symbol=symbol,
        side=Side.BUY if arguments["side"] == "buy" else Side.SELL,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        size=arguments["size"],
        price=price,
        client_id=arguments["client_id"] or "",
        reduce_only=arguments["reduce_only"],
    )
    try:
        order = exchange.place(user, terms)
    except RefusedError as error:
        occasion.note = f"refused: {error.why} {error.details}"
    else:
        occasion.note = f"order {order.id}"


def _cancel_all(ground: Ground, occasion: Occasion) -> None:
    user = user_of(ground, occasion)
    if user is None:
        occasion.note = "no such user"
        return
    wanted = occasion.rule.fault.chosen("symbol")
    ended = []
    if wanted is None:
        for exchange in ground.exchanges.values():
            ended += exchange.cancel_all(user)
    else:
        found = exchange_of(ground, wanted)
        ended += found[0].cancel_all(user, found[1]) if found is not None else []
    occasion.note = f"orders {', '.join(str(one.id) for one in ended) or 'none'}"


def _liquidation(ground: Ground, occasion: Occasion) -> None:
    found, user = exchange_of(ground, symbol_of(occasion), futures=True), user_of(ground, occasion)
    if found is None or user is None:
        occasion.note = "no such future or user"
        return
    exchange, symbol = found
    occasion.note = "liquidated" if exchange.interference.liquidate(user, symbol) else "there is no position"


#: What happens to orders.
ORDER_ACTIONS: Mapping[str, Callable[[Ground, Occasion], None]] = {
    "late_visibility": _late_visibility,
    "partial_fills": _partial_fills,
    "fill_before_ack": _fill_before_ack,
    "fill_during_cancel": _fill_during_cancel,
    "reject_after_ack": _reject_after_ack,
    "foreign_order": _foreign_order,
    "foreign_cancel": _cancel_all,
    "liquidation": _liquidation,
    "dead_man": _cancel_all,
}
