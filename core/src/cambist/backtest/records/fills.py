"""Fills as they were recorded."""

from __future__ import annotations

import os
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.records.rows import Rows, read_rows
from cambist.backtest.result import Result
from cambist.errors import DataError, did_you_mean
from cambist.model.legs import leg_key
from cambist.model.orders import Liquidity, Side
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill
    from cambist.portfolio import AccountHistory
    from cambist.portfolio.history import PositionSteps

__all__ = [
    "IDS",
    "SIDES",
    "SYMBOLS",
    "TIMES",
    "RecordedFill",
    "check_ids",
    "owner_of",
    "read_fills",
    "refuse_strategy",
    "result_in",
]

TIMES = ("ts", "time", "timestamp", "date", "datetime", "executed_at", "filled_at", "created_at", "sent_at")
SYMBOLS = ("symbol", "instrument", "ticker", "data")
IDS = ("id", "fill_id", "trade_id", "execution_id", "order_id")
SIDES = {word: side for side in Side for word in (side.value, side.value[0])}
_NAMES = {
    "time": TIMES,
    "symbol": SYMBOLS,
    "side": ("side",),
    "size": ("size", "qty", "quantity", "amount", "volume"),
    "price": ("price",),
    "fee": ("fee", "fees", "commission"),
    "liquidity": ("liquidity",),
    "tag": ("tag",),
    "id": IDS[:-1],
    "known_at": ("known_at",),
}
#: Of tuples; the second is that of backtrader's ``add_order_history``.
_FORMS = (("time", "symbol", "size", "price", "fee"), ("time", "size", "price", "symbol", "fee"))
_LIQUIDITY = {str(one): one for one in Liquidity}


@attrs.frozen(eq=False, slots=True)
class RecordedFill:
    """One execution that took place.

    Attributes
    ----------
    ts
        When, ns, UTC.
    symbol
        Of what; ``""`` where the record does not say.
    side, size, price
        `size` is positive.
    fee
        Paid in the account's currency, negative for a rebate; NaN where the fees of the run are to be charged.
    liquidity, tag
        Maker or taker, and the tag of the order.
    known_at
        From when on the account had it, ns; None for the bar that it falls into.
    place
        In the order in which they were booked.
    where
        What to call it in messages.
    """

    ts: int
    symbol: str
    side: Side
    size: float
    price: float
    fee: float
    liquidity: Liquidity
    tag: str
    known_at: int | None
    place: int
    where: str


def read_fills(source: Any, strategy: str | None = None) -> tuple[RecordedFill, ...]:
    """Read recorded fills, in the order in which they were booked.

    Parameters
    ----------
    source
        A `Result`, the folder of a saved one, a DataFrame, a CSV or Parquet file, or a list of rows.
    strategy
        Of a result: only the fills of this one.

    Raises
    ------
    DataError
        It cannot be read, or a row is no fill: names the row, its time and the value.
    ResultError
        A folder holds no result.
    """
    result = result_in(source)
    if result is not None:
        return _of_result(result, strategy)
    refuse_strategy(strategy)
    rows = read_rows(source, _NAMES, ("size", "price"), _FORMS)
    fills = sorted(_of_rows(rows), key=lambda fill: fill.ts)
    return tuple(attrs.evolve(fill, place=place) for place, fill in enumerate(fills))


def result_in(source: Any) -> Result | None:
    """Return the result that a source is or holds; None where it is something else."""
    if isinstance(source, Result):
        return source
    if isinstance(source, str | os.PathLike) and Path(source).is_dir():
        from cambist.backtest.load import load_result

        return load_result(source)
    return None


def owner_of(result: Result, strategy: str | None) -> str:
    """Return the strategy whose records are meant; ``""`` for those of several.

    Raises
    ------
    DataError
        The result has no such strategy.
    """
    names = [one.name for one in result.strategies]
    if strategy is None:
        return names[0] if len(names) == 1 else ""
    if strategy not in names:
        raise DataError(f"the result has no strategy {strategy!r}.{did_you_mean(strategy, names)}")
    return strategy


def refuse_strategy(strategy: str | None) -> None:
    """Refuse to choose among the strategies of something that is no result."""
    if strategy is not None:
        raise DataError(f"strategy={strategy!r} chooses among those of a result; leave it out, and the rows as well.")


def check_ids(rows: Rows) -> None:
    """Refuse two rows of one id."""
    if "id" not in rows.columns:
        return
    first: dict[str, int] = {}
    for row, number in enumerate(rows.texts("id")):
        if number and first.setdefault(number, row) != row:
            raise rows.refuse(
                row, f"its id {number} is that of {rows.name(first[number])} too. Leave one of them out, or the ids."
            )


