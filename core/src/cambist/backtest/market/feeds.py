"""The series of a run on trades and quotes: blocks of rows, and the order in which they are played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.feeds import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument
    from cambist.model.ticks import Quotes, Ticks

__all__ = ["MarketFeed", "MarketWindow", "market_windows"]


class MarketFeed:
    """One series of a run: its current block, and where the run stands in it.

    A block never ends within a moment: rows of one time that a source has put into two blocks are brought together,
    so that how the data is cut makes no difference to the run.

    Parameters
    ----------
    number
        Of the series, in declared order.
    blocks
        Pieces of its rows, in order; the first two are taken at once.

    Attributes
    ----------
    block, marks
        The current piece, and the price at which positions are valued at each of its rows, shape ``(k,)``.
    at
        Next row of the block to play.
    last_mark
        The price before it; NaN before the first.
    timeframe
        What stands for one in a result.
    """

    def __init__(self, number: int, blocks: Iterator[Any]) -> None:
        self.number = number
        self._blocks = blocks
        self._coming: Any = next(blocks)
        self.block: Ticks | Quotes
        self.marks: NDArray[np.float64]
        self.at = 0
        self.last_mark = float("nan")
        self.next_block()
        self.kind: str = self.block.kind
        self.timeframe = self.kind
        self.instrument: Instrument = self.block.instrument

    @property
    def rows_left(self) -> int:
        """Rows of the current block still to play."""
        return len(self.block) - self.at

    def next_block(self) -> bool:
        """Take the next piece once the current one is played; False when there is none."""
        if self._coming is None:
            return False
        parts = [self._coming]
        end = self._coming.ts[-1]
        self._coming = next(self._blocks, None)
        while self._coming is not None and self._coming.ts[0] == end:
            cut = int(np.searchsorted(self._coming.ts, end, side="right"))
            parts.append(self._coming[:cut])
            self._coming = self._coming[cut:] if cut < len(self._coming) else next(self._blocks, None)
        self.block = block = parts[0] if len(parts) == 1 else _joined(parts)
        columns = block.columns
        self.marks = columns["price"] if block.kind == "ticks" else (columns["bid"] + columns["ask"]) / 2.0
        self.at = 0
        return True


def _joined(parts: Sequence[Any]) -> Any:
    first = parts[0]
    columns = (np.concatenate([part.columns[name] for part in parts]) for name in first.columns)
    return type(first)(first.instrument, np.concatenate([part.ts for part in parts]), *columns)


@attrs.frozen(eq=False, slots=True)
class MarketWindow:
    """A stretch of the run that is played at once.

    Attributes
    ----------
    spans
        For each feed its first row and end within its block.
    instants
        Times of the events, int64 ns, shape ``(k,)``, ascending; unlike bars, events of one time have one each.
    numbers
        Of which feed each event is, shape ``(k,)``. Those of one time stand in declared order of the feeds.
    """

    spans: tuple[tuple[int, int], ...]
    instants: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def marks(self, feed: MarketFeed, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mark of `feed` after each of the events `rows`; NaN before its first."""
        start, stop = self.spans[feed.number]
        values: NDArray[np.float64] = feed.marks[start:stop]
        if len(values) != len(self.numbers):
            values = np.concatenate(([feed.last_mark], values))
            rows = np.cumsum(self.numbers == feed.number)[rows]
        marks: NDArray[np.float64] = values[rows]
        return marks


def market_windows(feeds: Sequence[MarketFeed]) -> Iterator[MarketWindow]:
    """Yield the stretches of a run, in time order; the caller plays each before it asks for the next.

    No stretch ends within a moment.
    """
    while True:
        for feed in feeds:
            if feed.rows_left == 0:
                feed.next_block()
        live = [feed for feed in feeds if feed.rows_left]
        if not live:
            return
        most = max(1, ROWS // len(live))
        horizon = min(int(feed.block.ts[min(feed.at + most, len(feed.block)) - 1]) for feed in live)
        spans = tuple(
            (feed.at, int(np.searchsorted(feed.block.ts, horizon, side="right")) if feed.rows_left else feed.at)
            for feed in feeds
        )
        yield _window(feeds, spans)
        for feed, (start, stop) in zip(feeds, spans, strict=True):
            if stop > start:
                feed.last_mark = float(feed.marks[stop - 1])
            feed.at = stop


def _window(feeds: Sequence[MarketFeed], spans: tuple[tuple[int, int], ...]) -> MarketWindow:
    pairs = list(zip(feeds, spans, strict=True))
    times = [feed.block.ts[start:stop] for feed, (start, stop) in pairs]
    numbers = [np.full(stop - start, feed.number) for feed, (start, stop) in pairs]
    if len(pairs) == 1:
        return MarketWindow(spans, times[0], numbers[0])
    all_times, all_numbers = np.concatenate(times), np.concatenate(numbers)
    order = np.lexsort((all_numbers, all_times))  # stable: rows of one feed stay in their order
    return MarketWindow(spans, all_times[order], all_numbers[order])
