"""Recorded fills and orders as strategies, to be run alone or beside others."""

from __future__ import annotations

import os
from math import nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.backtest.records.fills import owner_of, read_fills, result_in
from cambist.backtest.records.orders import read_orders
from cambist.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from cambist.backtest.records.fills import RecordedFill
    from cambist.backtest.records.orders import RecordedOrder
    from cambist.backtest.records.schedule import Step
    from cambist.model.orders import Instructions

__all__ = ["FillHistory", "History", "OrderHistory"]

_TIMER = "next order"


class History(Strategy):
    """What the two kinds of histories have in common; see `FillHistory` and `OrderHistory`.

    Attributes
    ----------
    records
        What was read.
    origin
        The run whose records they are, by its id; ``""`` for those from elsewhere.
    """

    records: tuple[Any, ...]
    origin: str

    def _take(
        self, source: Any, strategy: str | None, name: str | None, read: Callable[[Any, str | None], tuple[Any, ...]]
    ) -> None:
        result = result_in(source)
        owner = "" if result is None else owner_of(result, strategy)
        super().__init__()
        self.origin = "" if result is None else result.run_id
        self.records = records = read(source if result is None else result, strategy)
        self.name = name or owner or type(self).__name__
        said = os.fspath(source) if isinstance(source, str | os.PathLike) else type(source).__name__
        self.params = {"source": said, "records": len(records)} | ({} if strategy is None else {"strategy": strategy})

    def fresh(self) -> Self:
        """Return another one of the same records; what was read is not read again."""
        made = type(self).__new__(type(self))
        Strategy.__init__(made)
        made.records, made.origin = self.records, self.origin
        made.name, made.params = self.name, dict(self.params)
        return made


class FillHistory(History):
    """Recorded fills, booked as they were: no gate reviews them, no market matches them.

    They go through the order machine, the portfolio and the ledger like any other, each as a market order of its own,
    so that account, trades, equity and measures come out as if the run had traded them.

    Parameters
    ----------
    source
        A DataFrame, the path of a CSV or Parquet file, or a list of dicts or tuples; a `Result`, or the folder of a
        saved one. Columns, upper or lower case: a time, ``size`` (negative for a sale, or positive with a ``side``),
        ``price``; ``symbol`` where the run has several instruments; and where there are some ``fee``, ``id``, ``tag``,
        ``liquidity``, ``known_at``. Tuples are ``(time, symbol, size, price[, fee])``, or as in backtrader
        ``(time, size, price[, symbol or number of the series])``.
    strategy
        Of a result: only the fills of that strategy.
    name
        In the result of the run. Default: that of the one strategy whose fills they are, else ``"FillHistory"``.

    Raises
    ------
    DataError
        The source cannot be read, or a row is no fill: names the row, its time and the value.
    ResultError
        A folder holds no result.

    Notes
    -----
    A fill is booked with the bar in which it falls: that opens at or before its time and closes after it, else the
    next one. At the boundary of two bars it belongs to the later. ``known_at`` says otherwise, and a result knows it.
    Under ``rules="backtrader"`` it is booked with the first bar that opens at or after it. Within the bar it comes
    before the orders of other strategies, under backtrader's rules after them.

    Without a fee the run's fees are charged. What the account could not have paid for is booked all the same, and
    told in ``result.warnings``.

    Examples
    --------
    >>> import cambist
    >>> fills = [("2024-01-02 09:30", 10, 100.0), ("2024-01-02 11:00", -10, 104.0)]
    >>> cambist.FillHistory(fills)
    FillHistory(source='list', records=2)
    """

    records: tuple[RecordedFill, ...]

    def __init__(self, source: Any, *, strategy: str | None = None, name: str | None = None) -> None:
        self._take(source, strategy, name, read_fills)


class OrderHistory(History):
    """Recorded orders, sent again at their times: the risk gate reviews them and the run's rules match them.

    Comparing the fills with those on record shows what the rules of the simulation are worth.

    Parameters
    ----------
    source
        As for `FillHistory`. Columns: a time, ``side``, ``size``; ``symbol`` where the run has several instruments;
        and where there are some ``type`` (told from the prices otherwise), ``limit``, ``stop``, ``time_in_force``,
        ``expires_at``, ``reduce_only``, ``tag``, ``trail``, ``trail_percent``, ``trail_limit``, ``post_only``, ``id``,
        ``oco`` and ``parent`` (ids of other rows), and ``canceled_at``. Tuples are
        ``(time, symbol, side, size[, type, limit, stop])``.
    strategy, name
        As for `FillHistory`.

    Raises
    ------
    DataError
        The source cannot be read, or a row is no order: names the row, its time and the value.
    ResultError
        A folder holds no result.

    Notes
    -----
    An order is sent at the first close of a bar that is not before its time; one from between two bars early enough to
    meet the second. Orders that a strategy sent in answer to a fill, inside a bar, are so sent at its close. A record
    holds the last terms of an order: amendments are not repeated, and a trailing stop that began at a given price
    begins at the last one.
    """

    records: tuple[RecordedOrder, ...]
    #: What to do when, see `cambist.backtest.records.schedule`; set when a run is put together.
    plan: Sequence[Step] = ()

    def __init__(self, source: Any, *, strategy: str | None = None, name: str | None = None) -> None:
        self._take(source, strategy, name, read_orders)

    def on_start(self) -> None:
        """Send what is to meet the first bar."""
        self._done = 0
        self._sent: dict[int, int] = {}  # ids in this run, by the numbers of the records
        self._orders: dict[int, Any] = {}  # by their places
        self._go_on()

    def on_timer(self, name: str) -> None:  # noqa: ARG002 - there is but one
        """Send, and withdraw, what is due."""
        self._go_on()

    def _go_on(self) -> None:
        while self._done < len(self.plan) and self.plan[self._done].due <= self._desk.now:
            step = self.plan[self._done]
            self._done += 1
            if step.withdraws:
                self._desk.cancel(self._orders[step.order.place])
            else:
                self._send_again(step.order, step.symbol)
        if self._done < len(self.plan):
            self.set_timer(_TIMER, self.plan[self._done].due)

    def _send_again(self, record: RecordedOrder, symbol: str) -> None:
        trail = None if record.instructions is None else record.instructions.trail
        begins = trail is not None and trail.from_market
        order = self._desk.send(
            self._desk.positions[symbol].instrument,
            record.side,
            record.type,
            record.size,
            record.limit_price,
            nan if begins else record.stop_price,
            record.time_in_force,
            record.expires_at,
            record.reduce_only,
            record.tag,
            self._tied(record.instructions),
        )
        self._orders[record.place] = order
        if record.number:
            self._sent[record.number] = order.id

    def _tied(self, instructions: Instructions | None) -> Instructions | None:
        """Return the terms with the ids that other orders have in this run."""
        if instructions is None or not (instructions.oco or instructions.parent):
            return instructions
        sent = self._sent
        return attrs.evolve(
            instructions,
            oco=sent.get(instructions.oco, 0),
            parent=sent.get(instructions.parent, 0),
            oco_member=sent.get(instructions.oco_member, 0),
        )
