"""Plays a window over whole columns: the fast path.

Per bar it moves the cursor and calls the strategy, nothing else: no event, no hook, no record, no look-up by
name. What happens to orders goes the same way as in `cambist.backtest.events`, through the same venue and the
same ``Kernel.step``; the parity tests hold the two to equal results, bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.engine.desk import Desk
    from cambist.engine.step import Seat
    from cambist.indicators.series import BarView, SeriesCursor
    from cambist.model.instrument import Instrument
    from cambist.simulation.working import Working

__all__ = ["play_columns"]


def play_columns(driver: Driver, window: Window, first_instant: int) -> int:
    """Play one window; see `Driver`."""
    for feed, (start, stop) in zip(driver.feeds, window.spans, strict=True):
        for seat in driver.kernel.seats:
            seat.cursors[feed.number].open_window(start, stop)
    if len(driver.feeds) == 1 and len(driver.kernel.seats) == 1:
        return _play_one(driver, window, first_instant)
    return _play_many(driver, window, first_instant)


def _matcher(driver: Driver, feed: Feed) -> Callable[[int], None]:
    """Return what matches a row of the feed's block; memory views give Python numbers without a copy."""
    block = feed.block
    symbol, length = feed.instrument.symbol, feed.timeframe.ns
    opens = memoryview(block.ts)
    open_, high, low = memoryview(block.open), memoryview(block.high), memoryview(block.low)
    close, volume = memoryview(block.close), memoryview(block.volume)
    match = driver.venue.match

    def match_row(row: int) -> None:
        opened = opens[row]
        match(symbol, opened, opened + length, open_[row], high[row], low[row], close[row], volume[row])

    return match_row


def _close_marker(driver: Driver, feed: Feed) -> Callable[[int], None]:
    """Return what notes the close of a row, for rules under which orders may trade at it."""
    block, symbol, length = feed.block, feed.instrument.symbol, feed.timeframe.ns

    def mark_row(row: int) -> None:
        opened = int(block.ts[row])
        driver.venue.mark_close(symbol, opened, opened + length, float(block.close[row]), float(block.volume[row]))

    return mark_row


def _play_one(driver: Driver, window: Window, first_instant: int) -> int:
    """Play one strategy on one series."""
    kernel = driver.kernel
    feed, seat = driver.feeds[0], kernel.seats[0]
    start, stop = window.spans[0]
    cursor, bar = seat.cursors[0], seat.bars[0]
    working = driver.venue.markets[feed.instrument.symbol].working
    match_row, mark_row = _matcher(driver, feed), _close_marker(driver, feed)
    effects, stopping, timers = kernel.effects, driver.stop, driver.timers
    marks = driver.venue.trades_at_close
    on_step = seat.hook("on_step")
    own_clock, length = kernel.now, feed.timeframe.ns

    def bar_clock() -> int:
        return cursor.ts + length

    def settle(row: int) -> None:
        """Carry out what the strategy asked for at a bar's close."""
        kernel.instant = first_instant + row - 1
        if marks:
            mark_row(start + row - 1)
        driver.carry_out(kernel.collect())

    count = stop - start
    cold = min(count, max(0, seat.warm_after[0] - feed.played - start))
    played = row = 0
    kernel.now = bar_clock
    try:
        while row < count and not stopping.requested:
            last = _row_before_due(window, timers.next_due, row, count)
            on_bar, on_warm_step = (seat.strategy.on_bar, on_step) if row >= cold else (_cold(seat), None)
            if row < cold:
                last = min(last, cold)
            due = timers.next_due
            for row in range(row + 1, last + 1):  # noqa: B020, PLR1704 - goes on where the stretch before ended
                if working:
                    kernel.instant = first_instant + row - 1
                    kernel.now = own_clock
                    match_row(start + row - 1)
                    kernel.now = bar_clock
                cursor.row = row
                on_bar(bar)
                if effects:
                    settle(row)
                if on_warm_step is not None:
                    on_warm_step()
                    if effects:
                        settle(row)
                if stopping.requested or timers.next_due != due:
                    break
            played = row
            if timers.next_due <= bar_clock():
                kernel.instant = first_instant + row - 1
                driver.fire_timers(bar_clock())
    finally:
        kernel.now = own_clock
    kernel.instant = first_instant + played
    return played


