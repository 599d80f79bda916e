"""The reference price of each trading day: the last close of the bars before it, less what was paid out."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.model.times import SECOND_NS
from cambist.model.timeseries import PriceSeries

if TYPE_CHECKING:
    from datetime import date

    from cambist.backtest.actions import ActionCalendar
    from cambist.backtest.feeds import Feed
    from cambist.model.bars import Bars
    from cambist.model.trading_days import TradingDays

__all__ = ["PreviousCloses"]


class PreviousCloses:
    """Keeps the last close of each trading day of a series, as its blocks are read.

    Parameters
    ----------
    feed
        Of the bars; whatever it reads from now on is noted.
    days
        Trading days of its instrument.
    given
        Reference prices by date, in a form that `PriceSeries.read` takes; they go before those of the bars.
    actions
        Dividends and splits of the run: a reference price is that of a share on the day it is for.

    Notes
    -----
    ``reference = (previous close - dividend) / split``, the ex-right and ex-dividend reference price of Shanghai and
    Shenzhen (Trading Rules, section on ex-rights and ex-dividends) where no new shares are subscribed to. Bars that are
    adjusted already must be given without `actions`, and their limits are those of adjusted prices.
    """

    def __init__(self, feed: Feed, days: TradingDays, given: Any, actions: ActionCalendar | None) -> None:
        self._number, self._days, self._actions = feed.number, days, actions
        self._given = {} if given is None else _by_date(given, feed.instrument.symbol)
        # One entry for each trading day: its number, its last close, and when that is known.
        self._numbers: list[int] = []
        self._closes: list[float] = []
        self._known: list[int] = []
        feed.on_block(self._note)

    def __call__(self, ts: int, day: int) -> float:
        """Return the reference price of trading day number `day` as far as it is known at `ts`, else NaN."""
        if self._given:
            price = self._given.get(self._days.date_of(day))
            if price is not None:
                return price
        row = bisect_left(self._numbers, day) - 1
        while row >= 0 and self._known[row] > ts:  # a bar that is longer than those of the series beside it
            row -= 1
        if row < 0:
            return nan
        price = self._closes[row]
        if self._actions is not None:
            for dividend, split in self._actions.between(self._number, self._known[row], self._days.end(ts)):
                price = (price - dividend) / split
        return price

    def _note(self, block: Bars) -> None:
        """Note the closes of a block; its first day may have begun in the one before."""
        numbers = self._days.numbers(block.ts)
        last = np.flatnonzero(np.append(np.diff(numbers) > 0, True))
        rows = zip(numbers[last].tolist(), block.close[last].tolist(), block.close_times[last].tolist(), strict=True)
        for number, close, known in rows:
            if self._numbers and self._numbers[-1] == number:
                self._numbers.pop()
                self._closes.pop()
                self._known.pop()
            self._numbers.append(number)
            self._closes.append(close)
            self._known.append(known)


def _by_date(given: Any, symbol: str) -> dict[date, float]:
    series = PriceSeries.read(given, f"the previous closes of {symbol}")
    dates = [datetime.fromtimestamp(ts // SECOND_NS, UTC).date() for ts in series.times.tolist()]
    return dict(zip(dates, series.close.tolist(), strict=True))
