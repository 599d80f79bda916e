"""The series of a run on trades and quotes: blocks of rows, and the order in which they and bars are played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.feeds import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.feeds import Feed
    from cambist.engine.step import Seat
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

    @property
    def closes(self) -> NDArray[np.int64]:
        """When each row of the block is known, ns: its time."""
        return self.block.ts

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
        Times of the events, int64 ns, shape ``(k,)``, ascending; trades and quotes of one time have one each, the bars
        that close at one time have one together.
    numbers
        Of which feed each event is, shape ``(k,)``; one above the last stands for bars. Those of one time stand in
        declared order of the feeds, bars last.
    bar_spans
        For each series of bars its first row and end within its block.
    closes
        Times at which bars close, int64 ns, shape ``(m,)``, ascending.
    """

    spans: tuple[tuple[int, int], ...]
    instants: NDArray[np.int64]
    numbers: NDArray[np.int64]
    bar_spans: tuple[tuple[int, int], ...]
    closes: NDArray[np.int64]

    @property
    def is_of_one_feed(self) -> bool:
        """Whether every event is of one and the same feed."""
        return len(self.spans) == 1 and not len(self.closes)

    def marks(self, feed: MarketFeed, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mark of `feed` after each of the events `rows`; NaN before its first."""
        start, stop = self.spans[feed.number]
        values: NDArray[np.float64] = feed.marks[start:stop]
        if len(values) != len(self.numbers):
            values = np.concatenate(([feed.last_mark], values))
            rows = np.cumsum(self.numbers == feed.number)[rows]
        marks: NDArray[np.float64] = values[rows]
        return marks

    def played_of(self, number: int, events: int) -> int:
        """Return how many of the first `events` are of feed `number`."""
        return int(np.count_nonzero(self.numbers[:events] == number))


def market_windows(
    feeds: Sequence[MarketFeed],
    bars: Sequence[Feed],
    seats: Sequence[Seat],
    cut: Callable[[int], int],
) -> Iterator[MarketWindow]:
    """Yield the stretches of a run, in time order; the caller plays each before it asks for the next.

    No stretch ends within a moment.

    Parameters
    ----------
    feeds, bars
        Trades and quotes, and bars beside them.
    seats
        The strategies whose lines are to be loaded.
    cut
        Answers how far a stretch may go, asked with the time, ns, to which it would.
    """
    series: list[MarketFeed | Feed] = [*feeds, *bars]
    for barred in bars:
        barred.load(seats)
    while True:
        for feed in feeds:
            if feed.rows_left == 0:
                feed.next_block()
        for barred in bars:
            if barred.rows_left == 0 and barred.next_block():
                barred.load(seats)
        live = [one for one in series if one.rows_left]
        if not live:
            return
        most = max(1, ROWS // len(live))
        horizon = cut(min(int(one.closes[min(one.at + most, len(one.block)) - 1]) for one in live))
        spans = [
            (one.at, int(np.searchsorted(one.closes, horizon, side="right")) if one.rows_left else one.at)
            for one in series
        ]
        yield _window(feeds, bars, spans)
        for one, (start, stop) in zip(series, spans, strict=True):
            if stop > start and isinstance(one, MarketFeed):
                one.last_mark = float(one.marks[stop - 1])
            one.at = stop


_NO_TIMES = np.empty(0, np.int64)


def _window(feeds: Sequence[MarketFeed], bars: Sequence[Feed], spans: Sequence[tuple[int, int]]) -> MarketWindow:
    own, of_bars = tuple(spans[: len(feeds)]), tuple(spans[len(feeds) :])
    closing = [one.closes[start:stop] for one, (start, stop) in zip(bars, of_bars, strict=True)]
    closes = np.unique(np.concatenate(closing)) if closing else _NO_TIMES
    times = [feed.closes[start:stop] for feed, (start, stop) in zip(feeds, own, strict=True)]
    numbers = [np.full(stop - start, feed.number) for feed, (start, stop) in zip(feeds, own, strict=True)]
    if len(feeds) == 1 and not len(closes):
        return MarketWindow(own, times[0], numbers[0], of_bars, closes)
    all_times = np.concatenate([*times, closes])
    all_numbers = np.concatenate([*numbers, np.full(len(closes), len(feeds))])
    order = np.lexsort((all_numbers, all_times))  # stable: rows of one feed stay in their order
    return MarketWindow(own, all_times[order], all_numbers[order], of_bars, closes)
