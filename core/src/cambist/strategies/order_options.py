"""The less common terms of an order, as a strategy gives them by keyword."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any, TypedDict

from cambist.errors import OrderError, did_you_mean
from cambist.model.orders import Instructions, OrderType, PositionSide, Trail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.orders import Order

__all__ = ["NAMED", "OrderOptions", "group_of", "positive", "read_options", "read_side", "unknown_option"]


class OrderOptions(TypedDict, total=False):
    """Keywords of `Trading.buy` and `Trading.sell` beyond price and time.

    Attributes
    ----------
    touch
        Trade once the price has moved this far in the order's favor: at market, or at `limit` where one is given.
    on_close
        Trade at the close of the session of the first bar that the order meets; without a calendar, of its UTC day.
    trail, trail_percent
        A stop that follows the price at this distance, as an amount or as a fraction (0.02 is 2 %). It begins at
        `stop` where one is given, else where the market stands now, or when the parent trades.
    trail_limit
        Makes of it a limit order, this far behind the stop, 0 or more.
    trail_on
        ``"extremes"`` (default): follow every price; ``"closes"``: follow the closes of bars alone.
    post_only
        Never take a resting order: refused where it would.
    display_size
        How much of it the market may see at a time (an iceberg). Matching against bars knows no other orders, and
        trades it like any other.
    oco
        Another order: what trades of one of the two, or ends it, cancels the other. Naming any member of a larger
        group joins it.
    parent
        Rest until this order has traded; trade no more than it has, and end with it if nothing of it trades.
    position_side
        ``"long"`` or ``"short"``: which of the two positions of a hedged account it opens or closes; see
        `cambist.model.margin.PositionMode`.
    info
        Notes of your own, kept as ``order.info``.
    """

    touch: float
    on_close: bool
    trail: float
    trail_percent: float
    trail_limit: float
    trail_on: str
    post_only: bool
    display_size: float
    oco: Order
    parent: Order
    position_side: PositionSide | str
    info: Mapping[str, Any]


#: What `Trading.buy` and `Trading.sell` take besides: an unknown keyword may have been meant for one of them.
NAMED = ("size", "limit", "stop", "data", "time_in_force", "expires_at", "reduce_only", "tag")
#: Those that leave an order the type that its prices give it.
_LEAVE_TYPE = frozenset({"post_only", "display_size", "oco", "parent", "position_side", "info"})


def read_options(
    options: OrderOptions, limit: float | None, stop: float | None
) -> tuple[OrderType | None, float, Instructions]:
    """Return the type that `options` ask for (None: that of the prices), its trigger, and the rest of them.

    Raises
    ------
    OrderError
        For an unknown keyword, a number that is none, or keywords that contradict each other.
    """
    known = OrderOptions.__annotations__
    for name in options:
        if name not in known:
            raise unknown_option(name)
    kind, trigger = (None, nan) if _LEAVE_TYPE.issuperset(options) else _type(options, limit, stop)
    oco, parent = options.get("oco"), options.get("parent")
    display = options.get("display_size")
    instructions = Instructions(
        trail=_trail(options, stop) if "trail" in options or "trail_percent" in options else None,
        post_only=bool(options.get("post_only", False)),
        display_size=0.0 if display is None else positive("display_size", display),
        oco=0 if oco is None else group_of(oco),
        parent=0 if parent is None else parent.id,
        info=dict(options.get("info") or {}),
        position_side=read_side(options.get("position_side")),
        oco_member=0 if oco is None else oco.id,
    )
    return kind, trigger, instructions


def read_side(side: PositionSide | str | None) -> PositionSide | None:
    """Return the position side that `side` names, None for None.

    Raises
    ------
    OrderError
        It names none.
    """
    if side is None:
        return None
    try:
        return PositionSide(side)
    except ValueError:
        known = [str(one) for one in PositionSide]
        raise OrderError(f"position_side is {side!r}.{did_you_mean(str(side), known)}") from None


def unknown_option(name: str, *besides: str) -> OrderError:
    """Return the error for a keyword that no order has; `besides` are those that its call knows of its own."""
    known = (*NAMED, *besides, *OrderOptions.__annotations__)
    return OrderError(f"an order has no {name!r}.{did_you_mean(name, known)}")


def _type(options: OrderOptions, limit: float | None, stop: float | None) -> tuple[OrderType | None, float]:
    wants = [name for name in ("touch", "trail", "trail_percent") if options.get(name) is not None]
    if options.get("on_close"):
        wants.insert(0, "on_close")
    if len(wants) > 1:
        raise OrderError(f"an order cannot have both {wants[0]} and {wants[1]}; choose one.")
    want = wants[0] if wants else ""
    if want in ("touch", "on_close") and stop is not None:
        raise OrderError(f"an order with {want} has no stop; leave stop={stop} out.")
    if want not in ("", "touch") and limit is not None:
        remedy = "give trail_limit, its distance from the stop," if want.startswith("trail") else "leave it out"
        raise OrderError(f"an order with {want} has no limit price of its own; {remedy} instead of limit={limit}.")
    for name in ("trail_limit", "trail_on"):
        if options.get(name) is not None and not want.startswith("trail"):
            raise OrderError(f"{name} goes with trail or trail_percent; give one of them, or leave it out.")
    if want == "on_close":
        return OrderType.MARKET_ON_CLOSE, nan
    if want == "touch":
        kind = OrderType.MARKET_IF_TOUCHED if limit is None else OrderType.LIMIT_IF_TOUCHED
        return kind, positive("touch", options["touch"])
    if want:
        limited = options.get("trail_limit") is not None
        kind = OrderType.TRAILING_STOP_LIMIT if limited else OrderType.TRAILING_STOP
        return kind, nan if stop is None else positive("stop", stop)
    return None, nan


def _trail(options: OrderOptions, stop: float | None) -> Trail:
    amount, percent = options.get("trail"), options.get("trail_percent")
    if percent is not None and not 0.0 < percent < 1.0:
        raise OrderError(f"trail_percent is {percent}; it is a fraction of the price: 0.02 is 2 %.")
    behind = options.get("trail_limit")
    if behind is not None and not 0.0 <= behind < inf:
        raise OrderError(f"trail_limit is {behind}; it is a distance behind the stop, 0 or more.")
    follows = options.get("trail_on", "extremes")
    if follows not in ("extremes", "closes"):
        raise OrderError(f"trail_on is {follows!r}.{did_you_mean(follows, ['extremes', 'closes'])}")
    return Trail(
        amount=nan if amount is None else positive("trail", amount),
        percent=nan if percent is None else float(percent),
        limit_offset=nan if behind is None else float(behind),
        on_closes=follows == "closes",
        from_market=stop is None,
    )


def group_of(member: Order) -> int:
    """Return the group of an order; of one that has ended, itself, so that it is told that it has."""
    return member.oco if member.oco and member.is_open else member.id


def positive(name: str, value: float) -> float:
    """Return a price, size or distance as a float.

    Raises
    ------
    OrderError
        If it is not positive and finite.
    """
    if not 0.0 < value < inf:
        raise OrderError(f"{name} is {value}; it must be a positive number.")
    return float(value)
