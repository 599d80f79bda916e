"""The series of a backtest: blocks of bars, and the rows still to be played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.engine.step import Seat
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["ROWS", "Feed", "Window", "windows"]

#: Rows that are played at once, over all series together.
ROWS = 65_536


class Feed:
    """One series of a run: its current block, and where the run stands in it.

    Parameters
    ----------
    number
        Of the series, in declared order.
    blocks
        Pieces of its bars, in order; the first is taken at once.
    whole
        The first piece is everything.

    Attributes
    ----------
    block, closes
        The current piece and its close times, int64 ns, shape ``(k,)``.
    at
        Next row of the block to play.
    played
        Rows played before the current block.
    """

    def __init__(self, number: int, blocks: Iterator[Bars], *, whole: bool) -> None:
        self.number = number
        self.whole = whole
        self._blocks = blocks
        self._ended = False
        self.block: Bars = next(blocks)
        self.instrument: Instrument = self.block.instrument
        self.timeframe: Timeframe = self.block.timeframe
        self.closes: NDArray[np.int64] = self.block.close_times
        self.at = 0
        self.played = 0
        self.last_close = float("nan")

    @property
    def rows_left(self) -> int:
        """Rows of the current block still to play."""
        return len(self.block) - self.at

    def next_block(self) -> bool:
        """Take the next piece once the current one is played; False when there is none."""
        if self._ended:
            return False
        following = next(self._blocks, None)
        if following is None:
            self._ended = True
            return False
        self.played += len(self.block)
        self.block = following
        self.closes = following.close_times
        self.at = 0
        return True

    def on_block(self, note: Callable[[Bars], None]) -> None:
        """Have every block noted as it is read, the current one at once."""
        note(self.block)
        self._blocks = _noted(self._blocks, note)

    def load(self, seats: Sequence[Seat]) -> None:
        """Give the current block to the lines of every strategy."""
        for seat in seats:
            seat.cursors[self.number].load(self.block, whole=self.whole)


def _noted(blocks: Iterator[Bars], note: Callable[[Bars], None]) -> Iterator[Bars]:
    for block in blocks:
        note(block)
        yield block


@attrs.frozen(eq=False, slots=True)
class Window:
    """A stretch of the run that is played at once.

    Attributes
    ----------
    spans
        For each feed its first row and end within its block.
    instants
        Close times at which at least one bar closes, int64 ns, shape ``(k,)``, ascending.
    """

    spans: tuple[tuple[int, int], ...]
    instants: NDArray[np.int64]

    def closes(self, feed: Feed) -> NDArray[np.float64]:
        """Return the last close of `feed` at each instant, shape ``(k,)``; NaN before its first bar."""
        start, stop = self.spans[feed.number]
        return self.spread(feed, feed.block.close[start:stop], feed.last_close)

    def spread(self, feed: Feed, values: NDArray[np.float64], before: float) -> NDArray[np.float64]:
        """Return at each instant the value of the feed's last bar, `before` where it has had none in this window."""
        start, stop = self.spans[feed.number]
        if stop - start == len(self.instants):
            return values
        rows = np.searchsorted(feed.closes[start:stop], self.instants, side="right")
        return np.concatenate(([before], values))[rows]


def windows(feeds: Sequence[Feed], seats: Sequence[Seat], cut: Callable[[int], int] | None = None) -> Iterator[Window]:
    """Yield the stretches of a run, in time order; the caller plays each before it asks for the next.

    No stretch passes the end of any feed's current block, so that bars of one instant are always together.

    Parameters
    ----------
    feeds, seats
        The series, and the strategies whose lines are to be loaded.
    cut
        Answers how far a stretch may go, asked with the close time, ns, to which it would.
    """
    for feed in feeds:
        feed.load(seats)
    while True:
        for feed in feeds:
            if feed.rows_left == 0 and feed.next_block():
                feed.load(seats)
        live = [feed for feed in feeds if feed.rows_left]
        if not live:
            return
        most = max(1, ROWS // len(live))
        horizon = min(int(feed.closes[min(feed.at + most, len(feed.block)) - 1]) for feed in live)
        if cut is not None:
            horizon = cut(horizon)
        spans = tuple(
            (feed.at, int(np.searchsorted(feed.closes, horizon, side="right")) if feed.rows_left else feed.at)
            for feed in feeds
        )
        parts = [feed.closes[start:stop] for feed, (start, stop) in zip(feeds, spans, strict=True)]
        yield Window(spans, parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts)))
        for feed, (start, stop) in zip(feeds, spans, strict=True):
            if stop > start:
                feed.last_close = float(feed.block.close[stop - 1])
            feed.at = stop
