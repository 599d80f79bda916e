"""Plays a window of trades, quotes and bars as events through ``Kernel.step``: the way of replay, paper and live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.market.bars import merged_bars
from cambist.model.books import BookUpdate
from cambist.model.events import BarClosed, BookReceived, InstantClosed, QuoteReceived, TickReceived
from cambist.model.market import Tick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketWindow
    from cambist.model.bars import Bar

__all__ = ["play_market_events"]


def play_market_events(driver: MarketDriver, window: MarketWindow, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    kernel = driver.kernel
    coming = [feed.values(start, stop) for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True)]
    closing = _closing(driver, window)
    for played, (number, now) in enumerate(zip(window.numbers.tolist(), window.instants.tolist(), strict=True), 1):
        kernel.instant = first_instant + played - 1
        if number == len(coming):
            _close_bars(driver, next(closing), now)
        else:
            _take(driver, number, next(coming[number]))
        driver.fire_timers(now)
        if driver.stop.requested:
            return played
    return len(window.numbers)


def _take(driver: MarketDriver, number: int, value: Any) -> None:
    """Work the orders against one trade, quote or update of a book, and show it."""
    kernel, venue = driver.kernel, driver.venue
    symbol, now = value.instrument.symbol, value.ts
    works = bool(venue.to_match(symbol))
    if isinstance(value, Tick):
        if works:
            venue.match_tick(symbol, now, value.price, value.size, 0 if value.side is None else value.side.sign)
        driver.carry_out(kernel.step(TickReceived(now, number, value)))
    elif isinstance(value, BookUpdate):
        venue.match_book(symbol, now, value.is_snapshot, *zip(*value.levels, strict=True))
        driver.carry_out(kernel.step(BookReceived(now, number, value)))
    else:
        if works:
            venue.match_quote(symbol, now, value.bid, value.ask, value.bid_size, value.ask_size)
        driver.carry_out(kernel.step(QuoteReceived(now, number, value)))


def _close_bars(driver: MarketDriver, bars: list[tuple[int, Bar]], now: int) -> None:
    """Show the bars that close at `now`."""
    kernel = driver.kernel
    driver.venue.arrive(now)
    for number, bar in bars:
        driver.carry_out(kernel.step(BarClosed(now, number, bar)))
    driver.carry_out(kernel.step(InstantClosed(now)))


def _closing(driver: MarketDriver, window: MarketWindow) -> Iterator[list[tuple[int, Bar]]]:
    """Yield the bars that close together, each with the number of its series."""
    bars = [
        list(feed.block[start:stop]) if stop > start else []
        for feed, (start, stop) in zip(driver.bars, window.bar_spans, strict=True)
    ]
    for together in merged_bars(driver, window):
        yield [(number, bars[number][row]) for number, row in together]
