"""The fast path for any number of strategies on any number of series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.backtest.openings import opener
from cambist.backtest.warmup import warmup_hook
from cambist.engine import OpeningKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Sized

    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.backtest.openings import Work
    from cambist.engine.desk import Desk
    from cambist.indicators.series import BarView, SeriesCursor
    from cambist.model.instrument import Instrument

__all__ = ["play_many"]


def _shower(feed: Feed, show: Callable[..., None]) -> Callable[[int], None]:
    """Return what shows the venue a row of the feed's block; memory views give Python numbers without a copy."""
    block = feed.block
    symbol = feed.instrument.symbol
    opens, closes = block.ts.data, feed.closes.data
    open_, high, low, close, volume = (column.data for column in block.columns.values())

    def show_row(row: int) -> None:
        show(symbol, opens[row], closes[row], open_[row], high[row], low[row], close[row], volume[row])

    return show_row


@attrs.define(eq=False, slots=True)
class _Lane:
    """One strategy's share of one series in the window being played.

    Attributes
    ----------
    cold
        Rows of the window before its indicators are known.
    is_last
        No other strategy is shown the same bar after this one.
    """

    cursor: SeriesCursor
    bar: BarView
    desk: Desk
    instrument: Instrument
    on_bar: Callable[[BarView], None]
    on_warmup_bar: Callable[[BarView], None]
    cold: int
    is_last: bool


@attrs.define(eq=False, slots=True)
class _Track:
    """One series in the window being played."""

    working: Sized
    match_row: Callable[[int], None]
    mark_row: Callable[[int], None]
    offset: int
    lanes: tuple[_Lane, ...]


def _track(driver: Driver, feed: Feed, span: tuple[int, int]) -> _Track:
    start, seats = span[0], driver.kernel.seats
    lanes = tuple(
        _Lane(
            seat.cursors[feed.number],
            seat.bars[feed.number],
            seat.desk,
            feed.instrument,
            seat.on_bar[feed.number],
            warmup_hook(seat, feed.number),
            seat.warm_after[feed.number] - feed.played - start,
            seat is seats[-1],
        )
        for seat in seats
    )
    working = driver.venue.markets[feed.instrument.symbol].working
    venue = driver.venue
    return _Track(working, _shower(feed, venue.match), _shower(feed, venue.mark_close), start - 1, lanes)


def _merge(driver: Driver, window: Window) -> tuple[list[int], list[int], list[int]]:
    """Return series and window row of every bar in the order of play, and where each instant ends."""
    numbers, rows, closes = [], [], []
    for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True):
        numbers.append(np.full(stop - start, feed.number))
        rows.append(np.arange(1, stop - start + 1))
        closes.append(feed.closes[start:stop])
    number, row, close = np.concatenate(numbers), np.concatenate(rows), np.concatenate(closes)
    order = np.lexsort((number, close))
    ends = np.searchsorted(close[order], window.instants, side="right")
    return number[order].tolist(), row[order].tolist(), ends.tolist()


def play_many(driver: Driver, window: Window, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    kernel, stopping, timers = driver.kernel, driver.stop, driver.timers
    effects, settle, clock = kernel.effects, driver.settle, kernel.own_clock
    tracks = [_track(driver, feed, span) for feed, span in zip(driver.feeds, window.spans, strict=True)]
    numbers, rows, ends = _merge(driver, window)
    shown = [(lane, row) for number, row in zip(numbers, rows, strict=True) for lane in tracks[number].lanes]
    steppers = _steppers(driver, window)
    # Outside its own bar a strategy on several series must name the one it means.
    outside = driver.feeds[0].instrument if len(tracks) == 1 else None
    seats = len(kernel.seats)
    begin = played = 0
    work, always = _worker(driver, window)
    for now, end in zip(window.instants.tolist(), ends, strict=True):
        kernel.instant = first_instant + played
        if always or kernel.book.open:
            work(driver, tracks, [(numbers[at], rows[at]) for at in range(begin, end)], now)
        clock.now = now
        for lane, row in shown[begin * seats : end * seats]:
            lane.cursor.row = row
            lane.desk.instrument = lane.instrument
            if row > lane.cold:
                lane.on_bar(lane.bar)
            else:
                lane.on_warmup_bar(lane.bar)
            if effects and lane.is_last:
                settle()
        for seat in kernel.seats:
            seat.desk.instrument = outside
        for on_step, warm_from in steppers:
            if played >= warm_from:
                on_step()
        if effects:
            settle()
        if timers.next_due <= now:
            driver.fire_timers(now)
        begin = end
        played += 1
        if stopping.requested:
            break
    return played


def _worker(driver: Driver, window: Window) -> tuple[Work, bool]:
    """Return what works the orders of an instant's bars, and whether it has something to do where no order is open."""
    kernel, venue = driver.kernel, driver.venue
    if isinstance(kernel, OpeningKernel):
        return opener(driver, kernel, window, _work_orders), True
    return _work_orders, venue.trades_at_close or venue.keeps_guards


def _work_orders(driver: Driver, tracks: list[_Track], bars: list[tuple[int, int]], now: int) -> None:
    """Work the orders of an instant's bars, all of them before any strategy sees a bar."""
    for number, row in bars:
        track = tracks[number]
        if track.working:
            track.match_row(track.offset + row)
    if driver.venue.matches_together:
        driver.venue.match_together()
    driver.kernel.own_clock.now = now
    if driver.venue.trades_at_close:
        for number, row in bars:
            track = tracks[number]
            track.mark_row(track.offset + row)


def _steppers(driver: Driver, window: Window) -> list[tuple[Callable[[], None], int]]:
    """Return each `on_step` that somebody wrote, and the instant of the window from which it is called.

    Before them come the risk rules that want to see the accounts, at every instant.
    """
    looks = driver.kernel.monitors.looks
    steppers: list[tuple[Callable[[], None], int]] = [] if looks is None else [(looks, 0)]
    for seat in driver.kernel.seats:
        hook = seat.hook("on_step")
        if hook is None:
            continue
        warm_from = 0
        for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True):
            missing = seat.warm_after[feed.number] + 1 - feed.played - start
            if missing <= 0:
                continue
            if missing > stop - start:
                warm_from = len(window.instants)
            else:
                known_at = feed.closes[start + missing - 1]
                warm_from = max(warm_from, int(np.searchsorted(window.instants, known_at)))
        steppers.append((hook, warm_from))
    return steppers
