"""An order's terms make sense together, and at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import TOUCHED, TRAILING, TRIGGERED, OrderType, TimeInForce
from cambist.model.times import format_ns
from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Instructions, Order
    from cambist.ports.risk import RiskView

__all__ = ["TermsRule"]

_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_GTC, _GTD = TimeInForce.GTC, TimeInForce.GTD
_FLEETING = frozenset({TimeInForce.IOC, TimeInForce.FOK})


class TermsRule:
    """Refuses an order that contradicts itself, the market, or the orders it is tied to.

    A stop that the market has reached already is refused, as most venues do: who wants to trade at once sends a
    market order. Codes: ``stop_already_reached``, ``expires_in_past``, ``post_only_not_limit``,
    ``post_only_immediate``, ``display_size_not_limit``, ``display_size_too_large``, ``on_close_immediate``,
    ``oco_ended``, ``parent_ended``, ``parent_unknown``.
    """

    name = "terms"

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - any order can contradict itself
        """Every instrument."""
        return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Look at times, stops, instructions and ties; plain orders have none of them."""
        kind, instructions = order.type, order.instructions
        parent = refusal = None
        if order.time_in_force is not _GTC:
            refusal = _review_time(order, view)
        if refusal is None and instructions is not None:
            if instructions.post_only or instructions.display_size:
                refusal = _review_working(order, instructions)
            if refusal is None and (instructions.oco or instructions.parent):
                parent = view.order(instructions.parent) if instructions.parent else None
                refusal = _review_ties(order, instructions, parent, view)
        if refusal is not None or kind is _MARKET or kind is _LIMIT:
            return refusal
        if parent is not None and parent.filled == 0.0:
            return None  # nobody knows where the market will stand when something of it has traded
        return _review_stop(order, view)


def _review_time(order: Order, view: RiskView) -> Refusal | None:
    tif = order.time_in_force
    if tif is _GTD and order.expires_at < view.now():
        return Refusal(
            "expires_in_past",
            f"expires_at is {format_ns(order.expires_at)}, before now ({format_ns(view.now())}); give a later time.",
        )
    if tif in _FLEETING and order.type is OrderType.MARKET_ON_CLOSE:
        return Refusal(
            "on_close_immediate", f"an order for the close cannot be {str(tif)!r}, which trades at once; leave it out."
        )
    return None


def _review_working(order: Order, instructions: Instructions) -> Refusal | None:
    has_limit = order.limit_price == order.limit_price or order.type is OrderType.TRAILING_STOP_LIMIT
    if instructions.post_only and not has_limit:
        return Refusal("post_only_not_limit", f"a {order.type} order cannot be post-only; give it a limit.")
    if instructions.post_only and order.time_in_force in _FLEETING:
        return Refusal(
            "post_only_immediate",
            f"post-only waits, {str(order.time_in_force)!r} does not: the order could never trade. Drop one of them.",
        )
    shown = instructions.display_size
    if shown and not has_limit:
        return Refusal("display_size_not_limit", f"a {order.type} order never rests in sight; give it a limit.")
    if shown > order.size:
        return Refusal("display_size_too_large", f"display_size {shown} is above the size {order.size}; lower it.")
    return None


def _review_ties(order: Order, instructions: Instructions, parent: Order | None, view: RiskView) -> Refusal | None:
    group = instructions.oco
    first = view.order(group) if group and group != order.id else None
    if first is not None and (not first.is_open or first.filled > 0.0):
        return Refusal(
            "oco_ended",
            f"order {first.id}, which it is to cancel or be canceled by, is {first.status} with {first.filled:g} "
            "filled; send it without oco, or not at all.",
        )
    if not instructions.parent:
        return None
    if parent is None:
        return Refusal(
            "parent_unknown", f"there is no order {instructions.parent} to wait for; give an order of this run."
        )
    if not parent.is_open and parent.filled == 0.0:
        return Refusal(
            "parent_ended", f"order {parent.id}, for which it is to wait, is {parent.status}; send it without parent."
        )
    return None


def _review_stop(order: Order, view: RiskView) -> Refusal | None:
    kind = order.type
    if kind not in TRIGGERED or order.triggered:
        return None
    price, stop = view.market_price(order.instrument), order.stop_price
    falling = order.is_buy if kind in TOUCHED else not order.is_buy
    if not (price <= stop if falling else price >= stop):  # never where there is no price yet
        return None
    side = "below" if falling else "above"
    word = "follow at a distance above zero" if kind in TRAILING else f"give a stop price {side} {price:g}"
    return Refusal(
        "stop_already_reached",
        f"the market stands at {price:g}, where a {order.side} {kind} order with the stop {stop:g} acts at once; "
        f"{word}, or send a market order.",
    )
