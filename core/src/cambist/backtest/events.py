"""Plays a window as events through ``Kernel.step``: the way of replay, paper and live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.events import BarClosed, BarOpened, InstantClosed

if TYPE_CHECKING:
    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Window
    from cambist.model.bars import Bar

__all__ = ["play_events"]


def play_events(driver: Driver, window: Window, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    kernel = driver.kernel
    coming: dict[int, list[tuple[int, Bar]]] = {}
    for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True):
        if stop > start:
            for close, bar in zip(feed.closes[start:stop].tolist(), feed.block[start:stop], strict=True):
                coming.setdefault(close, []).append((feed.number, bar))
    played = 0
    for now in window.instants.tolist():
        kernel.instant = first_instant + played
        if kernel.shows_opens:
            for number, bar in coming[now]:
                driver.carry_out(kernel.step(BarOpened(bar.ts, number, bar.open)))
        _work_orders(driver, coming[now], now)
        for number, bar in coming[now]:
            driver.carry_out(kernel.step(BarClosed(now, number, bar)))
        driver.carry_out(kernel.step(InstantClosed(now)))
        driver.fire_timers(now)
        played += 1
        if driver.stop.requested:
            break
    return played


def _work_orders(driver: Driver, bars: list[tuple[int, Bar]], now: int) -> None:
    """Work the orders of an instant's bars, all of them before any strategy sees a bar."""
    venue = driver.venue
    for number, bar in bars:
        symbol = driver.feeds[number].instrument.symbol
        if venue.markets[symbol].working:
            venue.match(symbol, bar.ts, now, bar.open, bar.high, bar.low, bar.close, bar.volume)
    if venue.matches_together:
        venue.match_together()
    if venue.trades_at_close:
        for number, bar in bars:
            symbol = driver.feeds[number].instrument.symbol
            venue.mark_close(symbol, bar.ts, now, bar.open, bar.high, bar.low, bar.close, bar.volume)