def _row_before_due(window: Window, due: int, row: int, count: int) -> int:
    """Return the 1-based row of the first bar that closes at or after `due`, at most `count`."""
    return max(row + 1, min(count, int(np.searchsorted(window.instants, due, side="left")) + 1))


def _cold(seat: Seat) -> Callable[[BarView], None]:
    """Return what shows a strategy a bar before its indicators are known."""
    hook = seat.hook("on_warmup_bar")
    if hook is None:
        return _ignore

    def show(bar: BarView) -> None:
        seat.desk.refusing = _WARMING
        hook(bar)
        seat.desk.refusing = ""

    return show


def _ignore(_bar: BarView) -> None:
    """Take a bar that nobody wants."""


@attrs.define(eq=False, slots=True)
class _Lane:
    """One strategy's share of one series in the window being played."""

    cursor: SeriesCursor
    bar: BarView
    desk: Desk
    on_bar: Callable[[BarView], None]
    on_warmup_bar: Callable[[BarView], None]
    cold: int


@attrs.define(eq=False, slots=True)
class _Track:
    """One series in the window being played."""

    instrument: Instrument
    working: dict[int, Working]
    match_row: Callable[[int], None]
    mark_row: Callable[[int], None]
    offset: int
    lanes: tuple[_Lane, ...]


def _track(driver: Driver, feed: Feed, span: tuple[int, int]) -> _Track:
    start = span[0]
    lanes = tuple(
        _Lane(
            seat.cursors[feed.number],
            seat.bars[feed.number],
            seat.desk,
            seat.strategy.on_bar,
            _cold(seat),
            seat.warm_after[feed.number] - feed.played - start,
        )
        for seat in driver.kernel.seats
    )
    return _Track(
        feed.instrument,
        driver.venue.markets[feed.instrument.symbol].working,
        _matcher(driver, feed),
        _close_marker(driver, feed),
        start - 1,
        lanes,
    )


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


def _play_many(driver: Driver, window: Window, first_instant: int) -> int:
    """Play any number of strategies on any number of series."""
    kernel, stopping, timers = driver.kernel, driver.stop, driver.timers
    effects, carry_out, collect = kernel.effects, driver.carry_out, kernel.collect
    tracks = [_track(driver, feed, span) for feed, span in zip(driver.feeds, window.spans, strict=True)]
    numbers, rows, ends = _merge(driver, window)
    steppers = _steppers(driver, window)
    marks = driver.venue.trades_at_close
    own_clock, single = kernel.now, len(tracks) == 1
    instants = window.instants.tolist()
    now = 0

    def instant_clock() -> int:
        return now

    begin = played = 0
    kernel.now = instant_clock
    try:
        for now, end in zip(instants, ends, strict=True):  # noqa: B007 - the clock reads it
            kernel.instant = first_instant + played
            if kernel.book.open:
                kernel.now = own_clock
                for at in range(begin, end):
                    track = tracks[numbers[at]]
                    if track.working:
                        track.match_row(track.offset + rows[at])
                kernel.now = instant_clock
            if marks:
                for at in range(begin, end):
                    track = tracks[numbers[at]]
                    track.mark_row(track.offset + rows[at])
            for at in range(begin, end):
                track, row = tracks[numbers[at]], rows[at]
                for lane in track.lanes:
                    lane.cursor.row = row
                    lane.desk.instrument = track.instrument
                    if row > lane.cold:
                        lane.on_bar(lane.bar)
                    else:
                        lane.on_warmup_bar(lane.bar)
                    if not single:
                        lane.desk.instrument = None
                if effects:
                    carry_out(collect())
            for on_step, warm_from in steppers:
                if played >= warm_from:
                    on_step()
            if effects:
                carry_out(collect())
            if timers.next_due <= now:
                driver.fire_timers(now)
            begin = end
            played += 1
            if stopping.requested:
                break
    finally:
        kernel.now = own_clock
    return played


def _steppers(driver: Driver, window: Window) -> list[tuple[Callable[[], None], int]]:
    """Return each `on_step` that somebody wrote, and the instant of the window from which it is called."""
    steppers: list[tuple[Callable[[], None], int]] = []
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


_WARMING = "during warm-up: the indicators are not known yet. Trade in on_bar"
