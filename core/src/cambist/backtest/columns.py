"""Plays a window over whole columns: the fast path.

Per bar it moves the cursor and calls the strategy, nothing else: no event, no hook, no record, no look-up by
name. What happens to orders goes the same way as in `cambist.backtest.events`, through the same venue and the
same ``Kernel.step``; the parity tests hold the two to equal results, bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.many import play_many
from cambist.backtest.single import SinglePlayer

if TYPE_CHECKING:
    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Window

__all__ = ["play_columns"]


def play_columns(driver: Driver, window: Window, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True):
        for seat in driver.kernel.seats:
            seat.cursors[feed.number].open_window(start, stop)
    if len(driver.feeds) == 1 and len(driver.kernel.seats) == 1 and not driver.kernel.shows_opens:
        return SinglePlayer(driver, window, first_instant).play()
    return play_many(driver, window, first_instant)
