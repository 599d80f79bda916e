"""Plays a window of trades and quotes over whole columns: the fast path.

Per event it writes the fields of a view and calls the strategy, nothing else. What happens to orders goes the same way
as in `cambist.backtest.market.events`, through the same venue; the parity tests hold the two to equal results, bit for
bit.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.market.bars import BarDelivery
from cambist.backtest.market.feeds import BookFeed
from cambist.engine.clock import Clock
from cambist.engine.monitors import looking_after
from cambist.strategies.book_view import BookView
from cambist.strategies.market import QuoteView, TickView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketFeed, MarketWindow
    from cambist.engine.market import View

__all__ = ["play_market_columns"]

#: Plays rows of one series: ``(number of the event, ts, values ...)``; tells whether the run must end.
Player = Any


class _ViewClock(Clock):
    """Stands at the event that a view shows."""

    __slots__ = ("_view",)

    def __init__(self, view: View) -> None:
        self._view = view

    def read(self) -> int:
        """Return the time of the event, ns."""
        return self._view.ts


def play_market_columns(driver: MarketDriver, window: MarketWindow, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    kernel, numbers = driver.kernel, window.numbers
    players = [driver.player(feed, make_player) for feed in driver.feeds]
    rows: list[Iterator[tuple[Any, ...]]] = [_rows(feed, window, first_instant) for feed in driver.feeds]
    if driver.bars:
        players.append(BarDelivery(driver, window).play)
        closing = (np.flatnonzero(numbers == len(driver.feeds)) + first_instant).tolist()
        rows.append(zip(closing, window.closes.tolist(), strict=True))
    # Events follow each other in runs of one series; with one series and no bars there is one run.
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    lengths = np.diff(starts, append=len(numbers))
    for number, length in zip(numbers[starts].tolist(), lengths.tolist(), strict=True):
        if players[number](islice(rows[number], length)):
            return kernel.instant - first_instant + 1
    return len(numbers)


def _rows(feed: MarketFeed, window: MarketWindow, first_instant: int) -> Iterator[tuple[Any, ...]]:
    """Return what a player takes of a feed's rows in the window."""
    start, stop = window.spans[feed.number]
    if stop - start == len(window.numbers):
        instants: Iterable[int] = range(first_instant, first_instant + stop - start)
    else:
        instants = (np.flatnonzero(window.numbers == feed.number) + first_instant).tolist()
    if isinstance(feed, BookFeed):
        return zip(instants, feed.rows(start, stop), strict=True)
    columns = (values[start:stop].tolist() for values in feed.block.columns.values())
    return zip(instants, feed.closes[start:stop].tolist(), *columns, strict=True)


def make_player(driver: MarketDriver, feed: MarketFeed) -> Player:
    """Return what plays rows of one series."""
    view = driver.kernel.views[feed.number]
    if isinstance(view, BookView):
        return _book_player(driver, view)
    return _tick_player(driver, view) if isinstance(view, TickView) else _quote_player(driver, view)


def _tick_player(driver: MarketDriver, view: TickView) -> Player:
    kernel, own_clock, clock = driver.kernel, driver.kernel.own_clock, _ViewClock(view)
    effects, settle, stopping, timers = kernel.effects, driver.settle, driver.stop, driver.timers
    symbol, match, working = view.symbol, driver.venue.match_tick, driver.venue.to_match(view.symbol)
    show = _shower(driver, view, "on_tick")

    def play(rows: Iterable[tuple[int, int, float, float, int]]) -> bool:
        pause = False
        instant = kernel.instant
        kernel.clock = clock
        try:
            for instant, now, price, size, side in rows:
                if working:
                    kernel.instant = instant
                    kernel.clock = own_clock
                    match(symbol, now, price, size, side)
                    kernel.clock = clock
                    pause = stopping.requested
                view.ts = now
                view.price = price
                view.size = size
                view.side_code = side
                show(view)
                if effects:
                    kernel.instant = instant
                    settle()
                    pause = stopping.requested
                if now >= timers.next_due:
                    kernel.instant = instant
                    driver.fire_timers(now)
                    pause = stopping.requested
                if pause:
                    break
        finally:
            kernel.instant = instant
            if kernel.clock is clock:  # not while orders were matched
                own_clock.now = view.ts
                kernel.clock = own_clock
        return pause

    return play


