"""Orders that hang together, and stops that follow the price, in the venue's own terms; or why it has none that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cambist.model import OrderType, TimeInForce
from cambist_binance.orders import LIMITED, SPOT_TYPES, TIMES, plain, trail_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.api import OrderRequest
    from cambist.model import Order
    from cambist_binance.config import BinanceSettings
    from cambist_binance.wire.info import Abilities

__all__ = ["entry_of", "list_params", "no_list", "no_trail"]

_T = OrderType
#: Which orders take a profit, and which limit a loss; a pair has one of each.
_PROFITS: Final = frozenset({_T.LIMIT, _T.MARKET_IF_TOUCHED, _T.LIMIT_IF_TOUCHED})
_STOPS: Final = frozenset({_T.STOP, _T.STOP_LIMIT})
_PAIR: Final = 2
_ID_LENGTH: Final = 36


def entry_of(orders: Sequence[Order]) -> Order | None:
    """Return the order for which the others wait; None where they wait for none of them."""
    first = orders[0]
    return first if any(one.parent == first.id for one in orders[1:]) else None


def no_list(orders: Sequence[Order], able: Abilities) -> str:
    """Return why the venue takes no list of these orders; ``""`` where it does.

    Parameters
    ----------
    orders
        An entry and what closes it, or what closes a position; a single one needs no list.
    able
        What the market can do with their instrument.
    """
    entry = entry_of(orders)
    legs = orders if entry is None else orders[1:]
    if not (able.oto or (entry is None and len(legs) == 1)) or (len(legs) == _PAIR and not able.oco):
        return "the market has no lists of that kind"
    if entry is not None and entry.type is not _T.LIMIT:
        return f"a list begins with a limit order, and this one with a {_words(entry.type)} order"
    if len(legs) > _PAIR:
        return f"a list has two orders that close, and this one {len(legs)}"
    for leg in legs:
        if leg.type not in _PROFITS | _STOPS:
            return f"a {_words(leg.type)} order has no place in a list"
        if leg.time_in_force is not TimeInForce.GTC:
            return f"an order in a list works until it is canceled, and this one has {leg.time_in_force.upper()}"
    return _no_pair(legs) if len(legs) == _PAIR else ""


def _no_pair(legs: Sequence[Order]) -> str:
    first, second = legs
    if first.side is not second.side or first.size != second.size:
        return "the two orders of a pair have one side and one size"
    profit, stop = _profit_first(legs)
    if profit.type not in _PROFITS or stop.type not in _STOPS:
        return "a pair is one order that takes a profit and one that limits a loss"
    above, below = _above_first(legs)
    if not _reference(above) > _reference(below):
        return "the price that takes a profit lies beyond the one that limits a loss"
    return ""


def no_trail(order: Order, able: Abilities) -> str:
    """Return why the venue has no trailing stop like this one; ``""`` where it has."""
    trail = order.trail
    bounds = able.trails.get(order.side)
    share = trail_share(order)
    if trail is None or not bounds:
        return "the market has no trailing stops"
    least, most, step = bounds
    if order.type is not _T.TRAILING_STOP:
        return "the venue's trailing stops have no limit that follows"
    if share.is_nan():
        return "the venue's trailing stops follow at a share of the price, and this one at an amount"
    if trail.on_closes:
        return "the venue's trailing stops follow every price, and this one the closes of bars"
    if not trail.from_market:
        return "the venue's trailing stops begin where the market stands, and this one at a stop that was given"
    if order.oco or order.parent:
        return "a trailing stop that hangs together with others has no place in a list"
    if order.time_in_force is not TimeInForce.GTC:
        return (
            f"the venue's trailing stops work until they are canceled, and this one has {order.time_in_force.upper()}"
        )
    if not least <= share <= most or share % step:
        steps = f"{least:%} to {most:%} in steps of {step:%}"
        return f"the venue's trailing stops follow at {steps}, and this one at {share:%}"
    return ""


def list_params(requests: Sequence[OrderRequest], name: str, settings: BinanceSettings) -> tuple[str, dict[str, Any]]:
    """Return what is asked of the venue for a list, and the parameters.

    Parameters
    ----------
    requests
        In the order of `no_list`.
    name
        The venue's of the instrument.
    """
    entry = entry_of([one.order for one in requests])
    legs = requests if entry is None else requests[1:]
    params: dict[str, Any] = {"symbol": name, "newOrderRespType": "RESULT"}
    own = f"{requests[0].client_id}-l"
    if len(own) <= _ID_LENGTH:
        params["listClientOrderId"] = own
    if settings.self_trade_prevention:
        params["selfTradePreventionMode"] = settings.self_trade_prevention
    if entry is not None:
        params |= _leg("working", requests[0], sided=True)
    if len(legs) == 1:
        return "list_oto", params | _leg("pending", legs[0], sided=True)
    above, below = _above_first([one.order for one in legs])
    by_order = {one.order.id: one for one in legs}
    prefix = "" if entry is None else "pending"
    side, quantity = ("side", "quantity") if entry is None else ("pendingSide", "pendingQuantity")
    params |= {side: _side(legs[0].order), quantity: plain(legs[0].size)}
    for place, order in (("Above", above), ("Below", below)):
        params |= _leg(prefix + place if prefix else place.lower(), by_order[order.id], sided=False)
    return ("list_oco" if entry is None else "list_otoco"), params


def _leg(prefix: str, request: OrderRequest, *, sided: bool) -> dict[str, Any]:
    """Return the parameters of one order of a list; in a pair, the limit order is one that rests."""
    order, kind = request.order, SPOT_TYPES[request.type]
    instructions = order.instructions
    rests = request.type is _T.LIMIT and (not sided or (instructions is not None and instructions.post_only))
    params: dict[str, Any] = {"Type": "LIMIT_MAKER" if rests else kind, "ClientOrderId": request.client_id}
    if sided:
        params |= {"Side": _side(order), "Quantity": plain(request.size)}
    if request.type in LIMITED:
        assert request.limit_price is not None
        params["Price"] = plain(request.limit_price)
        if not rests:
            params["TimeInForce"] = TIMES.get(order.time_in_force, "GTC")
    if request.type is not _T.LIMIT:
        assert request.stop_price is not None
        params["StopPrice"] = plain(request.stop_price)
    if instructions is not None and instructions.display_size and params.get("TimeInForce", "GTC") == "GTC":
        params["IcebergQty"] = plain(order.instrument.size_to_decimal(instructions.display_size))
    return {prefix + name: value for name, value in params.items()}


def _above_first(legs: Sequence[Order]) -> tuple[Order, Order]:
    """Return the order that acts above the market, and the one that acts below it."""
    profit, stop = _profit_first(legs)
    return (stop, profit) if profit.is_buy else (profit, stop)


def _profit_first(legs: Sequence[Order]) -> tuple[Order, Order]:
    first, second = legs
    return (second, first) if first.type in _STOPS else (first, second)


def _reference(order: Order) -> float:
    return order.limit_price if order.type is _T.LIMIT else order.stop_price


def _side(order: Order) -> str:
    return "BUY" if order.is_buy else "SELL"


def _words(kind: OrderType) -> str:
    return str(kind).replace("_", " ")
