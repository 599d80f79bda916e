"""Dividends and splits of a run: when they take effect, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError, ParameterError
from cambist.model.events import DividendPaid, SharesSplit
from cambist.model.times import format_ns
from cambist.model.timeseries import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.indicators.series import SeriesCursor
    from cambist.model.instrument import Instrument

__all__ = ["ActionCalendar"]


@attrs.define(eq=False, slots=True)
class _Actions:
    """What is still to come of one instrument, and what came of one share bought before the first bar.

    Attributes
    ----------
    times, dividends, splits
        Ex-times, ns UTC, money for each share held before, and new shares for each old one; shape ``(n,)`` each.
    row
        The next one.
    shares, money
        What one share has become, and the dividends it brought.
    """

    times: NDArray[np.int64]
    dividends: NDArray[np.float64]
    splits: NDArray[np.float64]
    row: int = 0
    shares: float = 1.0
    money: float = 0.0

    @classmethod
    def read(cls, data: Any, instrument: Instrument, opened: int) -> _Actions:
        where = f"the actions of {instrument.symbol}"
        if not instrument.is_cash:
            raise ParameterError(f"{where}: a {instrument.kind} has none; give them for instruments paid in full.")
        table = read_table(data, where, (), ("dividend", "split"))
        times = table["ts"]
        if len(table) == 1:
            raise DataError(f"{where}: there is neither a column 'dividend' nor 'split'. Give at least one of them.")
        dividends = table.get("dividend", np.zeros(len(times)))
        splits = table.get("split", np.ones(len(times))).copy()
        splits[splits == 0.0] = 1.0  # how tables of dividends say that there was no split
        for column, name in ((dividends, "dividend"), (splits, "split")):
            for row in np.flatnonzero(column < 0.0)[:1].tolist():
                raise DataError(f"{where}: row {row} ({format_ns(times[row])}): a {name} of {column[row]} is none.")
        # What took effect before the first bar opened, or as it did, is in its prices.
        return cls(times, dividends, splits, row=int(np.searchsorted(times, opened, side="right")))


class ActionCalendar:
    """Has dividends and splits take effect before the first bar of their instrument that closes after the ex-time.

    No window reaches over such a bar, so that nothing looks for them bar by bar.

    Parameters
    ----------
    given
        A table for each symbol: ``dividend`` and ``split`` by ex-time.
    feeds
        The run's series.
    """

    def __init__(self, given: Mapping[str, Any], feeds: Sequence[Feed]) -> None:
        self._actions = {
            feed.number: _Actions.read(given[feed.instrument.symbol], feed.instrument, int(feed.block.ts[0]))
            for feed in feeds
            if feed.instrument.symbol in given
        }
        self._feeds = feeds
        self._prices: dict[int, _SplitPrice] = {}

    def horizon(self, horizon: int) -> int:
        """Return how far the next window may go, at most to `horizon`."""
        first = min(int(feed.closes[feed.at]) for feed in self._feeds if feed.rows_left)
        for number, actions in self._actions.items():
            feed = self._feeds[number]
            for due in actions.times[actions.row :].tolist():
                row = max(int(np.searchsorted(feed.closes, due, side="right")), feed.at)
                if row >= len(feed.closes):
                    break
                close = int(feed.closes[row])
                if close > first:  # else it takes effect before this window
                    horizon = min(horizon, close - 1)
                    break
        return horizon

    def connect(self, cursors: Sequence[SeriesCursor], set_source: Callable[[str, Callable[[], float]], None]) -> None:
        """Have last prices told in shares of today, between a split and the first bar after it."""
        for number in self._actions:
            cursor = cursors[number]
            self._prices[number] = _SplitPrice(cursor)
            set_source(self._feeds[number].instrument.symbol, self._prices[number])

    def take_effect(self, driver: Driver, window: Window, instant: int) -> None:
        """Tell account, orders and strategies what takes effect before a window that begins with `instant`."""
        now = int(window.instants[0])
        driver.kernel.instant = instant
        for number, actions in self._actions.items():
            feed, (start, stop) = self._feeds[number], window.spans[number]
            if start == stop or int(feed.closes[start]) > now:
                continue
            opened, symbol = int(feed.block.ts[start]), feed.instrument.symbol
            while actions.row < len(actions.times) and actions.times[actions.row] < now:
                row = actions.row
                ts = min(int(actions.times[row]), opened)
                dividend, ratio = float(actions.dividends[row]), float(actions.splits[row])
                actions.row += 1
                actions.money += actions.shares * dividend
                actions.shares *= ratio
                if dividend:
                    driver.carry_out(driver.kernel.step(DividendPaid(ts, symbol, dividend)))
                if ratio != 1.0:
                    driver.carry_out(driver.kernel.step(SharesSplit(ts, symbol, ratio)))
                    self._prices[number].split(opened, ratio)
                    driver.venue.split(symbol, ratio, ts)

    def between(self, number: int, first: int, last: int) -> list[tuple[float, float]]:
        """Return dividend and split of each action of a series with an ex-time from `first` to `last`, ns.

        A split that has not taken effect is 1: until then prices and orders are those of old shares.
        """
        actions = self._actions.get(number)
        if actions is None:
            return []
        rows = range(*np.searchsorted(actions.times, (first, last + 1)).tolist())
        return [
            (float(actions.dividends[row]), float(actions.splits[row]) if row < actions.row else 1.0) for row in rows
        ]

    def held(self, feed: Feed, closes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what one share of before the run is worth at `closes`, dividends included, shape ``(k,)``."""
        actions = self._actions.get(feed.number)
        return closes if actions is None else closes * actions.shares + actions.money


class _SplitPrice:
    """Answers the close of the last bar in shares as they are now."""

    __slots__ = ("_cursor", "_splits")

    def __init__(self, cursor: SeriesCursor) -> None:
        self._cursor = cursor
        self._splits: list[tuple[int, float]] = []

    def split(self, opened: int, ratio: float) -> None:
        """Take a split into account, for bars that opened before `opened`."""
        self._splits = [(opened, ratio)] + [one for one in self._splits if one[0] == opened]

    def __call__(self) -> float:
        price = self._cursor.last_close()
        for opened, ratio in self._splits:
            if self._cursor.ts < opened:
                price /= ratio
        return price