def _quote_player(driver: MarketDriver, view: QuoteView) -> Player:
    # The same loop as above: a call for each event, to share it, would cost as much as the event.
    kernel, own_clock, clock = driver.kernel, driver.kernel.own_clock, _ViewClock(view)
    effects, settle, stopping, timers = kernel.effects, driver.settle, driver.stop, driver.timers
    symbol, match, working = view.symbol, driver.venue.match_quote, driver.venue.to_match(view.symbol)
    show = _shower(driver, view, "on_quote")

    def play(rows: Iterable[tuple[int, int, float, float, float, float]]) -> bool:
        pause = False
        instant = kernel.instant
        kernel.clock = clock
        try:
            for instant, now, bid, ask, bid_size, ask_size in rows:
                if working:
                    kernel.instant = instant
                    kernel.clock = own_clock
                    match(symbol, now, bid, ask, bid_size, ask_size)
                    kernel.clock = clock
                    pause = stopping.requested
                view.ts = now
                view.bid = bid
                view.ask = ask
                view.bid_size = bid_size
                view.ask_size = ask_size
                show(view)
                if effects:
                    kernel.instant = instant
                    settle()
                    pause = stopping.requested
                if now >= timers.next_due:
                    kernel.instant = instant
                    driver.fire_timers(now)
                    pause = stopping.requested
                if pause:
                    break
        finally:
            kernel.instant = instant
            if kernel.clock is clock:  # not while orders were matched
                own_clock.now = view.ts
                kernel.clock = own_clock
        return pause

    return play


def _book_player(driver: MarketDriver, view: BookView) -> Player:
    kernel, own_clock, clock = driver.kernel, driver.kernel.own_clock, _ViewClock(view)
    effects, settle, stopping, timers = kernel.effects, driver.settle, driver.stop, driver.timers
    symbol, match = view.symbol, driver.venue.match_book
    show = _shower(driver, view, "on_book")

    def play(rows: Iterable[tuple[int, tuple[Any, ...]]]) -> bool:
        try:
            for instant, update in rows:
                kernel.instant = instant
                kernel.clock = own_clock
                match(symbol, *update)
                view.apply(*update)
                kernel.clock = clock
                show(view)
                if effects:
                    settle()
                if view.ts >= timers.next_due:
                    driver.fire_timers(view.ts)
                if stopping.requested:
                    return True
        finally:
            if kernel.clock is clock:  # not while orders were matched
                own_clock.now = view.ts
                kernel.clock = own_clock
        return False

    return play


def _shower(driver: MarketDriver, view: View, hook: str) -> Callable[[Any], None]:
    """Return what shows an event to every strategy, and then to the risk rules that want to know."""
    kernel = driver.kernel
    show = _strategies_shower(driver, view, hook)
    looks = kernel.monitors.looks
    return show if looks is None or driver.bars else looking_after(show, looks)


def _strategies_shower(driver: MarketDriver, view: View, hook: str) -> Callable[[Any], None]:
    kernel = driver.kernel
    outside = kernel.sole_instrument
    seats = [(seat.desk, getattr(seat.strategy, hook)) for seat in kernel.seats]
    if len(seats) == 1 and outside is not None:
        on_event: Callable[[Any], None] = seats[0][1]
        return on_event
    inside = view.instrument

    def show(shown: Any) -> None:
        for desk, on_event in seats:
            desk.instrument = inside
            on_event(shown)
            desk.instrument = outside

    return show
