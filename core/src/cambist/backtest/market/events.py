"""Plays a window of trades and quotes as events through ``Kernel.step``: the way of replay, paper and live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.events import QuoteReceived, TickReceived
from cambist.model.market import Tick

if TYPE_CHECKING:
    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketWindow

__all__ = ["play_market_events"]


def play_market_events(driver: MarketDriver, window: MarketWindow, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    kernel, venue = driver.kernel, driver.venue
    coming = [
        iter(feed.block[start:stop]) if stop > start else iter(())
        for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True)
    ]
    played = 0
    for number in window.numbers.tolist():
        kernel.instant = first_instant + played
        value = next(coming[number])
        symbol, now = value.instrument.symbol, value.ts
        works = bool(venue.markets[symbol].working)
        if isinstance(value, Tick):
            if works:
                venue.match_tick(symbol, now, value.price, value.size)
            driver.carry_out(kernel.step(TickReceived(now, number, value)))
        else:
            if works:
                venue.match_quote(symbol, now, value.bid, value.ask, value.bid_size, value.ask_size)
            driver.carry_out(kernel.step(QuoteReceived(now, number, value)))
        driver.fire_timers(now)
        played += 1
        if driver.stop.requested:
            break
    return played
