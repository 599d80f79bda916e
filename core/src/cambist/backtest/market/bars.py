"""Delivers bars in a run on trades and quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketWindow

__all__ = ["BarDelivery", "merged_bars"]


def merged_bars(driver: MarketDriver, window: MarketWindow) -> Iterator[list[tuple[int, int]]]:
    """Yield, for each time at which bars close, number and row (of its span, from 0) of each of them, as declared."""
    numbers, rows, closes = [], [], []
    for feed, (start, stop) in zip(driver.bars, window.bar_spans, strict=True):
        numbers.append(np.full(stop - start, feed.number))
        rows.append(np.arange(stop - start))
        closes.append(feed.closes[start:stop])
    if not numbers:
        return
    close = np.concatenate(closes)
    order = np.lexsort((np.concatenate(numbers), close))
    pairs = list(zip(np.concatenate(numbers)[order].tolist(), np.concatenate(rows)[order].tolist(), strict=True))
    begin = 0
    for end in np.searchsorted(close[order], window.closes, side="right").tolist():
        yield pairs[begin:end]
        begin = end


class BarDelivery:
    """Shows strategies the bars of a window, out of whole columns.

    Parameters
    ----------
    driver
        Whose bars.
    window
        The stretch of the run that is about to be played.
    """

    def __init__(self, driver: MarketDriver, window: MarketWindow) -> None:
        self._driver = driver
        self._coming = merged_bars(driver, window)
        for feed, (start, stop) in zip(driver.bars, window.bar_spans, strict=True):
            for seat in driver.kernel.seats:
                seat.cursors[feed.number].open_window(start, stop)

    def play(self, rows: Iterable[tuple[int, int]]) -> bool:
        """Deliver the bars of the next instants, ``(number of the event, ts)``; tell whether the run must end."""
        driver, kernel = self._driver, self._driver.kernel
        for instant, now in rows:
            kernel.instant = instant
            driver.venue.arrive(now)
            kernel.own_clock.now = now
            for number, row in next(self._coming):
                for seat in kernel.seats:
                    seat.cursors[number].row = row + 1
                kernel.show_bar(number)
                driver.settle()
            kernel.close_instant()
            driver.settle()
            driver.fire_timers(now)
            if driver.stop.requested:
                return True
        return False
