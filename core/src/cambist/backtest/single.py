"""The fast path for one strategy on one series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.warmup import warmup_hook
from cambist.engine.clock import Clock
from cambist.engine.monitors import looking_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Window
    from cambist.indicators.series import BarView, SeriesCursor

__all__ = ["SinglePlayer"]


class _BarClock(Clock):
    """Stands at the close of the bar that a cursor is on; it is on one whenever this clock is read."""

    __slots__ = ("_closes", "_cursor", "_offset")

    def __init__(self, cursor: SeriesCursor, closes: memoryview, offset: int) -> None:
        self._cursor = cursor
        self._closes = closes
        self._offset = offset

    def read(self) -> int:
        """Return the close time, ns."""
        return self._closes[self._offset + self._cursor.row]


class SinglePlayer:
    """Plays one window; see `Driver`.

    It stops for a timer, and for the end of warm-up, by cutting the window into stretches, so that no bar asks
    whether one is due.
    """

    def __init__(self, driver: Driver, window: Window, first_instant: int) -> None:
        self.driver = driver
        self.kernel = driver.kernel
        self.feed = driver.feeds[0]
        self.seat = driver.kernel.seats[0]
        self.cursor = self.seat.cursors[0]
        self.start, stop = window.spans[0]
        self.count = stop - self.start
        self.instants = window.instants
        self.first_instant = first_instant
        self.stop, self.timers, self.trades_at_close = driver.stop, driver.timers, driver.venue.trades_at_close
        self.clock = _BarClock(self.cursor, self.feed.closes.data, self.start - 1)
        self.due = 0

    def play(self) -> int:
        """Play the window's bars, or those up to a stop; return how many."""
        driver, kernel, seat = self.driver, self.kernel, self.seat
        cold = self.seat.warm_after[0] - self.feed.played - self.start
        on_step, looks = seat.hook("on_step"), kernel.monitors.looks
        if looks is not None:
            on_step = looks if on_step is None else looking_first(looks, on_step)
        row = 0
        kernel.clock = self.clock
        try:
            while row < self.count and not self.stop.requested:
                self.due = self.timers.next_due
                last = self._row_before_due(row)
                if row < cold:
                    row = self._stretch(row, min(last, cold), warmup_hook(seat, 0), looks)
                else:
                    row = self._stretch(row, last, seat.on_bar[0], on_step)
                if self.timers.next_due <= self.clock.read():
                    kernel.instant = self.first_instant + row - 1
                    if self.trades_at_close:
                        self._mark_close(row)
                    driver.fire_timers(self.clock.read())
        finally:
            kernel.clock = kernel.own_clock
            # Where a strategy raised: at the bar it was shown last, or in the matching of the one after.
            kernel.instant = max(kernel.instant, self.first_instant + self.cursor.row - 1)
        kernel.instant = self.first_instant + row
        return row

    def _row_before_due(self, row: int) -> int:
        """Return the 1-based row of the first bar that closes when the next timer is due, or the last row."""
        due_row = int(np.searchsorted(self.instants, self.due, side="left")) + 1
        return max(row + 1, min(self.count, due_row))

    def _stretch(
        self, row: int, last: int, on_bar: Callable[[BarView], None], on_step: Callable[[], None] | None
    ) -> int:
        """Play the bars after `row` up to `last`; return the one after which it ended."""
        kernel, own_clock, bar_clock = self.kernel, self.kernel.own_clock, self.clock
        cursor, bar, effects, settle = self.cursor, self.seat.bars[0], kernel.effects, self._settle
        block, symbol = self.feed.block, self.feed.instrument.symbol
        market, match = self.driver.venue.markets[symbol], self.driver.venue.match
        working = market.working
        # Memory views give Python numbers, and cost nothing where no order works.
        opens, closes = block.ts.data, self.feed.closes.data
        open_, high, low, close, volume = (column.data for column in block.columns.values())
        before, first_instant = self.start - 1, self.first_instant - 1
        stopping, timers, due = self.stop, self.timers, self.due
        pause = False
        for row in range(row + 1, last + 1):  # noqa: B020, PLR1704 - goes on where the stretch before ended
            if working:
                at = before + row
                floor, ceiling = market.reach
                if low[at] <= floor or high[at] >= ceiling:
                    kernel.instant = first_instant + row
                    kernel.clock = own_clock
                    match(symbol, opens[at], closes[at], open_[at], high[at], low[at], close[at], volume[at])
                    kernel.clock = bar_clock
                    pause = stopping.requested or timers.next_due != due
                else:
                    market.last_open = opens[at]
            cursor.row = row
            on_bar(bar)
            if effects:
                pause = settle(row) or pause
            if on_step is not None:
                on_step()
                if effects:
                    pause = settle(row) or pause
            if pause:
                break
        return row

    def _settle(self, row: int) -> bool:
        """Carry out what was asked for at a bar's close; tell whether the stretch must end here."""
        kernel, clock = self.kernel, self.clock
        kernel.instant = self.first_instant + row - 1
        kernel.clock = own_clock = kernel.own_clock
        own_clock.now = clock.read()
        if self.trades_at_close:
            self._mark_close(row)
        self.driver.settle()
        kernel.clock = clock
        return self.stop.requested or self.timers.next_due != self.due

    def _mark_close(self, row: int) -> None:
        """Tell the venue of a bar's close, where orders may trade at it; once or twice is the same."""
        at, block = self.start + row - 1, self.feed.block
        opened, closed = int(block.ts[at]), int(self.feed.closes[at])
        prices = (float(column[at]) for column in block.columns.values())
        self.driver.venue.mark_close(self.feed.instrument.symbol, opened, closed, *prices)
