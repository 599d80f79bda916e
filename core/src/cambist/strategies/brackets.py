"""An entry together with the orders that close it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.errors import OrderError
from cambist.model.orders import OrderStatus, Side
from cambist.strategies.order_options import NAMED, OrderOptions, unknown_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.orders import Order
    from cambist.strategies.trading import Trading

__all__ = ["Bracket", "send_bracket"]


class Bracket(NamedTuple):
    """The orders of a bracket; None for one that was not sent."""

    entry: Order | None
    stop_loss: Order | None
    take_profit: Order | None


def send_bracket(
    strategy: Trading,
    side: Side,
    size: float | None,
    take_profit: float | OrderOptions | None,
    stop_loss: float | OrderOptions | None,
    entry: Mapping[str, Any],
) -> Bracket:
    """Send an entry and its closing orders; see `Trading.buy_bracket`."""
    enter, leave = (strategy.buy, strategy.sell) if side is Side.BUY else (strategy.sell, strategy.buy)
    stops = {} if stop_loss is None else _terms("stop_loss", "stop", stop_loss)
    targets = {} if take_profit is None else _terms("take_profit", "limit", take_profit)
    _check_sides(side, entry.get("limit", entry.get("stop")), targets, stops)
    try:
        first = enter(size, **entry)
    except OrderError:
        _check_names(entry)
        raise
    if first is None or first.status is OrderStatus.REJECTED:
        return Bracket(first, None, None)
    common: dict[str, Any] = {"data": first.instrument, "reduce_only": True, "parent": first, "tag": first.tag}
    if first.position_side is not None:
        common["position_side"] = first.position_side
    # What limits the loss goes first.
    stop = leave(first.size, **{**common, **stops}) if stops else None
    partner = {} if stop is None or stop.status is OrderStatus.REJECTED else {"oco": stop}
    target = leave(first.size, **{**common, **partner, **targets}) if targets else None
    return Bracket(first, stop, target)


def _terms(name: str, price: str, given: float | OrderOptions) -> dict[str, Any]:
    if isinstance(given, dict):
        if not given:
            raise OrderError(f"{name} is empty; give a price, keywords of an order, or None for none.")
        return dict(given)
    return {price: given}


def _check_names(entry: Mapping[str, Any]) -> None:
    """Refuse a keyword that no order has in the words of a bracket, which has two more than its entry."""
    for name in entry:
        if name not in NAMED and name not in OrderOptions.__annotations__:
            raise unknown_option(name, "stop_loss", "take_profit") from None


def _check_sides(side: Side, reference: float | None, targets: Mapping[str, Any], stops: Mapping[str, Any]) -> None:
    """Refuse prices that would close the position at once, where they can be compared."""
    sign, where = (1, ("above", "below")) if side is Side.BUY else (-1, ("below", "above"))
    target, stop = targets.get("limit"), stops.get("stop")
    for low, low_name, high, high_name in (
        (reference, "the entry", target, "take_profit"),
        (stop, "stop_loss", reference, "the entry"),
        (stop, "stop_loss", target, "take_profit"),
    ):
        if low is not None and high is not None and not sign * (high - low) > 0:
            raise OrderError(
                f"a {side} bracket has its profit {where[0]} and its loss {where[1]} the entry: "
                f"{high_name} {high} is not {where[0]} {low_name} {low}."
            )
