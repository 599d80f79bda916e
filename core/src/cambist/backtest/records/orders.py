"""Orders as they were recorded."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.backtest.records.fills import SIDES, SYMBOLS, TIMES, check_ids, owner_of, refuse_strategy, result_in
from cambist.backtest.records.rows import read_rows
from cambist.model.orders import (
    LIMITED,
    TRAILING,
    TRIGGERED,
    Instructions,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    Trail,
)
from cambist.model.times import format_ns
from cambist.simulation.liquidation import DELEVERAGED, LIQUIDATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.backtest.records.rows import Rows
    from cambist.backtest.result import Result
    from cambist.model.orders import Order

__all__ = ["RecordedOrder", "read_orders"]

_NAMES = {
    "time": ("created_at", *(name for name in TIMES if name != "created_at")),
    "symbol": SYMBOLS,
    "side": ("side",),
    "size": ("size", "qty", "quantity", "amount"),
    "type": ("type", "order_type"),
    "limit": ("limit", "limit_price"),
    "stop": ("stop", "stop_price"),
    "time_in_force": ("time_in_force", "tif"),
    "expires_at": ("expires_at",),
    "reduce_only": ("reduce_only",),
    "tag": ("tag",),
    "id": ("id", "order_id"),
    "trail": ("trail",),
    "trail_percent": ("trail_percent",),
    "trail_limit": ("trail_limit",),
    "post_only": ("post_only",),
    "oco": ("oco",),
    "parent": ("parent",),
    "canceled_at": ("canceled_at",),
    "status": ("status",),
    "reason": ("reason",),
    "updated_at": ("updated_at",),
}
_FORMS = (("time", "symbol", "side", "size", "type", "limit", "stop"),)
_TYPES = {str(one): one for one in OrderType}
_TIMES_IN_FORCE = {str(one): one for one in TimeInForce}


@attrs.frozen(eq=False, slots=True)
class RecordedOrder:
    """One order that was sent.

    Attributes
    ----------
    ts
        When it was sent, ns, UTC.
    symbol
        For what; ``""`` where the record does not say.
    side, type, size, limit_price, stop_price, time_in_force, expires_at, reduce_only, tag
        As those of `cambist.Order`.
    instructions
        Its less common terms; `oco` and `parent` are numbers of records.
    number
        Its own, by which others name it; 0 for none.
    canceled_at
        When whoever sent it withdrew it, ns; None where nobody did.
    place
        In the order in which they were sent.
    where
        What to call it in messages.
    """

    ts: int
    symbol: str
    side: Side
    type: OrderType
    size: float
    limit_price: float
    stop_price: float
    time_in_force: TimeInForce
    expires_at: int
    reduce_only: bool
    tag: str
    instructions: Instructions | None
    number: int
    canceled_at: int | None
    place: int
    where: str


def read_orders(source: Any, strategy: str | None = None) -> tuple[RecordedOrder, ...]:
    """Read recorded orders, in the order in which they were sent; parameters and errors are those of `read_fills`.

    An order of size 0, which a risk gate refused, is left out of a result, and so is one by which a venue liquidated a
    position: nobody sent it, and the venue sends it again.
    """
    result = result_in(source)
    if result is not None:
        return tuple(_of_result(result, strategy))
    refuse_strategy(strategy)
    rows = read_rows(source, _NAMES, ("side", "size"), _FORMS)
    orders = sorted(_of_rows(rows), key=lambda order: order.ts)
    return tuple(attrs.evolve(order, place=place) for place, order in enumerate(orders))


def _of_result(result: Result, strategy: str | None) -> Iterator[RecordedOrder]:
    owner_of(result, strategy)
    for place, order in enumerate(result.order_records):
        if (strategy is None or order.strategy == strategy) and order.size > 0.0 and not _is_liquidation(order):
            withdrawn = order.status is OrderStatus.CANCELED and not order.reason
            yield RecordedOrder(
                order.created_at,
                order.instrument.symbol,
                order.side,
                order.type,
                order.size,
                order.limit_price,
                order.stop_price,
                order.time_in_force,
                order.expires_at,
                order.reduce_only,
                order.tag,
                order.instructions,
                order.id,
                order.updated_at if withdrawn else None,
                place,
                f"order {order.id} ({format_ns(order.created_at)})",
            )


def _is_liquidation(order: Order) -> bool:
    return order.tag in (LIQUIDATION, DELEVERAGED) and order.reduce_only and order.type is OrderType.MARKET


def _of_rows(rows: Rows) -> Iterator[RecordedOrder]:
    check_ids(rows)
    sides, sizes = rows.choices("side", SIDES, None), rows.positive("size")
    limits, stops = rows.positive("limit"), rows.positive("stop")
    kinds, tifs = rows.choices("type", _TYPES, None), rows.choices("time_in_force", _TIMES_IN_FORCE, None)
    symbols, tags, expiries = rows.texts("symbol"), rows.texts("tag"), rows.times("expires_at")
    reduce_only = rows.flags("reduce_only")
    numbers = _Numbers(rows)
    instructions, canceled = _instructions(rows, numbers, stops), _canceled(rows)
    for row, ts in enumerate(rows.ts.tolist()):
        if sides[row] is None or isnan(sizes[row]):
            missing = "side" if sides[row] is None else "size"
            raise rows.refuse(row, f"the {missing} is missing. Fill it in, or leave the row out.")
        kind = kinds[row] or _type_of(limits[row], stops[row], instructions[row])
        _check(rows, row, kind, limits[row], stops[row], instructions[row])
        tif = tifs[row] or (TimeInForce.GTC if expiries[row] is None else TimeInForce.GTD)
        if tif is TimeInForce.GTD and expiries[row] is None:
            raise rows.refuse(row, "a gtd order needs expires_at. Fill it in, or choose another time_in_force.")
        yield RecordedOrder(
            ts,
            symbols[row],
            sides[row],
            kind,
            sizes[row],
            limits[row] if kind in LIMITED else nan,
            stops[row] if kind in TRIGGERED else nan,
            tif,
            expiries[row] or 0,
            reduce_only[row],
            tags[row],
            instructions[row],
            numbers.own(row),
            canceled[row],
            row,
            rows.name(row),
        )


class _Numbers:
    """Numbers for the ids of rows, which may be any texts."""

    def __init__(self, rows: Rows) -> None:
        self._ids = rows.texts("id")
        self._numbers = {one: number for number, one in enumerate(self._ids, 1) if one}
        self._rows = rows

    def own(self, row: int) -> int:
        """Return the number of a row."""
        return row + 1 if self._ids[row] else 0

    def named(self, name: str) -> list[int]:
        """Return the numbers of the orders that a column names, 0 for none."""
        found = []
        for row, one in enumerate(self._rows.texts(name)):
            if one and one not in self._numbers:
                raise self._rows.refuse(row, f"its {name} is {one!r}, which is the id of no row. Give it one.")
            found.append(self._numbers[one] if one else 0)
        return found


def _instructions(rows: Rows, numbers: _Numbers, stops: list[float]) -> list[Instructions | None]:
    """Return the less common terms of each order, None for none."""
    amounts, percents, offsets = rows.positive("trail"), rows.positive("trail_percent"), rows.numbers("trail_limit")
    found: list[Instructions | None] = []
    post_only, ocos, parents = rows.flags("post_only"), numbers.named("oco"), numbers.named("parent")
    for row, terms in enumerate(zip(post_only, ocos, parents, strict=True)):
        trail = None
        if not isnan(amounts[row]) or not isnan(percents[row]):
            if percents[row] >= 1.0:
                raise rows.refuse(row, f"trail_percent is {percents[row]:g}; it is a fraction: 0.02 is 2 %.")
            trail = Trail(amounts[row], percents[row], offsets[row], from_market=isnan(stops[row]))
        only, oco, parent = terms
        given = trail is not None or any(terms)
        found.append(Instructions(trail=trail, post_only=only, oco=oco, parent=parent) if given else None)
    return found


def _canceled(rows: Rows) -> list[int | None]:
    """Return when each order was withdrawn: as its column says, or as the table of a result does."""
    said = rows.times("canceled_at")
    statuses, reasons, updated = rows.texts("status"), rows.texts("reason"), rows.times("updated_at")
    for row, status in enumerate(statuses):
        if said[row] is None and status == OrderStatus.CANCELED and not reasons[row]:
            said[row] = updated[row]
    for row, when in enumerate(said):
        if when is not None and when < rows.ts[row]:
            raise rows.refuse(row, f"it was canceled at {format_ns(when)}, before it was sent. Correct one of the two.")
    return said


def _type_of(limit: float, stop: float, instructions: Instructions | None) -> OrderType:
    """Return the type that the prices of an order give it, as `Strategy.buy` does."""
    if instructions is not None and instructions.trail is not None:
        offset = instructions.trail.limit_offset
        return OrderType.TRAILING_STOP if isnan(offset) else OrderType.TRAILING_STOP_LIMIT
    if isnan(limit):
        return OrderType.MARKET if isnan(stop) else OrderType.STOP
    return OrderType.LIMIT if isnan(stop) else OrderType.STOP_LIMIT


def _check(rows: Rows, row: int, kind: OrderType, limit: float, stop: float, instructions: Instructions | None) -> None:
    """Refuse an order that lacks what its type needs."""
    missing = []
    if kind in TRAILING:
        if instructions is None or instructions.trail is None:
            missing.append("trail or trail_percent")
    else:
        missing += ["limit"] if kind in LIMITED and isnan(limit) else []
        missing += ["stop"] if kind in TRIGGERED and isnan(stop) else []
    if missing:
        raise rows.refuse(row, f"a {kind} order needs {' and '.join(missing)}. Fill it in, or leave the row out.")
