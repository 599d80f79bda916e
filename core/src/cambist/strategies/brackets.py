"""An entry together with the orders that close it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.errors import OrderError
from cambist.model.orders import Instructions, OrderStatus, OrderType, Side, TimeInForce
from cambist.strategies.order_options import NAMED, OrderOptions, group_of, positive, unknown_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.orders import Order
    from cambist.strategies.trading import Trading

__all__ = ["Bracket", "send_bracket"]

_BUY, _SELL = Side.BUY, Side.SELL
_LIMIT, _STOP = OrderType.LIMIT, OrderType.STOP
_GTC = TimeInForce.GTC
_REJECTED = OrderStatus.REJECTED


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
    _check_sides(side, entry.get("limit", entry.get("stop")), take_profit, stop_loss)
    enter = strategy.buy if side is _BUY else strategy.sell
    try:
        first = enter(size, **entry)
    except OrderError:
        _check_names(entry)
        raise
    if first is None or first.status is _REJECTED:
        return Bracket(first, None, None)
    # What limits the loss goes first.
    stop = None if stop_loss is None else _leave(strategy, first, "stop", stop_loss, None)
    partner = None if stop is None or stop.status is _REJECTED else stop
    target = None if take_profit is None else _leave(strategy, first, "limit", take_profit, partner)
    return Bracket(first, stop, target)


def _leave(
    strategy: Trading, entry: Order, name: str, terms: float | OrderOptions, partner: Order | None
) -> Order | None:
    """Send one of the orders that close what `entry` opens: at a price, or with keywords of `Trading.sell`."""
    if isinstance(terms, dict):
        leave = strategy.sell if entry.side is _BUY else strategy.buy
        common: dict[str, Any] = {"data": entry.instrument, "reduce_only": True, "parent": entry, "tag": entry.tag}
        if entry.position_side is not None:
            common["position_side"] = entry.position_side
        if partner is not None:
            common["oco"] = partner
        return leave(entry.size, **{**common, **terms})
    price = positive(name, terms)
    kind, limit, stop = (_LIMIT, price, nan) if name == "limit" else (_STOP, nan, price)
    group, member = (0, 0) if partner is None else (group_of(partner), partner.id)
    ties = Instructions(None, False, 0.0, group, entry.id, {}, entry.position_side, member)
    side = _SELL if entry.side is _BUY else _BUY
    send = strategy._desk.send  # noqa: SLF001 - this module is a part of `Trading`
    return send(entry.instrument, side, kind, entry.size, limit, stop, _GTC, 0, True, entry.tag, ties)


def _check_names(entry: Mapping[str, Any]) -> None:
    """Refuse a keyword that no order has in the words of a bracket, which has two more than its entry."""
    for name in entry:
        if name not in NAMED and name not in OrderOptions.__annotations__:
            raise unknown_option(name, "stop_loss", "take_profit") from None


def _check_sides(
    side: Side,
    reference: float | None,
    take_profit: float | OrderOptions | None,
    stop_loss: float | OrderOptions | None,
) -> None:
    """Refuse terms that are none, and prices that would close the position at once, where they can be compared."""
    stop = _price("stop_loss", "stop", stop_loss)
    target = _price("take_profit", "limit", take_profit)
    # From what lies above in a buy bracket to what lies below; what has no price is not compared.
    listed = ((target, "take_profit"), (reference, "the entry"), (stop, "stop_loss"))
    high, high_name = None, ""
    for low, low_name in listed:
        if low is None:
            continue
        if high is not None and not (high > low if side is _BUY else high < low):
            where = ("above", "below") if side is _BUY else ("below", "above")
            raise OrderError(
                f"a {side} bracket has its profit {where[0]} and its loss {where[1]} the entry: "
                f"{high_name} {high} is not {where[0]} {low_name} {low}."
            )
        high, high_name = low, low_name


def _price(name: str, keyword: str, terms: float | OrderOptions | None) -> float | None:
    """Return the price in the terms of a closing order; None where there is none."""
    if not isinstance(terms, dict):
        return terms
    if not terms:
        raise OrderError(f"{name} is empty; give a price, keywords of an order, or None for none.")
    price: float | None = terms.get(keyword)  # type: ignore[assignment]
    return price
