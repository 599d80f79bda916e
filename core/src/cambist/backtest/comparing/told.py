"""What a run tells of itself, from its result or from its journal, in the terms in which runs are compared."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.backtest.load import load_result
from cambist.backtest.result import Result
from cambist.engine.codec import CODEC
from cambist.engine.fold import RunState
from cambist.errors import ParameterError
from cambist.model.times import to_ns
from cambist.storage.journal import JournalFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Trade

__all__ = ["Item", "Told", "told_by"]

_EVERYTHING = 2**62


@attrs.frozen
class Item:
    """Something that a run tells: when it was, what it is by, and its numbers that may differ a little."""

    ts: int
    exact: dict[str, Any]
    close: dict[str, float]

    @property
    def fields(self) -> dict[str, Any]:
        """All of it, for people."""
        return self.exact | self.close


@attrs.frozen(kw_only=True)
class Told:
    """What a run tells of itself; each list in the order in which it happened.

    Attributes
    ----------
    name
        What it is, in words.
    """

    name: str
    signal: list[Item]
    intent: list[Item]
    order: list[Item]
    fill: list[Item]
    pnl: list[Item]


def told_by(run: Result | str | PathLike[str], since: Any, until: Any) -> Told:
    """Return what a run tells; see `cambist.compare`."""
    first = -_EVERYTHING if since is None else to_ns(since)
    last = _EVERYTHING if until is None else to_ns(until)
    if not first < last:
        raise ParameterError(f"since is {since!r} and until is {until!r}; there is nothing between them.")

    def within(ts: int) -> bool:
        return first <= ts < last

    if isinstance(run, Result):
        return _of_result(run, f"{run!r}", within)
    folder = Path(run)
    if JournalFolder.is_at(folder):
        return _of_journal(folder, within)
    return _of_result(load_result(folder), f"the result in {folder}", within)


def _of_result(result: Result, name: str, within: Callable[[int], bool]) -> Told:
    table: Any = result.signals
    signals = [
        _signal(ts, strategy, noted, symbol, value, text)
        for ts, strategy, noted, symbol, value, text in zip(
            table.index.as_unit("ns").asi8.tolist(),
            *(table[column].tolist() for column in ("strategy", "name", "instrument", "value", "text")),
            strict=True,
        )
    ]
    orders = [order for order in result.order_records if not order.by_venue]
    return _told(name, signals, orders, result.fill_records, result.trade_records, within)


def _of_journal(folder: Path, within: Callable[[int], bool]) -> Told:
    state = RunState(keep=_EVERYTHING)
    signals: list[Item] = []
    own: set[int] = set()
    for entry in JournalFolder(folder).read():
        state.apply(entry)
        if entry.kind == "signal_noted":
            noted: Any = CODEC.decode(entry)
            value = float("nan") if noted.value is None else noted.value
            signals.append(_signal(entry.ts, noted.strategy, noted.name, noted.symbol, value, noted.text))
        elif entry.kind == "order_adopted":
            adopted: Any = CODEC.decode(entry)
            own.add(adopted.order_id)
    orders = [order for order in state.book.orders if order.id not in own]
    trades: list[Trade] = [trade for books in state.accounts.values() for trade in books.trades.closed]
    return _told(f"the journal in {folder}", signals, orders, state.fills, trades, within)


def _signal(ts: int, strategy: str, name: str, symbol: str, value: float, text: str) -> Item:
    exact = {"strategy": strategy, "name": name, "instrument": symbol, "text": text}
    return Item(ts, exact, {} if isnan(value) else {"value": value})


def _told(
    name: str,
    signals: Iterable[Item],
    orders: Iterable[Order],
    fills: Iterable[Fill],
    trades: Iterable[Trade],
    within: Callable[[int], bool],
) -> Told:
    orders = [order for order in orders if within(order.created_at)]
    sent = {order.id: order for order in orders}
    traded = [_fill(fill, sent[fill.order_id]) for fill in fills if fill.order_id in sent]
    closed = sorted((one for one in trades if not one.is_open and within(one.opened_at)), key=lambda one: one.closed_at)
    return Told(
        name=name,
        signal=sorted((one for one in signals if within(one.ts)), key=lambda one: one.ts),
        intent=[_intent(order) for order in orders],
        order=[_order(order) for order in orders],
        fill=traded,
        pnl=[_trade(trade) for trade in closed],
    )


def _intent(order: Order) -> Item:
    trails = order.trail is not None
    exact = {
        "strategy": order.strategy,
        "instrument": order.instrument.symbol,
        "side": str(order.side),
        "type": str(order.type),
        "size": order.size,
        "time_in_force": str(order.time_in_force),
        "reduce_only": order.reduce_only,
        "tag": order.tag,
        # How far back the orders are that it is tied to: numbers shift where one run has an order more.
        "group": order.id - order.oco if order.oco else None,
        "parent": order.id - order.parent if order.parent else None,
    }
    prices = {} if trails else {"limit": order.limit_price, "stop": order.stop_price}
    return Item(order.created_at, exact, {name: price for name, price in prices.items() if not isnan(price)})


def _order(order: Order) -> Item:
    exact = {
        "instrument": order.instrument.symbol,
        "side": str(order.side),
        "type": str(order.type),
        "status": str(order.status),
        "reason": order.reason.partition(":")[0],
        "filled": order.filled,
    }
    return Item(order.created_at, exact, {} if isnan(order.average_price) else {"average": order.average_price})


def _fill(fill: Fill, order: Order) -> Item:
    exact = {
        "instrument": fill.instrument.symbol,
        "side": str(fill.side),
        "order": str(order.type),
        "size": fill.size,
        "liquidity": str(fill.liquidity),
    }
    return Item(fill.ts, exact, {"price": fill.price, "fee": fill.fee})


def _trade(trade: Trade) -> Item:
    side = "long" if trade.is_long else "short"
    exact = {"instrument": trade.instrument.symbol, "side": side, "size": trade.size, "strategy": trade.strategy}
    return Item(trade.closed_at, exact, {"entry": trade.entry_price, "exit": trade.exit_price, "net": trade.net})
