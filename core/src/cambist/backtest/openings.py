"""What a run that cheats on the open does before it matches bars: it shows strategies where they open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.driver import Driver
from cambist.errors import DataError, InputError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.backtest.feeds import Feed, Window
    from cambist.engine import OpeningKernel

    Work = Callable[[Driver, Any, list[tuple[int, int]], int], None]

__all__ = ["OpeningDriver", "opener"]


class OpeningDriver(Driver):
    """A driver that sees to it that no bar opens before everything known at an earlier close has been told.

    All bars that close at one instant then open at one, and a strategy that is shown them has seen no close after it.
    The parameters are those of `Driver`.

    Raises
    ------
    InputError
        If the series are of several timeframes.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        lengths = {str(feed.timeframe): feed for feed in self.feeds}
        if len(lengths) > 1:
            named = " and ".join(f"{feed.instrument.symbol} {length}" for length, feed in lengths.items())
            raise InputError(
                f"cheat_on_open is True and the series are of several timeframes ({named}): what is sent at the open "
                "of a long bar would be matched when it closes, after the short ones inside it. Give series of one "
                "timeframe, or leave cheat_on_open out."
            )

    def _windows(self) -> Iterator[Any]:
        length, known = self.feeds[0].timeframe.ns, None
        for window in super()._windows():
            self._check_order(window, length, known)
            yield window
            known = int(window.instants[-1])

    def _check_order(self, window: Window, length: int, known: int | None) -> None:
        """Fail if bars of a window open before the last close until then, `known` at its start."""
        opens = window.instants - length
        closes = window.instants if known is None else np.concatenate(([known], window.instants))
        opens = opens[1:] if known is None else opens
        for row in np.flatnonzero(opens < closes[: len(opens)])[:1].tolist():
            opened, closed = int(opens[row]), int(closes[row])
            late = next(feed for feed in self.feeds if np.any(feed.block.ts == opened))
            raise DataError(
                f"cheat_on_open is True, and the bar of {late.instrument.symbol} that opens at {format_ns(opened)} "
                f"lies across the close of another instrument's at {format_ns(closed)}. Give series whose bars begin "
                "together, or leave cheat_on_open out."
            )


def opener(driver: Driver, kernel: OpeningKernel, window: Window, work: Work) -> Work:
    """Return what shows strategies the opens of an instant's bars, then has their orders worked by `work`."""
    shows = [_shower(driver, kernel, feed, start) for feed, (start, _) in zip(driver.feeds, window.spans, strict=True)]

    def open_and_work(driver: Driver, tracks: Any, bars: list[tuple[int, int]], now: int) -> None:
        for number, row in bars:
            shows[number](row)
        work(driver, tracks, bars, now)

    return open_and_work


def _shower(driver: Driver, kernel: OpeningKernel, feed: Feed, start: int) -> Callable[[int], None]:
    """Return what shows the open of a row of the window, counted from 1, as ``Kernel.step`` does by `BarOpened`."""
    number, settle = feed.number, driver.settle
    opens, prices = feed.block.ts.data, feed.block.open.data  # memory views give Python numbers
    # A strategy must have been shown the bar before as one that it may trade on.
    watchers = [(seat, seat.warm_after[number] - feed.played - start + 1) for seat in kernel.watchers]

    def show(row: int) -> None:
        at = start - 1 + row
        price = prices[at]
        kernel.note_open(number, opens[at], price)
        for seat, cold in watchers:
            if row > cold:
                kernel.show_open(seat, number, price)
        if kernel.effects:
            settle()

    return show