def _of_rows(rows: Rows) -> Iterable[RecordedFill]:
    check_ids(rows)
    sizes, prices, fees = rows.numbers("size"), rows.numbers("price"), rows.numbers("fee")
    sides = rows.choices("side", SIDES, None)
    symbols, tags = rows.texts("symbol"), rows.texts("tag")
    liquidity, known = rows.choices("liquidity", _LIQUIDITY, Liquidity.TAKER), rows.times("known_at")
    for row, (ts, size, price) in enumerate(zip(rows.ts.tolist(), sizes, prices, strict=True)):
        side = sides[row] or (Side.BUY if size > 0.0 else Side.SELL)
        _check(rows, row, size, sides[row])
        if not 0.0 < price < inf:
            raise rows.refuse(row, f"the price is {price:g}; give what was paid for a unit, or leave the row out.")
        if abs(fees[row]) == inf:
            raise rows.refuse(row, f"the fee is {fees[row]:g}; give an amount, or nothing for the fees of the run.")
        known_at = known[row]
        if known_at is not None and known_at < ts:
            raise rows.refuse(row, f"it was known at {format_ns(known_at)}, before it took place. Correct known_at.")
        yield RecordedFill(
            ts,
            symbols[row],
            side,
            abs(size),
            price,
            fees[row],
            liquidity[row],
            tags[row],
            known_at,
            row,
            rows.name(row),
        )


def _check(rows: Rows, row: int, size: float, side: Side | None) -> None:
    """Refuse a size that is none, or says something else than the side."""
    if size == 0.0 or not abs(size) < inf:
        what = "missing" if isnan(size) else f"{size:g}"
        raise rows.refuse(row, f"the size is {what}; give what was traded, negative for a sale without a side.")
    if side is Side.BUY and size < 0.0:
        raise rows.refuse(row, f"the side is buy and the size {size:g}. Give a positive size, or no side.")


def _of_result(result: Result, strategy: str | None) -> tuple[RecordedFill, ...]:
    orders = {order.id: order for order in result.order_records}
    owner_of(result, strategy)
    known = _booked_at(result)
    return tuple(
        RecordedFill(
            fill.ts,
            fill.instrument.symbol,
            fill.side,
            fill.size,
            fill.price,
            fill.fee,
            fill.liquidity,
            orders[fill.order_id].tag,
            known.get(number),
            number,
            f"fill {fill.id} ({format_ns(fill.ts)})",
        )
        for number, fill in enumerate(result.fill_records)
        if strategy is None or orders[fill.order_id].strategy == strategy
    )


def _booked_at(result: Result) -> Mapping[int, int]:
    """Return when the account of a result had each of its fills, by their places, where that is known.

    The time of a fill does not tell: where one bar ends as the next begins, a fill at an open and one inside the bar
    before are of one time. The steps of the positions tell, of which a fill makes one, and a split as well.
    """
    if result.history is None:
        return {}
    account = result.history.account
    sides = {order.id: order.position_side for order in result.order_records}
    keys = [leg_key(one.instrument.symbol, sides[one.order_id]) for one in result.fill_records]
    known: dict[int, int] = {}
    for key, instrument in account.legs(result.instruments):
        own = [(place, one) for place, one in enumerate(result.fill_records) if keys[place] == key]
        steps = account.positions[key]
        times = steps.times.tolist()
        if len(own) < len(times):
            times = _times_of_fills(instrument, [fill for _, fill in own], steps, account)
        known |= {place: ts for (place, _), ts in zip(own, times, strict=True)}
    return known


def _times_of_fills(
    instrument: Instrument, fills: Sequence[Fill], steps: PositionSteps, account: AccountHistory
) -> list[int]:
    """Return the times of those steps of a position that fills made; the others were splits, which no money paid."""
    cash = [account.initial_cash, *account.cash.tolist()]
    found: list[int] = []
    held = 0.0
    for ts, size in zip(steps.times.tolist(), steps.sizes.tolist(), strict=True):
        if len(found) < len(fills):
            fill = fills[len(found)]
            signed = fill.size * fill.side.sign
            after = instrument.size_grid.nearest(held + signed) if held else signed
            paid = signed * instrument.multiplier * fill.price + fill.fee
            first, last = np.searchsorted(account.times, ts), np.searchsorted(account.times, ts, side="right")
            if size == after and any(cash[row + 1] == cash[row] - paid for row in range(first, last)):
                found.append(ts)
        held = size
    if len(found) < len(fills):
        raise DataError(
            f"{instrument.symbol}: the {len(fills)} fills of the result do not make the {len(steps.times)} steps of "
            "its position. Take a result as a run has returned it."
        )
    return found
