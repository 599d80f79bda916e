"""The floor: engines of a few lines that know one rule each, with everything worked out before that can be.

They have no instruments, no risk gate, no order states and no report, and nobody would trade with them; but they do
what no engine that calls Python for each bar can leave out: ask the strategy, work its orders against the next bar,
keep cash, fills and the equity of every bar. What they take is about the least that plain Python takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.data import random_walk
from benchmarks.job import CASH, FEES
from benchmarks.outcome import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.data import Columns

__all__ = ["FloorCross", "FloorReplace"]


class _Account:
    """Cash, one position, its fills and the equity at each close."""

    __slots__ = ("cash", "equity", "fills", "size")

    def __init__(self) -> None:
        self.cash = CASH
        self.size = 0.0
        self.fills: list[tuple[int, float, float]] = []
        self.equity: list[float] = []

    def fill(self, at: int, size: float, price: float) -> None:
        """Book a trade of signed `size` on bar `at`."""
        self.cash -= size * price + abs(size) * price * FEES
        self.size += size
        self.fills.append((at, size, price))

    def outcome(self) -> Outcome:
        return Outcome.of(((size, price) for _, size, price in self.fills), self.equity[-1])


class _MarketEngine:
    """Market orders, one at a time, filled at the next open."""

    def __init__(self, columns: Columns) -> None:
        self.opens = columns.open.tolist()
        self.closes = columns.close.tolist()
        self.account = _Account()
        self.pending = 0.0

    def order(self, size: float) -> None:
        self.pending = size

    def run(self, strategy: _Cross) -> None:
        account, on_bar = self.account, strategy.on_bar
        keep = account.equity.append
        for at, (open_, close) in enumerate(zip(self.opens, self.closes, strict=True)):
            if self.pending:
                account.fill(at, self.pending, open_)
                self.pending = 0.0
            on_bar(at)
            keep(account.cash + account.size * close)


class _Cross:
    """Buys one unit when the fast average comes to lie above the slow one, sells it when below."""

    def __init__(self, engine: _MarketEngine, fast: list[float], slow: list[float]) -> None:
        self.engine = engine
        self.fast = fast
        self.slow = slow
        self.above: bool | None = None

    def on_bar(self, at: int) -> None:
        fast, slow = self.fast[at], self.slow[at]
        if slow != slow:  # noqa: PLR0124 - NaN: not known yet
            return
        above = fast > slow
        if above is not self.above:
            if self.above is not None:
                if above:
                    self.engine.order(1.0)
                elif self.engine.account.size > 0.0:
                    self.engine.order(-self.engine.account.size)
            self.above = above


def _average(values: NDArray[np.float64], period: int) -> list[float]:
    """Return the moving average, NaN where it is not known yet."""
    sums = np.cumsum(np.concatenate(([0.0], values)))
    average = np.full(len(values), np.nan)
    average[period - 1 :] = (sums[period:] - sums[:-period]) / period
    return average.tolist()


class FloorCross:
    """The moving-average cross."""

    def prepare(self, size: int) -> Columns:
        return random_walk(size)

    def run(self, data: Columns) -> _Account:
        engine = _MarketEngine(data)
        engine.run(_Cross(engine, _average(data.close, 10), _average(data.close, 30)))
        return engine.account

    def outcome(self, result: _Account) -> Outcome:
        return result.outcome()


class _Limit:
    """A limit order."""

    __slots__ = ("number", "price", "size", "status")

    def __init__(self, number: int, size: float, price: float) -> None:
        self.number = number
        self.size = size
        self.price = price
        self.status = "open"


class _LimitEngine:
    """Limit orders in a book, matched with the next bar."""

    def __init__(self, columns: Columns) -> None:
        prices = (columns.open, columns.high, columns.low, columns.close)
        self.bars = list(zip(*(column.tolist() for column in prices), strict=True))
        self.account = _Account()
        self.book: dict[int, _Limit] = {}
        self.orders: list[_Limit] = []
        self.close = 0.0

    def order(self, size: float, price: float) -> _Limit:
        order = _Limit(len(self.orders), size, price)
        self.orders.append(order)
        self.book[order.number] = order
        return order

    def cancel(self, order: _Limit) -> None:
        if order.number in self.book:
            order.status = "canceled"
            del self.book[order.number]

    def match(self, at: int, open_: float, high: float, low: float) -> None:
        for order in list(self.book.values()):
            limit = order.price
            if order.size > 0.0:
                if low > limit:
                    continue
                price = min(open_, limit)
            else:
                if high < limit:
                    continue
                price = max(open_, limit)
            del self.book[order.number]
            order.status = "filled"
            self.account.fill(at, order.size, price)

    def run(self, strategy: _Replace) -> None:
        account, on_bar, match = self.account, strategy.on_bar, self.match
        keep = account.equity.append
        for at, (open_, high, low, close) in enumerate(self.bars):
            if self.book:
                match(at, open_, high, low)
            self.close = close
            on_bar()
            keep(account.cash + account.size * close)


class _Replace:
    """Cancels its order on every bar and sends a new one, a little away from the close."""

    def __init__(self, engine: _LimitEngine) -> None:
        self.engine = engine
        self.order: _Limit | None = None

    def on_bar(self) -> None:
        engine = self.engine
        if self.order is not None:
            engine.cancel(self.order)
        if engine.account.size > 0.0:
            self.order = engine.order(-1.0, engine.close * (1.0 + 0.001))
        else:
            self.order = engine.order(1.0, engine.close * (1.0 - 0.001))


class FloorReplace:
    """A new limit order on every bar."""

    def prepare(self, size: int) -> Columns:
        return random_walk(size)

    def run(self, data: Columns) -> _LimitEngine:
        engine = _LimitEngine(data)
        engine.run(_Replace(engine))
        return engine

    def outcome(self, result: _LimitEngine) -> Outcome:
        return result.account.outcome()
